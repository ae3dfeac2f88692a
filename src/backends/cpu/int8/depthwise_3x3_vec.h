// Depthwise 3x3 convolution of two neighbouring pixels at once, src in [0, 127].
//
// The bytes of the first and the last row are interleaved column by column, those of the middle row
// by neighbouring columns, so that pixels share them. The outer rows' six products are added as
// int16, as are the middle row's three, moved by an offset that packing chose and took off the
// bias: sums may wrap in between, the last one fits. Exact. Compiled without contraction to fused
// multiply-adds.
#pragma once

#include "backends/cpu/int8/block.h"
#include "backends/cpu/int8/depthwise_vec.h"

namespace graft::cpu {
inline namespace GRAFT_ISA_NAMESPACE {

struct DepthwiseBytes {
  Bytes lo, hi;
};

// A half of kBlock channels, as unpacked.
struct Halves {
  IntVec lo, hi;
};
GRAFT_INLINE Halves interleave(Bytes a, Bytes b) {
  return {unpack_bytes_lo(a, b), unpack_bytes_hi(a, b)};
}
GRAFT_INLINE Halves products(Halves x, const int8_t* w) {
  const Bytes lo = block_load(w), hi = block_load(w + kBlock);
  return {pair_sums<false>(x.lo, lo, lo), pair_sums<false>(x.hi, hi, hi)};
}
// Assembly, because the compiler otherwise reassociates the sums and spills the products.
GRAFT_INLINE void add_words_to(IntVec& sum, IntVec v) {
#if defined(GRAFT_ISA_AVX512)
  asm("vpaddw %1, %0, %0" : "+v"(sum) : "v"(v));
#elif defined(GRAFT_ISA_AVX2)
  asm("vpaddw %1, %0, %0" : "+x"(sum) : "x"(v));
#else
  asm("paddw %1, %0" : "+x"(sum) : "x"(v));
#endif
}
GRAFT_INLINE void add_to(Halves& sum, Halves v) {
  add_words_to(sum.lo, v.lo);
  add_words_to(sum.hi, v.hi);
}
GRAFT_INLINE Halves offset_load(const int16_t* p) {
  return {block_load(reinterpret_cast<const int8_t*>(p)),
          block_load(reinterpret_cast<const int8_t*>(p) + kBlock)};
}

// Column k of the kColumns that a pair of pixels reads, column 0 at p; outside the image zeros.
template <int kColumns, bool kLeft, bool kRight>
GRAFT_INLINE Bytes column_load(const int8_t* p, int k, ptrdiff_t next) {
  if ((kLeft && k == 0) || (kRight && k == kColumns - 1)) return bytes_set(0);
  return block_load(p + (kLeft ? k - 1 : k) * next);
}

// Pixels x and x + 1, one block of channels from c. kLeft: the first column lies outside the image
// and the rows begin with the second; kRight: the last column lies outside. kFits: all six products
// of the outer rows may be added as int16; else the third column's two are added apart.
template <int kStride, bool kLeft, bool kRight, bool kFits>
GRAFT_INLINE void depthwise_3x3_block(const Int8DepthwiseArgs& t, const DepthwiseBytes& bounds,
                                      ptrdiff_t x, ptrdiff_t c, ptrdiff_t block) {
  constexpr int kPair = 2 * kBlock, kColumns = kStride + 3;
  constexpr auto column = &column_load<kColumns, kLeft, kRight>;
  const int8_t* w = t.weights + block * t.weights_block;
  const ptrdiff_t next = t.channels;
  const ptrdiff_t at = x * t.column_step + c - (t.left_outside && !kLeft ? next : 0);
  const int8_t *first = t.taps[0] + at, *last = t.taps[1] + at, *middle = t.taps[6] + at;
  const int16_t* offsets = t.offsets + block * 2 * kBlock;

  Halves outer[2] = {offset_load(offsets), offset_load(offsets)};
  Halves third[2] = {{ints_zero(), ints_zero()}, {ints_zero(), ints_zero()}};
#pragma GCC unroll 5
  for (int k = 0; k < kColumns; ++k) {
    const Halves rows = interleave(column(first, k, next), column(last, k, next));
    if (k < 3) add_to(kFits || k < 2 ? outer[0] : third[0], products(rows, w + k * kPair));
    const int k1 = k - kStride;
    if (k1 >= 0) add_to(kFits || k1 < 2 ? outer[1] : third[1], products(rows, w + k1 * kPair));
  }

  w += 3 * kPair;
  offsets += kBlock;
  Halves inner[2] = {offset_load(offsets), offset_load(offsets)};
  const Halves m01 = interleave(column(middle, 0, next), column(middle, 1, next));
  add_to(inner[0], products(m01, w));
  if constexpr (kStride == 1) add_to(inner[1], products(m01, w + 2 * kPair));
  const Halves m23 = interleave(column(middle, 2, next), column(middle, 3, next));
  add_to(inner[0], products(m23, w + kPair));
  if constexpr (kStride == 1) {
    add_to(inner[1], products(m23, w + 3 * kPair));
  } else {
    const Bytes m4 = column(middle, 4, next);
    add_to(inner[1], products(m23, w));
    add_to(inner[1], products(interleave(m4, m4), w + kPair));
  }

  const float* scale = t.scale + block * kBlock;
  for (int i = 0; i < 2; ++i) {
    IntVec acc[4], q[4];
    for (int k = 0; k < 4; ++k) acc[k] = ints_load(t.offset_bias + block * kBlock + k * kLanes);
    add_words(acc, outer[i].lo, inner[i].lo, outer[i].hi, inner[i].hi);
    if constexpr (!kFits) add_words(acc, third[i].lo, ints_zero(), third[i].hi, ints_zero());
    for (int k = 0; k < 4; ++k) q[k] = vto_int(vmul(to_float(acc[k]), vload(scale + k * kLanes)));
    // Rounding is monotonic: the bounds may be applied to the integers.
    block_store(static_cast<int8_t*>(t.dst) + (x + i) * t.channels + c,
                bytes_max(bytes_min(pack_ints(q), bounds.hi), bounds.lo));
  }
}

template <int kStride, bool kLeft, bool kRight>
static void depthwise_3x3_pair(const Int8DepthwiseArgs& t, const DepthwiseBytes& bounds,
                               ptrdiff_t x) {
  const ptrdiff_t blocks = (t.channels + kBlock - 1) / kBlock;
  for (ptrdiff_t block = 0; block < blocks; ++block) {
    const ptrdiff_t end = (block + 1) * kBlock;
    const ptrdiff_t c = (end < t.channels ? end : t.channels) - kBlock;
    if (t.fits[block]) {
      depthwise_3x3_block<kStride, kLeft, kRight, true>(t, bounds, x, c, block);
    } else {
      depthwise_3x3_block<kStride, kLeft, kRight, false>(t, bounds, x, c, block);
    }
  }
}

template <int kStride>
static void depthwise_3x3_run(const Int8DepthwiseArgs* args) {
  constexpr void (*kPair[2][2])(const Int8DepthwiseArgs&, const DepthwiseBytes&, ptrdiff_t) = {
      {&depthwise_3x3_pair<kStride, false, false>, &depthwise_3x3_pair<kStride, false, true>},
      {&depthwise_3x3_pair<kStride, true, false>, &depthwise_3x3_pair<kStride, true, true>}};
  const Int8DepthwiseArgs t = *args;
  const DepthwiseBytes bounds = {bytes_set(static_cast<int8_t>(t.lo)),
                                 bytes_set(static_cast<int8_t>(__builtin_nearbyintf(t.hi)))};
  // The last pair of an odd number of pixels computes one again.
  const ptrdiff_t last = t.cols - 2;
  kPair[t.left_outside][t.right_outside && last == 0](t, bounds, 0);
  for (ptrdiff_t x = 2; x < last; x += 2) depthwise_3x3_pair<kStride, false, false>(t, bounds, x);
  if (last > 0) kPair[0][t.right_outside](t, bounds, last);
}

static constexpr Int8DepthwiseTable make_int8_depthwise_table() {
  return {kBlock,
          {{&depthwise_run<false, false>, &depthwise_run<false, true>},
           {&depthwise_run<true, false>, &depthwise_run<true, true>}},
          {&depthwise_3x3_run<1>, &depthwise_3x3_run<2>}};
}

}  // namespace GRAFT_ISA_NAMESPACE
}  // namespace graft::cpu
