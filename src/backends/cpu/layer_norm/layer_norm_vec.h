// Layer normalization in two passes over a row that stays in cache: mean, then the variance of the
// differences, so nothing cancels. Four accumulators of vectors; mean and variance in float.
#pragma once

#include <math.h>

#include "backends/cpu/isa/vec.h"
#include "backends/cpu/layer_norm/layer_norm_table.h"

namespace graft::cpu {
inline namespace GRAFT_ISA_NAMESPACE {

// Sum of x - center, or of its square.
template <bool kSquare>
static float centered_sum(const float* p, ptrdiff_t n, float center) {
  const Vec c = vset(center);
  Vec acc[4] = {vzero(), vzero(), vzero(), vzero()};
  ptrdiff_t i = 0;
  for (; i + 4 * kLanes <= n; i += 4 * kLanes) {
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j) {
      const Vec d = vsub(vload(p + i + j * kLanes), c);
      acc[j] = kSquare ? vfma(d, d, acc[j]) : vadd(acc[j], d);
    }
  }
  for (; i + kLanes <= n; i += kLanes) {
    const Vec d = vsub(vload(p + i), c);
    acc[0] = kSquare ? vfma(d, d, acc[0]) : vadd(acc[0], d);
  }
  if (i < n) {
    const int tail = static_cast<int>(n - i);
    float lanes[kLanes] = {};
    vstore_n(lanes, vsub(vload_n(p + i, tail), c), tail);
    const Vec d = vload(lanes);
    acc[1] = kSquare ? vfma(d, d, acc[1]) : vadd(acc[1], d);
  }
  return vreduce_add(vadd(vadd(acc[0], acc[1]), vadd(acc[2], acc[3])));
}

static void layer_norm_rows(const LayerNormArgs* args) {
  const ptrdiff_t n = args->n;
  const float count = static_cast<float>(n);
  const float* src = args->src;
  float* dst = args->dst;
  for (ptrdiff_t r = 0; r < args->rows; ++r, src += n, dst += n) {
    const float mean = centered_sum<false>(src, n, 0.0f) / count;
    const float var = centered_sum<true>(src, n, mean) / count;
    const Vec m = vset(mean), inverse = vset(1.0f / sqrtf(var + args->epsilon));
    ptrdiff_t i = 0;
    for (; i + kLanes <= n; i += kLanes) {
      const Vec x = vmul(vsub(vload(src + i), m), inverse);
      vstore(dst + i, vfma(x, vload(args->gamma + i), vload(args->beta + i)));
    }
    if (i < n) {
      const int k = static_cast<int>(n - i);
      const Vec x = vmul(vsub(vload_n(src + i, k), m), inverse);
      vstore_n(dst + i, vfma(x, vload_n(args->gamma + i, k), vload_n(args->beta + i, k)), k);
    }
  }
}

static constexpr LayerNormTable make_layer_norm_table() { return {&layer_norm_rows}; }

}  // namespace GRAFT_ISA_NAMESPACE
}  // namespace graft::cpu
