#include "quantize/finish.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "quantize_test_util.h"

namespace graft::quantize {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Dims = std::vector<int64_t>;

FinishOptions options_with(CalibratorKind calibrator, bool ignore_non_finite = false) {
  FinishOptions options;
  options.calibrator = calibrator;
  options.ignore_non_finite = ignore_non_finite;
  return options;
}

std::unique_ptr<ObserverSet> make_set() {
  return std::move(ObserverSet::create("c0ffee", {"in", "branch", "relu:1"})).value();
}

TEST(Finish, GivesRangesMeansAndIdentity) {
  const auto set = make_set();
  ASSERT_TRUE(set->observe(0, std::vector<float>{1, -2, 3, -6}, Dims{2, 2}).ok());
  ASSERT_TRUE(set->observe(1, gaussian(1000, 1), Dims{1000, 1}).ok());
  ASSERT_TRUE(set->observe(2, relu(gaussian(100, 2)), Dims{10, 10}).ok());
  const auto done = finish(*set, "E", options_with(CalibratorKind::kMinMax));
  ASSERT_TRUE(done.ok());
  EXPECT_EQ(done->table.identity, "c0ffee");
  EXPECT_TRUE(done->warnings.empty());
  ASSERT_EQ(done->table.ranges.size(), 3u);
  const ir::TensorRange expected = {6, -6, 3, "minmax", false, {2, -4}};
  EXPECT_EQ(done->table.ranges.at("in"), expected);
  EXPECT_EQ(done->table.ranges.at("relu:1").min, 0);
  for (const auto& [name, range] : done->table.ranges)
    EXPECT_TRUE(ir::check_range(name, range).ok()) << name;
}

TEST(Finish, UserRangesOverride) {
  const auto set = make_set();
  ASSERT_TRUE(set->observe(0, gaussian(100, 1), Dims{100}).ok());
  ASSERT_TRUE(set->observe(2, relu(gaussian(100, 2)), Dims{100}).ok());
  const auto seen = finish(*set, "E", {});
  FinishOptions options;
  options.user_ranges = {{"relu:1", {0, 7}}, {"branch", {-2, 3}}, {"of another engine", {-1, 1}}};
  const auto done = finish(*set, "E", options);
  ASSERT_TRUE(seen.ok() && done.ok());
  ASSERT_EQ(done->table.ranges.size(), 3u);
  EXPECT_EQ(done->table.ranges.at("in"), seen->table.ranges.at("in"));
  EXPECT_EQ(done->table.ranges.at("relu:1").threshold, 7);
  EXPECT_TRUE(done->table.ranges.at("relu:1").from_user);
  EXPECT_EQ(done->table.ranges.at("branch").threshold, 3) << "although no data were seen";
  options.user_ranges["in"] = {0, 0};
  EXPECT_EQ(finish(*set, "E", options).status().code(), Code::kInvalidArgument);
}

TEST(Finish, Q11_finishing_twice_gives_the_same) {
  const auto set = make_set();
  for (size_t i = 0; i < 3; ++i) ASSERT_TRUE(set->observe(i, gaussian(500, i), Dims{500}).ok());
  set->close();
  const auto first = finish(*set, "E", {}), second = finish(*set, "E", {});
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_EQ(first->table, second->table);
}

TEST(Finish, Q1_no_data_names_the_engine) {
  const Status status = finish(*make_set(), "TRTEngineOp_0_3", {}).status();
  EXPECT_EQ(status.code(), Code::kCalibrationError);
  EXPECT_EQ(status.message(), "no calibration data for engine TRTEngineOp_0_3");
}

TEST(Finish, Q9_a_tensor_never_produced_is_absent_with_a_warning) {
  const auto set = make_set();
  ASSERT_TRUE(set->observe(0, gaussian(100, 1), Dims{100}).ok());
  ASSERT_TRUE(set->observe(2, gaussian(100, 1), Dims{100}).ok());
  const auto done = finish(*set, "E", {});
  ASSERT_TRUE(done.ok());
  EXPECT_FALSE(done->table.ranges.contains("branch"));
  EXPECT_THAT(done->warnings, ElementsAre(HasSubstr("'branch'")));
}

TEST(Finish, Q4_a_non_finite_value_is_an_error_or_ignored_with_its_count) {
  const auto set = make_set();
  std::vector<float> values = gaussian(100, 1);
  values[7] = std::numeric_limits<float>::quiet_NaN();
  values[8] = -std::numeric_limits<float>::infinity();
  ASSERT_TRUE(set->observe(0, gaussian(100, 1), Dims{100}).ok());
  ASSERT_TRUE(set->observe(2, values, Dims{100}).ok());
  const Status status = finish(*set, "E", {}).status();
  EXPECT_EQ(status.code(), Code::kCalibrationError);
  EXPECT_THAT(status.message(),
              AllOf(HasSubstr("tensor 'relu:1': 2 of 100 values"), HasSubstr("ignore_non_finite")));
  const auto done = finish(*set, "E", options_with(CalibratorKind::kAuto, true));
  ASSERT_TRUE(done.ok());
  EXPECT_THAT(done->warnings, ElementsAre(HasSubstr("'branch'"), HasSubstr("2 of 100")));
  EXPECT_TRUE(done->table.ranges.at("relu:1").channel_means.empty());
  EXPECT_TRUE(ir::check_range("", done->table.ranges.at("relu:1")).ok());
}

TEST(Finish, Q4_only_non_finite_values_count_as_no_data) {
  const auto set = make_set();
  const std::vector<float> values(10, std::numeric_limits<float>::quiet_NaN());
  ASSERT_TRUE(set->observe(0, values, Dims{10}).ok());
  EXPECT_EQ(finish(*set, "E", options_with(CalibratorKind::kAuto, true)).status().message(),
            "no calibration data for engine E");
}

TEST(Finish, Q5_constant_tensors_warn) {
  const auto set = make_set();
  ASSERT_TRUE(set->observe(0, std::vector<float>(10, 0), Dims{10}).ok());
  ASSERT_TRUE(set->observe(1, std::vector<float>(10, -3), Dims{10}).ok());
  ASSERT_TRUE(set->observe(2, gaussian(10, 1), Dims{10}).ok());
  const auto done = finish(*set, "E", {});
  ASSERT_TRUE(done.ok());
  EXPECT_THAT(done->warnings, ElementsAre(HasSubstr("'in'"), HasSubstr("'branch'")));
  EXPECT_EQ(done->table.ranges.at("in").threshold, 1);
  EXPECT_EQ(done->table.ranges.at("branch").threshold, 3);
}

// One value of 1e3 in a million of +-1: clipped it is the error, kept it makes all others zero.
TEST(Finish, TensorsThatNoRangeServesStayFloat) {
  const auto set = make_set();
  std::vector<float> values(1 << 20, 1.0f);
  for (size_t i = 0; i < values.size(); i += 2) values[i] = -1;
  values[7] = 1e3f;
  ASSERT_TRUE(set->observe(0, values, Dims{1 << 20}).ok());
  ASSERT_TRUE(set->observe(2, relu(gaussian(1000, 2)), Dims{1000}).ok());
  FinishOptions options;
  options.least_sqnr_db = kLeastSqnrDb;
  auto done = finish(*set, "E", options);
  ASSERT_TRUE(done.ok());
  EXPECT_FALSE(done->table.ranges.contains("in"));
  EXPECT_TRUE(done->table.ranges.contains("relu:1"));
  EXPECT_THAT(done->left_float, ElementsAre("in"));
  EXPECT_THAT(done->warnings, Contains(AllOf(HasSubstr("'in'"), HasSubstr(" dB at best"))));

  options.user_ranges = {{"in", {-1, 1}}};
  done = finish(*set, "E", options);
  ASSERT_TRUE(done.ok());
  EXPECT_EQ(done->table.ranges.at("in").threshold, 1) << "who gives a range gets it";

  options.user_ranges.clear();
  options.calibrator = CalibratorKind::kMinMax;
  done = finish(*set, "E", options);
  ASSERT_TRUE(done.ok());
  EXPECT_EQ(done->table.ranges.at("in").threshold, 1e3f) << "who names a calibrator gets it";
}

TEST(Finish, NothingMayBeLeftToQuantize) {
  const auto set = make_set();
  ASSERT_TRUE(set->observe(0, gaussian(1000, 1), Dims{1000}).ok());
  FinishOptions options;
  options.least_sqnr_db = 1000;
  const auto done = finish(*set, "E", options);
  ASSERT_TRUE(done.ok()) << done.status().message();
  EXPECT_TRUE(done->table.ranges.empty());
}

TEST(Finish, BadPercentileIsRefused) {
  const auto set = make_set();
  for (const double p : {0.0, -1.0, 100.1, std::numeric_limits<double>::quiet_NaN()})
    EXPECT_EQ(finish(*set, "E", {CalibratorKind::kMinMax, {p}, false, 0, {}}).status().code(),
              Code::kInvalidArgument);
}

}  // namespace
}  // namespace graft::quantize
