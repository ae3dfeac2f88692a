#include "engine/run/memory_plan.h"

#include <algorithm>
#include <numeric>
#include <string>

#include "base/fault.h"

namespace graft::engine {
namespace {

constexpr size_t kAlignment = 64;

struct Placed {
  size_t begin, end;
  int32_t first, last;
};

// Offset of the smallest gap between the placed buffers that are alive with `request`, or behind
// them all.
size_t best_gap(const std::vector<Placed>& placed, const BufferRequest& request, size_t size) {
  size_t free_from = 0, best = SIZE_MAX, best_size = SIZE_MAX;
  for (const Placed& p : placed) {  // sorted by begin
    const int32_t last = GRAFT_FAULT(memory_freed_before_last_use) ? p.last - 1 : p.last;
    if (last < request.first || p.first > request.last) continue;
    if (p.begin > free_from) {
      const size_t gap = p.begin - free_from;
      if (gap >= size && gap < best_size) {
        best = free_from;
        best_size = gap;
      }
    }
    free_from = std::max(free_from, p.end);
  }
  return best != SIZE_MAX ? best : free_from;
}

}  // namespace

Result<MemoryPlan> plan_memory(std::span<const BufferRequest> requests, size_t max_bytes) {
  std::vector<uint32_t> order(requests.size());
  std::iota(order.begin(), order.end(), 0u);
  std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
    if (requests[a].size_bytes != requests[b].size_bytes)
      return requests[a].size_bytes > requests[b].size_bytes;
    return a < b;
  });
  MemoryPlan plan;
  plan.offsets.assign(requests.size(), 0);
  std::vector<Placed> placed;
  placed.reserve(requests.size());
  for (uint32_t i : order) {
    const BufferRequest& request = requests[i];
    const Status too_large =
        resource_exhausted("activations need more than " + std::to_string(max_bytes) + " bytes");
    if (request.size_bytes > max_bytes) return too_large;
    const size_t size = (request.size_bytes + kAlignment - 1) / kAlignment * kAlignment;
    const size_t begin = best_gap(placed, request, size);
    if (begin > max_bytes || size > max_bytes - begin) return too_large;
    plan.offsets[i] = begin;
    plan.total_bytes = std::max(plan.total_bytes, begin + size);
    const Placed entry{begin, begin + size, request.first, request.last};
    placed.insert(
        std::upper_bound(placed.begin(), placed.end(), entry,
                         [](const Placed& a, const Placed& b) { return a.begin < b.begin; }),
        entry);
  }
  return plan;
}

}  // namespace graft::engine
