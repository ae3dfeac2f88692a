#include "engine/plan/constants.h"

#include <algorithm>
#include <string>

#include "base/checked.h"

namespace graft::engine {

Status check_blobs(std::span<const BlobRange> blobs, std::span<const std::byte> weights) {
  uint64_t end = 0;
  for (size_t i = 0; i < blobs.size(); ++i) {
    const uint64_t start = blob_start(end);
    const auto where = [&] { return "plan constant data " + std::to_string(i); };
    if (blobs[i].offset != start)
      return plan_error(where() + " begins at " + std::to_string(blobs[i].offset) + ", expected " +
                        std::to_string(start));
    if (start > weights.size() || blobs[i].bytes > weights.size() - start)
      return plan_error(where() + " ends behind the weights section of " +
                        std::to_string(weights.size()) + " bytes");
    const auto padding = weights.subspan(end, start - end);
    if (!std::all_of(padding.begin(), padding.end(), [](std::byte b) { return b == std::byte{0}; }))
      return plan_error(where() + " has bytes in the padding before it");
    end = start + blobs[i].bytes;
  }
  if (end != weights.size())
    return plan_error("plan weights section has " + std::to_string(weights.size()) +
                      " bytes, its constants end at " + std::to_string(end));
  return ok_status();
}

Status check_constant_bytes(DType dtype, int64_t elems, bool splat,
                            std::span<const std::byte> bytes) {
  const auto expected = checked_mul(splat ? 1 : elems, static_cast<int64_t>(dtype_size(dtype)));
  if (!expected || static_cast<uint64_t>(*expected) != bytes.size())
    return plan_error("has " + std::to_string(bytes.size()) + " bytes for " +
                      std::to_string(elems) + " elements of " + dtype_name(dtype));
  if (dtype == DType::kBool &&
      std::any_of(bytes.begin(), bytes.end(), [](std::byte b) { return b > std::byte{1}; }))
    return plan_error("is bool and has a byte that is neither 0 nor 1");
  return ok_status();
}

}  // namespace graft::engine
