// HostTensor: a tensor that owns its elements.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "graft/types.h"

namespace graft {

// Dense and row-major.
struct HostTensor {
  DType dtype = DType::kInvalid;
  std::vector<int64_t> dims;
  std::vector<std::byte> bytes;
  TensorRef ref() const { return {dtype, dims, bytes.data(), bytes.size()}; }
};

}  // namespace graft
