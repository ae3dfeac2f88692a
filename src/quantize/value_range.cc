#include "quantize/value_range.h"

#include <algorithm>
#include <cmath>

#include "base/fault.h"
#include "quantize/observe_loops.h"
#include "quantize/order_key.h"

namespace graft::quantize {
namespace {
constexpr size_t kBlock = 4096;  // elements; a second look finds them in L1
}

void ValueRange::add(std::span<const float> values) {
  for (size_t at = 0; at < values.size(); at += kBlock) {
    const auto block = values.subspan(at, std::min(kBlock, values.size() - at));
    int32_t low, high;
    observe_loops().key_range(block.data(), block.size(), &low, &high);
    if (low >= kLowestKey && high <= kMaxKey) {
      merge({low, high, block.size(), 0});
      continue;
    }
    for (const float value : block) {
      const int32_t key = key_of(value);
      if (key < kLowestKey || key > kMaxKey)
        non_finite += GRAFT_FAULT(nan_not_counted) ? 0 : 1;
      else
        merge({key, key, 1, 0});
    }
  }
}

void ValueRange::merge(const ValueRange& other) {
  min_key = std::min(min_key, other.min_key);
  max_key = std::max(max_key, other.max_key);
  finite += other.finite;
  non_finite += other.non_finite;
}

float ValueRange::max_abs() const {
  if (min_key > max_key) return 0;
  return std::bit_cast<float>(std::max(abs_bits(min_key), abs_bits(max_key)));
}

}  // namespace graft::quantize
