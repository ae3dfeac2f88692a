// Hyperbolic sine, cosine and the inverses of the three. Errors: pointwise_math_test.cc.
#pragma once

#include "backends/cpu/pointwise/log_vec.h"

namespace graft::cpu {
inline namespace GRAFT_ISA_NAMESPACE {

// exp(x) / 2 of x >= 0: a float where exp(x) no longer is.
GRAFT_INLINE Vec vhalf_exp(Vec x) {
  const ExpParts e = vexp_parts(vmin(vset(90.0f), x));
  const Vec n = vsub(e.n, vset(1.0f));
  const Vec half = vfloor(vmul(n, vset(0.5f)));
  return vmul(vmul(e.p, vexp2_int(vto_int(half))), vexp2_int(vto_int(vsub(n, half))));
}

GRAFT_INLINE Vec vsinh(Vec x) {
  constexpr float kTerms[] = {2.81695134e-06f, 0.000198361595f, 0.0083333496f, 0.166666672f};
  const Vec a = vabs(x), z = vmul(x, x);
  const Vec small = vfma(vmul(x, z), vpolynomial(kTerms, z), x);
  const Vec half = vhalf_exp(a);
  const Vec large = vsub(half, vdiv(vset(0.25f), half));
  return vcopysign(vselect(vless(a, vset(1.0f)), small, large), x);
}

GRAFT_INLINE Vec vcosh(Vec x) {
  const Vec half = vhalf_exp(vabs(x));
  return vadd(half, vdiv(vset(0.25f), half));
}

// log(1 + t), or log(2 x) where the root of x * x + 1, or - 1, is x: what x^-2 / 4 is of it is less
// than an ulp.
GRAFT_INLINE Vec vlog1p_or_twice(Vec t, Vec x) {
  const Vec one = vset(1.0f);
  const Mask large = vless(vset(8192.0f), x);
  const Vec sum = vadd(one, t);
  const Vec lost = vdiv(vsub(t, vsub(sum, one)), sum);
  return vadd(vlog(vselect(large, x, sum)), vselect(large, vset(0.693147181f), lost));
}

GRAFT_INLINE Vec vasinh(Vec x) {
  const Vec a = vabs(x), one = vset(1.0f), z = vmul(a, a);
  const Vec t = vadd(a, vdiv(z, vadd(one, vsqrt(vadd(z, one)))));
  return vcopysign(vlog1p_or_twice(t, a), x);
}

GRAFT_INLINE Vec vacosh(Vec x) {
  const Vec d = vsub(x, vset(1.0f));
  const Vec t = vadd(d, vsqrt(vmul(d, vadd(d, vset(2.0f)))));
  return vselect(vless(x, vset(1.0f)), vset(__builtin_nanf("")), vlog1p_or_twice(t, x));
}

GRAFT_INLINE Vec vatanh(Vec x) {
  const Vec a = vabs(x);
  const Vec y = vlog1p(vdiv(vadd(a, a), vsub(vset(1.0f), a)));
  return vcopysign(vmul(vset(0.5f), y), x);
}

}  // namespace GRAFT_ISA_NAMESPACE
}  // namespace graft::cpu
