#include "engine/run/context.h"

#include <algorithm>

namespace graft::engine {
namespace {
constexpr int64_t kWindowRuns = 4096;
}

Result<ContextPool::Lease> ContextPool::take(size_t memory_bytes) {
  std::unique_ptr<Context> context;
  {
    const std::lock_guard lock(mutex_);
    // Smallest that is large enough, else the largest, which is grown.
    size_t best = idle_.size();
    for (size_t i = 0; i < idle_.size(); ++i) {
      if (best == idle_.size()) {
        best = i;
        continue;
      }
      const size_t a = idle_[i]->memory.size(), b = idle_[best]->memory.size();
      const bool a_fits = a >= memory_bytes, b_fits = b >= memory_bytes;
      if (a_fits != b_fits ? a_fits : (a_fits ? a < b : a > b)) best = i;
    }
    if (best != idle_.size()) {
      context = std::move(idle_[best]);
      idle_.erase(idle_.begin() + static_cast<ptrdiff_t>(best));
    }
    ++in_use_;
    peak_in_use_ = std::max(peak_in_use_, in_use_);
    peak_bytes_ = std::max(peak_bytes_, memory_bytes);
    idle_.reserve(peak_in_use_);  // so that give_back cannot fail
  }
  if (!context) context = std::make_unique<Context>();
  Lease lease(*this, std::move(context));
  if (lease->memory.size() < memory_bytes) {
    lease->memory = Buffer();  // free first: growing never holds both
    GRAFT_ASSIGN_OR_RETURN(lease->memory, Buffer::allocate(memory_bytes));
  }
  return lease;
}

size_t ContextPool::idle() const {
  const std::lock_guard lock(mutex_);
  return idle_.size();
}

void ContextPool::give_back(std::unique_ptr<Context> context) {
  const std::lock_guard lock(mutex_);
  --in_use_;
  idle_.push_back(std::move(context));
  if (++runs_in_window_ >= kWindowRuns) trim_locked();
}

void ContextPool::trim_locked() {
  while (!idle_.empty() && idle_.size() + in_use_ > peak_in_use_) idle_.pop_back();
  for (auto& context : idle_) {
    if (context->memory.size() / 4 > peak_bytes_) context->memory = Buffer();
  }
  runs_in_window_ = 0;
  peak_in_use_ = in_use_;
  peak_bytes_ = 0;
}

}  // namespace graft::engine
