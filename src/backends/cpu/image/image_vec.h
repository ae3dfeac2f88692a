// Loops over channels, elements or boxes, which the compiler vectorizes; products are rounded
// before they are added, as TensorFlow's are (see CMakeLists.txt).
#pragma once

#include "backends/cpu/image/image_table.h"
#include "backends/cpu/isa/vec.h"

namespace graft::cpu {
inline namespace GRAFT_ISA_NAMESPACE {

// Four taps at once, so that dst is stored once for them.
static void blend_rows(const BlendRowsArgs* args) {
  const BlendRowsArgs& t = *args;
  float* __restrict dst = t.dst;
  if (t.count == 0) {
    for (ptrdiff_t i = 0; i < t.n; ++i) dst[i] = 0;
    return;
  }
  ptrdiff_t k = 0;
  if (t.count >= 4) {
    const float *a = t.src + t.taps[0].at * t.step, *b = t.src + t.taps[1].at * t.step,
                *c = t.src + t.taps[2].at * t.step, *d = t.src + t.taps[3].at * t.step;
    const float wa = t.taps[0].weight, wb = t.taps[1].weight, wc = t.taps[2].weight,
                wd = t.taps[3].weight;
    for (ptrdiff_t i = 0; i < t.n; ++i) dst[i] = a[i] * wa + b[i] * wb + c[i] * wc + d[i] * wd;
    k = 4;
  } else {
    const float* a = t.src + t.taps[0].at * t.step;
    const float wa = t.taps[0].weight;
    for (ptrdiff_t i = 0; i < t.n; ++i) dst[i] = a[i] * wa;
    k = 1;
  }
  for (; k < t.count; ++k) {
    const float* a = t.src + t.taps[k].at * t.step;
    const float wa = t.taps[k].weight;
    for (ptrdiff_t i = 0; i < t.n; ++i) dst[i] += a[i] * wa;
  }
}

// kChannels 0: any number.
template <int kChannels>
GRAFT_INLINE void blend_pixels(const BlendColumnsArgs& t) {
  const ptrdiff_t channels = kChannels ? kChannels : t.channels;
  float* __restrict dst = t.dst;
  for (ptrdiff_t x = 0; x < t.dst_w; ++x, dst += channels) {
    const Tap *tap = t.taps + t.first[x], *end = t.taps + t.first[x + 1];
    for (ptrdiff_t c = 0; c < channels; ++c) dst[c] = 0;
    for (; tap < end; ++tap) {
      const float* src = t.src + tap->at * channels;
      const float w = tap->weight;
      for (ptrdiff_t c = 0; c < channels; ++c) dst[c] += src[c] * w;
    }
    for (ptrdiff_t c = 0; c < channels; ++c) dst[c] *= t.scale;
  }
}

// Three or four channels as one vector of four: what is loaded and stored beyond the third is the
// next pixel's, which is stored after.
template <int kChannels>
GRAFT_INLINE void blend_quads(const BlendColumnsArgs& t) {
  typedef float Quad __attribute__((vector_size(16)));
  float* dst = t.dst;
  const auto blend = [&](ptrdiff_t x) {
    const Tap *tap = t.taps + t.first[x], *end = t.taps + t.first[x + 1];
    Quad sum = {};
    for (; tap < end; ++tap) {
      Quad pixel;
      __builtin_memcpy(&pixel, t.src + tap->at * kChannels, sizeof pixel);
      sum += pixel * tap->weight;
    }
    return sum * t.scale;
  };
  for (ptrdiff_t x = 0; x + 1 < t.dst_w; ++x, dst += kChannels) {
    const Quad sum = blend(x);
    __builtin_memcpy(dst, &sum, sizeof sum);
  }
  const Quad last = blend(t.dst_w - 1);
  __builtin_memcpy(dst, &last, kChannels * sizeof(float));
}

static void blend_columns(const BlendColumnsArgs* args) {
  switch (args->channels) {
    case 1:
      return blend_pixels<1>(*args);
    case 3:
      return blend_quads<3>(*args);
    case 4:
      return blend_quads<4>(*args);
    default:
      return blend_pixels<0>(*args);
  }
}

static void lerp_row(const LerpRowArgs* args) {
  const LerpRowArgs& t = *args;
  float* __restrict dst = t.dst;
  for (ptrdiff_t x = 0; x < t.dst_w; ++x, dst += t.channels) {
    const Between& at = t.columns[x];
    if (at.left < 0) {
      for (ptrdiff_t c = 0; c < t.channels; ++c) dst[c] = t.outside;
      continue;
    }
    const float *tl = t.top + at.left * t.channels, *tr = t.top + at.right * t.channels;
    const float *bl = t.bottom + at.left * t.channels, *br = t.bottom + at.right * t.channels;
    for (ptrdiff_t c = 0; c < t.channels; ++c) {
      const float above = tl[c] + (tr[c] - tl[c]) * at.lerp;
      const float below = bl[c] + (br[c] - bl[c]) * at.lerp;
      dst[c] = above + (below - above) * t.lerp;
    }
  }
}

GRAFT_INLINE int overlap_block(const OverlapArgs& t, ptrdiff_t begin, ptrdiff_t end) {
  const float *top = t.boxes, *left = top + t.step, *bottom = left + t.step,
              *right = bottom + t.step, *area = right + t.step;
  int over = 0, nan = 0;
  for (ptrdiff_t j = begin; j < end; ++j) {
    const float y0 = top[j] < t.top ? t.top : top[j],
                y1 = t.bottom < bottom[j] ? t.bottom : bottom[j];
    const float x0 = left[j] < t.left ? t.left : left[j],
                x1 = t.right < right[j] ? t.right : right[j];
    const float h = y1 - y0 < 0 ? 0.0f : y1 - y0, w = x1 - x0 < 0 ? 0.0f : x1 - x0;
    const float both = h * w;
    const float share = both / (t.area + area[j] - both);
    const float similarity = area[j] <= 0 ? 0.0f : share;
    over |= similarity > t.threshold;
    nan |= similarity != similarity;
  }
  return over | nan << 1;
}

static int overlap(const OverlapArgs* args) {
  constexpr ptrdiff_t kBlock = 32;
  if (args->area <= 0) return 0;
  int flags = 0;
  ptrdiff_t end = args->count;
  // Boxes of nearly equal scores overlap most.
  for (; end >= kBlock && !(flags & kOverlaps); end -= kBlock)
    flags |= overlap_block(*args, end - kBlock, end);
  return flags & kOverlaps ? flags : flags | overlap_block(*args, 0, end);
}

static constexpr ImageTable make_image_table() {
  return {&blend_rows, &blend_columns, &lerp_row, &overlap};
}

}  // namespace GRAFT_ISA_NAMESPACE
}  // namespace graft::cpu
