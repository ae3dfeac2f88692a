// Context: the private memory of one run; ContextPool: those that wait for the next run.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "base/alloc.h"

namespace graft::engine {

struct Context {
  Buffer memory;                         // arena, then scratch
  std::vector<const std::byte*> values;  // per value of the network: its elements in this run
  std::vector<void*> sinks;              // per output: what the sink gave
  std::vector<const void*> src;          // of the step that runs
  std::vector<void*> dst;
  // Stand-ins for border tensors that are misaligned to their elements or overlap an input: one a
  // border, made on first need.
  std::vector<Buffer> stand_ins;
  std::vector<double> times_ns;  // per scheduled step, when profiling
};

// Thread-safe. Keeps as many contexts as were in use at once, and forgets the peak after a while,
// so that a burst or one large shape does not hold its memory for ever.
class ContextPool {
 public:
  class Lease {
   public:
    Lease(ContextPool& pool, std::unique_ptr<Context> context)
        : pool_(&pool), context_(std::move(context)) {}
    Lease(Lease&&) = default;
    ~Lease() {
      if (context_) pool_->give_back(std::move(context_));
    }
    Context* operator->() const { return context_.get(); }
    Context& operator*() const { return *context_; }

   private:
    ContextPool* pool_;
    std::unique_ptr<Context> context_;
  };

  // A context with at least this much memory. ResourceExhausted when it cannot be had.
  Result<Lease> take(size_t memory_bytes);
  size_t idle() const;

 private:
  void give_back(std::unique_ptr<Context> context);
  void trim_locked();

  mutable std::mutex mutex_;
  std::vector<std::unique_ptr<Context>> idle_;
  size_t in_use_ = 0, peak_in_use_ = 0, peak_bytes_ = 0;
  int64_t runs_in_window_ = 0;
};

}  // namespace graft::engine
