// Which elements of a tensor the histogram and the channel sums count.
//
// Of small images (slices of axis 0 of at most 2 * kMinCounted elements, or tensors of rank < 2)
// every element. Of larger ones one row (of the last axis) in 2, 4 or 8 that lie together, chosen
// by a hash of where they lie in the image: at least about kMinCounted elements an image, all
// channels alike, from everywhere. It depends on nothing but the shape of an image, so order, split
// into images and merging do not show. Minimum, maximum and the number of non-finite values are
// taken of all elements.
// Why some are enough: a quantile p of n counted values errs by sqrt(p (1 - p) / n) of rank, 1e-4
// at the 99.99th percentile of the 2^13 values of one image, and thresholds come from hundreds of
// images (tests/quantize/counted_rows_test.cc compares with counting all).
#pragma once

#include <cstdint>
#include <span>

namespace graft::quantize {

class CountedRows {
 public:
  static constexpr int64_t kMinCounted = int64_t{1} << 13;  // elements an image
  static constexpr int kMaxShift = 3;

  // dims without zeros.
  explicit CountedRows(std::span<const int64_t> dims) {
    row_elems_ = dims.empty() ? 1 : dims.back();
    if (dims.size() >= 2) {
      images_ = dims[0];
      for (size_t axis = 1; axis + 1 < dims.size(); ++axis) rows_ *= dims[axis];
    }
    while (shift_ < kMaxShift && (rows_ >> shift_) > 1 &&
           (rows_ * row_elems_) >> (shift_ + 1) >= kMinCounted)
      ++shift_;
    groups_ = ((rows_ - 1) >> shift_) + 1;
  }

  bool all() const { return shift_ == 0; }
  int64_t row_elems() const { return row_elems_; }
  int64_t rows_per_counted() const { return int64_t{1} << shift_; }
  // f(row) for each counted row in [begin, end), rows of one image.
  template <typename F>
  void for_each(int64_t begin, int64_t end, F&& f) const {
    if (begin >= end) return;
    const int64_t image = begin / rows_;
    const int64_t last = (end - 1 - image * rows_) >> shift_;
    for (int64_t group = (begin - image * rows_) >> shift_; group <= last; ++group) {
      const int64_t at = row(image * groups_ + group);
      if (at >= begin && at < end) f(at);
    }
  }
  // Counted rows of the tensor.
  int64_t count() const { return images_ * groups_; }
  // The index, among all rows of the tensor, of the first row for which n stands; of count(): the
  // number of rows.
  int64_t first_row(int64_t n) const { return n / groups_ * rows_ + ((n % groups_) << shift_); }
  // The index, among all rows of the tensor, of the counted row n.
  int64_t row(int64_t n) const {
    const int64_t image = n / groups_, group = n % groups_;
    const int64_t first = group << shift_;
    const int64_t size =
        rows_ - first < (int64_t{1} << shift_) ? rows_ - first : int64_t{1} << shift_;
    return image * rows_ + first +
           static_cast<int64_t>((hash(group) >> 32) * static_cast<uint64_t>(size) >> 32);
  }

 private:
  static uint64_t hash(int64_t group) {  // the finalizer of splitmix64
    auto x = static_cast<uint64_t>(group) + 0x9e3779b97f4a7c15;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
    x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
    return x ^ (x >> 31);
  }

  int64_t images_ = 1, rows_ = 1, row_elems_ = 1, groups_ = 1;
  int shift_ = 0;
};

}  // namespace graft::quantize
