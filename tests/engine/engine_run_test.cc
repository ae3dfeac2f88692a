#include <algorithm>

#include "base/alloc.h"
#include "op_samples.h"

namespace graft::engine {
namespace {

using namespace engine_testing;

std::vector<float> run1(Engine& engine, const Tensor<float>& x) {
  Collect out;
  const TensorRef ref = x.ref();
  const Status status = engine.run({&ref, 1}, out);
  EXPECT_TRUE(status.ok()) << status.message();
  return status.ok() ? out.get<float>(0) : std::vector<float>{};
}

// relu(x * 2 + 1) by three ops that may run in place.
ir::Network chain() {
  Builder b;
  const auto x = b.input("x", DType::kFloat, {-1, 4});
  const auto m = b.binary(ir::BinaryFn::kMul, x, b.scalar<float>("two", 2), "m");
  const auto a = b.binary(ir::BinaryFn::kAdd, m, b.scalar<float>("one", 1), "a");
  b.output(b.relu(a, "y"));
  return std::move(b.network);
}

TEST(Engine, chain_gives_the_right_answer_in_place_or_not) {
  for (bool in_place : {false, true}) {
    auto engine = must_load(chain(), in_place);
    const Tensor<float> x = ramp({3, 4}, -5);
    const auto y = run1(*engine, x);
    ASSERT_EQ(y.size(), 12u);
    for (size_t i = 0; i < y.size(); ++i) EXPECT_EQ(y[i], std::max(0.0f, x.elems[i] * 2 + 1));
    EXPECT_EQ(engine->stats().arena_bytes, in_place ? 64u : 128u);
  }
}

TEST(Engine, in_place_never_overwrites_what_is_used_later) {
  Builder b;
  const auto x = b.input("x", DType::kFloat, {8});
  const auto a = b.relu(x, "a");
  const auto n = b.op(ir::UnaryAttrs{{ir::UnaryFn::kNeg, 0, 0}}, {a}, "n");
  const auto v = b.op(ir::ExpandDimsAttrs{0}, {a}, "v");  // views a
  const auto s = b.binary(ir::BinaryFn::kAdd, n, n, "s");
  b.output(b.binary(ir::BinaryFn::kSub, s, v, "y"));
  auto engine = must_load(b.network, true);
  const Tensor<float> x1 = ramp({8}, 1);
  const auto y = run1(*engine, x1);
  for (size_t i = 0; i < 8; ++i) EXPECT_EQ(y[i], -3 * x1.elems[i]);
}

TEST(Engine, I1_I2_any_batch_and_many_shapes) {
  auto engine = must_load(chain());
  for (int64_t n : {3, 0, 1, 7, 130, 3, 0}) {
    Collect out;
    const Tensor<float> x = ramp({n, 4});
    const TensorRef ref = x.ref();
    ASSERT_TRUE(engine->run({&ref, 1}, out).ok());
    EXPECT_EQ(out.dims(0), (Dims{n, 4}));
    for (size_t i = 0; i < x.elems.size(); ++i) EXPECT_EQ(out.get<float>(0)[i], x.elems[i] * 2 + 1);
  }
}

TEST(Engine, I3_a_thousand_shapes_stay_bounded) {
  auto engine = must_load(chain());
  const int64_t before = alloc_stats().live_bytes;
  for (int64_t n = 1; n <= 1000; ++n)
    ASSERT_EQ(run1(*engine, ramp({n, 4})).size(), static_cast<size_t>(4 * n));
  EXPECT_LE(alloc_stats().live_bytes - before, 2 * 1024 * 16 + 256);  // one context of the largest
}

TEST(Engine, I2_wrong_inputs_are_named_with_got_and_expected) {
  auto engine = must_load(chain());
  Collect out;
  const auto text = [&](std::vector<TensorRef> refs) {
    const Status status = engine->run(refs, out);
    EXPECT_EQ(status.code(), Code::kInvalidArgument);
    return status.message();
  };
  const Tensor<float> rank = ramp({4}), fixed = ramp({2, 5}), good = ramp({2, 4});
  const Tensor<int32_t> ints{{2, 4}, std::vector<int32_t>(8)};
  EXPECT_EQ(text({}), "got 0 inputs, expected 1");
  EXPECT_EQ(text({rank.ref()}), "input 0 'x' has shape [4], expected [?,4]");
  EXPECT_EQ(text({fixed.ref()}), "input 0 'x' has shape [2,5], expected [?,4]");
  EXPECT_EQ(text({ints.ref()}), "input 0 'x' is int32, expected float32");
  TensorRef short_ref = good.ref();
  short_ref.size_bytes = 28;
  EXPECT_EQ(text({short_ref}), "input 0 'x' has 28 bytes, expected 32 for shape [2,4]");
  const Dims huge{INT64_MAX / 2, 4};
  EXPECT_NE(text({TensorRef{DType::kFloat, huge, good.elems.data(), 32}}).find("overflows"),
            std::string::npos);
}

TEST(Engine, I6_unaligned_and_overlapping_borders) {
  auto engine = must_load(chain());
  const Tensor<float> x = ramp({3, 4}, -5);
  const auto expected = run1(*engine, x);
  std::vector<std::byte> room(x.elems.size() * 4 + 8);
  for (size_t shift : {1, 2, 3, 4}) {
    std::memcpy(&room[shift], x.elems.data(), x.elems.size() * 4);
    Collect out;
    out.misalign = (shift * 3) % 8;
    const TensorRef ref{DType::kFloat, x.dims, &room[shift], x.elems.size() * 4};
    ASSERT_TRUE(engine->run({&ref, 1}, out).ok());
    EXPECT_EQ(out.get<float>(0), expected);
  }
}

// The sink hands out the memory of the input, as TensorFlow does when it forwards a buffer.
class ForwardingSink final : public OutputSink {
 public:
  explicit ForwardingSink(void* memory) : memory_(memory) {}
  void* allocate(int, DType, std::span<const int64_t>, size_t) override { return memory_; }

