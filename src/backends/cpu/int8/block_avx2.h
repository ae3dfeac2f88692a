// AVX2 form of int8/block.h.
#pragma once

namespace graft::cpu {
inline namespace isa_avx2 {

using Bytes = __m256i;

GRAFT_INLINE Bytes block_load(const int8_t* p) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
}
GRAFT_INLINE void block_store(int8_t* p, Bytes b) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), b);
}
GRAFT_INLINE Bytes bytes_set(int8_t x) { return _mm256_set1_epi8(x); }
GRAFT_INLINE Bytes bytes_max(Bytes a, Bytes b) { return _mm256_max_epi8(a, b); }
GRAFT_INLINE Bytes bytes_min(Bytes a, Bytes b) { return _mm256_min_epi8(a, b); }

GRAFT_INLINE IntVec ints_zero() { return _mm256_setzero_si256(); }
GRAFT_INLINE IntVec ints_load(const int32_t* p) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
}
GRAFT_INLINE IntVec ints_add(IntVec a, IntVec b) { return _mm256_add_epi32(a, b); }
GRAFT_INLINE IntVec words_add(IntVec a, IntVec b) { return _mm256_add_epi16(a, b); }
GRAFT_INLINE Vec to_float(IntVec a) { return _mm256_cvtepi32_ps(a); }

// Bytes to int16, int16 to int32, in pack order.
GRAFT_INLINE void widen_bytes(Bytes b, IntVec* lo, IntVec* hi) {
  *lo = _mm256_srai_epi16(_mm256_unpacklo_epi8(b, b), 8);
  *hi = _mm256_srai_epi16(_mm256_unpackhi_epi8(b, b), 8);
}
GRAFT_INLINE void widen_words(IntVec w, IntVec* lo, IntVec* hi) {
  *lo = _mm256_srai_epi32(_mm256_unpacklo_epi16(w, w), 16);
  *hi = _mm256_srai_epi32(_mm256_unpackhi_epi16(w, w), 16);
}
// To bytes, saturated, from pack order.
GRAFT_INLINE Bytes pack_ints(const IntVec (&q)[4]) {
  return _mm256_packs_epi16(_mm256_packs_epi32(q[0], q[1]), _mm256_packs_epi32(q[2], q[3]));
}
// The bytes that pack_ints made of four consecutive vectors, in their order.
GRAFT_INLINE Bytes packed_in_order(Bytes b) {
  return _mm256_permutevar8x32_epi32(b, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
}
// The bytes that pack_ints made of four consecutive vectors, in their order, half of them each.
// Faster than packed_in_order and two stores, which waits for a permutation across lanes.
GRAFT_INLINE void packed_halves_store(void* lo, void* hi, Bytes b) {
  const __m128i low = _mm256_castsi256_si128(b), high = _mm256_extracti128_si256(b, 1);
  _mm_storeu_si128(static_cast<__m128i*>(lo), _mm_unpacklo_epi32(low, high));
  _mm_storeu_si128(static_cast<__m128i*>(hi), _mm_unpackhi_epi32(low, high));
}

GRAFT_INLINE void floats_load(const float* p, Vec (&v)[4]) {
  for (int i = 0; i < 4; ++i) {
    v[i] = _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(p + 4 * i)),
                                _mm_loadu_ps(p + 16 + 4 * i), 1);
  }
}
GRAFT_INLINE void floats_store(float* p, const Vec (&v)[4]) {
  for (int i = 0; i < 4; ++i) {
    _mm_storeu_ps(p + 4 * i, _mm256_castps256_ps128(v[i]));
    _mm_storeu_ps(p + 16 + 4 * i, _mm256_extractf128_ps(v[i], 1));
  }
}

// Sum of the bytes, read as int8, of n whole blocks.
GRAFT_INLINE int64_t blocks_sum(const int8_t* p, ptrdiff_t n) {
  const __m256i zero = _mm256_setzero_si256(), flip = _mm256_set1_epi8(-128);
  __m256i sum = zero;
  for (ptrdiff_t i = 0; i < n; ++i) {
    const __m256i b = _mm256_xor_si256(block_load(p + 32 * i), flip);
    sum = _mm256_add_epi64(sum, _mm256_sad_epu8(b, zero));
  }
  int64_t s[4];
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(s), sum);
  return s[0] + s[1] + s[2] + s[3] - 128 * 32 * n;
}

}  // namespace isa_avx2
}  // namespace graft::cpu
