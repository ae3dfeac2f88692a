// One pass over a tensor, divided among the threads in pieces that stay in L1: the range of a
// piece, then, while it is there, its counted rows, into bins of the exponent that its thread has
// met so far (counters grow exactly, see histogram.h).
#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "quantize/observer.h"

namespace graft::quantize {
namespace {

constexpr int64_t kMinTask = 1 << 15;  // elements, a counted one for kCountCost more
constexpr int64_t kCountCost = 4;
constexpr int64_t kFewElems = 1 << 10;  // counted without a counter
constexpr int64_t kPiece = 1 << 12;     // elements
constexpr int64_t kShortRow = 64;       // elements; shorter rows are gathered
constexpr int kMaxTasks = 64;
constexpr size_t kBuffer = 1024;  // elements

// f(task, worker) for each task; workers < max_workers.
template <typename F>
void divide(const RunThreads* threads, int64_t num_tasks, int max_workers, F&& f) {
  if (threads == nullptr || num_tasks <= 1 || max_workers <= 1) {
    for (int64_t task = 0; task < num_tasks; ++task) f(task, 0);
    return;
  }
  threads->parallel(
      num_tasks, max_workers,
      [](void* context, int64_t task, int worker) { (*static_cast<F*>(context))(task, worker); },
      &f);
}

// Feeds short rows to f in full blocks.
template <typename F>
class Blocks {
 public:
  explicit Blocks(F& f) : f_(f) {}
  void add(std::span<const float> row) {
    while (!row.empty()) {
      const size_t count = std::min(row.size(), kBuffer - used_);
      std::memcpy(buffer_ + used_, row.data(), count * sizeof(float));
      row = row.subspan(count);
      used_ += count;
      if (used_ == kBuffer) flush();
    }
  }
  void flush() {
    if (used_ > 0) f_(std::span<const float>(buffer_, used_));
    used_ = 0;
  }

