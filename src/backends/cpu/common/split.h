// How kernels other than GEMM share work: ranges of a flat index over the threads of the run.
#pragma once

#include <algorithm>
#include <cstdint>

#include "backends/cpu/threads/parallel.h"

namespace graft::cpu {

// Elements below which waking another thread costs more than it brings.
inline constexpr int64_t kGrainElems = 16384;

inline int run_threads() {
  const ThreadPool::Run* run = current_run();
  return run ? run->max_threads() : 1;
}

// Calls fn(begin, end) for ranges that cover [0, total), each of about `grain` units or more, on up
// to `threads` threads. Where a range begins may depend on the threads: results must not.
template <typename F>
void parallel_ranges(int64_t total, int64_t grain, int threads, F&& fn) {
  if (total <= 0) return;
  const int64_t pieces = total / std::max<int64_t>(grain, 1);
  // A few ranges a thread even out a thread that starts late; more would only cost.
  const int64_t tasks = pieces <= threads ? std::max<int64_t>(pieces, 1)
                                          : std::min<int64_t>(pieces, int64_t{threads} * 4);
  if (tasks <= 1 || threads <= 1) {
    fn(int64_t{0}, total);
    return;
  }
  const int64_t step = total / tasks, rest = total % tasks;
  const auto body = [&](int64_t i, int) {
    const int64_t begin = i * step + std::min(i, rest);
    fn(begin, begin + step + (i < rest));
  };
  parallel_for(tasks, threads, body);
}

template <typename F>
void parallel_ranges(int64_t total, int64_t grain, F&& fn) {
  parallel_ranges(total, grain, run_threads(), fn);
}

}  // namespace graft::cpu
