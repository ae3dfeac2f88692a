#include "backends/cpu/movement/join.h"

#include "backends/cpu/common/split.h"
#include "backends/cpu/movement/copy_nd.h"

namespace graft::cpu {
namespace {

constexpr int64_t kGrainBytes = kGrainElems * 4;

// copy(part, byte offset in the whole, byte offset in the part, bytes).
template <typename F>
void for_pieces(const JoinPlan& plan, F&& copy) {
  if (plan.outer == 0 || plan.whole_bytes == 0) return;
  const size_t parts = plan.part_bytes.size();
  if (plan.outer >= 4 * run_threads()) {
    parallel_ranges(plan.outer, kGrainBytes / plan.whole_bytes, [&](int64_t begin, int64_t end) {
      for (int64_t o = begin; o < end; ++o) {
        int64_t at = o * plan.whole_bytes;
        for (size_t i = 0; i < parts; ++i) {
          copy(i, at, o * plan.part_bytes[i], plan.part_bytes[i]);
          at += plan.part_bytes[i];
        }
      }
    });
    return;
  }
  // Few long runs: each is shared among the threads.
  for (int64_t o = 0; o < plan.outer; ++o) {
    int64_t at = o * plan.whole_bytes;
    for (size_t i = 0; i < parts; ++i) {
      parallel_ranges(plan.part_bytes[i], kGrainBytes, [&](int64_t begin, int64_t end) {
        copy(i, at + begin, o * plan.part_bytes[i] + begin, end - begin);
      });
      at += plan.part_bytes[i];
    }
  }
}

}  // namespace

void run_join(const JoinPlan& plan, const void* const* parts, void* whole) {
  auto* to = static_cast<std::byte*>(whole);
  for_pieces(plan, [&](size_t i, int64_t at, int64_t in_part, int64_t bytes) {
    copy_bytes(to + at, static_cast<const std::byte*>(parts[i]) + in_part, bytes);
  });
}

void run_unjoin(const JoinPlan& plan, const void* whole, void* const* parts) {
  const auto* from = static_cast<const std::byte*>(whole);
  for_pieces(plan, [&](size_t i, int64_t at, int64_t in_part, int64_t bytes) {
    copy_bytes(static_cast<std::byte*>(parts[i]) + in_part, from + at, bytes);
  });
}

}  // namespace graft::cpu
