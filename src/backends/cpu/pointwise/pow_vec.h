// x to the power y for positive normal x and finite y: 2^(y * log2(x)) in double, in loops that the
// compiler turns into vectors, and rounded once. The C library answers for everything else.
#pragma once

#include <math.h>

#include "backends/cpu/isa/vec_bits.h"

namespace graft::cpu {
inline namespace GRAFT_ISA_NAMESPACE {

// Whether every lane is one that vpow_plain takes.
GRAFT_INLINE bool vpow_is_plain(Vec x, Vec y) {
  constexpr int32_t kLeastNormal = 0x00800000, kInf = 0x7f800000;
  const Bits other = (vbits(x) < kLeastNormal) | (vbits(x) >= kInf) | (vbits(vabs(y)) >= kInf);
  return !vany(vless(vzero(), vof_bits(other & vbits(vset(1.0f)))));
}

GRAFT_INLINE Vec vpow_plain(Vec x, Vec y) {
  // x = m * 2^k with m in [sqrt(1/2), sqrt(2)).
  constexpr int32_t kHalfRoot = 0x3f3504f3;
  const Bits above = vbits(x) - kHalfRoot;
  float k[kLanes], m[kLanes], power[kLanes], p[kLanes], n[kLanes];
  vstore(k, vfloat_of(above >> 23));
  vstore(m, vof_bits((above & 0x7fffff) + kHalfRoot));
  vstore(power, y);
  for (int i = 0; i < kLanes; ++i) {
    const double s = ((double)m[i] - 1) / ((double)m[i] + 1), z = s * s;
    double log2 = 0.34073010476499754;  // of m, over s: fitted to 5e-12
    log2 = log2 * z + 0.41167271899706159;
    log2 = log2 * z + 0.5770835849688305;
    log2 = log2 * z + 0.96179667334173147;
    log2 = log2 * z + 2.8853900817900864;
    double t = (double)power[i] * ((double)k[i] + s * log2);
    t = t < -160 ? -160 : t;
    t = t > 160 ? 160 : t;
    constexpr double kToWhole = 0x1.8p52;
    const double whole = (t + kToWhole) - kToWhole, f = t - whole;
    double exp2 = 0.00015345788138373205;  // fitted to 2e-9
    exp2 = exp2 * f + 0.0013399957622990072;
    exp2 = exp2 * f + 0.0096184892475306583;
    exp2 = exp2 * f + 0.055503287118174059;
    exp2 = exp2 * f + 0.24022646886051238;
    exp2 = exp2 * f + 0.69314720576713262;
    exp2 = exp2 * f + 1.0000000005550547;
    p[i] = (float)exp2;
    n[i] = (float)whole;
  }
  // Two factors, because 2^n itself may lie outside the range of normal floats.
  const Vec exponent = vload(n), half = vfloor(vmul(exponent, vset(0.5f)));
  return vmul(vmul(vload(p), vexp2_int(vto_int(half))), vexp2_int(vto_int(vsub(exponent, half))));
}

__attribute__((noinline)) static Vec vpow_lane_by_lane(Vec x, Vec y) {
  float a[kLanes], b[kLanes];
  vstore(a, x);
  vstore(b, y);
  for (int i = 0; i < kLanes; ++i) a[i] = powf(a[i], b[i]);
  return vload(a);
}

GRAFT_INLINE Vec vpow(Vec x, Vec y) {
  return __builtin_expect(vpow_is_plain(x, y), 1) ? vpow_plain(x, y) : vpow_lane_by_lane(x, y);
}

}  // namespace GRAFT_ISA_NAMESPACE
}  // namespace graft::cpu
