// Vectorised elementary functions over vec.h, for every ISA level.
//
// Error over a dense sweep of floats against double, asserted by
// tests/backends/cpu/gemm_math_test.cc: vexp 2 ulp, verf 4 ulp, vtanh 3e-7 and vsigmoid 4e-7 of the
// value. Special values: NaN gives NaN; exp(-inf) = 0, exp(inf) = inf, overflow gives inf, results
// below the normal range may be flushed to 0; tanh and erf of +-inf are +-1.
#pragma once

#include "backends/cpu/isa/vec.h"

namespace graft::cpu {
inline namespace GRAFT_ISA_NAMESPACE {

// exp(x) = p * 2^n with p near 1 and integral n, for x in [-104, 89].
struct ExpParts {
  Vec p, n;
};
GRAFT_INLINE ExpParts vexp_parts(Vec x) {
  const Vec n = vround(vmul(x, vset(1.44269504f)));
  Vec r = vfnma(n, vset(0.693145752f), x);
  r = vfnma(n, vset(1.42860677e-6f), r);
  Vec p = vset(1.395060168e-03f);
  p = vfma(p, r, vset(8.368953574e-03f));
  p = vfma(p, r, vset(4.166620415e-02f));
  p = vfma(p, r, vset(1.666651831e-01f));
  p = vfma(p, r, vset(5.000000096e-01f));
  p = vfma(vmul(r, r), p, r);
  return {vadd(p, vset(1.0f)), n};
}

GRAFT_INLINE Vec vexp(Vec x) {
  const ExpParts e = vexp_parts(vmax(vset(-104.0f), vmin(vset(89.0f), x)));
  // Two factors, because 2^n itself may lie outside the range of normal floats.
  const Vec half = vfloor(vmul(e.n, vset(0.5f)));
  return vmul(vmul(e.p, vexp2_int(vto_int(half))), vexp2_int(vto_int(vsub(e.n, half))));
}

// As vexp where the result is a normal float, x in [-87, 88]; else the result of the nearer end.
GRAFT_INLINE Vec vexp_normal(Vec x) {
  const ExpParts e = vexp_parts(vmax(vset(-87.0f), vmin(vset(88.0f), x)));
  return vmul(e.p, vexp2_int(vto_int(e.n)));
}

GRAFT_INLINE Vec vsigmoid(Vec x) {
  const Vec one = vset(1.0f);
  const Vec e = vexp_normal(vsub(vzero(), x));
  return vdiv(one, vadd(one, e));  // at x < -88 below the normal range: flushed to 0
}

GRAFT_INLINE Vec vtanh(Vec x) {
  const Vec a = vabs(x);
  const Vec z = vmul(x, x);
  Vec p = vset(-5.660786390e-03f);
  p = vfma(p, z, vset(2.060200509e-02f));
  p = vfma(p, z, vset(-5.372922912e-02f));
  p = vfma(p, z, vset(1.333132895e-01f));
  p = vfma(p, z, vset(-3.333327831e-01f));
  const Vec small = vfma(vmul(z, x), p, x);
  const Vec one = vset(1.0f);
  const Vec e = vexp_normal(vmul(vset(2.0f), vmin(vset(10.0f), a)));
  const Vec large = vsub(one, vdiv(vset(2.0f), vadd(e, one)));
  return vselect(vless(a, vset(0.625f)), small, vcopysign(large, x));
}

GRAFT_INLINE Vec verf(Vec x) {
  const Vec a = vmin(vset(4.0f), vabs(x));
  const Vec z = vmul(x, x);
  Vec p = vset(7.853860087e-05f);
  p = vfma(p, z, vset(-8.010193242e-04f));
  p = vfma(p, z, vset(5.188327642e-03f));
  p = vfma(p, z, vset(-2.685381191e-02f));
  p = vfma(p, z, vset(1.128358515e-01f));
  p = vfma(p, z, vset(-3.761262582e-01f));
  p = vfma(p, z, vset(1.28379166e-01f));
  const Vec small = vfma(x, p, x);
  Vec q = vset(1.863794859e-04f);
  q = vfma(q, a, vset(-2.947661104e-03f));
  q = vfma(q, a, vset(2.183807488e-02f));
  q = vfma(q, a, vset(-1.031067766e-01f));
  q = vfma(q, a, vset(-6.381448082e-01f));
  q = vfma(q, a, vset(-1.127089204e+00f));
  q = vfma(q, a, vset(-3.415196025e-04f));
  const Vec large = vsub(vset(1.0f), vexp(q));
  return vselect(vless(a, vset(1.0f)), small, vcopysign(large, x));
}

}  // namespace GRAFT_ISA_NAMESPACE
}  // namespace graft::cpu