 private:
  F& f_;
  size_t used_ = 0;
  float buffer_[kBuffer];
};

// f(values) with the finite ones, in blocks.
template <typename F>
void for_finite(std::span<const float> values, F&& f) {
  float buffer[kBuffer];
  for (size_t at = 0; at < values.size(); at += kBuffer) {
    const auto block = values.subspan(at, std::min(kBuffer, values.size() - at));
    const float* end =
        std::copy_if(block.begin(), block.end(), buffer, [](float x) { return std::isfinite(x); });
    f(std::span<const float>(buffer, end));
  }
}

bool holds(const ValueRange& range) {
  return range.non_finite == 0 && range.max_abs() <= ChannelSums::kMaxAbs;
}

}  // namespace

// The range of a piece, and its counted rows: for_counted(f) calls f(row) for each.
template <typename F>
void TensorObserver::count_piece(std::span<const float> piece, const CountedRows& rows,
                                 ObserveScratch::Worker& worker, F&& for_counted) {
  ValueRange range;
  range.add(piece);
  worker.range.merge(range);
  if (!holds(range)) worker.channels.turn_off();
  if (range.finite == 0) return;
  worker.bins.grow(range_exponent(range.max_abs()));
  const auto count = [&](std::span<const float> values) {
    worker.channels.add(values, ChannelSums::kMaxAbs);
    if (range.non_finite == 0) return worker.bins.add(values);
    for_finite(values, [&](std::span<const float> block) { worker.bins.add(block); });
  };
  if (rows.all()) {
    count(piece);
  } else if (rows.row_elems() >= kShortRow) {
    for_counted(count);
  } else {
    Blocks blocks(count);
    for_counted([&](std::span<const float> row) { blocks.add(row); });
    blocks.flush();
  }
}

void TensorObserver::observe_few(std::span<const float> data, int64_t row_elems) {
  ValueRange seen;
  seen.add(data);
  histogram_.see(seen);
  channels_.begin(static_cast<int64_t>(data.size()) / row_elems, row_elems);
  if (!holds(seen)) channels_.turn_off();
  channels_.add(data, ChannelSums::kMaxAbs);
  if (seen.finite == 0) return;
  if (seen.non_finite == 0) return histogram_.count(data);
  for_finite(data, [&](std::span<const float> block) { histogram_.count(block); });
}

// The rows for which [begin, end) stand.
void TensorObserver::observe_rows(std::span<const float> data, const CountedRows& rows,
                                  int64_t begin, int64_t end, ObserveScratch::Worker& worker) {
  const int64_t row_elems = rows.row_elems();
  const int64_t in_piece = std::max(kPiece / (row_elems * rows.rows_per_counted()), int64_t{1});
  worker.channels.begin(end - begin, row_elems);
  for (int64_t n = begin; n < end; n += in_piece) {
    const int64_t next = std::min(n + in_piece, end);
    const int64_t at = rows.first_row(n) * row_elems;
    const auto piece = data.subspan(at, rows.first_row(next) * row_elems - at);
    count_piece(piece, rows, worker, [&](auto&& count_row) {
      for (int64_t i = n; i < next; ++i)
        count_row(data.subspan(rows.row(i) * row_elems, row_elems));
    });
  }
}

void TensorObserver::observe(std::span<const float> data, std::span<const int64_t> dims,
                             ObserveScratch& scratch) {
  if (data.empty()) return;
  const CountedRows rows(dims);
  const auto elems = static_cast<int64_t>(data.size());
  if (rows.all() && elems <= kFewElems) return observe_few(data, rows.row_elems());

  const int threads = scratch.threads_ ? scratch.threads_->count() : 1;
  const int64_t cost = elems + kCountCost * rows.count() * rows.row_elems();
  const int64_t most = threads > 1 ? std::min(2 * threads, kMaxTasks) : 1;
  const auto tasks = std::clamp<int64_t>(std::min(cost / kMinTask, rows.count()), 1, most);
  const int workers = static_cast<int>(std::min<int64_t>(tasks, threads));
  start(rows, workers, scratch);
  divide(scratch.threads_, tasks, workers, [&](int64_t task, int w) {
    observe_rows(data, rows, rows.count() * task / tasks, rows.count() * (task + 1) / tasks,
                 *scratch.workers_[w]);
  });
  collect(workers, scratch);
}

void TensorObserver::start(const CountedRows& rows, int workers, ObserveScratch& scratch) {
  channels_.begin(rows.count(), rows.row_elems());
  while (static_cast<int>(scratch.workers_.size()) < workers)
    scratch.workers_.push_back(std::make_unique<ObserveScratch::Worker>());
  for (int w = 0; w < workers; ++w) {
    ObserveScratch::Worker& worker = *scratch.workers_[w];
    worker.range = {};
    worker.bins.start(histogram_.exponent());
    worker.channels.clear();
    if (!channels_.usable()) worker.channels.turn_off();
  }
}

void TensorObserver::collect(int workers, ObserveScratch& scratch) {
  ValueRange seen;
  for (int w = 0; w < workers; ++w) seen.merge(scratch.workers_[w]->range);
  histogram_.see(seen);
  for (int w = 0; w < workers; ++w) {
    histogram_.take(scratch.workers_[w]->bins);
    channels_.take(scratch.workers_[w]->channels, false);
  }
}

void TensorObserver::begin_rows(std::span<const int64_t> dims, int workers,
                                ObserveScratch& scratch) {
  scratch.rows_ = CountedRows(dims);
  scratch.image_rows_ = dims[1];
  scratch.row_width_ = dims[2];
  scratch.used_workers_ = workers;
  start(scratch.rows_, workers, scratch);
}

void TensorObserver::add_rows(ObserveScratch& scratch, int64_t image, int64_t row, int64_t count,
                              const float* data, int w) {
  ObserveScratch::Worker& worker = *scratch.workers_[static_cast<size_t>(w)];
  const CountedRows& rows = scratch.rows_;
  const int64_t row_elems = rows.row_elems(), in_piece = std::max(kPiece / row_elems, int64_t{1});
  worker.channels.begin(1, row_elems);
  const int64_t first = (image * scratch.image_rows_ + row) * scratch.row_width_;
  const int64_t end = first + count * scratch.row_width_;
  const auto row_at = [&](int64_t i) {
    return std::span<const float>(data + (i - first) * row_elems, static_cast<size_t>(row_elems));
  };
  for (int64_t n = first; n < end; n += in_piece) {
    const int64_t next = std::min(n + in_piece, end);
    const std::span<const float> piece(data + (n - first) * row_elems,
                                       static_cast<size_t>((next - n) * row_elems));
    count_piece(piece, rows, worker, [&](auto&& count_row) {
      rows.for_each(n, next, [&](int64_t i) { count_row(row_at(i)); });
    });
  }
}

void TensorObserver::end_rows(ObserveScratch& scratch) { collect(scratch.used_workers_, scratch); }

void TensorObserver::take(TensorObserver& other) {
  histogram_.take(other.histogram_);
  channels_.take(other.channels_, true);
}

void TensorObserver::clear() {
  histogram_.clear();
  channels_.clear();
}

void TensorObserver::merge(const TensorStatistics& other) {
  histogram_.merge(other.histogram);
  channels_.merge(other.channels);
}

}  // namespace graft::quantize
