#include "backends/cpu/int8/depthwise_pack.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "backends/cpu/int8/depthwise_table.h"

namespace graft::cpu {
namespace {

// The taps whose products are added first, by number; -1: a weight of 0.
using TapPair = std::array<int, 2>;

// 3x3: the first and the last row's taps of a column; the middle row's of neighbouring columns, as
// the first of two pixels takes them and, of stride 1, as the second.
constexpr TapPair kPairs3x3[] = {{0, 6}, {1, 7}, {2, 8}, {3, 4}, {5, -1}, {-1, 3}, {4, 5}};
constexpr int64_t kOwnPairs3x3 = 5;

// Two taps of a sum of products with src in [0, 127] in int16: the magnitudes of its weights add up
// to this at most, once the sum is moved to the middle of its range (127 * 516 < 2^16).
constexpr int kMaxMagnitudes = 516;

// First channel of a block: the last one ends at the last channel.
int64_t first_channel(int64_t i, int64_t block, int64_t channels) {
  return std::max<int64_t>(0, std::min(i * block, channels - block));
}

// Channel of a block that byte pair j of a half has, as unpacking the bytes of two taps orders
// them: low halves of the 128-bit lanes, then high ones.
int64_t unpacked_channel(int64_t half, int64_t j) { return j / 8 * 16 + half * 8 + j % 8; }

// Place in pack order (int8/block.h) of channel e.
int64_t pack_place(int64_t e, int64_t block) {
  return e % 16 / 4 * (block / 4) + e / 16 * 4 + e % 4;
}

class Packing {
 public:
  Packing(const ConvShape& shape, int64_t block, bool has_sign, const int8_t* weights,
          const int32_t* bias, const float* scale, Int8DepthwiseWeights* p)
      : channels_(shape.oc),
        num_taps_(shape.kh * shape.kw),
        has_sign_(has_sign),
        weights_(weights),
        bias_(bias),
        scale_(scale),
        p_(*p) {
    p_.block = block;
    p_.blocks = (channels_ + block - 1) / block;
    p_.has_3x3 = shape.kh == 3 && shape.kw == 3 && shape.dilation_h == 1 && shape.dilation_w == 1 &&
                 !has_sign && channels_ >= block;
    p_.pairs = (num_taps_ + 1) / 2;
    if (p_.has_3x3) {
      static_assert(kOwnPairs3x3 == (9 + 1) / 2);
      pairs_.assign(std::begin(kPairs3x3), std::end(kPairs3x3));
    } else {
      for (int i = 0; i < num_taps_; i += 2) pairs_.push_back({i, i + 1 < num_taps_ ? i + 1 : -1});
    }
    for (int64_t i = 0; i < p_.pairs; ++i) {
      const auto [a, b] = pairs_[static_cast<size_t>(i)];
      for (int tap : {a, b < 0 ? a : b}) {
        const int kw = static_cast<int>(shape.kw);
        p_.taps.push_back({tap / kw, tap % kw});
      }
    }
    p_.weights_block = static_cast<int64_t>(pairs_.size()) * 2 * block * (has_sign ? 2 : 1);
    p_.weights_variant = p_.blocks * p_.weights_block;
  }

  Status pack() {
    const auto elems = static_cast<size_t>(p_.blocks * p_.block);
    const int variants = p_.has_3x3 ? 3 : 1;
    GRAFT_ASSIGN_OR_RETURN(
        p_.weights, Buffer::allocate_weights(static_cast<size_t>(variants * p_.weights_variant)));
    GRAFT_ASSIGN_OR_RETURN(p_.bias, Buffer::allocate_weights(elems * sizeof(int32_t)));
    GRAFT_ASSIGN_OR_RETURN(p_.scale, Buffer::allocate_weights(elems * sizeof(float)));
    auto* to = p_.weights.as<int8_t>();
    for (int variant = 0; variant < variants; ++variant) {
      const int without_row = variant == 0 ? -1 : variant == 1 ? 0 : 2;
      for (int64_t i = 0; i < p_.blocks; ++i) to = pack_weights(i, without_row, to);
    }
    for (int64_t i = 0; i < p_.blocks; ++i) {
      for (int64_t e = 0; e < p_.block; ++e) {
        const int64_t c = first(i) + e, at = i * p_.block + pack_place(e, p_.block);
        const bool inside = c < channels_;
        p_.bias.as<int32_t>()[at] = inside ? bias(c) : 0;
        p_.scale.as<float>()[at] = inside ? scale_[c] : 0.0f;
      }
    }
    if (!p_.has_3x3) return ok_status();
    // [blocks][outer rows, middle row][block] int16.
    GRAFT_ASSIGN_OR_RETURN(p_.offsets, Buffer::allocate_weights(2 * elems * sizeof(int16_t)));
    GRAFT_ASSIGN_OR_RETURN(p_.offset_bias, Buffer::allocate_weights(elems * sizeof(int32_t)));
    for (int64_t i = 0; i < p_.blocks; ++i) p_.fits.push_back(pack_offsets(i));
    return ok_status();
  }

