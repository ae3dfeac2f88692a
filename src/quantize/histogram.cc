#include "quantize/histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <iterator>
#include <utility>

#include "base/check.h"
#include "quantize/observe_loops.h"
#include "quantize/order_key.h"

namespace graft::quantize {
namespace {

static_assert(kHistogramBins == kBins);

float factor_of(int exponent) { return std::ldexp(1.0f, 12 - exponent); }

// Moves the counts of `counts` to where they belong when the range doubles `shift` times.
template <class Count>
void halve(std::vector<Count>& counts, int shift) {
  for (size_t bin = 1; bin < kBins; ++bin) {
    const Count count = std::exchange(counts[bin], 0);
    counts[bin >> shift] += count;
  }
}

int shift_of(int from, int to) { return std::min(to - from, 12); }  // 2^12 bins: all in bin 0

}  // namespace

double Histogram::bin_width() const { return std::ldexp(1.0, exponent - 12); }
float Histogram::max_abs() const { return std::max(std::fabs(min), std::fabs(max)); }

int range_exponent(float value) {
  const auto bits = std::bit_cast<int32_t>(value);
  return std::max((bits >> 23) - 126, kMinRangeExponent);  // a denormal has exponent field 0
}

void BinCounter::start(int exponent) {
  if (total_ > 0) std::ranges::fill(counts_, 0);
  exponent_ = exponent;
  total_ = zeros_ = 0;
}

void BinCounter::grow(int exponent) {
  if (exponent <= exponent_) return;
  if (total_ > 0) halve(counts_, shift_of(exponent_, exponent));
  exponent_ = exponent;
}

void BinCounter::add(std::span<const float> values) {
  counts_.resize(kBins + kZeroSlots);
  total_ += values.size();
  zeros_ += static_cast<uint64_t>(observe_loops().count_apart(
      values.data(), values.size(), factor_of(exponent_), counts_.data()));
}

void AbsHistogram::add(std::span<const float> values) {
  ValueRange range;
  range.add(values);
  see(range);
  if (range.non_finite == 0) return count(values);
  std::vector<float> finite;
  std::ranges::copy_if(values, std::back_inserter(finite),
                       [](float x) { return std::isfinite(x); });
  count(finite);
}

void AbsHistogram::see(const ValueRange& values) {
  seen_.merge(values);
  if (counts_.empty() && values.finite > 0) counts_.resize(kBins);
  grow(range_exponent(seen_.max_abs()));
}

size_t AbsHistogram::used_bins() const {
  return static_cast<size_t>(seen_.max_abs() * factor_of(exponent_)) + 1;
}

void AbsHistogram::count(std::span<const float> values) {
  total_ += values.size();
  zeros_ += static_cast<uint64_t>(
      observe_loops().count(values.data(), values.size(), factor_of(exponent_), counts_.data()));
}

template <class Count>
void AbsHistogram::add_counts(Count* counts, int exponent) {
  const int shift = shift_of(exponent, exponent_);
  if (shift == 0) {
    const ObserveLoops& loops = observe_loops();
    if constexpr (sizeof(Count) == sizeof(uint32_t)) {
      return loops.take_counts(counts, used_bins(), counts_.data());
    } else {
      return loops.take_totals(counts, used_bins(), counts_.data());
    }
  }
  for (size_t bin = 0; bin < kHistogramBins; ++bin)
    counts_[bin >> shift] += std::exchange(counts[bin], 0);
}

void AbsHistogram::take(BinCounter& counter) {
  if (counter.total_ == 0) return;
  grow(counter.exponent_);
  add_counts(counter.counts_.data(), counter.exponent_);
  counts_[0] += counter.zeros_;
  total_ += std::exchange(counter.total_, 0);
  zeros_ += std::exchange(counter.zeros_, 0);
}

void AbsHistogram::take(AbsHistogram& other) {
  see(other.seen_);
  if (other.total_ > 0) {
    grow(other.exponent_);
    total_ += other.total_;
    zeros_ += other.zeros_;
    add_counts(other.counts_.data(), other.exponent_);
    other.total_ = other.zeros_ = 0;
  }
  other.seen_ = {};
  other.exponent_ = exponent_;
}

void AbsHistogram::clear() {
  std::vector<uint64_t> counts = std::move(counts_);
  std::ranges::fill(counts, 0);
  *this = AbsHistogram();
  counts_ = std::move(counts);
}

void AbsHistogram::grow(int exponent) {
  if (exponent <= exponent_) return;
  if (total_ > 0) halve(counts_, shift_of(exponent_, exponent));
  exponent_ = exponent;
}

void AbsHistogram::merge(const Histogram& other) {
  GRAFT_CHECK(other.counts.size() == kHistogramBins);
  ValueRange range;
  if (other.finite > 0) range = {key_of(other.min), key_of(other.max), other.finite, 0};
  range.non_finite = other.non_finite;
  see(range);
  if (other.finite == 0) return;
  total_ += other.total;
  zeros_ += other.zeros;
  const int shift = shift_of(other.exponent, exponent_);
  for (int bin = 0; bin < kHistogramBins; ++bin) counts_[bin >> shift] += other.counts[bin];
}

Histogram AbsHistogram::value() const {
  Histogram h;
  if (seen_.finite > 0) h.exponent = exponent_;
  h.total = total_;
  h.zeros = zeros_;
  h.finite = seen_.finite;
  h.non_finite = seen_.non_finite;
  if (seen_.finite > 0) h.min = from_key(seen_.min_key), h.max = from_key(seen_.max_key);
  if (!counts_.empty()) h.counts = counts_;
  return h;
}

}  // namespace graft::quantize
