// Constants of a plan: placement of blobs in the weights section, and the check of one constant's
// bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/status.h"
#include "graft/types.h"

namespace graft::engine {

struct BlobRange {
  uint64_t offset = 0, bytes = 0;
};

// Where a blob that follows one ending at `end` begins.
constexpr uint64_t blob_start(uint64_t end) { return (end + 63) / 64 * 64; }

// PlanError unless blobs lie one after the other in order, each at the next multiple of 64, fill
// the section, and the padding between them is zero.
Status check_blobs(std::span<const BlobRange> blobs, std::span<const std::byte> weights);

// PlanError unless `bytes` hold `elems` elements of `dtype` (one when splat), and bools are 0 or 1.
Status check_constant_bytes(DType dtype, int64_t elems, bool splat,
                            std::span<const std::byte> bytes);

}  // namespace graft::engine
