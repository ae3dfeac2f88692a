// Concat and Pack, and their inverses Split and Unpack: for every outer index one run of bytes of
// each part, side by side in the whole.
#pragma once

#include <cstdint>
#include <vector>

namespace graft::cpu {

struct JoinPlan {
  int64_t outer = 1;
  std::vector<int64_t> part_bytes;  // of one outer index
  int64_t whole_bytes = 0;          // their sum
};

// whole[o] = parts side by side.
void run_join(const JoinPlan& plan, const void* const* parts, void* whole);
// The inverse.
void run_unjoin(const JoinPlan& plan, const void* whole, void* const* parts);

}  // namespace graft::cpu
