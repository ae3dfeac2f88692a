// Depthwise convolution of quantized tensors that one ISA level gives, as plain C types.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace graft::cpu {

// A run of `cols` output pixels: dst[x, c] = epilogue of
//   bias[c] + sum over t of taps[t][x * column_step + c] * weights[t, c].
//
// taps: 2 * pairs pointers, in the order of Int8DepthwiseWeights::taps (an odd number of taps
// repeats one, with weights of 0).
// Channels are cut into blocks of Int8DepthwiseTable::block; the last block ends at the last
// channel and so may overlap the one before it. Packed by int8/depthwise_pack.h: weights
// (`weights_block` bytes a block), bias and scale (in pack order, int8/block.h).
struct Int8DepthwiseArgs {
  const int8_t* const* taps;
  ptrdiff_t pairs;
  ptrdiff_t column_step;
  ptrdiff_t cols, channels;
  bool whole_loads;  // channels < block: a whole block may be read from every tap of every pixel
  const int8_t* weights;
  ptrdiff_t weights_block;
  const int32_t* bias;
  const float* scale;
  // run_3x3 only: offsets [blocks][outer rows, middle row][block] that keep the rows' sums within
  // int16, in the order of unpacked bytes; bias less those; whether the outer rows' sums fit with
  // their third column.
  const int16_t* offsets;
  const int32_t* offset_bias;
  const uint8_t* fits;
  // run_3x3 only: the column left of the first pixel's, or right of the last
  // one's, lies outside the image and counts as zeros. With one on the left, taps point to the
  // columns that follow theirs.
  bool left_outside, right_outside;
  const void* residual;  // dense, like dst; int8 (times residual_scale) or float
  float residual_scale;
  void* dst;  // int8 or float, pixels dense
  // Bounds of v: of the integers within those of the dtype and lo whole; of floats, the activation.
  float lo, hi;
};

struct Int8DepthwiseTable {
  int block;
  // [src has a sign][dst is float]
  void (*run[2][2])(const Int8DepthwiseArgs*);
  // 3x3 of stride 1 and 2, all taps of a row neighbours: src without a sign, quantized dst without
  // residual, at least a block of channels, |scale * sum| < 2^31.
  void (*run_3x3[2])(const Int8DepthwiseArgs*);
};

inline namespace isa_baseline {
const Int8DepthwiseTable* int8_depthwise_table();
}
inline namespace isa_avx2 {
const Int8DepthwiseTable* int8_depthwise_table();
}
inline namespace isa_avx512 {
const Int8DepthwiseTable* int8_depthwise_table();
}

}  // namespace graft::cpu
