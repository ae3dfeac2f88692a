// Plans of past versions (tests/golden/plans): added, never regenerated. Today's reader takes them,
// and what it wrote itself it writes again byte for byte.
#include <algorithm>
#include <cstdlib>

#include "base/file_io.h"
#include "op_samples.h"

namespace graft::engine {
namespace {

using namespace engine_testing;

constexpr int64_t kMaxBytes = 1 << 20;

std::string path_of(const std::string& name) {
  return std::string(GRAFT_TEST_DATA) + "/golden/plans/" + name;
}

// Two layers with half weights, a splat, shared constants, symbols shared and not, and attributes
// of every kind.
ir::Network first_golden() {
  Builder b;
  const auto x = b.input("x", DType::kFloat, {-1, 8, 8, 3});
  const auto n = b.network.values[x].type.dims[0];
  const auto mask = b.network.add_value("mask", {DType::kFloat, {n, 1}});
  b.network.inputs.push_back(mask);
  ir::ConvAttrs conv;
  conv.strides = {2, 2};
  conv.padding = ir::Padding::kSame;
  conv.has_bias = true;
  conv.act = {ir::UnaryFn::kLeakyRelu, 0.25f, 0};
  const auto c =
      b.op(conv, {x, b.floats("w", {3, 3, 3, 4}, -1, 0.0625f), b.floats("bias", {4})}, "conv");
  static const float kHalf = 0.5f;
  const auto splat =
      b.network.add_constant("splat", {DType::kFloat, {4}},
                             ir::Constant{std::as_bytes(std::span(&kHalf, 1)), true, nullptr});
  const auto a = b.op(ir::AffineAttrs{{ir::UnaryFn::kClip, -1, 6}},
                      {c, splat, b.floats("shift", {4})}, "affine");
  const auto r = b.op(ir::ReduceAttrs{ir::ReduceFn::kMean, {1, 2}, false}, {a}, "mean");
  const auto m = b.op(ir::MatMulAttrs{}, {r, b.floats("dense", {4, 16}, -2, 0.125f)}, "dense");
  const auto g = b.binary(ir::BinaryFn::kMul, m, mask, "gated");
  b.output(b.op(ir::SoftmaxAttrs{}, {g}, "probs"));
  b.output(b.op(ir::ArgReduceAttrs{true, 1, DType::kInt32}, {g}, "best"));
  return std::move(b.network);
}

struct Golden {
  const char* file;
  Precision precision;
};

class GoldenPlan : public testing::TestWithParam<Golden> {};

TEST_P(GoldenPlan, L11_is_read_runs_and_is_written_again_to_the_same_bytes) {
  auto bytes = read_file(path_of(GetParam().file), kMaxBytes);
  ASSERT_TRUE(bytes.ok()) << bytes.status().message();
  auto plan = read_plan(*bytes);
  ASSERT_TRUE(plan.ok()) << plan.status().message();
  EXPECT_EQ(plan->options.precision, GetParam().precision);
  const WrittenPlan again = must_write(plan->network, plan->options);
  EXPECT_EQ(again.identity, plan->identity);
  EXPECT_EQ(again.bytes, *bytes);
  auto engine = Engine::load(*bytes);
  ASSERT_TRUE(engine.ok()) << engine.status().message();
  const Tensor<float> x = ramp({2, 8, 8, 3}, -1, 0.02f), mask = ramp({2, 1}, 1, 1),
                      wrong = ramp({3, 1});
  const TensorRef refs[] = {x.ref(), mask.ref()}, bad[] = {x.ref(), wrong.ref()};
  Collect out;
  ASSERT_TRUE((*engine)->run(refs, out).ok());
  const auto probs = out.get<float>(0);
  ASSERT_EQ(probs.size(), 32u);
  float sum = 0;
  for (int i = 16; i < 32; ++i) sum += probs[i];
  EXPECT_NEAR(sum, 1, 1e-5f);
  const auto best = out.get<int32_t>(1);
  EXPECT_EQ(best[1], std::max_element(probs.begin() + 16, probs.end()) - probs.begin() - 16);
  const Status status = (*engine)->run(bad, out);
  EXPECT_EQ(status.message(), "input 1 'mask' has 3 at axis 0, expected 2 as axis 0 of input 0");
}

TEST_P(GoldenPlan, of_the_same_network_is_what_this_version_writes) {
  PlanOptions options;
  options.precision = GetParam().precision;
  const WrittenPlan plan = must_write(first_golden(), options);
  // GRAFT_ADD_GOLDEN names a folder for the plan of a new format version.
  if (const char* folder = std::getenv("GRAFT_ADD_GOLDEN")) {
    ASSERT_TRUE(write_file_atomic(std::string(folder) + "/" + GetParam().file, plan.bytes).ok());
  }
  auto bytes = read_file(path_of(GetParam().file), kMaxBytes);
  ASSERT_TRUE(bytes.ok()) << bytes.status().message();
  EXPECT_EQ(plan.bytes, *bytes);
}

INSTANTIATE_TEST_SUITE_P(Plan, GoldenPlan,
                         testing::Values(Golden{"v1_fp32.grft", Precision::kFp32},
                                         Golden{"v1_fp16.grft", Precision::kFp16}),
                         [](const auto& info) {
                           return info.param.precision == Precision::kFp32 ? "v1_fp32" : "v1_fp16";
                         });

}  // namespace
}  // namespace graft::engine
