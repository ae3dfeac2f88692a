#include "engine/run/schedule_cache.h"

#include <algorithm>
#include <cstring>

#include "base/checked.h"
#include "engine/lower/host_inputs.h"

namespace graft::engine {
namespace {

// Elements of a host input that the key holds; 0 when there are too many to read.
int64_t host_elems(const TensorRef& input) {
  const int64_t n = checked_product(input.dims).value_or(INT64_MAX);
  return n <= kMaxHostElems ? n : 0;
}

int64_t host_elem(const TensorRef& input, int64_t i) {
  const auto* data = static_cast<const std::byte*>(input.data);
  if (input.dtype == DType::kInt32) {
    int32_t v;
    std::memcpy(&v, data + i * static_cast<int64_t>(sizeof v), sizeof v);
    return v;
  }
  int64_t v;
  std::memcpy(&v, data + i * static_cast<int64_t>(sizeof v), sizeof v);
  return v;
}

// The key is all dims of all inputs, then the elements of the host inputs. Calls fn(number) for
// each until it says false.
template <typename Fn>
bool for_key(const Program& program, std::span<const TensorRef> inputs, Fn&& fn) {
  for (const TensorRef& input : inputs) {
    for (int64_t d : input.dims) {
      if (!fn(d)) return false;
    }
  }
  for (int32_t index : program.host_inputs) {
    for (int64_t i = 0; i < host_elems(inputs[index]); ++i) {
      if (!fn(host_elem(inputs[index], i))) return false;
    }
  }
  return true;
}

bool matches(const Schedule& schedule, const Program& program, std::span<const TensorRef> inputs) {
  size_t at = 0;
  const bool equal = for_key(program, inputs, [&](int64_t number) {
    return at < schedule.key.size() && schedule.key[at++] == number;
  });
  return equal && at == schedule.key.size();
}

}  // namespace

std::shared_ptr<const Schedule> ScheduleCache::find(std::span<const TensorRef> inputs) {
  const std::lock_guard lock(mutex_);
  for (size_t i = 0; i < recent_.size(); ++i) {
    if (!matches(*recent_[i], *program_, inputs)) continue;
    std::rotate(recent_.begin(), recent_.begin() + static_cast<ptrdiff_t>(i),
                recent_.begin() + static_cast<ptrdiff_t>(i) + 1);
    return recent_.front();
  }
  return nullptr;
}

std::shared_ptr<const Schedule> ScheduleCache::last() const {
  const std::lock_guard lock(mutex_);
  return recent_.empty() ? nullptr : recent_.front();
}

ScheduleInputs ScheduleCache::concrete(std::span<const TensorRef> inputs) const {
  ScheduleInputs result;
  for (const TensorRef& input : inputs)
    result.dims.emplace_back(input.dims.begin(), input.dims.end());
  for (int32_t index : program_->host_inputs) {
    std::vector<int64_t>& elems = result.host.emplace_back();
    for (int64_t i = 0; i < host_elems(inputs[index]); ++i)
      elems.push_back(host_elem(inputs[index], i));
  }
  return result;
}

Result<std::shared_ptr<const Schedule>> ScheduleCache::get(std::span<const TensorRef> inputs) {
  if (auto found = find(inputs)) return found;
  const std::lock_guard build_lock(build_mutex_);
  if (auto found = find(inputs)) return found;
  std::vector<int64_t> key;
  for_key(*program_, inputs, [&](int64_t number) {
    key.push_back(number);
    return true;
  });
  GRAFT_ASSIGN_OR_RETURN(std::shared_ptr<const Schedule> schedule,
                         make_schedule(*program_, concrete(inputs), std::move(key), threads_));
  const std::lock_guard lock(mutex_);
  recent_.reserve(kCapacity + 1);
  recent_.insert(recent_.begin(), schedule);
  if (recent_.size() > kCapacity) recent_.pop_back();
  return schedule;
}

}  // namespace graft::engine
