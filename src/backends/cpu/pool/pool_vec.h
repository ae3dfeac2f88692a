// Pooling over vectors of channels. An element is one chain over (ky, kx).
//
// As TensorFlow on a CPU: the maximum starts at the lowest finite float and skips NaN; the mean
// divides the sum by the number of taps inside the image.
#pragma once

#include <float.h>

#include "backends/cpu/isa/vec.h"
#include "backends/cpu/pool/pool_table.h"

namespace graft::cpu {
inline namespace GRAFT_ISA_NAMESPACE {

template <bool kMax, int kVecs, bool kTail>
GRAFT_INLINE void pool_block(const PoolArgs& t, const float* src, float* dst, ptrdiff_t taps_w,
                             int tail) {
  Vec acc[kVecs];
#pragma GCC unroll 8
  for (int j = 0; j < kVecs; ++j) acc[j] = kMax ? vset(-FLT_MAX) : vzero();
  for (ptrdiff_t ky = 0; ky < t.taps_h; ++ky, src += t.row_step) {
    const float* p = src;
    for (ptrdiff_t kx = 0; kx < taps_w; ++kx, p += t.pixel_step) {
#pragma GCC unroll 8
      for (int j = 0; j < kVecs; ++j) {
        const Vec v = kTail ? vload_n(p, tail) : vload(p + j * kLanes);
        acc[j] = kMax ? vmax(v, acc[j]) : vadd(acc[j], v);
      }
    }
  }
  const Vec count = vset(static_cast<float>(t.taps_h * taps_w));
#pragma GCC unroll 8
  for (int j = 0; j < kVecs; ++j) {
    const Vec v = kMax ? acc[j] : vdiv(acc[j], count);
    if (kTail) {
      vstore_n(dst, v, tail);
    } else {
      vstore(dst + j * kLanes, v);
    }
  }
}

template <bool kMax>
static void pool_row(const PoolArgs* args) {
  const PoolArgs& t = *args;
  for (ptrdiff_t x = 0; x < t.dst_w; ++x) {
    const ptrdiff_t first = x * t.stride_w - t.pad_left;
    const ptrdiff_t begin = first < 0 ? 0 : first;
    const ptrdiff_t past = first + t.kernel_w;
    const ptrdiff_t end = past < t.src_w ? past : t.src_w;
    const ptrdiff_t taps_w = end > begin ? end - begin : 0;
    const float* src = t.src + begin * t.pixel_step;
    float* dst = t.dst + x * t.pixel_step;
    ptrdiff_t c = 0;
    for (; c + 8 * kLanes <= t.channels; c += 8 * kLanes) {
      pool_block<kMax, 8, false>(t, src + c, dst + c, taps_w, 0);
    }
    for (; c + 2 * kLanes <= t.channels; c += 2 * kLanes) {
      pool_block<kMax, 2, false>(t, src + c, dst + c, taps_w, 0);
    }
    for (; c < t.channels; c += kLanes) {
      const ptrdiff_t left = t.channels - c;
      pool_block<kMax, 1, true>(t, src + c, dst + c, taps_w,
                                static_cast<int>(left < kLanes ? left : kLanes));
    }
  }
}

// The first element of a window stands till a greater one comes, as in TensorFlow: a NaN stays if
// it is the first. The image's pixels are counted in 32 bits.
template <typename I>
static void argmax_row(const ArgmaxArgs* args) {
  constexpr int kBlock = 64;
  const PoolArgs& t = args->window;
  const ptrdiff_t row_pixels = t.row_step / t.pixel_step;
  float best[kBlock];
  int32_t pixel[kBlock];
  for (ptrdiff_t x = 0; x < t.dst_w; ++x) {
    const ptrdiff_t first = x * t.stride_w - t.pad_left;
    const ptrdiff_t begin = first < 0 ? 0 : first;
    const ptrdiff_t past = first + t.kernel_w < t.src_w ? first + t.kernel_w : t.src_w;
    for (ptrdiff_t c0 = 0; c0 < t.channels; c0 += kBlock) {
      const ptrdiff_t n = t.channels - c0 < kBlock ? t.channels - c0 : kBlock;
      const float* src = t.src + begin * t.pixel_step + c0;
      for (ptrdiff_t j = 0; j < n; ++j) {
        best[j] = src[j];
        pixel[j] = static_cast<int32_t>(begin);
      }
      for (ptrdiff_t ky = 0; ky < t.taps_h; ++ky) {
        for (ptrdiff_t kx = begin; kx < past; ++kx) {
          const float* p = t.src + ky * t.row_step + kx * t.pixel_step + c0;
          const auto here = static_cast<int32_t>(ky * row_pixels + kx);
          for (ptrdiff_t j = 0; j < n; ++j) {
            const bool greater = best[j] < p[j];
            best[j] = greater ? p[j] : best[j];
            pixel[j] = greater ? here : pixel[j];
          }
        }
      }
      float* dst = t.dst + x * t.pixel_step + c0;
      I* arg = static_cast<I*>(args->arg) + x * t.pixel_step + c0;
      const int64_t base = args->base + args->first_channel + c0;
      for (ptrdiff_t j = 0; j < n; ++j) {
        dst[j] = best[j];
        arg[j] = static_cast<I>(base + int64_t{pixel[j]} * t.pixel_step + j);
      }
    }
  }
}

// A NaN is passed over, as in TensorFlow.
GRAFT_INLINE void dilate_run(const float* src, const float* filter, float* dst, ptrdiff_t n) {
  ptrdiff_t i = 0;
  for (; i + kLanes <= n; i += kLanes)
    vstore(dst + i, vmax(vadd(vload(src + i), vload(filter + i)), vload(dst + i)));
  if (i < n) {
    const int tail = static_cast<int>(n - i);
    const Vec sum = vadd(vload_n(src + i, tail), vload_n(filter + i, tail));
    vstore_n(dst + i, vmax(sum, vload_n(dst + i, tail)), tail);
  }
}

static void dilate_row(const DilateArgs* args) {
  const DilateArgs& t = *args;
  const ptrdiff_t step = t.src_step == t.channels ? t.repeats : 1;
  for (ptrdiff_t x = 0; x < t.pixels; x += step) {
    const ptrdiff_t pixels = t.pixels - x < step ? t.pixels - x : step;
    dilate_run(t.src + x * t.src_step, t.filter, t.dst + x * t.channels, pixels * t.channels);
  }
}

static constexpr PoolTable make_pool_table() {
  return {&pool_row<true>, &pool_row<false>, &argmax_row<int32_t>, &argmax_row<int64_t>,
          &dilate_row};
}

}  // namespace GRAFT_ISA_NAMESPACE
}  // namespace graft::cpu
