// Elementwise functions of one operand. Accuracy is that of isa/vec_math.h for the functions there
// (at most 4 ulp, gelu 6 ulp where it does not cancel), and of tests/backends/cpu/
// pointwise_math_test.cc for those of this folder; division and root are correctly rounded.
#pragma once

#include <math.h>

#include "backends/cpu/isa/activation.h"
#include "backends/cpu/pointwise/bessel_vec.h"
#include "backends/cpu/pointwise/hyperbolic_vec.h"
#include "backends/cpu/pointwise/pointwise_table.h"
#include "backends/cpu/pointwise/trigonometric_vec.h"

namespace graft::cpu {
inline namespace GRAFT_ISA_NAMESPACE {

template <UnaryOp kOp>
GRAFT_INLINE Vec unary_one(Vec x, const Epilogue& e) {
  const Vec zero = vzero();
  const Vec one = vset(1.0f);
  if constexpr (kOp == UnaryOp::kNeg) {
    return vmul(x, vset(-1.0f));
  } else if constexpr (kOp == UnaryOp::kAbs) {
    return vabs(x);
  } else if constexpr (kOp == UnaryOp::kExp) {
    return vexp(x);
  } else if constexpr (kOp == UnaryOp::kSqrt) {
    return vsqrt(x);
  } else if constexpr (kOp == UnaryOp::kRsqrt) {
    return vdiv(one, vsqrt(x));
  } else if constexpr (kOp == UnaryOp::kSquare) {
    return vmul(x, x);
  } else if constexpr (kOp == UnaryOp::kReciprocal) {
    return vdiv(one, x);
  } else if constexpr (kOp == UnaryOp::kErf) {
    return verf(x);
  } else if constexpr (kOp == UnaryOp::kErfc) {
    return vlane_by_lane<erfcf>(x);
  } else if constexpr (kOp == UnaryOp::kSoftsign) {
    return vdiv(x, vadd(one, vabs(x)));
  } else if constexpr (kOp == UnaryOp::kFloor) {
    return vfloor(x);
  } else if constexpr (kOp == UnaryOp::kCeil) {
    return vmul(vfloor(vmul(x, vset(-1.0f))), vset(-1.0f));
  } else if constexpr (kOp == UnaryOp::kRint) {
    return vround(x);
  } else if constexpr (kOp == UnaryOp::kSign) {
    const Vec unit = vselect(vless(zero, vabs(x)), vcopysign(one, x), zero);
    return vselect(vis_nan(x), x, unit);
  } else if constexpr (kOp == UnaryOp::kExpm1) {
    return vexpm1(x);
  } else if constexpr (kOp == UnaryOp::kLog) {
    return vlog(x);
  } else if constexpr (kOp == UnaryOp::kLog1p) {
    return vlog1p(x);
  } else if constexpr (kOp == UnaryOp::kRoundAway) {
    const Vec whole = vfloor(vabs(x));  // what is left of |x| is exact
    const Mask down = vless(vsub(vabs(x), whole), vset(0.5f));
    return vcopysign(vselect(down, whole, vadd(whole, one)), x);
  } else if constexpr (kOp == UnaryOp::kBesselI0) {
    return vmul(vexp(vabs(x)), vbessel_i0e(x));
  } else if constexpr (kOp == UnaryOp::kBesselI0e) {
    return vbessel_i0e(x);
  } else if constexpr (kOp == UnaryOp::kBesselI1) {
    return vmul(vexp(vabs(x)), vbessel_i1e(x));
  } else if constexpr (kOp == UnaryOp::kBesselI1e) {
    return vbessel_i1e(x);
  } else if constexpr (kOp == UnaryOp::kSin) {
    return vsin(x);
  } else if constexpr (kOp == UnaryOp::kCos) {
    return vcos(x);
  } else if constexpr (kOp == UnaryOp::kTan) {
    return vtan(x);
  } else if constexpr (kOp == UnaryOp::kAsin) {
    return vasin(x);
  } else if constexpr (kOp == UnaryOp::kAcos) {
    return vacos(x);
  } else if constexpr (kOp == UnaryOp::kAtan) {
    return vatan(x);
  } else if constexpr (kOp == UnaryOp::kSinh) {
    return vsinh(x);
  } else if constexpr (kOp == UnaryOp::kCosh) {
    return vcosh(x);
  } else if constexpr (kOp == UnaryOp::kAsinh) {
    return vasinh(x);
  } else if constexpr (kOp == UnaryOp::kAcosh) {
    return vacosh(x);
  } else if constexpr (kOp == UnaryOp::kAtanh) {
    return vatanh(x);
  } else {
    constexpr int kAct =
        static_cast<int>(Act::kClamp) + static_cast<int>(kOp) - static_cast<int>(UnaryOp::kClamp);
    return act_one<static_cast<Act>(kAct)>(x, e);
  }
}

template <UnaryOp kOp>
static void unary_row(const UnaryArgs* args) {
  const Epilogue e = *args->epilogue;
  const float* src = args->src;
  float* dst = args->dst;
  ptrdiff_t i = 0;
  for (; i + 2 * kLanes <= args->n; i += 2 * kLanes) {
    const Vec a = unary_one<kOp>(vload(src + i), e);
    const Vec b = unary_one<kOp>(vload(src + i + kLanes), e);
    vstore(dst + i, a);
    vstore(dst + i + kLanes, b);
  }
  if (i + kLanes <= args->n) {
    vstore(dst + i, unary_one<kOp>(vload(src + i), e));
    i += kLanes;
  }
  if (i < args->n) {
    const int n = static_cast<int>(args->n - i);
    vstore_n(dst + i, unary_one<kOp>(vload_n(src + i, n), e), n);
  }
}

template <int kOp>
constexpr void fill_unary(PointwiseTable& table) {
  table.unary[kOp] = &unary_row<static_cast<UnaryOp>(kOp)>;
  if constexpr (kOp > 0) fill_unary<kOp - 1>(table);
}

}  // namespace GRAFT_ISA_NAMESPACE
}  // namespace graft::cpu
