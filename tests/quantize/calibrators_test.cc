#include "quantize/calibrators.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <numeric>

#include "ir/range_table.h"
#include "quantize/expected_error.h"
#include "quantize_test_util.h"

namespace graft::quantize {
namespace {

constexpr CalibratorKind kAll[] = {CalibratorKind::kAuto, CalibratorKind::kEntropy,
                                   CalibratorKind::kPercentile, CalibratorKind::kMinMax,
                                   CalibratorKind::kMse};

std::vector<float> evenly(size_t count, float max) {
  std::vector<float> values(count);
  for (size_t i = 0; i < count; ++i)
    values[i] = max * static_cast<float>(i + 1) / static_cast<float>(count);
  return values;
}

// The published algorithm word for word: normalized distributions, one candidate at a time.
double plain_entropy(const Histogram& h) {
  constexpr size_t kBins = 2048;
  std::vector<double> bins(kBins);
  const double max = h.max_abs(), width = max / kBins;
  for (int b = 0; b < kHistogramBins; ++b) {
    const double low = b * h.bin_width(), high = std::min((b + 1) * h.bin_width(), max);
    if (h.counts[b] == 0) continue;
    if (!(high > low)) {
      bins[kBins - 1] += static_cast<double>(h.counts[b]);
      continue;
    }
    for (size_t j = 0; j < kBins; ++j) {
      const double share = std::min(high, width * static_cast<double>(j + 1)) -
                           std::max(low, width * static_cast<double>(j));
      // Rounding of an edge may leave a crumb that is no overlap.
      if (share > 1e-9 * width) bins[j] += static_cast<double>(h.counts[b]) * share / (high - low);
    }
  }
  bins[0] = bins[1];
  std::vector<double> divergences;
  for (size_t i = 128; i <= kBins; ++i) {
    std::vector<double> p(bins.begin(), bins.begin() + static_cast<int64_t>(i)), q(i);
    p.back() += std::accumulate(bins.begin() + static_cast<int64_t>(i), bins.end(), 0.0);
    double sum[128] = {}, used[128] = {};
    for (size_t j = 0; j < i; ++j) sum[j * 128 / i] += bins[j], used[j * 128 / i] += p[j] > 0;
    for (size_t j = 0; j < i; ++j)
      if (p[j] > 0) q[j] = sum[j * 128 / i] / used[j * 128 / i];
    const double p_sum = std::accumulate(p.begin(), p.end(), 0.0);
    const double q_sum = std::accumulate(q.begin(), q.end(), 0.0);
    const bool smooth = p.back() > 0 && !(q.back() > 0);
    double divergence = 0;
    for (size_t j = 0; j < i && q_sum > 0; ++j) {
      if (!(p[j] > 0)) continue;
      const double qj = q[j] > 0 ? q[j] / q_sum * (smooth ? 1 - 1e-4 : 1) : 1e-4;
      divergence += p[j] / p_sum * std::log(p[j] / p_sum / qj);
    }
    divergences.push_back(q_sum > 0 ? divergence : std::numeric_limits<double>::infinity());
  }
  const double least = *std::ranges::min_element(divergences);
  double best = 0;
  for (size_t i = 128; i <= kBins; ++i)
    if (divergences[i - 128] <= least + 1e-12) best = max * static_cast<double>(i) / kBins;
  return best;
}

// Squared error by quantizing the values themselves.
double measured_sqnr_db(std::span<const float> values, double threshold) {
  double signal = 0, error = 0;
  for (const double x : values) {
    const double q = std::clamp(std::nearbyint(x / threshold * 127), -127.0, 127.0);
    signal += x * x;
    error += (x - q * threshold / 127) * (x - q * threshold / 127);
  }
  return 10 * std::log10(signal / error);
}

TEST(Calibrators, NamesRoundTrip) {
  for (const CalibratorKind kind : kAll)
    EXPECT_EQ(parse_calibrator(calibrator_name(kind)), kind) << calibrator_name(kind);
  EXPECT_EQ(parse_calibrator("KL"), std::nullopt);
}

TEST(Calibrators, MinMaxIsExact) {
  EXPECT_EQ(minmax_threshold(histogram_of(std::vector{-3.1f, 2.0f})), 3.1f);
}

TEST(Calibrators, PercentileOfKnownValues) {
  const Histogram h = histogram_of(evenly(100000, 8));
  for (const double p : {10.0, 50.0, 99.0, 99.99}) {
    EXPECT_NEAR(percentile_threshold(h, p), 8 * p / 100, h.bin_width()) << p;
    EXPECT_GE(percentile_threshold(h, p), 8 * p / 100) << "the upper edge of the bin";
  }
  EXPECT_EQ(percentile_threshold(h, 100), 8);
  // 1 of 1000 lies beyond, so 99.99 must keep it.
  std::vector<float> few = evenly(999, 1);
  few.push_back(50);
  EXPECT_EQ(percentile_threshold(histogram_of(few), 99.99), 50);
  EXPECT_LT(percentile_threshold(histogram_of(few), 99.9), 1.1);
}

TEST(Calibrators, EntropyEqualsAPlainImplementation) {
  std::vector<float> outlier = gaussian(100000, 4);
  outlier.push_back(100);
  const std::vector<float> sets[] = {
      gaussian(20000, 1), laplace(30000, 2), relu(gaussian(20000, 3)), evenly(50000, 1), outlier,
      gaussian(40, 5),    evenly(3, 1),      laplace(500, 6)};
  for (const auto& values : sets) {
    const Histogram h = histogram_of(values);
    EXPECT_NEAR(entropy_threshold(h), plain_entropy(h), 1e-9 * h.max_abs())
        << values.size() << " values up to " << h.max_abs();
  }
}

TEST(Calibrators, EntropyOfAUniformHistogramIsTheMaximum) {
  for (const float max : {1.0f, 1.3f, 1.99f, 700.0f})
    EXPECT_EQ(entropy_threshold(histogram_of(evenly(400000, max))), max);
}

TEST(Calibrators, EntropyCutsTailsAndOutliers) {
  const Histogram normal = histogram_of(gaussian(1000000, 7));
  const double cut = entropy_threshold(normal);
  EXPECT_GT(cut, 2.5);
  EXPECT_LE(cut, normal.max_abs());
  std::vector<float> outlier = gaussian(1000000, 7);
  outlier.push_back(100);
  EXPECT_LT(entropy_threshold(histogram_of(outlier)), 10);
  const Histogram tailed = histogram_of(laplace(1000000, 8));
  EXPECT_LT(entropy_threshold(tailed), 0.9 * tailed.max_abs());
}

TEST(Calibrators, Q6_entropy_does_not_see_the_zeros_of_relu) {
  std::vector<float> values = relu(laplace(50000, 9));
  const double without = entropy_threshold(histogram_of(values));
  values.insert(values.end(), 1000000, 0.0f);
  EXPECT_EQ(entropy_threshold(histogram_of(values)), without);
}

TEST(Calibrators, ExpectedSqnrAgreesWithQuantizingTheValues) {
  for (const auto& values :
       {gaussian(200000, 10), laplace(200000, 11), relu(gaussian(200000, 12))}) {
    const Histogram h = histogram_of(values);
    for (const double share : {1.0, 0.7, 0.4, 0.2, 0.05})
      EXPECT_NEAR(expected_sqnr_db(h, h.max_abs() * share),
                  measured_sqnr_db(values, h.max_abs() * share), 0.05)
          << share;
  }
}

TEST(Calibrators, MseIsTheBestThreshold) {
  for (const auto& values : {gaussian(100000, 13), laplace(100000, 14), evenly(100000, 1)}) {
    const Histogram h = histogram_of(values);
    const double chosen = expected_sqnr_db(h, mse_threshold(h));
    for (int i = 1; i <= 400; ++i)
      EXPECT_GE(chosen + 0.02, expected_sqnr_db(h, h.max_abs() * i / 400)) << i;
  }
  // Uniform: the last level's cell reaches half a step beyond the threshold.
  EXPECT_NEAR(mse_threshold(histogram_of(evenly(100000, 1))), 127 / 127.5, 0.006);
}

TEST(Calibrators, AutoNeverLosesToAnotherByItsMeasure) {
  std::vector<float> outlier = gaussian(100000, 15);
  outlier.push_back(1000);
  for (const auto& values : {gaussian(10000, 16), laplace(10000, 17), evenly(10000, 3), outlier}) {
    const Histogram h = histogram_of(values);
    const Calibration chosen = calibrate(h, CalibratorKind::kAuto, {});
    EXPECT_NE(chosen.kind, CalibratorKind::kAuto);
    const std::vector<Calibration> candidates = calibration_candidates(h, {});
    ASSERT_EQ(candidates.size(), 4u);
    for (const Calibration& c : candidates) {
      EXPECT_GE(chosen.sqnr_db, c.sqnr_db);
      EXPECT_EQ(c.threshold, calibrate(h, c.kind, {}).threshold);
      EXPECT_EQ(c.sqnr_db, expected_sqnr_db(h, c.threshold));
    }
  }
}

// The bar: with one value of 1e3 among ordinary ones, min-max is poor and the others are not.
TEST(Calibrators, APlantedOutlierSpoilsMinMaxOnly) {
  std::vector<float> values = gaussian(1000000, 18);
  const std::vector<float> clean = values;
  values[77] = 1000;
  const Histogram h = histogram_of(values);
  EXPECT_LT(measured_sqnr_db(clean, minmax_threshold(h)), 0.5);
  EXPECT_GT(measured_sqnr_db(clean, percentile_threshold(h, 99.99)), 30);
}

TEST(Calibrators, Q5_Q6_every_threshold_is_usable) {
  constexpr float kTiny = std::numeric_limits<float>::denorm_min();
  std::vector<float> far = gaussian(10000, 19);
  far.push_back(1e30f);
  const std::vector<float> sets[] = {
      {0, 0, 0},
      {5, 5, 5},
      {-5, -5},
      {kTiny},
      {kTiny, -kTiny, 0, 3 * kTiny},
      {1e-37f, 0},
      {1e-20f, 2e-20f},
      {std::numeric_limits<float>::max(), 1, -std::numeric_limits<float>::max()},
      {1e30f, 1},
      {0, 0, 0, 1},
      {-1, 1},
      far};
  for (const auto& values : sets) {
    const Histogram h = histogram_of(values);
    for (const CalibratorKind kind : kAll) {
      const Calibration c = calibrate(h, kind, {});
      EXPECT_GE(c.threshold, ir::kMinThreshold) << values[0] << calibrator_name(kind);
      EXPECT_LE(c.threshold, ir::kMaxThreshold) << values[0] << calibrator_name(kind);
      EXPECT_TRUE(std::isfinite(c.sqnr_db)) << values[0] << calibrator_name(kind);
      if (h.min == h.max || h.max_abs() < 1e-19f) {
        EXPECT_NE(c.warning, "") << values[0];
      }
      if (h.min != h.max && h.max_abs() > 1e-6f && h.max_abs() <= ir::kMaxThreshold) {
        EXPECT_EQ(c.warning, "") << values[0] << c.warning;
      }
    }
  }
  EXPECT_EQ(calibrate(histogram_of(sets[0]), CalibratorKind::kAuto, {}).threshold, 1);
  EXPECT_EQ(calibrate(histogram_of(sets[2]), CalibratorKind::kEntropy, {}).threshold, 5);
  EXPECT_EQ(calibrate(histogram_of(far), CalibratorKind::kMinMax, {}).threshold, 1e30f);
}

}  // namespace
}  // namespace graft::quantize
