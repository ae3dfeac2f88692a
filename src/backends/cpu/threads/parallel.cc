#include "backends/cpu/threads/parallel.h"

#include <optional>

namespace graft::cpu {
namespace {

struct ThreadRun {
  int depth = 0;
  std::optional<ThreadPool::Run> run;
};
thread_local ThreadRun thread_run;

}  // namespace

void begin_run(int threads) {
  if (thread_run.depth++ > 0) return;
  ThreadPool& pool = ThreadPool::process_pool();
  if (threads > pool.size()) pool.grow(threads);
  thread_run.run.emplace(pool, threads);
}

void end_run() {
  if (--thread_run.depth == 0) thread_run.run.reset();
}

ThreadPool::Run* current_run() { return thread_run.run ? &*thread_run.run : nullptr; }

}  // namespace graft::cpu
