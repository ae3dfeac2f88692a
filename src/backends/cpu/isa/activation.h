// The activations of gemm/epilogue.h over vectors. apply_act is meant to be called once per tile or
// row: its switch is outside the loop over elements.
#pragma once

#include "backends/cpu/gemm/epilogue.h"
#include "backends/cpu/isa/vec_math.h"

namespace graft::cpu {
inline namespace GRAFT_ISA_NAMESPACE {

GRAFT_INLINE Vec vexpm1_below_zero(Vec x) {
  // exp(x) - 1 cancels near 0; this form does not:
  // exp(x) - 1 = 2 t / (1 - t), t = tanh(x / 2).
  const Vec t = vtanh(vmul(vset(0.5f), x));
  return vdiv(vadd(t, t), vsub(vset(1.0f), t));
}

GRAFT_INLINE Vec vlog1p_exp(Vec x) {
  // log(1 + e) for e = exp(-|x|) in (0, 1]: atanh series in s = e / (2 + e) <= 1/3.
  const Vec e = vexp(vsub(vzero(), vabs(x)));
  const Vec s = vdiv(e, vadd(e, vset(2.0f)));
  const Vec z = vmul(s, s);
  Vec p = vset(2.0f / 15.0f);
  p = vfma(p, z, vset(2.0f / 13.0f));
  p = vfma(p, z, vset(2.0f / 11.0f));
  p = vfma(p, z, vset(2.0f / 9.0f));
  p = vfma(p, z, vset(2.0f / 7.0f));
  p = vfma(p, z, vset(2.0f / 5.0f));
  p = vfma(p, z, vset(2.0f / 3.0f));
  p = vfma(vmul(p, z), s, vadd(s, s));
  return vadd(vmax(vzero(), x), p);
}

template <Act kAct>
GRAFT_INLINE Vec act_one(Vec x, const Epilogue& e) {
  const Vec zero = vzero();
  const Vec one = vset(1.0f);
  if constexpr (kAct == Act::kClamp) {
    return vmin(vset(e.hi), vmax(vset(e.lo), x));
  } else if constexpr (kAct == Act::kLeakyRelu) {
    return vselect(vless(x, zero), vmul(x, vset(e.alpha)), x);
  } else if constexpr (kAct == Act::kSigmoid) {
    return vsigmoid(x);
  } else if constexpr (kAct == Act::kSwish) {
    return vmul(x, vsigmoid(x));
  } else if constexpr (kAct == Act::kTanh) {
    return vtanh(x);
  } else if constexpr (kAct == Act::kGeluErf) {
    return vmul(vmul(vset(0.5f), x), vadd(one, verf(vmul(x, vset(0.707106781f)))));
  } else if constexpr (kAct == Act::kGeluTanh) {
    const Vec cube = vmul(vmul(x, x), x);
    const Vec inner = vmul(vset(0.797884561f), vfma(vset(0.044715f), cube, x));
    return vmul(vmul(vset(0.5f), x), vadd(one, vtanh(inner)));
  } else if constexpr (kAct == Act::kHardSwish) {
    const Vec g = vmin(vset(6.0f), vmax(zero, vadd(x, vset(3.0f))));
    return vmul(vmul(x, g), vset(1.0f / 6.0f));
  } else if constexpr (kAct == Act::kHardSigmoid) {
    return vmin(one, vmax(zero, vfma(x, vset(1.0f / 6.0f), vset(0.5f))));
  } else if constexpr (kAct == Act::kElu) {
    return vselect(vless(x, zero), vmul(vset(e.alpha), vexpm1_below_zero(vmin(zero, x))), x);
  } else if constexpr (kAct == Act::kSelu) {
    const Vec neg = vmul(vset(1.75809934f), vexpm1_below_zero(vmin(zero, x)));
    return vselect(vless(x, zero), neg, vmul(vset(1.05070099f), x));
  } else {
    return vlog1p_exp(x);
  }
}

// In place over `rows` rows of `n` floats, `ld` floats apart.
template <Act kAct>
__attribute__((noinline)) static void act_rows(const Epilogue& e, float* p, ptrdiff_t rows,
                                               ptrdiff_t n, ptrdiff_t ld) {
  for (ptrdiff_t r = 0; r < rows; ++r, p += ld) {
    ptrdiff_t i = 0;
    for (; i + kLanes <= n; i += kLanes) vstore(p + i, act_one<kAct>(vload(p + i), e));
    if (i < n) {
      const int tail = static_cast<int>(n - i);
      vstore_n(p + i, act_one<kAct>(vload_n(p + i, tail), e), tail);
    }
  }
}

static inline void apply_act(const Epilogue& e, float* p, ptrdiff_t rows, ptrdiff_t n,
                             ptrdiff_t ld) {
  switch (e.act) {
    case Act::kClamp:
      return act_rows<Act::kClamp>(e, p, rows, n, ld);
    case Act::kLeakyRelu:
      return act_rows<Act::kLeakyRelu>(e, p, rows, n, ld);
    case Act::kSigmoid:
      return act_rows<Act::kSigmoid>(e, p, rows, n, ld);
    case Act::kSwish:
      return act_rows<Act::kSwish>(e, p, rows, n, ld);
    case Act::kTanh:
      return act_rows<Act::kTanh>(e, p, rows, n, ld);
    case Act::kGeluErf:
      return act_rows<Act::kGeluErf>(e, p, rows, n, ld);
    case Act::kGeluTanh:
      return act_rows<Act::kGeluTanh>(e, p, rows, n, ld);
    case Act::kHardSwish:
      return act_rows<Act::kHardSwish>(e, p, rows, n, ld);
    case Act::kHardSigmoid:
      return act_rows<Act::kHardSigmoid>(e, p, rows, n, ld);
    case Act::kElu:
      return act_rows<Act::kElu>(e, p, rows, n, ld);
    case Act::kSelu:
      return act_rows<Act::kSelu>(e, p, rows, n, ld);
    case Act::kSoftplus:
      return act_rows<Act::kSoftplus>(e, p, rows, n, ld);
  }
}

}  // namespace GRAFT_ISA_NAMESPACE
}  // namespace graft::cpu
