// Baseline x86-64 (SSE2) form of the vector wrapper; see vec.h for the contract. There is no fused
// multiply-add here: vfma rounds twice.
#pragma once

#include <emmintrin.h>
#include <stddef.h>
#include <stdint.h>

#define GRAFT_INLINE static inline __attribute__((always_inline))

namespace graft::cpu {
inline namespace isa_baseline {

using Vec = __m128;
using IntVec = __m128i;
using Mask = __m128;
constexpr int kLanes = 4;
constexpr int kVecRegisters = 16;

GRAFT_INLINE Vec vzero() { return _mm_setzero_ps(); }
GRAFT_INLINE Vec vset(float x) { return _mm_set1_ps(x); }
GRAFT_INLINE Vec vload(const float* p) { return _mm_loadu_ps(p); }
GRAFT_INLINE Vec vbroadcast(const float* p) { return _mm_set1_ps(*p); }
GRAFT_INLINE void vstore(float* p, Vec x) { _mm_storeu_ps(p, x); }

GRAFT_INLINE Vec vload_n(const float* p, int n) {
  alignas(16) float t[4] = {0, 0, 0, 0};
  for (int i = 0; i < n && i < 4; ++i) t[i] = p[i];
  return _mm_load_ps(t);
}
GRAFT_INLINE void vstore_n(float* p, Vec x, int n) {
  alignas(16) float t[4];
  _mm_store_ps(t, x);
  for (int i = 0; i < n && i < 4; ++i) p[i] = t[i];
}

GRAFT_INLINE Vec vadd(Vec a, Vec b) { return _mm_add_ps(a, b); }
GRAFT_INLINE Vec vsub(Vec a, Vec b) { return _mm_sub_ps(a, b); }
GRAFT_INLINE Vec vmul(Vec a, Vec b) { return _mm_mul_ps(a, b); }
GRAFT_INLINE Vec vdiv(Vec a, Vec b) { return _mm_div_ps(a, b); }
GRAFT_INLINE Vec vsqrt(Vec a) { return _mm_sqrt_ps(a); }
GRAFT_INLINE Vec vmax(Vec a, Vec b) { return _mm_max_ps(a, b); }
GRAFT_INLINE Vec vmin(Vec a, Vec b) { return _mm_min_ps(a, b); }
// a * b + c, and c - a * b.
GRAFT_INLINE Vec vfma(Vec a, Vec b, Vec c) { return _mm_add_ps(_mm_mul_ps(a, b), c); }
GRAFT_INLINE Vec vfnma(Vec a, Vec b, Vec c) { return _mm_sub_ps(c, _mm_mul_ps(a, b)); }

// acc += a * b in place.
GRAFT_INLINE void vfma_to(Vec& acc, Vec a, Vec b) { acc = vfma(a, b, acc); }

GRAFT_INLINE Vec vabs(Vec a) { return _mm_and_ps(a, _mm_castsi128_ps(_mm_set1_epi32(0x7fffffff))); }
// The magnitude of a with the sign of s.
GRAFT_INLINE Vec vcopysign(Vec a, Vec s) {
  const Vec sign = _mm_castsi128_ps(_mm_set1_epi32(static_cast<int>(0x80000000u)));
  return _mm_or_ps(_mm_andnot_ps(sign, a), _mm_and_ps(sign, s));
}
GRAFT_INLINE Mask vless(Vec a, Vec b) { return _mm_cmplt_ps(a, b); }
GRAFT_INLINE Mask vis_nan(Vec a) { return _mm_cmpunord_ps(a, a); }
GRAFT_INLINE Vec vselect(Mask m, Vec yes, Vec no) {
  return _mm_or_ps(_mm_and_ps(m, yes), _mm_andnot_ps(m, no));
}
// Round to nearest even integer. Values of 2^23 and more are integers already.
GRAFT_INLINE Vec vround(Vec a) {
  const Vec r = _mm_cvtepi32_ps(_mm_cvtps_epi32(a));
  return vselect(vless(vabs(a), vset(8388608.0f)), vcopysign(r, a), a);
}
GRAFT_INLINE Vec vfloor(Vec a) {
  const Vec r = vround(a);
  return vsub(r, _mm_and_ps(vless(a, r), vset(1.0f)));
}
GRAFT_INLINE IntVec vto_int(Vec a) { return _mm_cvtps_epi32(a); }
// 2^n for integers n in [-126, 127].
GRAFT_INLINE Vec vexp2_int(IntVec n) {
  return _mm_castsi128_ps(_mm_slli_epi32(_mm_add_epi32(n, _mm_set1_epi32(127)), 23));
}

GRAFT_INLINE float vreduce_add(Vec a) {
  a = _mm_add_ps(a, _mm_movehl_ps(a, a));
  return _mm_cvtss_f32(_mm_add_ss(a, _mm_shuffle_ps(a, a, 1)));
}
GRAFT_INLINE float vreduce_max(Vec a) {
  a = _mm_max_ps(a, _mm_movehl_ps(a, a));
  return _mm_cvtss_f32(_mm_max_ss(a, _mm_shuffle_ps(a, a, 1)));
}

}  // namespace isa_baseline
}  // namespace graft::cpu
