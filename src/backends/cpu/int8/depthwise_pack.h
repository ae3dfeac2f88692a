// Constants of a quantized depthwise convolution in the order in which its kernels read them.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "backends/cpu/conv/conv2d.h"

namespace graft::cpu {

struct Int8DepthwiseWeights {
  int64_t block = 0, blocks = 0;  // channels of a block, their number
  int64_t pairs = 0;              // of taps
  // The tap that each of Int8DepthwiseArgs::taps points to. 3x3: pairs of the first and the last
  // row's taps, then the middle row's.
  std::vector<std::array<int, 2>> taps;  // ky, kx
  int64_t weights_block = 0;             // bytes
  int64_t weights_variant = 0;  // bytes; 3x3: those of all taps, of all but the first row's,
                                // and of all but the last row's
  Buffer weights, bias, scale;  // [blocks][...]
  // 3x3 and src never negative, at least a block of channels: for Int8DepthwiseTable::run_3x3.
  bool has_3x3 = false;
  Buffer offsets, offset_bias;
  std::vector<uint8_t> fits;  // [blocks]
  float largest = 0;          // magnitude of scale * sum
  size_t bytes() const {
    return weights.size() + bias.size() + scale.size() + offsets.size() + offset_bias.size();
  }
};

// weights: [KH, KW, 1, OC]; bias [OC] or null; scale [OC], of float(sum). has_sign: src may be
// negative. ResourceExhausted if memory is short.
Result<Int8DepthwiseWeights> pack_int8_depthwise(const ConvShape& shape, int64_t block,
                                                 bool has_sign, const int8_t* weights,
                                                 const int32_t* bias, const float* scale);

}  // namespace graft::cpu
