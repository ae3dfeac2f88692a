// AVX-512 (F, DQ, BW, VL) form of the vector wrapper; see vec.h for the contract.
#pragma once

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

#define GRAFT_INLINE static inline __attribute__((always_inline))

namespace graft::cpu {
inline namespace isa_avx512 {

using Vec = __m512;
using IntVec = __m512i;
using Mask = __mmask16;
constexpr int kLanes = 16;
constexpr int kVecRegisters = 32;

GRAFT_INLINE Vec vzero() { return _mm512_setzero_ps(); }
GRAFT_INLINE Vec vset(float x) { return _mm512_set1_ps(x); }
GRAFT_INLINE Vec vload(const float* p) { return _mm512_loadu_ps(p); }
GRAFT_INLINE Vec vbroadcast(const float* p) { return _mm512_set1_ps(*p); }
GRAFT_INLINE void vstore(float* p, Vec x) { _mm512_storeu_ps(p, x); }

GRAFT_INLINE Mask lane_mask(int n) { return static_cast<Mask>((1u << n) - 1u); }
GRAFT_INLINE Vec vload_n(const float* p, int n) { return _mm512_maskz_loadu_ps(lane_mask(n), p); }
GRAFT_INLINE void vstore_n(float* p, Vec x, int n) { _mm512_mask_storeu_ps(p, lane_mask(n), x); }

GRAFT_INLINE Vec vadd(Vec a, Vec b) { return _mm512_add_ps(a, b); }
GRAFT_INLINE Vec vsub(Vec a, Vec b) { return _mm512_sub_ps(a, b); }
GRAFT_INLINE Vec vmul(Vec a, Vec b) { return _mm512_mul_ps(a, b); }
GRAFT_INLINE Vec vdiv(Vec a, Vec b) { return _mm512_div_ps(a, b); }
GRAFT_INLINE Vec vsqrt(Vec a) { return _mm512_sqrt_ps(a); }
GRAFT_INLINE Vec vmax(Vec a, Vec b) { return _mm512_max_ps(a, b); }
GRAFT_INLINE Vec vmin(Vec a, Vec b) { return _mm512_min_ps(a, b); }
// a * b + c, and c - a * b.
GRAFT_INLINE Vec vfma(Vec a, Vec b, Vec c) { return _mm512_fmadd_ps(a, b, c); }
GRAFT_INLINE Vec vfnma(Vec a, Vec b, Vec c) { return _mm512_fnmadd_ps(a, b, c); }

// acc += a * b in place. Assembly, because the compiler otherwise picks forms of the instruction
// that need register copies and spills accumulators of a full tile.
GRAFT_INLINE void vfma_to(Vec& acc, Vec a, Vec b) {
  asm("vfmadd231ps %2, %1, %0" : "+v"(acc) : "v"(a), "v"(b));
}

GRAFT_INLINE Vec vabs(Vec a) { return _mm512_abs_ps(a); }
// The magnitude of a with the sign of s.
GRAFT_INLINE Vec vcopysign(Vec a, Vec s) {
  const __m512i sign = _mm512_set1_epi32(static_cast<int>(0x80000000u));
  return _mm512_castsi512_ps(
      _mm512_ternarylogic_epi32(sign, _mm512_castps_si512(s), _mm512_castps_si512(a), 0xca));
}
// Round to nearest even integer.
GRAFT_INLINE Vec vround(Vec a) {
  return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
GRAFT_INLINE Vec vfloor(Vec a) {
  return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
}
GRAFT_INLINE IntVec vto_int(Vec a) { return _mm512_cvtps_epi32(a); }
// 2^n for integers n in [-126, 127].
GRAFT_INLINE Vec vexp2_int(IntVec n) {
  return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_add_epi32(n, _mm512_set1_epi32(127)), 23));
}

GRAFT_INLINE Mask vless(Vec a, Vec b) { return _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ); }
GRAFT_INLINE Mask vis_nan(Vec a) { return _mm512_cmp_ps_mask(a, a, _CMP_UNORD_Q); }
GRAFT_INLINE Vec vselect(Mask m, Vec yes, Vec no) { return _mm512_mask_blend_ps(m, no, yes); }

GRAFT_INLINE float vreduce_add(Vec a) { return _mm512_reduce_add_ps(a); }
GRAFT_INLINE float vreduce_max(Vec a) { return _mm512_reduce_max_ps(a); }

}  // namespace isa_avx512
}  // namespace graft::cpu
