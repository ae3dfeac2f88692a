// Depthwise convolution by pairs of taps: the products of two taps of a channel lie side by side,
// so that one multiplication adds them as int16 (2 * 127 * 127 < 2^15), and two such sums as int32.
// Exact. Compiled without contraction to fused multiply-adds.
#pragma once

#include "backends/cpu/int8/block.h"
#include "backends/cpu/int8/depthwise_table.h"

namespace graft::cpu {
inline namespace GRAFT_ISA_NAMESPACE {

// pair_sums: int16 x[2i] * w[2i] + x[2i + 1] * w[2i + 1] for bytes x, w; abs is |w|. kSign: x may
// be negative. sum_words: int32 a[2i] + a[2i + 1] of int16.
#if defined(GRAFT_ISA_AVX512)
GRAFT_INLINE Bytes unpack_bytes_lo(Bytes a, Bytes b) { return _mm512_unpacklo_epi8(a, b); }
GRAFT_INLINE Bytes unpack_bytes_hi(Bytes a, Bytes b) { return _mm512_unpackhi_epi8(a, b); }
GRAFT_INLINE IntVec unpack_words_lo(IntVec a, IntVec b) { return _mm512_unpacklo_epi16(a, b); }
GRAFT_INLINE IntVec unpack_words_hi(IntVec a, IntVec b) { return _mm512_unpackhi_epi16(a, b); }
GRAFT_INLINE IntVec sum_words(IntVec a) { return _mm512_madd_epi16(a, _mm512_set1_epi16(1)); }
template <bool kSign>
GRAFT_INLINE IntVec pair_sums(Bytes x, Bytes w, Bytes abs) {
  if constexpr (!kSign) return _mm512_maddubs_epi16(x, w);
  const Bytes turned = _mm512_mask_sub_epi8(x, _mm512_movepi8_mask(w), _mm512_setzero_si512(), x);
  return _mm512_maddubs_epi16(abs, turned);
}
#elif defined(GRAFT_ISA_AVX2)
GRAFT_INLINE Bytes unpack_bytes_lo(Bytes a, Bytes b) { return _mm256_unpacklo_epi8(a, b); }
GRAFT_INLINE Bytes unpack_bytes_hi(Bytes a, Bytes b) { return _mm256_unpackhi_epi8(a, b); }
GRAFT_INLINE IntVec unpack_words_lo(IntVec a, IntVec b) { return _mm256_unpacklo_epi16(a, b); }
GRAFT_INLINE IntVec unpack_words_hi(IntVec a, IntVec b) { return _mm256_unpackhi_epi16(a, b); }
GRAFT_INLINE IntVec sum_words(IntVec a) { return _mm256_madd_epi16(a, _mm256_set1_epi16(1)); }
template <bool kSign>
GRAFT_INLINE IntVec pair_sums(Bytes x, Bytes w, Bytes abs) {
  if constexpr (!kSign) return _mm256_maddubs_epi16(x, w);
  return _mm256_maddubs_epi16(abs, _mm256_sign_epi8(x, w));
}
#else
GRAFT_INLINE Bytes unpack_bytes_lo(Bytes a, Bytes b) { return _mm_unpacklo_epi8(a, b); }
GRAFT_INLINE Bytes unpack_bytes_hi(Bytes a, Bytes b) { return _mm_unpackhi_epi8(a, b); }
GRAFT_INLINE IntVec unpack_words_lo(IntVec a, IntVec b) { return _mm_unpacklo_epi16(a, b); }
GRAFT_INLINE IntVec unpack_words_hi(IntVec a, IntVec b) { return _mm_unpackhi_epi16(a, b); }
GRAFT_INLINE IntVec sum_words(IntVec a) { return _mm_madd_epi16(a, _mm_set1_epi16(1)); }
template <bool kSign>
GRAFT_INLINE IntVec pair_sums(Bytes x, Bytes w, Bytes) {
  const auto even = [](Bytes b) { return _mm_srai_epi16(_mm_slli_epi16(b, 8), 8); };
  const auto odd = [](Bytes b) { return _mm_srai_epi16(b, 8); };
  return _mm_add_epi16(_mm_mullo_epi16(even(x), even(w)), _mm_mullo_epi16(odd(x), odd(w)));
}
#endif

// The sums of one pair of taps, as two vectors of int16.
template <bool kSign>
GRAFT_INLINE void pair_of_taps(Bytes x0, Bytes x1, const int8_t* w, IntVec* lo, IntVec* hi) {
  constexpr int kAbs = kSign ? 2 * kBlock : 0;
  *lo = pair_sums<kSign>(unpack_bytes_lo(x0, x1), block_load(w), block_load(w + kAbs));
  *hi = pair_sums<kSign>(unpack_bytes_hi(x0, x1), block_load(w + kBlock),
                         block_load(w + kAbs + kBlock));
}

GRAFT_INLINE void add_words(IntVec (&acc)[4], IntVec lo0, IntVec lo1, IntVec hi0, IntVec hi1) {
  acc[0] = ints_add(acc[0], sum_words(unpack_words_lo(lo0, lo1)));
  acc[1] = ints_add(acc[1], sum_words(unpack_words_hi(lo0, lo1)));
  acc[2] = ints_add(acc[2], sum_words(unpack_words_lo(hi0, hi1)));
  acc[3] = ints_add(acc[3], sum_words(unpack_words_hi(hi0, hi1)));
}

template <bool kTail>
GRAFT_INLINE Bytes channels_load(const int8_t* p, int n) {
  if constexpr (kTail) return block_load_n(p, n);
  return block_load(p);
}

template <bool kFloat, bool kTail>
GRAFT_INLINE void depthwise_store(const Int8DepthwiseArgs& t, const IntVec (&acc)[4], ptrdiff_t at,
                                  const float* scale, int n) {
  Vec v[4];
  for (int k = 0; k < 4; ++k) v[k] = vmul(to_float(acc[k]), vload(scale + k * kLanes));
  if (t.residual) {
    Vec r[4];
    if constexpr (kFloat) {
      const float* p = static_cast<const float*>(t.residual) + at;
      if constexpr (kTail) {
        floats_load_n(p, n, r);
      } else {
        floats_load(p, r);
      }
      for (int k = 0; k < 4; ++k) v[k] = vadd(v[k], r[k]);
    } else {
      block_to_floats(channels_load<kTail>(static_cast<const int8_t*>(t.residual) + at, n), r);
      for (int k = 0; k < 4; ++k) v[k] = vadd(v[k], vmul(r[k], vset(t.residual_scale)));
    }
  }
  if constexpr (kFloat) {
    for (int k = 0; k < 4; ++k) v[k] = vmin(vset(t.hi), vmax(vset(t.lo), v[k]));
    float* p = static_cast<float*>(t.dst) + at;
    if constexpr (kTail) {
      floats_store_n(p, v, n);
    } else {
      floats_store(p, v);
    }
  } else {
    const Bytes q = block_from_floats(v, bytes_set(static_cast<int8_t>(t.lo)), vset(t.hi));
    int8_t* p = static_cast<int8_t*>(t.dst) + at;
    if constexpr (kTail) {
      block_store_n(p, q, n);
    } else {
      block_store(p, q);
    }
  }
}

// kCols pixels from column x, one block of channels from c.
template <bool kSign, bool kFloat, int kCols, bool kTailLoad, bool kTail>
GRAFT_INLINE void depthwise_block(const Int8DepthwiseArgs& t, ptrdiff_t x, ptrdiff_t c,
                                  ptrdiff_t block, int n) {
  constexpr int kPairBytes = (kSign ? 4 : 2) * kBlock;
  IntVec acc[kCols][4];
  for (int k = 0; k < 4; ++k) {
    const IntVec bias = ints_load(t.bias + block * kBlock + k * kLanes);
    for (int i = 0; i < kCols; ++i) acc[i][k] = bias;
  }
  const int8_t* w = t.weights + block * t.weights_block;
  const int8_t* const* taps = t.taps;
  const ptrdiff_t at = x * t.column_step + c;
  ptrdiff_t pair = 0;
  for (; pair + 2 <= t.pairs; pair += 2, taps += 4, w += 2 * kPairBytes) {
#pragma GCC unroll 4
    for (int i = 0; i < kCols; ++i) {
      const ptrdiff_t from = at + i * t.column_step;
      IntVec lo0, hi0, lo1, hi1;
      pair_of_taps<kSign>(channels_load<kTailLoad>(taps[0] + from, n),
                          channels_load<kTailLoad>(taps[1] + from, n), w, &lo0, &hi0);
      pair_of_taps<kSign>(channels_load<kTailLoad>(taps[2] + from, n),
                          channels_load<kTailLoad>(taps[3] + from, n), w + kPairBytes, &lo1, &hi1);
      add_words(acc[i], lo0, lo1, hi0, hi1);
    }
  }
  if (pair < t.pairs) {
#pragma GCC unroll 4
    for (int i = 0; i < kCols; ++i) {
      const ptrdiff_t from = at + i * t.column_step;
      IntVec lo, hi;
      pair_of_taps<kSign>(channels_load<kTailLoad>(taps[0] + from, n),
                          channels_load<kTailLoad>(taps[1] + from, n), w, &lo, &hi);
      add_words(acc[i], lo, ints_zero(), hi, ints_zero());
    }
  }
  for (int i = 0; i < kCols; ++i) {
    depthwise_store<kFloat, kTail>(t, acc[i], (x + i) * t.channels + c, t.scale + block * kBlock,
                                   n);
  }
}

template <bool kSign, bool kFloat, int kCols>
GRAFT_INLINE void depthwise_columns(const Int8DepthwiseArgs& t, ptrdiff_t x) {
  if (t.channels < kBlock) {
    const int n = static_cast<int>(t.channels);
    if (t.whole_loads) return depthwise_block<kSign, kFloat, kCols, false, true>(t, x, 0, 0, n);
    return depthwise_block<kSign, kFloat, kCols, true, true>(t, x, 0, 0, n);
  }
  ptrdiff_t c = 0, block = 0;
  for (; c + kBlock <= t.channels; c += kBlock, ++block)
    depthwise_block<kSign, kFloat, kCols, false, false>(t, x, c, block, kBlock);
  if (c < t.channels)
    depthwise_block<kSign, kFloat, kCols, false, false>(t, x, t.channels - kBlock, block, kBlock);
}

template <bool kSign, bool kFloat>
static void depthwise_run(const Int8DepthwiseArgs* args) {
  const Int8DepthwiseArgs t = *args;
  ptrdiff_t x = 0;
  for (; x + 2 <= t.cols; x += 2) depthwise_columns<kSign, kFloat, 2>(t, x);
  if (x < t.cols) depthwise_columns<kSign, kFloat, 1>(t, x);
}

}  // namespace GRAFT_ISA_NAMESPACE
}  // namespace graft::cpu
