// AVX-512 (F, BW) form of int8/block.h.
#pragma once

namespace graft::cpu {
inline namespace isa_avx512 {

using Bytes = __m512i;

GRAFT_INLINE __mmask64 first_bytes(int n) {
  return n >= 64 ? ~__mmask64{0} : (__mmask64{1} << n) - 1;
}

GRAFT_INLINE Bytes block_load(const int8_t* p) { return _mm512_loadu_si512(p); }
GRAFT_INLINE void block_store(int8_t* p, Bytes b) { _mm512_storeu_si512(p, b); }
GRAFT_INLINE Bytes bytes_set(int8_t x) { return _mm512_set1_epi8(x); }
GRAFT_INLINE Bytes bytes_max(Bytes a, Bytes b) { return _mm512_max_epi8(a, b); }
GRAFT_INLINE Bytes bytes_min(Bytes a, Bytes b) { return _mm512_min_epi8(a, b); }

GRAFT_INLINE IntVec ints_zero() { return _mm512_setzero_si512(); }
GRAFT_INLINE IntVec ints_load(const int32_t* p) { return _mm512_loadu_si512(p); }
GRAFT_INLINE IntVec ints_add(IntVec a, IntVec b) { return _mm512_add_epi32(a, b); }
GRAFT_INLINE IntVec words_add(IntVec a, IntVec b) { return _mm512_add_epi16(a, b); }
GRAFT_INLINE Vec to_float(IntVec a) { return _mm512_cvtepi32_ps(a); }

// Bytes to int16, int16 to int32, in pack order.
GRAFT_INLINE void widen_bytes(Bytes b, IntVec* lo, IntVec* hi) {
  *lo = _mm512_srai_epi16(_mm512_unpacklo_epi8(b, b), 8);
  *hi = _mm512_srai_epi16(_mm512_unpackhi_epi8(b, b), 8);
}
GRAFT_INLINE void widen_words(IntVec w, IntVec* lo, IntVec* hi) {
  *lo = _mm512_srai_epi32(_mm512_unpacklo_epi16(w, w), 16);
  *hi = _mm512_srai_epi32(_mm512_unpackhi_epi16(w, w), 16);
}
// To bytes, saturated, from pack order.
GRAFT_INLINE Bytes pack_ints(const IntVec (&q)[4]) {
  return _mm512_packs_epi16(_mm512_packs_epi32(q[0], q[1]), _mm512_packs_epi32(q[2], q[3]));
}
// The bytes that pack_ints made of four consecutive vectors, in their order.
GRAFT_INLINE Bytes packed_in_order(Bytes b) {
  const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  return _mm512_permutexvar_epi32(order, b);
}
// The same, half of the bytes each.
GRAFT_INLINE void packed_halves_store(void* lo, void* hi, Bytes packed) {
  const Bytes b = packed_in_order(packed);
  _mm256_storeu_si256(static_cast<__m256i*>(lo), _mm512_castsi512_si256(b));
  _mm256_storeu_si256(static_cast<__m256i*>(hi), _mm512_extracti64x4_epi64(b, 1));
}

// Consecutive vectors to pack order and back is a transposition of 4x4 128-bit lanes.
GRAFT_INLINE void transpose_lanes(const Vec (&a)[4], Vec (&v)[4]) {
  const Vec t0 = _mm512_shuffle_f32x4(a[0], a[1], 0x44),
            t1 = _mm512_shuffle_f32x4(a[2], a[3], 0x44);
  const Vec t2 = _mm512_shuffle_f32x4(a[0], a[1], 0xee),
            t3 = _mm512_shuffle_f32x4(a[2], a[3], 0xee);
  v[0] = _mm512_shuffle_f32x4(t0, t1, 0x88);
  v[1] = _mm512_shuffle_f32x4(t0, t1, 0xdd);
  v[2] = _mm512_shuffle_f32x4(t2, t3, 0x88);
  v[3] = _mm512_shuffle_f32x4(t2, t3, 0xdd);
}
GRAFT_INLINE void floats_load(const float* p, Vec (&v)[4]) {
  const Vec a[4] = {vload(p), vload(p + 16), vload(p + 32), vload(p + 48)};
  transpose_lanes(a, v);
}
GRAFT_INLINE void floats_store(float* p, const Vec (&v)[4]) {
  Vec a[4];
  transpose_lanes(v, a);
  for (int i = 0; i < 4; ++i) vstore(p + 16 * i, a[i]);
}

// Sum of the bytes, read as int8, of n whole blocks.
GRAFT_INLINE int64_t blocks_sum(const int8_t* p, ptrdiff_t n) {
  const __m512i zero = _mm512_setzero_si512(), flip = _mm512_set1_epi8(-128);
  __m512i sum = zero;
  for (ptrdiff_t i = 0; i < n; ++i) {
    const __m512i b = _mm512_xor_si512(block_load(p + 64 * i), flip);
    sum = _mm512_add_epi64(sum, _mm512_sad_epu8(b, zero));
  }
  return _mm512_reduce_add_epi64(sum) - 128 * 64 * n;
}

}  // namespace isa_avx512
}  // namespace graft::cpu
