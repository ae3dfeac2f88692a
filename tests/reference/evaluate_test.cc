// Small cases computed by hand; the wide comparison with TensorFlow is tests/conformance.
#include "reference/evaluate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#if defined(__SSE2__)
#include <xmmintrin.h>
#endif

#include "base/dtype.h"

namespace graft::reference {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

template <typename T>
struct Tensor {
  std::vector<int64_t> dims;
  std::vector<T> v;
  ConstTensor in() const { return {dtype_of<T>(), dims, v.data()}; }
  MutTensor out() { return {dtype_of<T>(), dims, v.data()}; }
};

ir::Op op(ir::Attrs attrs) {
  ir::Op o;
  o.attrs = std::move(attrs);
  o.name = "op";
  return o;
}

// Evaluates into a tensor of `dims`.
template <typename T>
std::vector<T> eval(ir::Attrs attrs, std::vector<ConstTensor> in, std::vector<int64_t> dims) {
  size_t n = 1;
  for (int64_t d : dims) n *= static_cast<size_t>(d);
  Tensor<T> y{std::move(dims), std::vector<T>(n)};
  const MutTensor out[] = {y.out()};
  const Status s = evaluate(op(std::move(attrs)), in, out);
  EXPECT_TRUE(s.ok()) << s.message();
  return y.v;
}

template <typename T>
std::string error(ir::Attrs attrs, std::vector<ConstTensor> in, std::vector<int64_t> dims) {
  size_t n = 1;
  for (int64_t d : dims) n *= static_cast<size_t>(d);
  Tensor<T> y{std::move(dims), std::vector<T>(n)};
  const MutTensor out[] = {y.out()};
  return evaluate(op(std::move(attrs)), in, out).message();
}

using F = Tensor<float>;
using I = Tensor<int32_t>;

TEST(ReferenceConv, SamePadsMoreBehind) {
  // 1-D: [1,2,3,4], window of ones over 2, stride 1, SAME pads one behind.
  const F x{{1, 1, 4, 1}, {1, 2, 3, 4}}, w{{1, 2, 1, 1}, {1, 1}};
  ir::ConvAttrs a;
  a.padding = ir::Padding::kSame;
  EXPECT_THAT(eval<float>(a, {x.in(), w.in()}, {1, 1, 4, 1}), ElementsAre(3, 5, 7, 4));
}

TEST(ReferenceConv, StridesDilationsBiasResidualActivation) {
  const F x{{1, 1, 5, 1}, {1, 2, 3, 4, 5}}, w{{1, 2, 1, 1}, {1, -1}};
  const F bias{{1}, {1}}, residual{{1, 1, 2, 1}, {0, 3}};
  ir::ConvAttrs a;
  a.strides = {1, 2};
  a.dilations = {1, 2};
  a.has_bias = a.has_residual = true;
  a.act.fn = ir::UnaryFn::kRelu;  // x[i] - x[i+2] = -2
  EXPECT_THAT(eval<float>(a, {x.in(), w.in(), bias.in(), residual.in()}, {1, 1, 2, 1}),
              ElementsAre(0, 2));
}

TEST(ReferenceConv, GroupsAreSeparate) {
  const F x{{1, 1, 1, 4}, {1, 2, 3, 4}}, w{{1, 1, 2, 2}, {1, 10, 2, 20}};
  ir::ConvAttrs a;
  a.groups = 2;
  EXPECT_THAT(eval<float>(a, {x.in(), w.in()}, {1, 1, 1, 2}), ElementsAre(5, 110));
}

TEST(ReferenceConv, AccumulatesInDouble) {
  const F x{{1, 1, 1, 3}, {1e8f, 1, -1e8f}}, w{{1, 1, 3, 1}, {1, 1, 1}};
  EXPECT_THAT(eval<float>(ir::ConvAttrs{}, {x.in(), w.in()}, {1, 1, 1, 1}), ElementsAre(1));
}

TEST(ReferencePool, AverageDividesByElementsInside) {
  const F x{{1, 1, 3, 1}, {3, 5, 8}};
  ir::PoolAttrs a{ir::PoolFn::kAvg, {1, 3}, {1, 1}, ir::Padding::kSame, {0, 0, 0, 0}};
  const auto y = eval<float>(a, {x.in()}, {1, 1, 3, 1});
  EXPECT_FLOAT_EQ(y[0], 4);
  EXPECT_FLOAT_EQ(y[1], 16.0f / 3);
  EXPECT_FLOAT_EQ(y[2], 6.5f);
}

TEST(ReferencePool, I4_max_skips_nan_as_tensorflow) {
  const F x{{1, 1, 2, 1}, {NAN, -5}};
  ir::PoolAttrs a;
  a.ksize = {1, 2};
  EXPECT_THAT(eval<float>(a, {x.in()}, {1, 1, 1, 1}), ElementsAre(-5));
  const F nan{{1, 1, 2, 1}, {NAN, NAN}};
  EXPECT_THAT(eval<float>(a, {nan.in()}, {1, 1, 1, 1}),
              ElementsAre(std::numeric_limits<float>::lowest()));
}

TEST(ReferenceMatMul, TransposesAndBatches) {
  const F a{{2, 1, 2}, {1, 2, 3, 4}}, b{{2, 2}, {5, 6, 7, 8}};
  EXPECT_THAT(eval<float>(ir::MatMulAttrs{}, {a.in(), b.in()}, {2, 1, 2}),
              ElementsAre(19, 22, 43, 50));
  ir::MatMulAttrs t;
  t.transpose_b = true;
  EXPECT_THAT(eval<float>(t, {a.in(), b.in()}, {2, 1, 2}), ElementsAre(17, 23, 39, 53));
}

TEST(ReferenceBinary, IntegerDivision) {
  const I a{{4}, {7, -7, 7, INT32_MIN}}, b{{4}, {2, 2, -2, -1}};
  const auto run = [&](ir::BinaryFn fn) {
    return eval<int32_t>(ir::BinaryAttrs{fn}, {a.in(), b.in()}, {4});
  };
  EXPECT_THAT(run(ir::BinaryFn::kFloorDiv), ElementsAre(3, -4, -4, INT32_MIN));
  EXPECT_THAT(run(ir::BinaryFn::kTruncDiv), ElementsAre(3, -3, -3, INT32_MIN));
  EXPECT_THAT(run(ir::BinaryFn::kFloorMod), ElementsAre(1, 1, -1, 0));
  EXPECT_THAT(run(ir::BinaryFn::kTruncMod), ElementsAre(1, -1, 1, 0));
  const I zero{{}, {0}};
  EXPECT_THAT(error<int32_t>(ir::BinaryAttrs{ir::BinaryFn::kFloorDiv}, {a.in(), zero.in()}, {4}),
              HasSubstr("'op': integer division by zero"));
}

TEST(ReferenceBinary, MaxKeepsNan) {
  const F a{{3}, {NAN, 1, 2}}, b{{3}, {1, NAN, 1}};
  const auto y = eval<float>(ir::BinaryAttrs{ir::BinaryFn::kMax}, {a.in(), b.in()}, {3});
  EXPECT_TRUE(std::isnan(y[0]) && std::isnan(y[1]));
  EXPECT_EQ(y[2], 2);
}

TEST(ReferenceUnary, RintRoundsHalfToEven) {
  const F x{{5}, {0.5f, 1.5f, 2.5f, -0.5f, -1.5f}};
  EXPECT_THAT(eval<float>(ir::UnaryAttrs{{ir::UnaryFn::kRint}}, {x.in()}, {5}),
              ElementsAre(0, 2, 2, 0, -2));
}

TEST(ReferenceMatMul, HalfIsRoundedOnce) {
  // 1 + 2^-11 lies half way between two halves; 2^-24 more must round up, which a detour by float
  // would lose.
  Tensor<Half> y{{1, 1}, {Half{}}};
  const Half one(1.0f), tiny(0x1p-12f);
  const Tensor<Half> a{{1, 3}, {tiny, one, one}}, b{{3, 1}, {tiny, one, Half(0x1p-11f)}};
  const ConstTensor in[] = {a.in(), b.in()};
  const MutTensor dst[] = {y.out()};
  ASSERT_TRUE(evaluate(op(ir::MatMulAttrs{}), in, dst).ok());
  EXPECT_EQ(y.v[0].bits, 0x3c01);
}

#if defined(__SSE2__)
TEST(ReferenceUnary, I4_denormals_survive_a_caller_that_flushes_them) {
  const F x{{1}, {0x1p-140f}};
  const unsigned saved = _mm_getcsr();
  _mm_setcsr(saved | 0x8040);
  const auto y = eval<float>(ir::UnaryAttrs{{ir::UnaryFn::kNeg}}, {x.in()}, {1});
  const unsigned after = _mm_getcsr();
  _mm_setcsr(saved);
  EXPECT_EQ(after & 0x8040, 0x8040u);
  EXPECT_THAT(y, ElementsAre(-0x1p-140f));
}
#endif

TEST(ReferenceCast, SaturatesLikeTheProcessor) {
  const F x{{4}, {3.9f, -3.9f, 1e10f, NAN}};
  EXPECT_THAT(eval<int32_t>(ir::CastAttrs{DType::kInt32}, {x.in()}, {4}),
              ElementsAre(3, -3, INT32_MIN, INT32_MIN));
}

TEST(ReferenceReduce, MeanOfAxes) {
  const F x{{2, 2, 2}, {1, 2, 3, 4, 5, 6, 7, 8}};
  EXPECT_THAT(eval<float>(ir::ReduceAttrs{ir::ReduceFn::kMean, {0, 2}, false}, {x.in()}, {2}),
              ElementsAre(3.5, 5.5));
  EXPECT_THAT(eval<float>(ir::ReduceAttrs{ir::ReduceFn::kMax, {1}, true}, {x.in()}, {2, 1, 2}),
              ElementsAre(3, 4, 7, 8));
}

TEST(ReferenceArgReduce, FirstOfEqual) {
  const F x{{2, 3}, {1, 7, 7, -2, -2, -3}};
  EXPECT_THAT(eval<int64_t>(ir::ArgReduceAttrs{true, 1, DType::kInt64}, {x.in()}, {2}),
              ElementsAre(1, 0));
}

TEST(ReferenceSoftmax, IsStable) {
  const F x{{1, 2}, {1000, 1000}};
  EXPECT_THAT(eval<float>(ir::SoftmaxAttrs{}, {x.in()}, {1, 2}), ElementsAre(0.5, 0.5));
}

TEST(ReferenceMovement, TransposeConcatGather) {
  const I x{{2, 3}, {1, 2, 3, 4, 5, 6}}, y{{2, 1}, {7, 8}}, i{{2}, {2, 0}};
  EXPECT_THAT(eval<int32_t>(ir::TransposeAttrs{{1, 0}}, {x.in()}, {3, 2}),
              ElementsAre(1, 4, 2, 5, 3, 6));
  EXPECT_THAT(eval<int32_t>(ir::ConcatAttrs{1}, {x.in(), y.in()}, {2, 4}),
              ElementsAre(1, 2, 3, 7, 4, 5, 6, 8));
  EXPECT_THAT(eval<int32_t>(ir::GatherAttrs{1, 0}, {x.in(), i.in()}, {2, 2}),
              ElementsAre(3, 1, 6, 4));
  const I bad{{1}, {3}};
  EXPECT_THAT(error<int32_t>(ir::GatherAttrs{1, 0}, {x.in(), bad.in()}, {2, 1}),
              HasSubstr("index 3 is not in [0, 3)"));
}

TEST(ReferenceMovement, PadModes) {
  const I x{{3}, {1, 2, 3}}, pads{{1, 2}, {2, 1}};
  EXPECT_THAT(eval<int32_t>(ir::PadAttrs{}, {x.in(), pads.in()}, {6}),
              ElementsAre(0, 0, 1, 2, 3, 0));
  EXPECT_THAT(eval<int32_t>(ir::PadAttrs{ir::PadMode::kReflect}, {x.in(), pads.in()}, {6}),
              ElementsAre(3, 2, 1, 2, 3, 2));
  EXPECT_THAT(eval<int32_t>(ir::PadAttrs{ir::PadMode::kSymmetric}, {x.in(), pads.in()}, {6}),
              ElementsAre(2, 1, 1, 2, 3, 3));
}

TEST(ReferenceMovement, ResizeCoordinates) {
  const F x{{1, 1, 2, 1}, {0, 4}};
  const I size{{2}, {1, 4}};
  const auto run = [&](ir::ResizeAttrs a) {
    return eval<float>(a, {x.in(), size.in()}, {1, 1, 4, 1});
  };
  EXPECT_THAT(run({true, false, false}), ElementsAre(0, 2, 4, 4));
  EXPECT_THAT(run({true, false, true}), ElementsAre(0, 1, 3, 4));
  EXPECT_THAT(run({false, true, false}), ElementsAre(0, 0, 4, 4));
}

TEST(Reference, EmptyTensorsNeedNoData) {
  const ConstTensor empty{DType::kFloat, {}, nullptr};
  const int64_t dims[] = {0, 3};
  const ConstTensor in[] = {{DType::kFloat, dims, nullptr}};
  const MutTensor out[] = {{DType::kFloat, dims, nullptr}};
  EXPECT_TRUE(evaluate(op(ir::SoftmaxAttrs{}), in, out).ok());
  const ConstTensor scalar[] = {empty};
  EXPECT_FALSE(evaluate(op(ir::SoftmaxAttrs{}), scalar, out).ok());
}

TEST(Reference, RefusesDtypesAndCounts) {
  const int64_t dims[] = {1};
  const uint64_t bits = 0;
  const ConstTensor in[] = {{DType::kString, dims, &bits}};
  uint64_t to = 0;
  const MutTensor out[] = {{DType::kFloat, dims, &to}};
  EXPECT_EQ(evaluate(op(ir::SoftmaxAttrs{}), in, out).code(), Code::kUnsupported);
  EXPECT_EQ(evaluate(op(ir::BinaryAttrs{}), in, out).code(), Code::kInternal);
}

}  // namespace
}  // namespace graft::reference