 private:
  void* memory_;
};

TEST(Engine, I6_output_in_the_memory_of_the_input) {
  Builder b;  // y is written before x is read for the last time
  const auto x = b.input("x", DType::kFloat, {8});
  const auto r = b.op(ir::ReduceAttrs{ir::ReduceFn::kSum, {0}, true}, {x}, "r");
  const auto y = b.binary(ir::BinaryFn::kAdd, x, r, "y");
  b.output(y);
  auto engine = must_load(b.network);
  Tensor<float> data = ramp({8}, 1);
  const auto expected = run1(*engine, data);
  ForwardingSink sink(data.elems.data());
  const TensorRef ref = data.ref();
  ASSERT_TRUE(engine->run({&ref, 1}, sink).ok());
  EXPECT_EQ(data.elems, expected);
}

TEST(Engine, outputs_that_are_inputs_constants_views_or_twice_the_same) {
  Builder b;
  const auto x = b.input("x", DType::kFloat, {-1, 4});
  const auto c = b.floats("c", {2, 2});
  const auto r = b.relu(x, "r");
  const auto flat = b.op(ir::ReshapeAttrs{}, {r, b.ints("shape", {-1})}, "flat");
  const auto shape = b.op(ir::ShapeAttrs{DType::kInt32}, {x}, "shape_of");
  const auto id = b.op(ir::UnaryAttrs{}, {x}, "id");
  const auto view_of_c = b.op(ir::ExpandDimsAttrs{0}, {c}, "ec");
  for (ir::ValueId out : {x, c, r, r, flat, shape, id, view_of_c}) b.output(out);
  auto engine = must_load(b.network);
  const Tensor<float> in = ramp({3, 4}, -2);
  std::vector<float> relu = in.elems;
  for (float& v : relu) v = std::max(v, 0.0f);
  Collect out;
  const TensorRef ref = in.ref();
  const Status status = engine->run({&ref, 1}, out);
  ASSERT_TRUE(status.ok()) << status.message();
  EXPECT_EQ(out.get<float>(0), in.elems);
  EXPECT_EQ(out.get<float>(1), (std::vector<float>{0.5f, 0.75f, 1, 1.25f}));
  EXPECT_EQ(out.get<float>(2), relu);
  EXPECT_EQ(out.get<float>(3), relu);
  EXPECT_EQ(out.get<float>(4), relu);
  EXPECT_EQ(out.dims(4), (Dims{12}));
  EXPECT_EQ(out.get<int32_t>(5), (std::vector<int32_t>{3, 4}));
  EXPECT_EQ(out.get<float>(6), in.elems);
  EXPECT_EQ(out.get<float>(7), out.get<float>(1));
  EXPECT_EQ(out.dims(7), (Dims{1, 2, 2}));
}

TEST(Engine, fp16_plan_computes_with_rounded_weights) {
  static const ReferenceBackend backend;
  Builder b;
  const auto x = b.input("x", DType::kFloat, {1, 16});
  b.output(b.op(ir::MatMulAttrs{}, {x, b.floats("w", {16, 8}, 0.1f, 0.01f)}, "y"));
  PlanOptions options;
  options.precision = Precision::kFp16;
  auto engine = load_engine(must_write(b.network, options).bytes, {}, backend);
  ASSERT_TRUE(engine.ok());
  Tensor<float> one = ramp({1, 16}, 0, 0);
  one.elems[2] = 1;
  const auto y = run1(**engine, one);
  for (int j = 0; j < 8; ++j)
    EXPECT_EQ(y[j],
              half_to_float(float_to_half(0.1f + 0.01f * static_cast<float>((2 * 8 + j) % 97))));
}

TEST(Engine, I9_stop_token_ends_the_run) {
  auto engine = must_load(chain());
  std::stop_source source;
  source.request_stop();
  const Tensor<float> x = ramp({3, 4});
  const TensorRef ref = x.ref();
  Collect out;
  EXPECT_EQ(engine->run({&ref, 1}, out, source.get_token()).code(), Code::kCancelled);
  EXPECT_TRUE(engine->run({&ref, 1}, out).ok());
}

TEST(Engine, data_error_of_a_step_comes_back_as_its_status) {
  Builder b;
  const auto i = b.input("i", DType::kInt32, {2});
  b.output(b.op(ir::GatherAttrs{0, 0}, {b.floats("table", {4, 2}), i}, "lookup"));
  auto engine = must_load(b.network);
  const Tensor<int32_t> bad{{2}, {1, 9}};
  const TensorRef ref = bad.ref();
  Collect out;
  const Status status = engine->run({&ref, 1}, out);
  EXPECT_EQ(status.code(), Code::kInvalidArgument) << status.message();
  EXPECT_NE(status.message().find("lookup"), std::string::npos);
}

TEST(Engine, profile_names_steps_and_the_reference_share) {
  auto engine = must_load(chain());
  const Tensor<float> x = ramp({3, 4});
  const TensorRef ref = x.ref();
  Collect out;
  ASSERT_TRUE(engine->run_profiled({&ref, 1}, out).ok());
  const auto steps = engine->steps();
  ASSERT_EQ(steps.size(), 3u);
  EXPECT_EQ(steps[0].name, "m");
  EXPECT_EQ(steps[0].op, "binary");
  EXPECT_EQ(steps[0].kernel, "reference");
  EXPECT_EQ(steps[0].flops, 12);
  EXPECT_GT(steps[2].time_ns, 0);
  EXPECT_EQ(engine->stats().reference_flops_share, 1);
}

TEST(Engine, shape_arithmetic_needs_no_step_and_follows_the_input) {
  Builder b;  // y = reshape(x, [shape(x)[0] * 2, -1])
  const auto x = b.input("x", DType::kFloat, {-1, 4});
  const auto shape = b.op(ir::ShapeAttrs{DType::kInt32}, {x}, "shape");
  ir::StridedSliceAttrs first;
  first.shrink_axis_mask = 1;
  const auto n = b.op(first, {shape, b.ints("b", {0}), b.ints("e", {1}), b.ints("s", {1})}, "n");
  const auto n2 = b.binary(ir::BinaryFn::kMul, n, b.scalar<int32_t>("two", 2), "n2");
  const auto target = b.op(ir::PackAttrs{0}, {n2, b.scalar<int32_t>("rest", -1)}, "target");
  b.output(b.op(ir::ReshapeAttrs{}, {x, target}, "y"));
  b.output(b.op(ir::CastAttrs{DType::kFloat}, {n2}, "as_data"));
  auto engine = must_load(b.network);
  EXPECT_EQ(engine->steps().size(), 1u);  // the cast
  for (int64_t batch : {1, 5}) {
    Collect out;
    const Tensor<float> in = ramp({batch, 4});
    const TensorRef ref = in.ref();
    const Status status = engine->run({&ref, 1}, out);
    ASSERT_TRUE(status.ok()) << status.message();
    EXPECT_EQ(out.dims(0), (Dims{batch * 2, 2}));
    EXPECT_EQ(out.get<float>(0), in.elems);
    EXPECT_EQ(out.get<float>(1), std::vector<float>{static_cast<float>(batch * 2)});
  }
}

}  // namespace
}  // namespace graft::engine