 private:
  int64_t first(int64_t i) const { return first_channel(i, p_.block, channels_); }
  int32_t bias(int64_t c) const { return bias_ ? bias_[c] : 0; }
  int8_t weight(int tap, int64_t c) const {
    return tap >= 0 && c < channels_ ? weights_[tap * channels_ + c] : int8_t{0};
  }

  // Pairs of block i, of a variant without the taps of a row; after each its magnitudes where the
  // kernel needs those.
  int8_t* pack_weights(int64_t i, int without_row, int8_t* to) const {
    for (const TapPair& pair : pairs_) {
      int8_t* magnitudes = to + 2 * p_.block;
      for (int64_t half = 0; half < 2; ++half) {
        for (int64_t j = 0; j < p_.block / 2; ++j) {
          const int64_t c = first(i) + unpacked_channel(half, j);
          for (int tap : pair) {
            const bool left_out = without_row >= 0 && tap / 3 == without_row;
            const int8_t w = left_out ? int8_t{0} : weight(tap, c);
            *to++ = w;
            if (has_sign_) *magnitudes++ = static_cast<int8_t>(std::abs(w));
          }
        }
      }
      if (has_sign_) to = magnitudes;
    }
    return to;
  }

  struct Sums {
    int positive = 0, negative = 0;  // magnitudes
    int16_t middle() const { return static_cast<int16_t>(127 * (negative - positive) / 2); }
  };
  Sums sums_of(std::initializer_list<int> taps, int64_t c) const {
    Sums s;
    for (int tap : taps) {
      const int w = weight(tap, c);
      (w > 0 ? s.positive : s.negative) += std::abs(w);
    }
    return s;
  }

  // Whether the outer rows' sums fit in int16, in all channels of the block; without their third
  // column they always do, as do the middle row's.
  bool pack_offsets(int64_t i) {
    bool fits = true;
    for (int64_t c = first(i); c < first(i) + p_.block; ++c) fits = fits && fits_int16(outer(c));
    auto* offset = p_.offsets.as<int16_t>() + i * 2 * p_.block;
    auto* offset_bias = p_.offset_bias.as<int32_t>() + i * p_.block;
    for (int64_t half = 0; half < 2; ++half) {
      for (int64_t j = 0; j < p_.block / 2; ++j) {
        const int64_t e = unpacked_channel(half, j), c = first(i) + e;
        const Sums all = outer(c), middle = sums_of({3, 4, 5}, c);
        const int64_t at = half * (p_.block / 2) + j;
        offset[at] = fits ? all.middle() : sums_of({0, 1, 6, 7}, c).middle();
        offset[p_.block + at] = middle.middle();
        offset_bias[pack_place(e, p_.block)] = bias(c) - offset[at] - offset[p_.block + at];
        const double most =
            std::abs(static_cast<double>(bias(c))) +
            127.0 * (all.positive + all.negative + middle.positive + middle.negative);
        p_.largest = std::max(p_.largest, static_cast<float>(most * std::abs(double{scale_[c]})));
      }
    }
    return fits;
  }
  Sums outer(int64_t c) const { return sums_of({0, 1, 2, 6, 7, 8}, c); }
  static bool fits_int16(const Sums& s) { return s.positive + s.negative <= kMaxMagnitudes; }

  const int64_t channels_, num_taps_;
  const bool has_sign_;
  const int8_t* const weights_;
  const int32_t* const bias_;
  const float* const scale_;
  Int8DepthwiseWeights& p_;
  std::vector<TapPair> pairs_;
};

}  // namespace

Result<Int8DepthwiseWeights> pack_int8_depthwise(const ConvShape& shape, int64_t block,
                                                 bool has_sign, const int8_t* weights,
                                                 const int32_t* bias, const float* scale) {
  Int8DepthwiseWeights p;
  GRAFT_RETURN_IF_ERROR(Packing(shape, block, has_sign, weights, bias, scale, &p).pack());
  return p;
}

}  // namespace graft::cpu
