// Streaming histogram of |x| with integer counts, exact under any order and split of the data.
// Invariant: 4096 equal bins over [0, 2^e), where e is the smallest exponent (not below
// kMinExponent) with max|x| < 2^e over everything seen. e only grows; each doubling adds bins 2k
// and 2k + 1 into bin k. That loses nothing against binning at the final range at once: the bin of
// x is floor(|x| * 4096 / 2^e), the product is exact (a power of two), and
// floor(floor(y) / 2) = floor(y / 2) for y >= 0. So counts depend on the multiset of values alone,
// and merging is exact and commutative.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "quantize/value_range.h"

namespace graft::quantize {

inline constexpr int kHistogramBins = 4096;
// Below it the factor 4096 / 2^e would leave float; values that small differ by less than 2^-126.
inline constexpr int kMinRangeExponent = -114;
inline constexpr int kMaxRangeExponent = 128;  // holds FLT_MAX

// The value of a histogram: plain data that calibrators and files work on. Of large tensors not
// every element is counted (counted_rows.h), but every one is seen: the largest magnitude need not
// lie in a bin that has a count.
struct Histogram {
  int exponent = kMinRangeExponent;  // bins cover [0, 2^exponent)
  uint64_t total = 0;                // counted values, zeros included; the sum of counts
  uint64_t zeros = 0;                // exact zeros (of either sign); part of counts[0]
  uint64_t finite = 0;               // finite values seen, >= total
  uint64_t non_finite = 0;           // NaN and infinities seen; in no bin
  float min = 0, max = 0;            // of all that are finite, exact; both 0 when none is
  std::vector<uint64_t> counts = std::vector<uint64_t>(kHistogramBins);

  double bin_width() const;  // a power of two
  float max_abs() const;
  bool operator==(const Histogram&) const = default;
};

// Smallest exponent >= kMinRangeExponent with value < 2^exponent; value finite and >= 0.
int range_exponent(float value);

// Counters of one thread, for fewer than 2^32 values: 16 KiB.
class BinCounter {
 public:
  // Empties it; bins cover [0, 2^exponent).
  void start(int exponent);
  // Bins cover at least [0, 2^exponent) from here on.
  void grow(int exponent);
  // Counts finite values that lie in the bins' range.
  void add(std::span<const float> values);

 private:
  friend class AbsHistogram;

  int exponent_ = kMinRangeExponent;
  uint64_t total_ = 0, zeros_ = 0;
  std::vector<uint32_t> counts_;  // of all but zeros; behind the bins, slots that nobody reads
};

// The accumulator: 32 KiB, from the first value on. Not thread-safe.
class AbsHistogram {
 public:
  // Sees and counts `values`; those that are not finite are counted apart.
  void add(std::span<const float> values);
  // Sees values that are counted, all or some, by what follows: count, or take of counters.
  void see(const ValueRange& values);
  // Counters start here: taking them is cheapest when neither they nor this grow.
  int exponent() const { return exponent_; }
  // Counts finite values that were seen: the way for a few, since a counter costs 1 us to take.
  void count(std::span<const float> values);
  // Adds what `counter` holds and empties it. It was started at no more than exponent().
  void take(BinCounter& counter);
  // Adds what `other` holds and empties it; its memory stays, and so do its bins, which are those
  // of this histogram from here on: what it counts next is exact for this one alone to take.
  void take(AbsHistogram& other);
  void clear();
  void merge(const Histogram& other);
  Histogram value() const;

 private:
  void grow(int exponent);
  template <class Count>
  void add_counts(Count* counts, int exponent);
  size_t used_bins() const;

  int exponent_ = kMinRangeExponent;
  uint64_t total_ = 0, zeros_ = 0;
  ValueRange seen_;
  std::vector<uint64_t> counts_;
};

}  // namespace graft::quantize
