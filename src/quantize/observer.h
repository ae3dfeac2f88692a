// Observers: what calibration remembers of the tensors that it sees, in bounded memory whatever the
// number of batches (at most 32 KiB of histogram and 400 KiB of channel sums a tensor). Everything
// kept is an exact function of the multiset of images (slices of axis 0), so that order, split over
// batches, threads and processes, and the order of merging never show in the result.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "base/status.h"
#include "graft/threads.h"
#include "quantize/channel_sums.h"
#include "quantize/counted_rows.h"
#include "quantize/histogram.h"

namespace graft::quantize {

// The value of one tensor's statistics.
struct TensorStatistics {
  Histogram histogram;
  ChannelTotals channels;
  bool operator==(const TensorStatistics&) const = default;
};

// What observing needs beside the statistics: the run's threads, and memory of each of them, which
// lasts from tensor to tensor. Not thread-safe.
class ObserveScratch {
 public:
  // null: the calling thread alone. Must outlive its use.
  void use(const RunThreads* threads) { threads_ = threads; }

 private:
  friend class TensorObserver;
  struct Worker {
    ValueRange range;
    BinCounter bins;
    ChannelSums channels;
  };
  const RunThreads* threads_ = nullptr;
  std::vector<std::unique_ptr<Worker>> workers_;
  // Of begin_rows.
  CountedRows rows_{{}};
  int64_t image_rows_ = 0, row_width_ = 0;  // of axis 1, of the last axis in one of axis 1
  int used_workers_ = 0;
};

// Not thread-safe.
class TensorObserver {
 public:
  // A tensor of `dims`, row-major; data.size() is their product.
  void observe(std::span<const float> data, std::span<const int64_t> dims, ObserveScratch& scratch);
  // The same of a tensor [N, H, W, C] that comes in pieces: begin_rows, then add_rows for rows
  // [row, row + count) of axis 1 of an image, each row once, from threads of distinct `worker`
  // below `workers`, then end_rows.
  void begin_rows(std::span<const int64_t> dims, int workers, ObserveScratch& scratch);
  static void add_rows(ObserveScratch& scratch, int64_t image, int64_t row, int64_t count,
                       const float* data, int worker);
  void end_rows(ObserveScratch& scratch);
  // Adds what `other` saw and empties it; its memory stays. From here on `other` is for this one to
  // take, again and again, until it is cleared: by itself it may be coarser than its data need.
  void take(TensorObserver& other);
  void clear();
  void merge(const TensorStatistics& other);
  TensorStatistics value() const { return {histogram_.value(), channels_.value()}; }

 private:
  void observe_few(std::span<const float> data, int64_t row_elems);
  template <typename F>
  static void count_piece(std::span<const float> piece, const CountedRows& rows,
                          ObserveScratch::Worker& worker, F&& for_counted);
  void start(const CountedRows& rows, int workers, ObserveScratch& scratch);
  void collect(int workers, ObserveScratch& scratch);
  static void observe_rows(std::span<const float> data, const CountedRows& rows, int64_t begin,
                           int64_t end, ObserveScratch::Worker& worker);

  AbsHistogram histogram_;
  ChannelSums channels_;
};

// The observers of one calibration: a fixed list of tensors. Thread-safe; threads that feed
// different tensors don't wait for each other.
class ObserverSet {
 public:
  // Names: TensorFlow tensor names, each once. Identity: see ir::RangeTable.
  static Result<std::unique_ptr<ObserverSet>> create(std::string identity,
                                                     std::vector<std::string> names);

  const std::string& identity() const { return identity_; }
  const std::vector<std::string>& names() const { return names_; }

  // Adds one tensor, or some whole images of one (slices of axis 0: which rows of a large image are
  // counted depends on where they lie in it, see counted_rows.h). CalibrationError after close;
  // InvalidArgument for an index or dims that do not fit, or above kMaxElems.
  Status observe(size_t index, std::span<const float> data, std::span<const int64_t> dims,
                 ObserveScratch& scratch);
  Status observe(size_t index, std::span<const float> data, std::span<const int64_t> dims) {
    ObserveScratch scratch;
    return observe(index, data, dims, scratch);
  }
  // As TensorObserver's; nothing else is observed into `scratch` until end_rows.
  Status begin_rows(size_t index, std::span<const int64_t> dims, int workers,
                    ObserveScratch& scratch);
  Status end_rows(size_t index, ObserveScratch& scratch);
  static constexpr size_t kMaxElems = (size_t{1} << 32) - 1;  // what a BinCounter holds
  // Counts a batch as seen; only for reports.
  void count_batch() { batches_.fetch_add(1, std::memory_order_relaxed); }
  uint64_t batches() const { return batches_.load(std::memory_order_relaxed); }
  // No data are taken from here on: what value returns afterwards is final. May be repeated.
  void close();

  // Adds what `other` saw. CalibrationError when closed or when identity or names differ.
  Status merge(const ObserverSet& other);
  // As merge, and empties `other`, whose memory stays: for a set that serves run after run, and
  // is taken by this one alone until it is cleared. Nobody else uses `other` meanwhile. When it
  // fails, other is as it was.
  Status take(ObserverSet& other);
  // Forgets all data; not for a closed set.
  void clear();
  TensorStatistics value(size_t index) const;

  // Bytes of a statistics file: portable, with a digest. The same data give the same bytes.
  std::vector<std::byte> serialize() const;
  // CalibrationError for another format, a digest that does not match, or contents that no set has.
  static Result<std::unique_ptr<ObserverSet>> parse(std::span<const std::byte> bytes);

 private:
  Status check(size_t index, std::span<const int64_t> dims) const;
  struct Entry {
    mutable std::mutex mutex;
    TensorObserver observer;
  };
  ObserverSet(std::string identity, std::vector<std::string> names);
  Status check_same(const ObserverSet& other) const;

  const std::string identity_;
  const std::vector<std::string> names_;
  std::vector<std::unique_ptr<Entry>> entries_;
  std::atomic<uint64_t> batches_ = 0;
  std::atomic<bool> closed_ = false;
};

}  // namespace graft::quantize
