// From float32 accumulators to dst.
#pragma once

#include "backends/cpu/bf16/product_table.h"
#include "backends/cpu/isa/activation.h"

namespace graft::cpu {
inline namespace GRAFT_ISA_NAMESPACE {

static void bf16_finish_rows(const Bf16FinishArgs* args) {
  const Bf16FinishArgs& t = *args;
  const bool clamp = t.epilogue->act == Act::kClamp;
  const Vec lo = vset(t.epilogue->lo), hi = vset(t.epilogue->hi);
  for (ptrdiff_t row = 0; row < t.rows; ++row) {
    const float* acc = t.acc + row * t.acc_ld;
    const float* residual = t.residual ? t.residual + row * t.ldr : nullptr;
    float* dst = t.dst + row * t.ldd;
    ptrdiff_t j = 0;
    for (; j + kLanes <= t.columns; j += kLanes) {
      Vec v = vload(acc + j);
      if (residual) v = vadd(v, vload(residual + j));
      vstore(dst + j, clamp ? vmin(hi, vmax(lo, v)) : v);
    }
    if (j == t.columns) continue;
    const int n = static_cast<int>(t.columns - j);
    Vec v = vload_n(acc + j, n);
    if (residual) v = vadd(v, vload_n(residual + j, n));
    vstore_n(dst + j, clamp ? vmin(hi, vmax(lo, v)) : v, n);
  }
  if (!clamp) apply_act(*t.epilogue, t.dst, t.rows, t.columns, t.ldd);
}

static constexpr Bf16Finish make_bf16_finish() { return {&bf16_finish_rows}; }

}  // namespace GRAFT_ISA_NAMESPACE
}  // namespace graft::cpu
