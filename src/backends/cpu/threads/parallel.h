// What kernels see of the thread pool: the run of the calling thread.
#pragma once

#include <cstdint>

#include "backends/cpu/threads/thread_pool.h"

namespace graft::cpu {

// Begins a run with up to `threads` threads on the calling thread (nests: only the outermost
// counts), growing the process-wide pool to that size if need be; sets the floating-point state.
// end_run undoes it.
void begin_run(int threads);
void end_run();

// The run of this thread, or null outside begin_run / end_run.
ThreadPool::Run* current_run();

// f(task, worker) for every task in [0, num_tasks), by at most max_workers threads of the current
// run; serially, as worker 0, outside a run. Exceptions of f arrive here. Allocates nothing. worker
// < max_workers.
template <typename F>
void parallel_for(int64_t num_tasks, int max_workers, F&& f) {
  ThreadPool::Run* run = current_run();
  if (run == nullptr || max_workers <= 1 || num_tasks <= 1) {
    for (int64_t task = 0; task < num_tasks; ++task) f(task, 0);
    return;
  }
  run->parallel(num_tasks, max_workers, f);
}

}  // namespace graft::cpu
