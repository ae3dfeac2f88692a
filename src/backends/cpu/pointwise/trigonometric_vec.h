// Sine, cosine, tangent and their inverses. Coefficients are fitted to the least relative error;
// tests/backends/cpu/pointwise_math_test.cc asserts the error of each.
#pragma once

#include <math.h>

#include "backends/cpu/isa/vec_bits.h"

namespace graft::cpu {
inline namespace GRAFT_ISA_NAMESPACE {

// Beyond it the C library reduces the argument, with as many digits of pi as that takes.
constexpr float kLargestTurned = 131072.0f;

// x = quarters * pi / 2 + rest with |rest| <= 0.8.
struct Turned {
  Bits quarters;
  Vec rest;
};

GRAFT_INLINE Turned vturn(Vec x) {
  const Vec n = vround(vmul(x, vset(0.636619772f)));
#if defined(GRAFT_ISA_BASELINE)
  // Without a fused multiply-add, in double: the first part's products by n are exact.
  float rest[kLanes], quarters[kLanes];
  vstore(rest, x);
  vstore(quarters, n);
  for (int i = 0; i < kLanes; ++i) {
    const double q = quarters[i];
    rest[i] =
        (float)((double)rest[i] - q * 1.57079631090164184570 - q * 1.58932547735281966916e-08);
  }
  const Vec r = vload(rest);
#else
  // The first step is exact: its result is a multiple of 2^-24 below 1.
  Vec r = vfnma(n, vset(1.57079637f), x);
  r = vfnma(n, vset(-4.37113883e-08f), r);
  r = vfnma(n, vset(-1.71512489e-15f), r);
#endif
  return {(Bits)vto_int(n), r};
}

GRAFT_INLINE Vec vsin_of_rest(Vec r) {
  constexpr float kTerms[] = {-0.000195030691f, 0.00833207089f, -0.166666538f};
  const Vec z = vmul(r, r);
  return vfma(vmul(r, z), vpolynomial(kTerms, z), r);
}
GRAFT_INLINE Vec vcos_of_rest(Vec r) {
  constexpr float kTerms[] = {2.44249222e-05f, -0.00138872513f, 0.0416666456f};
  const Vec z = vmul(r, r);
  const Vec y = vfma(vmul(z, z), vpolynomial(kTerms, z), vmul(z, vset(-0.5f)));
  return vadd(y, vset(1.0f));
}

// -1 in the lanes of odd numbers.
GRAFT_INLINE Bits vodd(Bits n) { return -(n & 1); }

// sin(x + quarters * pi / 2).
template <int kQuarters>
GRAFT_INLINE Vec vsin_ahead(Vec x) {
  const Turned t = vturn(x);
  const Bits quarters = t.quarters + kQuarters;
  const Vec y = vblend(vodd(quarters), vcos_of_rest(t.rest), vsin_of_rest(t.rest));
  return vof_bits(vbits(y) ^ ((quarters & 2) << 30));
}
GRAFT_INLINE Vec vtan_turned(Vec x) {
  const Turned t = vturn(x);
  const Vec sin = vsin_of_rest(t.rest), cos = vcos_of_rest(t.rest);
  const Bits odd = vodd(t.quarters);
  const Vec y = vdiv(vblend(odd, cos, sin), vblend(odd, sin, cos));
  return vof_bits(vbits(y) ^ (t.quarters << 31));
}

template <float (*kFn)(float)>
__attribute__((noinline)) static Vec vlane_by_lane(Vec x) {
  float lanes[kLanes];
  vstore(lanes, x);
  for (int i = 0; i < kLanes; ++i) lanes[i] = kFn(lanes[i]);
  return vload(lanes);
}

GRAFT_INLINE Vec vsin(Vec x) {
  if (__builtin_expect(vany(vless(vset(kLargestTurned), vabs(x))), 0))
    return vlane_by_lane<sinf>(x);
  // Next to 0 the sine is its argument: the sign of 0, too.
  return vselect(vless(vabs(x), vset(0x1p-12f)), x, vsin_ahead<0>(x));
}
GRAFT_INLINE Vec vcos(Vec x) {
  if (__builtin_expect(vany(vless(vset(kLargestTurned), vabs(x))), 0))
    return vlane_by_lane<cosf>(x);
  return vsin_ahead<1>(x);
}
GRAFT_INLINE Vec vtan(Vec x) {
  if (__builtin_expect(vany(vless(vset(kLargestTurned), vabs(x))), 0))
    return vlane_by_lane<tanf>(x);
  return vselect(vless(vabs(x), vset(0x1p-12f)), x, vtan_turned(x));
}

// asin(|x|) up to 1/2, and half of pi / 2 - asin(|x|) = acos(|x|) above; NaN beyond 1.
struct ArcSine {
  Mask above;
  Vec y;
};
GRAFT_INLINE ArcSine varc_sine(Vec abs_x) {
  constexpr float kTerms[] = {0.0422185659f, 0.0241476018f, 0.0454770997f, 0.0749524161f,
                              0.166667536f};
  const Mask above = vless(vset(0.5f), abs_x);
  const Vec half = vmul(vsub(vset(1.0f), abs_x), vset(0.5f));
  const Vec z = vselect(above, half, vmul(abs_x, abs_x));
  const Vec s = vselect(above, vsqrt(half), abs_x);
  return {above, vfma(vmul(s, z), vpolynomial(kTerms, z), s)};
}

// pi / 2 and what its float lacks.
constexpr float kHalfPi = 1.57079637f, kHalfPiRest = -4.37113883e-08f;

GRAFT_INLINE Vec vasin(Vec x) {
  const ArcSine a = varc_sine(vabs(x));
  const Vec from_top = vsub(vset(kHalfPi), vsub(vadd(a.y, a.y), vset(kHalfPiRest)));
  return vcopysign(vselect(a.above, from_top, a.y), x);
}
GRAFT_INLINE Vec vacos(Vec x) {
  const ArcSine a = varc_sine(vabs(x));
  const Vec twice = vadd(a.y, a.y);
  const Vec middle = vsub(vset(kHalfPi), vsub(vcopysign(a.y, x), vset(kHalfPiRest)));
  const Vec below = vsub(vset(2 * kHalfPi), vsub(twice, vset(2 * kHalfPiRest)));
  return vselect(a.above, vselect(vless(x, vzero()), below, twice), middle);
}

// atan(t) of |t| <= tan(pi / 8), less t.
GRAFT_INLINE Vec vatan_less(Vec t) {
  constexpr float kTerms[] = {-0.0608308986f, 0.105958655f, -0.142438307f, 0.199984893f,
                              -0.333333164f};
  const Vec z = vmul(t, t);
  return vmul(vmul(t, z), vpolynomial(kTerms, z));
}

// From pi / 2, pi / 4 or 0 on: the tangent of what is left is -1 / |x|, (|x| - 1) / (|x| + 1), |x|.
GRAFT_INLINE Vec vatan(Vec x) {
  const Vec a = vabs(x), one = vset(1.0f);
  const Mask top = vless(vset(2.41421356f), a), middle = vless(vset(0.414213562f), a);
  const Vec over = vselect(top, vset(-1.0f), vselect(middle, vsub(a, one), a));
  const Vec under = vselect(top, a, vselect(middle, vadd(a, one), one));
  const Vec t = vdiv(over, under);
  const Vec parts = vselect(top, one, vselect(middle, vset(0.5f), vzero()));  // of pi / 2
  const Vec y = vfma(parts, vset(kHalfPiRest), vatan_less(t));
  return vcopysign(vfma(parts, vset(kHalfPi), vadd(t, y)), x);
}

}  // namespace GRAFT_ISA_NAMESPACE
}  // namespace graft::cpu
