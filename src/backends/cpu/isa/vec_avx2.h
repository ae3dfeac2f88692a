// AVX2 + FMA form of the vector wrapper; see vec.h for the contract.
#pragma once

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

#define GRAFT_INLINE static inline __attribute__((always_inline))

namespace graft::cpu {
inline namespace isa_avx2 {

using Vec = __m256;
using IntVec = __m256i;
using Mask = __m256;
constexpr int kLanes = 8;
constexpr int kVecRegisters = 16;

GRAFT_INLINE Vec vzero() { return _mm256_setzero_ps(); }
GRAFT_INLINE Vec vset(float x) { return _mm256_set1_ps(x); }
GRAFT_INLINE Vec vload(const float* p) { return _mm256_loadu_ps(p); }
GRAFT_INLINE Vec vbroadcast(const float* p) { return _mm256_broadcast_ss(p); }
GRAFT_INLINE void vstore(float* p, Vec x) { _mm256_storeu_ps(p, x); }

GRAFT_INLINE IntVec lane_mask(int n) {
  alignas(32) static const int32_t kTable[16] = {-1, -1, -1, -1, -1, -1, -1, -1,
                                                 0,  0,  0,  0,  0,  0,  0,  0};
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(kTable + 8 - n));
}
GRAFT_INLINE Vec vload_n(const float* p, int n) { return _mm256_maskload_ps(p, lane_mask(n)); }
GRAFT_INLINE void vstore_n(float* p, Vec x, int n) { _mm256_maskstore_ps(p, lane_mask(n), x); }

GRAFT_INLINE Vec vadd(Vec a, Vec b) { return _mm256_add_ps(a, b); }
GRAFT_INLINE Vec vsub(Vec a, Vec b) { return _mm256_sub_ps(a, b); }
GRAFT_INLINE Vec vmul(Vec a, Vec b) { return _mm256_mul_ps(a, b); }
GRAFT_INLINE Vec vdiv(Vec a, Vec b) { return _mm256_div_ps(a, b); }
GRAFT_INLINE Vec vsqrt(Vec a) { return _mm256_sqrt_ps(a); }
GRAFT_INLINE Vec vmax(Vec a, Vec b) { return _mm256_max_ps(a, b); }
GRAFT_INLINE Vec vmin(Vec a, Vec b) { return _mm256_min_ps(a, b); }
// a * b + c, and c - a * b.
GRAFT_INLINE Vec vfma(Vec a, Vec b, Vec c) { return _mm256_fmadd_ps(a, b, c); }
GRAFT_INLINE Vec vfnma(Vec a, Vec b, Vec c) { return _mm256_fnmadd_ps(a, b, c); }

// acc += a * b in place. Assembly, because the compiler otherwise picks forms of the instruction
// that need register copies and spills accumulators of a full tile.
GRAFT_INLINE void vfma_to(Vec& acc, Vec a, Vec b) {
  asm("vfmadd231ps %2, %1, %0" : "+x"(acc) : "x"(a), "x"(b));
}

GRAFT_INLINE Vec vabs(Vec a) {
  return _mm256_and_ps(a, _mm256_castsi256_ps(_mm256_set1_epi32(0x7fffffff)));
}
// The magnitude of a with the sign of s.
GRAFT_INLINE Vec vcopysign(Vec a, Vec s) {
  const Vec sign = _mm256_castsi256_ps(_mm256_set1_epi32(static_cast<int>(0x80000000u)));
  return _mm256_or_ps(_mm256_andnot_ps(sign, a), _mm256_and_ps(sign, s));
}
// Round to nearest even integer.
GRAFT_INLINE Vec vround(Vec a) {
  return _mm256_round_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
GRAFT_INLINE Vec vfloor(Vec a) { return _mm256_floor_ps(a); }
GRAFT_INLINE IntVec vto_int(Vec a) { return _mm256_cvtps_epi32(a); }
// 2^n for integers n in [-126, 127].
GRAFT_INLINE Vec vexp2_int(IntVec n) {
  return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(n, _mm256_set1_epi32(127)), 23));
}

GRAFT_INLINE Mask vless(Vec a, Vec b) { return _mm256_cmp_ps(a, b, _CMP_LT_OQ); }
GRAFT_INLINE Mask vis_nan(Vec a) { return _mm256_cmp_ps(a, a, _CMP_UNORD_Q); }
GRAFT_INLINE Vec vselect(Mask m, Vec yes, Vec no) { return _mm256_blendv_ps(no, yes, m); }

GRAFT_INLINE float vreduce_add(Vec a) {
  __m128 x = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
  x = _mm_add_ps(x, _mm_movehl_ps(x, x));
  return _mm_cvtss_f32(_mm_add_ss(x, _mm_shuffle_ps(x, x, 1)));
}
GRAFT_INLINE float vreduce_max(Vec a) {
  __m128 x = _mm_max_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
  x = _mm_max_ps(x, _mm_movehl_ps(x, x));
  return _mm_cvtss_f32(_mm_max_ss(x, _mm_shuffle_ps(x, x, 1)));
}

}  // namespace isa_avx2
}  // namespace graft::cpu
