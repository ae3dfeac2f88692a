#include <cmath>

#include "ir/verify.h"
#include "op_samples.h"

namespace graft::engine {
namespace {

using namespace engine_testing;

class EveryOp : public testing::TestWithParam<int> {};

TEST_P(EveryOp, comes_back_and_is_written_again_to_the_same_bytes) {
  const auto kind = static_cast<ir::OpKind>(GetParam());
  const ir::Network network = sample_network(kind);
  ASSERT_TRUE(ir::verify(network).ok()) << ir::verify(network).message();
  const WrittenPlan plan = must_write(network);
  auto read = read_plan(plan.bytes);
  ASSERT_TRUE(read.ok()) << read.status().message();
  EXPECT_EQ(read->identity, plan.identity);
  EXPECT_EQ(must_write(read->network, read->options).bytes, plan.bytes);
  bool found = false;
  ASSERT_EQ(read->network.ops.size(), network.ops.size());
  for (size_t i = 0; i < network.ops.size(); ++i) {
    EXPECT_EQ(read->network.ops[i].kind(), network.ops[i].kind());
    EXPECT_EQ(read->network.ops[i].name, network.ops[i].name);
    found |= network.ops[i].kind() == kind;
    for (size_t j = 0; j < network.ops[i].outputs.size(); ++j) {
      const ir::Value& a = network.values[network.ops[i].outputs[j]];
      const ir::Value& b = read->network.values[read->network.ops[i].outputs[j]];
      EXPECT_EQ(a.name, b.name);
      EXPECT_EQ(a.type.dtype, b.type.dtype);
      EXPECT_EQ(a.type.rank(), b.type.rank());
    }
  }
  EXPECT_TRUE(found);
}

INSTANTIATE_TEST_SUITE_P(Plan, EveryOp, testing::Range(0, static_cast<int>(ir::OpKind::kCount)),
                         [](const auto& info) {
                           return std::string(
                               ir::op_info(static_cast<ir::OpKind>(info.param)).text_name);
                         });

ir::Network two_layers(float step) {
  Builder b;
  const auto x = b.input("x", DType::kFloat, {-1, 16});
  const auto h = b.op(ir::MatMulAttrs{}, {x, b.floats("w1", {16, 16}, 0, step)}, "h");
  b.output(b.op(ir::MatMulAttrs{}, {h, b.floats("w2", {16, 16}, 0, step)}, "y"));
  return std::move(b.network);
}

TEST(WritePlan, equal_constants_are_stored_once) {
  EXPECT_EQ(must_write(two_layers(0.5f)).weights_bytes, 16 * 16 * 4);
}

TEST(WritePlan, D3_identity_follows_weights_and_precision_and_not_batch_or_workspace) {
  const std::string base = must_write(two_layers(0.5f)).identity;
  EXPECT_EQ(base.size(), 64u);
  EXPECT_EQ(must_write(two_layers(0.5f)).identity, base);
  EXPECT_NE(must_write(two_layers(0.25f)).identity, base);
  PlanOptions options;
  options.tuning_batch = 8;
  options.max_workspace_bytes = 1000;
  EXPECT_EQ(must_write(two_layers(0.5f), options).identity, base);
  options.strict_math = true;
  EXPECT_NE(must_write(two_layers(0.5f), options).identity, base);
  options = {};
  options.precision = Precision::kFp16;
  EXPECT_NE(must_write(two_layers(0.5f), options).identity, base);
}

TEST(WritePlan, options_come_back) {
  PlanOptions options;
  options.tuning_batch = 8;
  options.max_workspace_bytes = 1000;
  options.strict_math = true;
  options.precision = Precision::kFp16;
  auto read = read_plan(must_write(two_layers(0.5f), options).bytes);
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->options.tuning_batch, 8);
  EXPECT_EQ(read->options.max_workspace_bytes, 1000);
  EXPECT_TRUE(read->options.strict_math);
  EXPECT_EQ(read->options.precision, Precision::kFp16);
}

TEST(WritePlan, fp16_halves_large_weights_and_reads_them_back_rounded) {
  PlanOptions options;
  options.precision = Precision::kFp16;
  const WrittenPlan plan = must_write(two_layers(0.1f), options);
  EXPECT_EQ(plan.weights_bytes, 16 * 16 * 2);
  EXPECT_EQ(plan.narrow_values, (std::vector<std::string>{"w1", "w2"}));
  EXPECT_TRUE(plan.warnings.empty());
  auto read = read_plan(plan.bytes);
  ASSERT_TRUE(read.ok()) << read.status().message();
  for (const ir::Value& value : read->network.values) {
    if (value.name != "w1") continue;
    float w;
    std::memcpy(&w, value.constant->bytes.data() + 3 * sizeof w, sizeof w);
    EXPECT_EQ(w, half_to_float(float_to_half(0.1f * 3)));
    EXPECT_EQ(value.constant->bytes.size(), 16u * 16 * 4);
  }
  EXPECT_EQ(must_write(read->network, read->options).bytes, plan.bytes);
}

class HalfRefused : public testing::TestWithParam<float> {};

TEST_P(HalfRefused, T9_layer_stays_float32_with_a_warning) {
  Builder b;
  const auto x = b.input("x", DType::kFloat, {-1, 16});
  std::vector<float> w(256, 0.0f);
  w[7] = GetParam();
  const auto c = b.network.add_constant_of<float>("w", Dims{16, 16}, w);
  b.output(b.op(ir::MatMulAttrs{}, {x, c}, "layer"));
  PlanOptions options;
  options.precision = Precision::kFp16;
  const WrittenPlan plan = must_write(b.network, options);
  EXPECT_EQ(plan.weights_bytes, 16 * 16 * 4);
  ASSERT_EQ(plan.warnings.size(), 1u);
  EXPECT_NE(plan.warnings[0].find("layer"), std::string::npos) << plan.warnings[0];
  EXPECT_TRUE(plan.narrow_values.empty());
}

INSTANTIATE_TEST_SUITE_P(Plan, HalfRefused,
                         testing::Values(65505.0f, -70000.0f, 1e-9f, INFINITY, NAN));

TEST(WritePlan, fp16_keeps_constants_that_are_not_only_weights) {
  Builder b;
  const auto x = b.input("x", DType::kFloat, {16, 16});
  const auto w = b.floats("w", {16, 16});
  const auto y = b.op(ir::MatMulAttrs{}, {x, w}, "y");
  b.output(b.binary(ir::BinaryFn::kAdd, y, w, "z"));
  PlanOptions options;
  options.precision = Precision::kFp16;
  EXPECT_TRUE(must_write(b.network, options).narrow_values.empty());
}

TEST(WritePlan, bf16_stores_large_weights_in_bfloat16_and_reads_them_back_rounded) {
  PlanOptions options;
  options.precision = Precision::kBf16;
  const WrittenPlan plan = must_write(two_layers(0.1f), options);
  EXPECT_EQ(plan.weights_bytes, 16 * 16 * 2);
  EXPECT_EQ(plan.narrow_values, (std::vector<std::string>{"w1", "w2"}));
  EXPECT_EQ(plan.narrow_dtype, DType::kBfloat16);
  auto read = read_plan(plan.bytes);
  ASSERT_TRUE(read.ok()) << read.status().message();
  EXPECT_EQ(read->options.precision, Precision::kBf16);
  for (const ir::Value& value : read->network.values) {
    if (value.name != "w1") continue;
    float w;
    std::memcpy(&w, value.constant->bytes.data() + 3 * sizeof w, sizeof w);
    EXPECT_EQ(w, bfloat16_to_float(float_to_bfloat16(0.1f * 3)));
  }
  EXPECT_EQ(must_write(read->network, read->options).bytes, plan.bytes);
}

TEST(WritePlan, weights_beyond_half_are_within_bfloat16) {
  Builder b;
  const auto x = b.input("x", DType::kFloat, {-1, 16});
  const auto c =
      b.network.add_constant_of<float>("w", Dims{16, 16}, std::vector<float>(256, 70000.0f));
  b.output(b.op(ir::MatMulAttrs{}, {x, c}, "layer"));
  PlanOptions options;
  options.precision = Precision::kBf16;
  EXPECT_EQ(must_write(b.network, options).narrow_values, (std::vector<std::string>{"w"}));
}

TEST(WritePlan, weights_that_bfloat16_rounds_to_infinity_stay_float32) {
  Builder b;
  const auto x = b.input("x", DType::kFloat, {-1, 16});
  const auto c =
      b.network.add_constant_of<float>("w", Dims{16, 16}, std::vector<float>(256, 3.4e38f));
  b.output(b.op(ir::MatMulAttrs{}, {x, c}, "layer"));
  PlanOptions options;
  options.precision = Precision::kBf16;
  const WrittenPlan plan = must_write(b.network, options);
  EXPECT_TRUE(plan.narrow_values.empty());
  ASSERT_EQ(plan.warnings.size(), 1u);
  EXPECT_NE(plan.warnings[0].find("bfloat16"), std::string::npos) << plan.warnings[0];
}

TEST(WritePlan, splat_stays_one_element) {
  Builder b;
  const auto x = b.input("x", DType::kFloat, {-1, 1000});
  static const float kTwo = 2;
  const auto c =
      b.network.add_constant("c", {DType::kFloat, {1000}},
                             ir::Constant{std::as_bytes(std::span(&kTwo, 1)), true, nullptr});
  b.output(b.binary(ir::BinaryFn::kAdd, x, c, "y"));
  EXPECT_EQ(must_write(b.network).weights_bytes, 4);
}

}  // namespace
}  // namespace graft::engine
