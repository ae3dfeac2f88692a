// Baseline (SSE2) form of int8/block.h.
#pragma once

namespace graft::cpu {
inline namespace isa_baseline {

using Bytes = __m128i;

GRAFT_INLINE Bytes block_load(const int8_t* p) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
}
GRAFT_INLINE void block_store(int8_t* p, Bytes b) {
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p), b);
}
GRAFT_INLINE Bytes bytes_set(int8_t x) { return _mm_set1_epi8(x); }
GRAFT_INLINE Bytes bytes_max(Bytes a, Bytes b) {
  const __m128i more = _mm_cmpgt_epi8(a, b);
  return _mm_or_si128(_mm_and_si128(more, a), _mm_andnot_si128(more, b));
}
GRAFT_INLINE Bytes bytes_min(Bytes a, Bytes b) {
  const __m128i more = _mm_cmpgt_epi8(a, b);
  return _mm_or_si128(_mm_and_si128(more, b), _mm_andnot_si128(more, a));
}

GRAFT_INLINE IntVec ints_zero() { return _mm_setzero_si128(); }
GRAFT_INLINE IntVec ints_load(const int32_t* p) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
}
GRAFT_INLINE IntVec ints_add(IntVec a, IntVec b) { return _mm_add_epi32(a, b); }
GRAFT_INLINE IntVec words_add(IntVec a, IntVec b) { return _mm_add_epi16(a, b); }
GRAFT_INLINE Vec to_float(IntVec a) { return _mm_cvtepi32_ps(a); }

// Bytes to int16, int16 to int32, in pack order.
GRAFT_INLINE void widen_bytes(Bytes b, IntVec* lo, IntVec* hi) {
  *lo = _mm_srai_epi16(_mm_unpacklo_epi8(b, b), 8);
  *hi = _mm_srai_epi16(_mm_unpackhi_epi8(b, b), 8);
}
GRAFT_INLINE void widen_words(IntVec w, IntVec* lo, IntVec* hi) {
  *lo = _mm_srai_epi32(_mm_unpacklo_epi16(w, w), 16);
  *hi = _mm_srai_epi32(_mm_unpackhi_epi16(w, w), 16);
}
// To bytes, saturated, from pack order.
GRAFT_INLINE Bytes pack_ints(const IntVec (&q)[4]) {
  return _mm_packs_epi16(_mm_packs_epi32(q[0], q[1]), _mm_packs_epi32(q[2], q[3]));
}
// The bytes that pack_ints made of four consecutive vectors, in their order.
GRAFT_INLINE Bytes packed_in_order(Bytes b) { return b; }
// The same, half of the bytes each.
GRAFT_INLINE void packed_halves_store(void* lo, void* hi, Bytes b) {
  _mm_storel_epi64(static_cast<__m128i*>(lo), b);
  _mm_storeh_pd(static_cast<double*>(hi), _mm_castsi128_pd(b));
}

GRAFT_INLINE void floats_load(const float* p, Vec (&v)[4]) {
  for (int i = 0; i < 4; ++i) v[i] = _mm_loadu_ps(p + 4 * i);
}
GRAFT_INLINE void floats_store(float* p, const Vec (&v)[4]) {
  for (int i = 0; i < 4; ++i) _mm_storeu_ps(p + 4 * i, v[i]);
}

// Sum of the bytes, read as int8, of n whole blocks.
GRAFT_INLINE int64_t blocks_sum(const int8_t* p, ptrdiff_t n) {
  const __m128i zero = _mm_setzero_si128(), flip = _mm_set1_epi8(-128);
  __m128i sum = zero;
  for (ptrdiff_t i = 0; i < n; ++i) {
    const __m128i b = _mm_xor_si128(block_load(p + 16 * i), flip);
    sum = _mm_add_epi64(sum, _mm_sad_epu8(b, zero));
  }
  int64_t s[2];
  _mm_storeu_si128(reinterpret_cast<__m128i*>(s), sum);
  return s[0] + s[1] - 128 * 16 * n;
}

}  // namespace isa_baseline
}  // namespace graft::cpu
