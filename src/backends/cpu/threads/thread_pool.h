// The one pool of compute threads of the process.
//
// Invariants: the caller of `parallel` is worker 0 and always takes part, so a run makes progress
// with no helper at all (thread creation failed, all helpers busy, after fork, inside a worker).
// Tasks are claimed dynamically: which thread runs a task is never defined, so tasks must not
// depend on it. Helpers spin between the layers of a run for a bounded time and sleep once no run
// is active. `parallel` allocates nothing. The pool is never destroyed: at exit the helpers just
// stop existing.
#pragma once

#include <cstdint>

#include "backends/cpu/threads/fp_state.h"

namespace graft::cpu {

class ThreadPool {
 public:
  // fn(context, task, worker): task in [0, num_tasks); worker in [0, size()) is distinct among the
  // threads that work on one call at one time (use it to index scratch memory).
  using TaskFn = void (*)(void* context, int64_t task, int worker);

  // The process-wide pool with default_thread_count() threads, started on first use.
  static ThreadPool& process_pool();
  // A pool of `threads` threads, the caller included; fewer if threads can't be created. For tests;
  // the destructor joins the helpers.
  explicit ThreadPool(int threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  // Threads, the caller included.
  int size() const;
  // Grows the pool to at least `threads`; never shrinks it. Creation failure leaves it smaller.
  void grow(int threads);

  // A run of an engine: begins on construction, ends on destruction, both in the thread that calls
  // `parallel`. With k runs active each gets max(1, size() / k) threads, at most max_threads.
  // It sets the floating-point state of a computing thread and restores it.
  class Run {
   public:
    explicit Run(ThreadPool& pool, int max_threads = kNoLimit);
    ~Run();
    Run(const Run&) = delete;
    Run& operator=(const Run&) = delete;

    // Calls fn for every task, from up to max_workers threads, and returns when all are done. The
    // first exception of a task is rethrown here; tasks not yet begun are then left out. A call
    // from inside a task runs serially.
    void parallel(int64_t num_tasks, int max_workers, TaskFn fn, void* context);
    // The same for a callable f(task, worker), which is not copied.
    template <typename F>
    void parallel(int64_t num_tasks, int max_workers, F& f) {
      parallel(
          num_tasks, max_workers,
          [](void* c, int64_t task, int worker) { (*static_cast<F*>(c))(task, worker); },
          const_cast<void*>(static_cast<const void*>(&f)));
    }
    // Upper bound of the threads of one call, for scratch sizes; constant over the run.
    int max_threads() const { return max_threads_; }

   private:
    ThreadPool& pool_;
    int max_threads_;
    FpStateScope fp_state_;
  };

  static constexpr int kNoLimit = 1 << 20;

 private:
  struct Impl;
  friend class Run;
  Impl* impl_;
};

}  // namespace graft::cpu
