// Cells of transforms from rows and columns of numbers, and back: blocks of four by four are
// transposed in registers.
#pragma once

#include "backends/cpu/isa/vec.h"
#include "backends/cpu/spectral/spectral_table.h"

namespace graft::cpu {
inline namespace GRAFT_ISA_NAMESPACE {

// Whether the four floats from element i on are elements i and i + 1 (pairs), or i..i + 3 (reals).
GRAFT_INLINE bool is_pairs(const FftMoveArgs& t) {
  return t.im && t.elem_step == 2 && t.im_offset == 1 && t.lanes % 4 == 0;
}
GRAFT_INLINE bool is_reals(const FftMoveArgs& t) {
  return !t.im && t.elem_step == 1 && t.lanes % 4 == 0;
}

// Where the four floats go: to the cells of two elements, or of four.
struct CellRows {
  float *a, *b, *c, *d;
};
GRAFT_INLINE CellRows cell_rows(const FftMoveArgs& t, ptrdiff_t i) {
  const ptrdiff_t at = i * t.lanes, next = t.lanes;
  if (t.im) return {t.re + at, t.im + at, t.re + at + next, t.im + at + next};
  return {t.re + at, t.re + at + next, t.re + at + 2 * next, t.re + at + 3 * next};
}

static void load_elem(const FftMoveArgs& t, ptrdiff_t i) {
  const float* src = t.memory + i * t.elem_step;
  float *re = t.re + i * t.lanes, *im = t.im ? t.im + i * t.lanes : nullptr;
  if (t.lane_step == 1) {
    for (ptrdiff_t v = 0; v < t.lanes; ++v) re[v] = src[v];
    for (ptrdiff_t v = 0; im && v < t.lanes; ++v) im[v] = src[t.im_offset + v];
  } else if (im && t.lane_step == 2 && t.im_offset == 1) {
    for (ptrdiff_t v = 0; v < t.lanes; ++v) {
      re[v] = src[2 * v];
      im[v] = src[2 * v + 1];
    }
  } else {
    for (ptrdiff_t v = 0; v < t.lanes; ++v) re[v] = src[v * t.lane_step];
    for (ptrdiff_t v = 0; im && v < t.lanes; ++v) im[v] = src[t.im_offset + v * t.lane_step];
  }
}

static void store_elem(const FftMoveArgs& t, ptrdiff_t i) {
  float* dst = t.memory + i * t.elem_step;
  const float *re = t.re + i * t.lanes, *im = t.im ? t.im + i * t.lanes : nullptr;
  const float scale = t.scale;
  if (im && t.lane_step == 2 && t.im_offset == 1) {
    for (ptrdiff_t v = 0; v < t.lanes; ++v) {
      dst[2 * v] = re[v] * scale;
      dst[2 * v + 1] = im[v] * scale;
    }
    return;
  }
  for (ptrdiff_t v = 0; v < t.lanes; ++v) dst[v * t.lane_step] = re[v] * scale;
  for (ptrdiff_t v = 0; im && v < t.lanes; ++v) dst[t.im_offset + v * t.lane_step] = im[v] * scale;
}

static void fft_load(const FftMoveArgs* args) {
  const FftMoveArgs& t = *args;
  const ptrdiff_t step = is_pairs(t) ? 2 : is_reals(t) ? 4 : 0;
  ptrdiff_t i = 0;
  for (; step && i + step <= t.elems; i += step) {
    const float* src = t.memory + i * t.elem_step;
    const CellRows to = cell_rows(t, i);
    for (ptrdiff_t v = 0; v < t.lanes; v += 4) {
      const float* p = src + v * t.lane_step;
      __m128 a = _mm_loadu_ps(p), b = _mm_loadu_ps(p + t.lane_step);
      __m128 c = _mm_loadu_ps(p + 2 * t.lane_step), d = _mm_loadu_ps(p + 3 * t.lane_step);
      _MM_TRANSPOSE4_PS(a, b, c, d);
      _mm_storeu_ps(to.a + v, a);
      _mm_storeu_ps(to.b + v, b);
      _mm_storeu_ps(to.c + v, c);
      _mm_storeu_ps(to.d + v, d);
    }
  }
  for (; i < t.elems; ++i) load_elem(t, i);
}

static void fft_store(const FftMoveArgs* args) {
  const FftMoveArgs& t = *args;
  const ptrdiff_t step = is_pairs(t) ? 2 : is_reals(t) ? 4 : 0;
  const __m128 scale = _mm_set1_ps(t.scale);
  ptrdiff_t i = 0;
  for (; step && i + step <= t.elems; i += step) {
    float* dst = t.memory + i * t.elem_step;
    const CellRows from = cell_rows(t, i);
    for (ptrdiff_t v = 0; v < t.lanes; v += 4) {
      __m128 a = _mm_mul_ps(_mm_loadu_ps(from.a + v), scale);
      __m128 b = _mm_mul_ps(_mm_loadu_ps(from.b + v), scale);
      __m128 c = _mm_mul_ps(_mm_loadu_ps(from.c + v), scale);
      __m128 d = _mm_mul_ps(_mm_loadu_ps(from.d + v), scale);
      _MM_TRANSPOSE4_PS(a, b, c, d);
      float* p = dst + v * t.lane_step;
      _mm_storeu_ps(p, a);
      _mm_storeu_ps(p + t.lane_step, b);
      _mm_storeu_ps(p + 2 * t.lane_step, c);
      _mm_storeu_ps(p + 3 * t.lane_step, d);
    }
  }
  for (; i < t.elems; ++i) store_elem(t, i);
}

}  // namespace GRAFT_ISA_NAMESPACE
}  // namespace graft::cpu
