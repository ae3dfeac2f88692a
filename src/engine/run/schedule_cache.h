// The schedules of the shapes that ran last.
#pragma once

#include <mutex>
#include <span>
#include <vector>

#include "engine/run/schedule.h"
#include "graft/types.h"

namespace graft::engine {

class ScheduleCache {
 public:
  explicit ScheduleCache(std::shared_ptr<const Program> program, int threads)
      : program_(std::move(program)), threads_(threads) {}

  // The schedule for inputs that were checked against the network. Allocates nothing when it is
  // cached. Concurrent first runs of a shape make it once.
  Result<std::shared_ptr<const Schedule>> get(std::span<const TensorRef> inputs);
  std::shared_ptr<const Schedule> last() const;  // null before the first

  static constexpr size_t kCapacity = 8;

 private:
  std::shared_ptr<const Schedule> find(std::span<const TensorRef> inputs);
  ScheduleInputs concrete(std::span<const TensorRef> inputs) const;

  const std::shared_ptr<const Program> program_;
  const int threads_;
  std::mutex build_mutex_;
  mutable std::mutex mutex_;
  std::vector<std::shared_ptr<const Schedule>> recent_;  // last used first
};

}  // namespace graft::engine
