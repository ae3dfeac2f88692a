// Places buffers of known lifetimes in one arena: those alive at the same time never overlap.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/status.h"

namespace graft::engine {

// Alive from step `first` to step `last`, both inclusive.
struct BufferRequest {
  size_t size_bytes = 0;
  int32_t first = 0, last = 0;
};

struct MemoryPlan {
  std::vector<size_t> offsets;  // multiples of 64, one a request
  size_t total_bytes = 0;
};

// Largest first, each into the smallest gap that holds it. ResourceExhausted when the arena would
// pass max_bytes.
Result<MemoryPlan> plan_memory(std::span<const BufferRequest> requests, size_t max_bytes);

}  // namespace graft::engine
