// Softmax over vectors: maximum, exponentials and their sum, scaling. A row with NaN or +inf, or of
// nothing but -inf, becomes NaN, as in TensorFlow. Sums run in lanes of two accumulators.
#pragma once

#include <math.h>

#include "backends/cpu/isa/vec_math.h"
#include "backends/cpu/softmax/softmax_table.h"

namespace graft::cpu {
inline namespace GRAFT_ISA_NAMESPACE {

GRAFT_INLINE Vec lanes_or(const float* p, int n, float other) {
  float lanes[kLanes];
  vstore(lanes, vset(other));
  vstore_n(lanes, vload_n(p, n), n);
  return vload(lanes);
}

static float row_max(const float* p, ptrdiff_t n) {
  Vec a = vset(-__builtin_inff()), b = a;
  ptrdiff_t i = 0;
  for (; i + 2 * kLanes <= n; i += 2 * kLanes) {
    a = vmax(vload(p + i), a);
    b = vmax(vload(p + i + kLanes), b);
  }
  for (; i + kLanes <= n; i += kLanes) a = vmax(vload(p + i), a);
  if (i < n) a = vmax(lanes_or(p + i, static_cast<int>(n - i), -__builtin_inff()), a);
  return vreduce_max(vmax(a, b));
}

// dst[i] = exp(src[i] - max), or nothing stored if dst is null; returns the sum.
template <bool kStore>
static float row_exp(float* dst, const float* src, ptrdiff_t n, float max) {
  const Vec m = vset(max);
  Vec a = vzero(), b = vzero();
  ptrdiff_t i = 0;
  for (; i + 2 * kLanes <= n; i += 2 * kLanes) {
    const Vec x = vexp(vsub(vload(src + i), m));
    const Vec y = vexp(vsub(vload(src + i + kLanes), m));
    if constexpr (kStore) vstore(dst + i, x), vstore(dst + i + kLanes, y);
    a = vadd(a, x);
    b = vadd(b, y);
  }
  for (; i + kLanes <= n; i += kLanes) {
    const Vec x = vexp(vsub(vload(src + i), m));
    if constexpr (kStore) vstore(dst + i, x);
    a = vadd(a, x);
  }
  if (i < n) {
    const int tail = static_cast<int>(n - i);
    const Vec x = vexp(vsub(vload_n(src + i, tail), m));
    float lanes[kLanes] = {};
    vstore_n(lanes, x, tail);
    if constexpr (kStore) vstore_n(dst + i, x, tail);
    b = vadd(b, vload(lanes));
  }
  return vreduce_add(vadd(a, b));
}

static void row_scale(float* p, ptrdiff_t n, float factor) {
  const Vec f = vset(factor);
  ptrdiff_t i = 0;
  for (; i + kLanes <= n; i += kLanes) vstore(p + i, vmul(vload(p + i), f));
  if (i < n) {
    const int tail = static_cast<int>(n - i);
    vstore_n(p + i, vmul(vload_n(p + i, tail), f), tail);
  }
}

static void softmax_rows(const SoftmaxArgs* args) {
  for (ptrdiff_t r = 0; r < args->rows; ++r) {
    const float* src = args->src + r * args->src_step;
    float* dst = args->dst + r * args->dst_step;
    const float sum = row_exp<true>(dst, src, args->n, row_max(src, args->n));
    row_scale(dst, args->n, 1.0f / sum);
  }
}

static void log_softmax_rows(const SoftmaxArgs* args) {
  for (ptrdiff_t r = 0; r < args->rows; ++r) {
    const float* src = args->src + r * args->src_step;
    float* dst = args->dst + r * args->dst_step;
    const float max = row_max(src, args->n);
    const Vec m = vset(max), log_sum = vset(logf(row_exp<false>(nullptr, src, args->n, max)));
    ptrdiff_t i = 0;
    for (; i + kLanes <= args->n; i += kLanes)
      vstore(dst + i, vsub(vsub(vload(src + i), m), log_sum));
    if (i < args->n) {
      const int k = static_cast<int>(args->n - i);
      vstore_n(dst + i, vsub(vsub(vload_n(src + i, k), m), log_sum), k);
    }
  }
}

static void score_rows(const ScoreArgs* args) {
  const Vec scale = vset(args->scale);
  for (ptrdiff_t r = 0; r < args->rows; ++r) {
    float* p = args->scores + r * args->step;
    const float* mask = args->mask ? args->mask + r * args->mask_step : nullptr;
    const bool each = mask && args->mask_elem_step != 0;
    const Vec shift = mask && !each ? vset(*mask) : vzero();
    for (ptrdiff_t i = 0; i < args->n; i += kLanes) {
      const ptrdiff_t left = args->n - i;
      if (left >= kLanes) {
        vstore(p + i, vfma(vload(p + i), scale, each ? vload(mask + i) : shift));
      } else {
        const int k = static_cast<int>(left);
        vstore_n(p + i, vfma(vload_n(p + i, k), scale, each ? vload_n(mask + i, k) : shift), k);
      }
    }
    args->inverse_sums[r] = 1.0f / row_exp<true>(p, p, args->n, row_max(p, args->n));
  }
}

static void scale_rows(float* x, const float* factors, ptrdiff_t rows, ptrdiff_t n,
                       ptrdiff_t step) {
  for (ptrdiff_t r = 0; r < rows; ++r) row_scale(x + r * step, n, factors[r]);
}

static constexpr SoftmaxTable make_softmax_table() {
  return {&softmax_rows, &log_softmax_rows, &score_rows, &scale_rows};
}

}  // namespace GRAFT_ISA_NAMESPACE
}  // namespace graft::cpu
