// WorkContext: what a long job carries with it: stop token, work budget and progress.
#pragma once

#include <atomic>
#include <cstdint>
#include <stop_token>

#include "base/status.h"

namespace graft {

// The budget counts abstract steps (nodes visited, elements folded), so that tests do not depend on
// time.
class WorkContext {
 public:
  explicit WorkContext(std::stop_token stop = {}, int64_t budget = INT64_MAX)
      : stop_(std::move(stop)), left_(budget) {}
  // Cancelled when stopped, ResourceExhausted when the budget is spent.
  Status spend(int64_t steps, const char* what) {
    if (stop_.stop_requested()) return cancelled(std::string("stopped while ") + what);
    if (left_.fetch_sub(steps, std::memory_order_relaxed) < steps)
      return resource_exhausted(std::string("work budget spent while ") + what);
    return ok_status();
  }
  const std::stop_token& stop() const { return stop_; }

 private:
  std::stop_token stop_;
  std::atomic<int64_t> left_;
};

}  // namespace graft
