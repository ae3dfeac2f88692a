// Natural logarithm, log(1 + x) and exp(x) - 1. Coefficients are fitted to the least relative
// error; tests/backends/cpu/pointwise_math_test.cc asserts the error of each.
#pragma once

#include "backends/cpu/isa/vec_bits.h"
#include "backends/cpu/isa/vec_math.h"

namespace graft::cpu {
inline namespace GRAFT_ISA_NAMESPACE {

// x = m * 2^e with m in [sqrt(1/2), sqrt(2)); log(m) by a polynomial in f = m - 1.
GRAFT_INLINE Vec vlog(Vec x) {
  constexpr float kTerms[] = {-0.0785961151f, 0.128816471f, -0.131287545f, 0.141811922f,
                              -0.166245535f,  0.200022861f, -0.250008106f, 0.333333164f};
  constexpr float kInf = __builtin_inff();
  const Mask denormal = vless(x, vset(0x1p-126f));
  const Vec scaled = vselect(denormal, vmul(x, vset(0x1p25f)), x);
  constexpr int32_t kHalfRoot = 0x3f3504f3;  // the bits of sqrt(1/2)
  const Bits above = vbits(scaled) - kHalfRoot;
  const Vec e = vsub(vfloat_of(above >> 23), vselect(denormal, vset(25.0f), vzero()));
  const Vec f = vsub(vof_bits((above & 0x7fffff) + kHalfRoot), vset(1.0f));
  const Vec z = vmul(f, f);
  Vec y = vmul(vmul(f, z), vpolynomial(kTerms, f));
  y = vfma(e, vset(-2.12194440e-4f), y);  // log(2) in two parts
  y = vfma(z, vset(-0.5f), y);
  y = vfma(e, vset(0.693359375f), vadd(f, y));
  y = vselect(vless(x, vset(kInf)), y, x);
  // -inf of 0, NaN of what is below and of NaN.
  const Vec special =
      vadd(vselect(vless(vzero(), vabs(x)), vset(__builtin_nanf("")), vset(-kInf)), x);
  return vselect(vless(vzero(), x), y, special);
}

// log(u) + what rounding took off u = 1 + x, over u.
GRAFT_INLINE Vec vlog1p(Vec x) {
  const Vec one = vset(1.0f);
  const Vec u = vadd(one, x);
  const Vec log_u = vlog(u);
  const Vec lost = vdiv(vsub(x, vsub(u, one)), u);
  Vec y = vselect(vless(u, vset(__builtin_inff())), vadd(log_u, lost), log_u);
  y = vselect(vless(vzero(), u), y, log_u);
  return vselect(vless(vzero(), vabs(x)), y, vadd(x, x));  // the sign of 0; NaN
}

// 2^n * p + (2^n - 1) with p = exp(r) - 1, in halves: 2^128 is no float.
GRAFT_INLINE Vec vexpm1(Vec x) {
  constexpr float kTerms[] = {0.000199143018f, 0.00139411027f, 0.00833327323f,
                              0.041666355f,    0.166666672f,   0.5f};
  const Vec inside = vmax(vset(-18.0f), vmin(vset(89.0f), x));
  const Vec n = vround(vmul(inside, vset(1.44269504f)));
  Vec r = vfnma(n, vset(0.693145752f), inside);
  r = vfnma(n, vset(1.42860677e-6f), r);
  const Vec p = vfma(vmul(r, r), vpolynomial(kTerms, r), r);
  const Vec half = vexp2_int(vto_int(vsub(n, vset(1.0f))));
  const Vec y = vfma(half, p, vsub(half, vset(0.5f)));
  return vselect(vless(vabs(x), vset(0x1p-26f)), x, vadd(y, y));
}

}  // namespace GRAFT_ISA_NAMESPACE
}  // namespace graft::cpu
