#include "backends/cpu/int8/depthwise_pack.h"

#include <algorithm>
#include <cstdlib>

namespace graft::cpu {
namespace {

// First channel of a block: the last one ends at the last channel.
int64_t first_channel(int64_t i, int64_t block, int64_t channels) {
  return std::max<int64_t>(0, std::min(i * block, channels - block));
}

}  // namespace

Result<Int8DepthwiseWeights> pack_int8_depthwise(const ConvShape& shape, int64_t block,
                                                 bool has_sign, const int8_t* weights,
                                                 const int32_t* bias, const float* scale) {
  const int64_t channels = shape.oc, taps = shape.kh * shape.kw;
  Int8DepthwiseWeights p;
  p.block = block;
  p.blocks = (channels + block - 1) / block;
  p.pairs = (taps + 1) / 2;
  p.weights_block = p.pairs * 2 * block * (has_sign ? 2 : 1);
  const auto elems = static_cast<size_t>(p.blocks * block);
  GRAFT_ASSIGN_OR_RETURN(p.weights,
                         Buffer::allocate_weights(static_cast<size_t>(p.blocks * p.weights_block)));
  GRAFT_ASSIGN_OR_RETURN(p.bias, Buffer::allocate_weights(elems * sizeof(int32_t)));
  GRAFT_ASSIGN_OR_RETURN(p.scale, Buffer::allocate_weights(elems * sizeof(float)));
  auto* to = p.weights.as<int8_t>();
  for (int64_t i = 0; i < p.blocks; ++i) {
    const int64_t first = first_channel(i, block, channels);
    const auto weight = [&](int64_t tap, int64_t c) {
      return tap < taps && c < channels ? weights[tap * channels + c] : int8_t{0};
    };
    for (int64_t pair = 0; pair < p.pairs; ++pair) {
      // As unpacking the bytes of two taps orders them: low halves of the 128-bit lanes, then high
      // ones; with their magnitudes after them where the kernel needs those.
      int8_t* magnitudes = to + 2 * block;
      for (int64_t half = 0; half < 2; ++half) {
        for (int64_t j = 0; j < block / 2; ++j) {
          const int64_t c = first + j / 8 * 16 + half * 8 + j % 8;
          for (int64_t tap = 2 * pair; tap < 2 * pair + 2; ++tap) {
            const int8_t w = weight(tap, c);
            *to++ = w;
            if (has_sign) *magnitudes++ = static_cast<int8_t>(std::abs(w));
          }
        }
      }
      if (has_sign) to = magnitudes;
    }
    for (int64_t e = 0; e < block; ++e) {
      const int64_t at = i * block + e % 16 / 4 * (block / 4) + e / 16 * 4 + e % 4;
      const bool inside = first + e < channels;
      p.bias.as<int32_t>()[at] = inside && bias ? bias[first + e] : 0;
      p.scale.as<float>()[at] = inside ? scale[first + e] : 0.0f;
    }
  }
  return p;
}

}  // namespace graft::cpu
