// Plans of quantized networks: they come back as written, give the same bits on every backend, and
// are refused when a scale or a dtype in them was forged.
#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "base/file_io.h"
#include "engine/plan/container.h"
#include "engine_testing.h"
#include "ir/verify.h"

namespace graft::engine {
namespace {

using namespace engine_testing;
using ir::DstQuant;
using Bytes = std::vector<std::byte>;

constexpr float kMarkedScale = 0.0371245f;

class QuantizedBuilder : public Builder {
 public:
  ir::ValueId quantized(ir::Attrs attrs, std::vector<ir::ValueId> inputs, const std::string& name,
                        DstQuant quant) {
    auto r = network.append(std::move(attrs), std::move(inputs), name, -1, quant);
    EXPECT_TRUE(r.ok()) << r.status().message();
    return r.ok() ? *r : ir::kNoValue;
  }
  ir::ValueId weights(const std::string& name, const Dims& dims) {
    std::vector<int8_t> w;
    int64_t n = 1;
    for (int64_t d : dims) n *= d;
    for (int64_t i = 0; i < n; ++i) w.push_back(static_cast<int8_t>(i * 37 % 255 - 127));
    return network.add_constant_of<int8_t>(name, dims, w);
  }
};

// Quantize, convolutions with and without groups, residual, swish, gate, pools, concat, pad, mean,
// matrix products, attention, and back to float. Never changed: tests/golden/plans/v1_int8.grft.
ir::Network quantized_network() {
  QuantizedBuilder b;
  const auto x = b.input("x", DType::kFloat, {-1, 8, 8, 8});
  const auto q = b.quantized(ir::QuantizeAttrs{}, {x}, "q", {DType::kInt8, kMarkedScale});
  ir::ConvAttrs conv;
  conv.padding = ir::Padding::kSame;
  conv.has_bias = true;
  conv.act.fn = ir::UnaryFn::kRelu;
  const auto bias = b.ints("bias", {-900, -300, 0, 10, 20, 300, 700, 2000});
  const auto scales = b.floats("scales", {8}, 0.002f, 0.0005f);
  const auto c = b.quantized(conv, {q, b.weights("w1", {3, 3, 8, 8}), bias, scales}, "c",
                             {DType::kUint8, 0.03f});
  conv.groups = 8;
  conv.has_residual = true;
  const auto d = b.quantized(conv, {c, b.weights("w2", {3, 3, 1, 8}), bias, q, scales}, "d",
                             {DType::kInt8, 0.04f});
  const auto s =
      b.quantized(ir::UnaryAttrs{{ir::UnaryFn::kSwish, 0, 0}}, {d}, "s", {DType::kInt8, 0.04f});
  const auto g = b.quantized(ir::ReduceAttrs{ir::ReduceFn::kMean, {1, 2}, true}, {s}, "g",
                             {DType::kInt8, 0.02f});
  const auto m =
      b.quantized(ir::BinaryAttrs{ir::BinaryFn::kMul}, {s, g}, "m", {DType::kInt8, 0.04f});
  const auto t = b.quantized(ir::AttentionAttrs{0.2f, true}, {d, q, c, b.floats("mask", {8, 8})},
                             "t", {DType::kUint8, 0.02f});
  ir::MatMulAttrs turned;
  turned.transpose_b = true;
  const auto u = b.quantized(turned, {t, m}, "u", {DType::kInt8, 0.04f});
  const auto joined = b.op(ir::ConcatAttrs{3}, {u, d}, "joined");
  const std::vector<int32_t> pads{0, 0, 1, 1, 0, 0, 0, 0};
  const auto p = b.network.add_constant_of<int32_t>("pads", Dims{4, 2}, pads);
  const auto padded = b.op(ir::PadAttrs{}, {joined, p, b.scalar<int8_t>("value", -3)}, "padded");
  ir::PoolAttrs pool;
  pool.ksize = pool.strides = {2, 2};
  const auto max = b.op(pool, {padded}, "max");
  pool.fn = ir::PoolFn::kAvg;
  const auto avg = b.quantized(pool, {max}, "avg", {DType::kInt8, 0.03f});
  const auto mean = b.quantized(ir::ReduceAttrs{ir::ReduceFn::kMean, {1, 2}, false}, {avg}, "mean",
                                {DType::kInt8, 0.02f});
  const auto y = b.quantized(
      ir::MatMulAttrs{}, {mean, b.weights("w3", {16, 5}), b.floats("scales3", {5}, 0.002f, 0.001f)},
      "y", {});
  b.output(y);
  b.output(b.op(ir::QuantizeAttrs{}, {avg}, "back"));
  return std::move(b.network);
}

// Makes header, identity and digests agree with content that was changed.
void repair(Bytes& plan) {
  PlanHeader header;
  std::memcpy(&header.metadata_bytes, &plan[40], 8);
  std::memcpy(&header.weights_bytes, &plan[48], 8);
  std::memcpy(&header.max_workspace_bytes, &plan[56], 8);
  std::memcpy(&header.tuning_batch, &plan[64], 8);
  header.writer = "test";
  auto layout = plan_layout(header, {});
  ASSERT_TRUE(layout.ok() && layout->total == plan.size());
  seal_container(plan, header, *layout);
}

TEST(QuantizedPlan, comes_back_and_is_written_again_to_the_same_bytes) {
  const ir::Network network = quantized_network();
  ASSERT_TRUE(ir::verify(network).ok()) << ir::verify(network).message();
  const WrittenPlan plan = must_write(network);
  auto read = read_plan(plan.bytes);
  ASSERT_TRUE(read.ok()) << read.status().message();
  EXPECT_EQ(must_write(read->network, read->options).bytes, plan.bytes);
  ASSERT_EQ(read->network.ops.size(), network.ops.size());
  for (size_t i = 0; i < network.ops.size(); ++i) {
    EXPECT_EQ(read->network.ops[i].quant, network.ops[i].quant);
    const ir::TensorType &a = network.values[network.ops[i].outputs[0]].type,
                         &b = read->network.values[read->network.ops[i].outputs[0]].type;
    EXPECT_EQ(a.scale, b.scale);
    EXPECT_EQ(a.dtype, b.dtype);
  }
}

TEST(QuantizedPlan, L11_golden_plan_is_what_this_version_reads_and_writes) {
  const Bytes plan = must_write(quantized_network()).bytes;
  const std::string name = "/v1_int8.grft";
  if (const char* folder = std::getenv("GRAFT_ADD_GOLDEN")) {
    ASSERT_TRUE(write_file_atomic(folder + name, plan).ok());
  }
  auto golden = read_file(std::string(GRAFT_TEST_DATA) + "/golden/plans" + name, 1 << 20);
  ASSERT_TRUE(golden.ok()) << golden.status().message();
  EXPECT_EQ(plan, *golden);
  auto read = read_plan(*golden);
  ASSERT_TRUE(read.ok()) << read.status().message();
  EXPECT_EQ(must_write(read->network, read->options).bytes, *golden);
}

TEST(QuantizedPlan, same_bits_from_kernels_and_reference) {
  const Bytes plan = must_write(quantized_network()).bytes;
  static const ReferenceBackend reference, in_place(true);
  for (int64_t batch : {1, 3}) {
    const auto x = ramp({batch, 8, 8, 8}, -4.5f, 0.1f);
    const std::vector<TensorRef> feeds{x.ref()};
    std::vector<std::vector<float>> want;
    for (const backends::Backend* backend : std::initializer_list<const backends::Backend*>{
             &reference, &in_place, &backends::cpu_backend()}) {
      auto engine = load_engine(plan, {}, *backend);
      ASSERT_TRUE(engine.ok()) << engine.status().message();
      Collect out;
      const Status status = (*engine)->run(feeds, out);
      ASSERT_TRUE(status.ok()) << status.message();
      const std::vector<std::vector<float>> got{out.get<float>(0), out.get<float>(1)};
      if (want.empty()) want = got;
      EXPECT_EQ(got, want) << backend->name();
    }
    EXPECT_GT(*std::max_element(want[1].begin(), want[1].end()), 0.5f);
  }
}

TEST(QuantizedPlan, L2_L6_forged_scales_and_dtypes_are_refused) {
  const Bytes plan = must_write(quantized_network()).bytes;
  const auto forged = [&](auto&& change) {
    Bytes bytes = plan;
    std::byte mark[4];
    std::memcpy(mark, &kMarkedScale, 4);
    const auto at = std::search(bytes.begin(), bytes.end(), std::begin(mark), std::end(mark));
    EXPECT_NE(at, bytes.end());
    change(&*at);
    repair(bytes);
    return read_plan(bytes).status();
  };
  for (float scale : {0.0f, -1.0f, NAN, 1e38f, 1e-40f}) {
    const Status s = forged([&](std::byte* at) { std::memcpy(at, &scale, 4); });
    EXPECT_EQ(s.code(), Code::kPlanError) << scale;
    EXPECT_NE(s.message().find("dst scale"), std::string::npos) << s.message();
  }
  // The dtype lies beside the scale.
  for (int32_t dtype : {0, 1, 3, 99}) {
    int found = 0;
    const Status s = forged([&](std::byte* at) {
      for (std::byte* p : {at - 4, at + 4}) {
        int32_t old;
        std::memcpy(&old, p, 4);
        if (old != static_cast<int32_t>(DType::kInt8)) continue;
        std::memcpy(p, &dtype, 4);
        ++found;
      }
    });
    ASSERT_EQ(found, 1);
    EXPECT_EQ(s.code(), Code::kPlanError) << dtype << ": " << s.message();
    EXPECT_NE(s.message().find(dtype == 0 ? "scale without a dtype" : "expected int8 or uint8"),
              std::string::npos)
        << s.message();
  }
}

TEST(QuantizedPlan, L6_quant_of_a_kind_that_is_never_quantized_is_refused) {
  Builder b;
  const auto x = b.input("x", DType::kFloat, {2, 4});
  b.output(b.op(ir::SoftmaxAttrs{}, {x}, "y"));
  ir::Network network = std::move(b.network);
  network.ops[0].quant = {DType::kInt8, 0.5f};
  network.values[network.ops[0].outputs[0]].type = {DType::kInt8, {2, 4}, 0.5f};
  EXPECT_FALSE(ir::verify(network).ok());
  // A plan that holds it, whoever wrote it.
  const auto written = write_plan(network, {});
  ASSERT_TRUE(written.ok()) << written.status().message();
  EXPECT_EQ(read_plan(written->bytes).status().code(), Code::kPlanError);
}

}  // namespace
}  // namespace graft::engine
