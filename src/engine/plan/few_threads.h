// A loop over a few short-lived threads, for loading: runs use the backend's pool, which need not
// exist yet.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <system_error>
#include <thread>
#include <vector>

namespace graft::engine {

// Calls fn(i) for every i of [0, count) on up to `threads` threads, this one included. fn must not
// throw. When the system gives no thread, fewer do the work.
template <typename Fn>
void for_each_on_threads(size_t count, size_t threads, const Fn& fn) {
  std::atomic<size_t> next{0};
  auto work = [&] {
    for (size_t i; (i = next.fetch_add(1, std::memory_order_relaxed)) < count;) fn(i);
  };
  std::vector<std::jthread> helpers;
  helpers.reserve(threads);
  try {
    for (size_t i = 1; i < std::min(count, threads); ++i) helpers.emplace_back(work);
  } catch (const std::system_error&) {
  }
  work();
}

}  // namespace graft::engine
