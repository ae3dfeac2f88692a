// Mixed graphs run without TensorFlow give the answers that were worked out by hand.
#include <cmath>

#include "convert/convert_testing.h"
#include "graft/session.h"

namespace graft {
namespace {

using convert_testing::GraphBuilder;
using convert_testing::to;
using graphdef::attr_of_bool;
using graphdef::attr_of_float;
using graphdef::attr_of_string;

// y = (x - mean) / sqrt(variance + epsilon) * gamma + beta with a variance that epsilon decides.
TEST(ConvertAnswers, batch_norm_counts_its_epsilon) {
  GraphBuilder b;
  b.placeholder("x", DType::kFloat, {-1, 1, 1, 2});
  b.constant<float>("gamma", DType::kFloat, {2}, {1, 3});
  b.constant<float>("beta", DType::kFloat, {2}, {0, 1});
  b.constant<float>("mean", DType::kFloat, {2}, {1, 0});
  b.constant<float>("variance", DType::kFloat, {2}, {0, 0.75f});
  const std::string t = frontend::type_attr(DType::kFloat);
  b.add("FusedBatchNormV3", "bn", {"x", "gamma", "beta", "mean", "variance"},
        {{"T", t},
         {"U", t},
         {"epsilon", attr_of_float(0.25f)},
         {"is_training", attr_of_bool(false)},
         {"data_format", attr_of_string("NHWC")}});
  b.add("Identity", "out", {"bn"}, convert_testing::float_t());
  ConvertOptions options = to({"out"});
  options.min_segment_size = 1;
  const auto bytes = b.bytes();
  auto conversion = convert(bytes, options);
  ASSERT_TRUE(conversion.ok()) << conversion.status().message();
  ASSERT_EQ(conversion->report.engines.size(), 1u) << conversion->report.text();
  auto session = Session::create(conversion->graph.flatten());
  ASSERT_TRUE(session.ok()) << session.status().message();
  const std::vector<float> x{2, 4};
  const std::vector<int64_t> dims{1, 1, 1, 2};
  const std::vector<std::string> fetches{"out"};
  const std::vector<std::pair<std::string, TensorRef>> feeds{
      {"x", TensorRef{DType::kFloat, dims, x.data(), 8}}};
  auto y = (*session)->run(fetches, feeds);
  ASSERT_TRUE(y.ok()) << y.status().message();
  ASSERT_EQ((*y)[0].bytes.size(), 8u);
  float got[2];
  std::memcpy(got, (*y)[0].bytes.data(), 8);
  EXPECT_NEAR(got[0], 2, 1e-6);   // (2 - 1) / 0.5
  EXPECT_NEAR(got[1], 13, 1e-5);  // 4 / 1 * 3 + 1
}

}  // namespace
}  // namespace graft
