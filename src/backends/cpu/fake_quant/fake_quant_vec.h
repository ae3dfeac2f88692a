// Plain loops that the compiler turns into vector code. Bits are TensorFlow's: every step is
// rounded to float, so nothing may be fused (no contraction in these files), and comparisons keep a
// NaN.
#pragma once

#include <math.h>

#include "backends/cpu/fake_quant/fake_quant_table.h"
#include "backends/cpu/isa/vec.h"

namespace graft::cpu {
inline namespace GRAFT_ISA_NAMESPACE {

template <FakeQuantFormula kFormula>
GRAFT_INLINE float fake_quant_one(float x, float min, float max, float factor, float scale,
                                  float zero) {
  const float below = max < x ? max : x;
  const float clamped = below < min ? min : below;
  float level;
  if (kFormula == kNudged)
    level = floorf((clamped - min) * factor - zero + 0.5f);
  else if (kFormula == kNudgedDivide)
    level = floorf((clamped - min) / scale - zero + 0.5f);
  else if (kFormula == kHalfUp)
    level = floorf(clamped * factor + 0.5f);
  else
    level = nearbyintf(clamped * factor);
  const float y = level * scale;
  return scale == 0 ? 0.0f : y;
}

template <FakeQuantFormula kFormula>
static void fake_quant_one_grid(const FakeQuantArgs* args) {
  const float min = *args->min, max = *args->max, factor = *args->factor, scale = *args->scale;
  const float zero = *args->zero;
  const float* src = args->src;
  float* dst = args->dst;
  const ptrdiff_t n = args->rows * args->n;
  for (ptrdiff_t i = 0; i < n; ++i)
    dst[i] = fake_quant_one<kFormula>(src[i], min, max, factor, scale, zero);
}

template <FakeQuantFormula kFormula>
static void fake_quant_grid_each(const FakeQuantArgs* args) {
  const FakeQuantArgs a = *args;
  for (ptrdiff_t r = 0; r < a.rows; ++r) {
    const float* src = a.src + r * a.n;
    float* dst = a.dst + r * a.n;
#pragma GCC ivdep
    for (ptrdiff_t i = 0; i < a.n; ++i)
      dst[i] =
          fake_quant_one<kFormula>(src[i], a.min[i], a.max[i], a.factor[i], a.scale[i], a.zero[i]);
  }
}

static constexpr FakeQuantTable make_fake_quant_table() {
  return {{&fake_quant_one_grid<kNudged>, &fake_quant_one_grid<kNudgedDivide>,
           &fake_quant_one_grid<kHalfToEven>, &fake_quant_one_grid<kHalfUp>},
          {&fake_quant_grid_each<kNudged>, &fake_quant_grid_each<kNudgedDivide>,
           &fake_quant_grid_each<kHalfToEven>, &fake_quant_grid_each<kHalfUp>}};
}

}  // namespace GRAFT_ISA_NAMESPACE
}  // namespace graft::cpu
