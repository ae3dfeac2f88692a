#include "quantize/histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "quantize_test_util.h"

namespace graft::quantize {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kDenormal = std::numeric_limits<float>::denorm_min();
constexpr float kMax = std::numeric_limits<float>::max();

// Magnitudes over many octaves, zeros of both signs, runs of equal values.
std::vector<float> wild(size_t count, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<float> values(count);
  for (float& v : values) {
    const double x = std::ldexp(uniform(random), static_cast<int>(random() % 60) - 45);
    const auto kind = random() % 8;
    v = kind == 0 ? 0.0f : kind == 1 ? -0.0f : kind == 2 ? 0.25f : static_cast<float>(x);
    if (random() & 1) v = -v;
  }
  return values;
}

TEST(AbsHistogram, EqualsPlainBinning) {
  for (const size_t count : {1, 3, 4, 1023, 1024, 1025, 10000})
    EXPECT_EQ(histogram_of(wild(count, count)), plain_histogram(wild(count, count))) << count;
  EXPECT_EQ(histogram_of(gaussian(5000, 1)), plain_histogram(gaussian(5000, 1)));
  EXPECT_EQ(histogram_of({}), plain_histogram({}));
}

TEST(AbsHistogram, Q7_Q8_order_and_split_do_not_show) {
  std::vector<float> values = wild(20000, 7);
  const Histogram expected = plain_histogram(values);
  std::mt19937_64 random(8);
  for (int round = 0; round < 20; ++round) {
    std::shuffle(values.begin(), values.end(), random);
    // Ascending magnitude makes the range grow as often as it can.
    if (round == 0) std::ranges::sort(values, {}, [](float x) { return std::fabs(x); });
    AbsHistogram h;
    for (size_t at = 0; at < values.size();) {
      const size_t count = std::min<size_t>(1 + random() % 3000, values.size() - at);
      h.add(std::span(values).subspan(at, count));
      at += count;
    }
    ASSERT_EQ(h.value(), expected) << round;
  }
}

TEST(AbsHistogram, Q8_merge_is_exact_and_commutes) {
  const std::vector<float> values = wild(9000, 9);
  const std::span<const float> all(values);
  const Histogram parts[] = {histogram_of(all.first(10)), histogram_of(all.subspan(10, 5000)),
                             histogram_of({}), histogram_of(all.subspan(5010))};
  int order[] = {0, 1, 2, 3};
  do {
    AbsHistogram h;
    for (const int i : order) h.merge(parts[i]);
    ASSERT_EQ(h.value(), plain_histogram(values));
  } while (std::next_permutation(std::begin(order), std::end(order)));
  AbsHistogram resumed;
  resumed.merge(parts[1]);
  resumed.add(all.first(10));
  resumed.add(all.subspan(5010));
  EXPECT_EQ(resumed.value(), plain_histogram(values));
}

TEST(AbsHistogram, Q5_Q6_extreme_values) {
  for (const std::vector<float>& values : {std::vector<float>{0, -0.0f, 0},
                                           {1, 1, 1},
                                           {-2, -2},
                                           {kDenormal, -2 * kDenormal, 0},
                                           {1, 2, 3, 1e30f},
                                           {kMax, -kMax, 1},
                                           {0x1p-114f, 0x1.fffffep-115f},
                                           {0.5f, 1, 2, 4, 8}}) {
    EXPECT_EQ(histogram_of(values), plain_histogram(values)) << values[0];
    const std::vector<float> reversed(values.rbegin(), values.rend());
    EXPECT_EQ(histogram_of(reversed), plain_histogram(values)) << values[0];
  }
  EXPECT_FALSE(std::signbit(histogram_of(std::vector{-0.0f}).max));
}

TEST(AbsHistogram, Q4_non_finite_values_are_counted_and_left_out) {
  AbsHistogram h;
  std::vector<float> values = gaussian(3000, 3);
  h.add(values);
  for (const size_t at : {0, 1024, 2047, 2999}) values[at] = at % 2 ? kNan : -kInfinity;
  values[5] = -kNan;
  values[6] = kInfinity;
  h.add(values);
  h.add(std::vector<float>(1024, kNan));
  const Histogram seen = h.value();
  EXPECT_EQ(seen.non_finite, 6u + 1024u);
  EXPECT_EQ(seen.total, 6000u - 6u);
  EXPECT_EQ(seen.finite, 6000u - 6u);
  EXPECT_TRUE(std::isfinite(seen.min) && std::isfinite(seen.max));
}

TEST(AbsHistogram, Q8_counters_and_other_histograms_are_taken_and_emptied) {
  const std::vector<float> values = wild(9000, 9);
  const std::span<const float> all(values);
  BinCounter counter;
  AbsHistogram h, other;
  for (int round = 0; round < 2; ++round) {
    ValueRange first;
    first.add(all.first(5001));
    other.see(first);
    counter.start(kMinRangeExponent);
    counter.grow(other.exponent());
    counter.add(all.first(5001));
    other.take(counter);
    other.take(counter);
    h.add(all.subspan(5001));
    h.take(other);
    h.take(other);
    ASSERT_EQ(h.value(), plain_histogram(values));
    ASSERT_EQ(other.value(), Histogram());
    h.clear();
    ASSERT_EQ(h.value(), Histogram());
  }
}

TEST(BinCounter, Q7_grows_between_values_as_if_it_had_been_wide) {
  std::vector<float> values = wild(9000, 11);
  std::ranges::sort(values, {}, [](float x) { return std::fabs(x); });
  BinCounter counter;
  for (int round = 0; round < 2; ++round) {
    counter.start(kMinRangeExponent);
    AbsHistogram h;
    for (size_t at = 0; at < values.size(); at += 100) {
      ValueRange piece;
      piece.add(std::span(values).subspan(at, 100));
      counter.grow(range_exponent(piece.max_abs()));
      counter.add(std::span(values).subspan(at, 100));
      h.see(piece);
    }
    if (round == 1) h.take(counter);
    EXPECT_EQ(h.value() == plain_histogram(values), round == 1);  // start forgets
  }
}

TEST(BinCounter, Q8_counts_alike_in_blocks_of_any_size) {
  for (const size_t block : {1, 7, 600, 9000}) {
    const std::vector<float> values = wild(9000, 14);
    ValueRange range;
    range.add(values);
    BinCounter counter;
    counter.start(range_exponent(range.max_abs()));
    for (size_t at = 0; at < values.size(); at += block)
      counter.add(std::span(values).subspan(at, std::min(block, values.size() - at)));
    AbsHistogram h;
    h.see(range);
    h.take(counter);
    EXPECT_EQ(h.value(), plain_histogram(values)) << block;
  }
}

TEST(AbsHistogram, Q7_one_that_is_taken_run_after_run_stays_exact_for_its_taker) {
  const std::vector<float> wide = wild(3000, 12), narrow = gaussian(3000, 13, 1e-12);
  AbsHistogram total, run;
  std::vector<float> all;
  for (const auto* values : {&narrow, &wide, &narrow, &wide}) {
    run.add(*values);
    total.take(run);
    ASSERT_EQ(run.value(), Histogram());
    all.insert(all.end(), values->begin(), values->end());
    ASSERT_EQ(total.value(), plain_histogram(all));
  }
  run.clear();
  run.add(narrow);
  EXPECT_EQ(run.value(), plain_histogram(narrow));
}

TEST(RangeExponent, IsTheSmallestThatHolds) {
  EXPECT_EQ(range_exponent(0), kMinRangeExponent);
  EXPECT_EQ(range_exponent(kDenormal), kMinRangeExponent);
  EXPECT_EQ(range_exponent(0.999f), 0);
  EXPECT_EQ(range_exponent(1), 1);
  EXPECT_EQ(range_exponent(kMax), kMaxRangeExponent);
}

}  // namespace
}  // namespace graft::quantize
