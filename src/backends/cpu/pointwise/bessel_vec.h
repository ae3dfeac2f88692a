// Modified Bessel functions of the first kind, scaled by exp(-|x|). Polynomials in a variable of
// -1..1, fitted at Chebyshev nodes to the series (below 8) and to the asymptotic sum (from 8 on);
// the error, relative, is below 7e-7.
#pragma once

#include "backends/cpu/isa/vec_bits.h"
#include "backends/cpu/isa/vec_math.h"

namespace graft::cpu {
inline namespace GRAFT_ISA_NAMESPACE {

constexpr float kBesselSplit = 8;

// The variables of the two ranges of |x|.
GRAFT_INLINE Vec vbessel_below(Vec abs_x) {
  return vsub(vmul(abs_x, vset(2 / kBesselSplit)), vset(1.0f));
}
GRAFT_INLINE Vec vbessel_above(Vec abs_x) {
  return vsub(vdiv(vset(2 * kBesselSplit), abs_x), vset(1.0f));
}

GRAFT_INLINE Vec vbessel_i0e(Vec x) {
  constexpr float kBelow[] = {0.00198147935f, -0.00437582843f, 0.00122772146f, -0.00168160291f,
                              0.0145283015f,  -0.0247413721f,  0.0286079627f,  -0.0402061529f,
                              0.0573339835f,  -0.0703968108f,  0.0791650042f,  -0.084824726f,
                              0.087354295f,   -0.0890534818f,  0.0945152193f,  -0.113004118f,
                              0.207001925f};
  constexpr float kAbove[] = {1.08679423e-07f, 3.62667038e-07f, 1.4761157e-06f, 1.11121481e-05f,
                              0.000136217161f, 0.00336055574f,  0.402176499f};
  const Vec a = vabs(x);
  const Vec below = vpolynomial(kBelow, vbessel_below(a));
  const Vec above = vdiv(vpolynomial(kAbove, vbessel_above(a)), vsqrt(a));
  return vselect(vless(a, vset(kBesselSplit)), below, above);
}

GRAFT_INLINE Vec vbessel_i1e(Vec x) {
  constexpr float kBelow[] = {// of I1e(x) / x
                              0.000307414215f, -0.000728278479f, 0.000411442219f, -0.000778703485f,
                              0.00336142024f,  -0.00628160546f,  0.00936740078f,  -0.0151625685f,
                              0.0237626415f,   -0.0337968022f,   0.0446594357f,   -0.055259753f,
                              0.0637688935f,   -0.0684840754f,   0.0680575445f,   -0.0611243062f,
                              0.0446877107f};
  constexpr float kAbove[] = {-1.22732175e-07f, -4.21035026e-07f, -1.82569079e-06f, -1.5003965e-05f,
                              -0.000219237132f, -0.00974958111f,  0.389398456f};
  const Vec a = vabs(x);
  const Vec below = vmul(vpolynomial(kBelow, vbessel_below(a)), x);
  const Vec above = vdiv(vpolynomial(kAbove, vbessel_above(a)), vsqrt(a));
  return vselect(vless(a, vset(kBesselSplit)), below, vcopysign(above, x));
}

}  // namespace GRAFT_ISA_NAMESPACE
}  // namespace graft::cpu
