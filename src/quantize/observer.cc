#include "quantize/observer.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/checked.h"
#include "quantize/calibration_error.h"

namespace graft::quantize {
namespace {

std::string first_difference(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  for (size_t i = 0; i < std::min(a.size(), b.size()); ++i)
    if (a[i] != b[i])
      return "tensor " + std::to_string(i) + " is '" + a[i] + "' here and '" + b[i] + "' there";
  return std::to_string(a.size()) + " tensors here and " + std::to_string(b.size()) + " there";
}

}  // namespace

ObserverSet::ObserverSet(std::string identity, std::vector<std::string> names)
    : identity_(std::move(identity)), names_(std::move(names)) {
  for (size_t i = 0; i < names_.size(); ++i) entries_.push_back(std::make_unique<Entry>());
}

Result<std::unique_ptr<ObserverSet>> ObserverSet::create(std::string identity,
                                                         std::vector<std::string> names) {
  std::set<std::string_view> seen;
  for (const std::string& name : names)
    if (name.empty() || !seen.insert(name).second)
      return invalid_argument("observers: tensor name '" + name + "' is " +
                              (name.empty() ? "empty" : "listed twice"));
  return std::unique_ptr<ObserverSet>(new ObserverSet(std::move(identity), std::move(names)));
}

Status ObserverSet::check(size_t index, std::span<const int64_t> dims) const {
  if (index >= entries_.size())
    return invalid_argument("observers: tensor index " + std::to_string(index) + " of " +
                            std::to_string(entries_.size()));
  const auto elems = checked_product(dims);
  if (!elems || static_cast<uint64_t>(*elems) > kMaxElems)
    return invalid_argument("observers: tensor '" + names_[index] + "' has more than " +
                            std::to_string(kMaxElems) + " elements");
  return ok_status();
}

Status ObserverSet::observe(size_t index, std::span<const float> data,
                            std::span<const int64_t> dims, ObserveScratch& scratch) {
  GRAFT_RETURN_IF_ERROR(check(index, dims));
  if (static_cast<uint64_t>(*checked_product(dims)) != data.size())
    return invalid_argument("observers: tensor '" + names_[index] +
                            "': " + std::to_string(data.size()) + " values do not fit its shape");
  Entry& entry = *entries_[index];
  const std::lock_guard lock(entry.mutex);
  if (closed_.load(std::memory_order_acquire))
    return calibration_error("calibration is finished; it takes no more data (tensor '" +
                             names_[index] + "')");
  entry.observer.observe(data, dims, scratch);
  return ok_status();
}

Status ObserverSet::begin_rows(size_t index, std::span<const int64_t> dims, int workers,
                               ObserveScratch& scratch) {
  GRAFT_RETURN_IF_ERROR(check(index, dims));
  if (dims.size() != 4)
    return invalid_argument("observers: tensor '" + names_[index] + "' is not of rank 4");
  Entry& entry = *entries_[index];
  const std::lock_guard lock(entry.mutex);
  entry.observer.begin_rows(dims, workers, scratch);
  return ok_status();
}

Status ObserverSet::end_rows(size_t index, ObserveScratch& scratch) {
  Entry& entry = *entries_.at(index);
  const std::lock_guard lock(entry.mutex);
  if (closed_.load(std::memory_order_acquire))
    return calibration_error("calibration is finished; it takes no more data (tensor '" +
                             names_[index] + "')");
  entry.observer.end_rows(scratch);
  return ok_status();
}

// observe reads the flag under its tensor's mutex, which value takes too: so whatever value returns
// after this is final.
void ObserverSet::close() { closed_.store(true, std::memory_order_release); }

TensorStatistics ObserverSet::value(size_t index) const {
  const Entry& entry = *entries_.at(index);
  const std::lock_guard lock(entry.mutex);
  return entry.observer.value();
}

Status ObserverSet::check_same(const ObserverSet& other) const {
  if (identity_ != other.identity_)
    return calibration_error("calibration statistics belong to another graph: identity " +
                             other.identity_ + ", expected " + identity_);
  if (names_ != other.names_)
    return calibration_error("calibration statistics cover other tensors: " +
                             first_difference(names_, other.names_));
  return ok_status();
}

Status ObserverSet::merge(const ObserverSet& other) {
  GRAFT_RETURN_IF_ERROR(check_same(other));
  for (size_t i = 0; i < entries_.size(); ++i) {
    // A copy first: two locks at once could wait for each other.
    const TensorStatistics seen = other.value(i);
    const std::lock_guard lock(entries_[i]->mutex);
    if (closed_.load(std::memory_order_acquire))
      return calibration_error("calibration is finished; it takes no more statistics");
    entries_[i]->observer.merge(seen);
  }
  batches_.fetch_add(other.batches(), std::memory_order_relaxed);
  return ok_status();
}

Status ObserverSet::take(ObserverSet& other) {
  GRAFT_RETURN_IF_ERROR(check_same(other));
  if (closed_.load(std::memory_order_acquire))
    return calibration_error("calibration is finished; it takes no more statistics");
  for (size_t i = 0; i < entries_.size(); ++i) {
    const std::lock_guard lock(entries_[i]->mutex);
    entries_[i]->observer.take(other.entries_[i]->observer);
  }
  batches_.fetch_add(other.batches_.exchange(0), std::memory_order_relaxed);
  return ok_status();
}

void ObserverSet::clear() {
  for (const auto& entry : entries_) {
    const std::lock_guard lock(entry->mutex);
    entry->observer.clear();
  }
  batches_ = 0;
}

}  // namespace graft::quantize
