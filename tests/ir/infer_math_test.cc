// Elementwise, matmul, reductions, normalizations, attention.
#include "ir_test_util.h"

namespace graft::ir {
namespace {

using ::testing::HasSubstr;

TEST(InferBinary, Broadcasting) {
  DimTable t;
  const Dim n = t.input(0, 0), m = t.input(1, 0);
  const auto add = [&](std::vector<Dim> a, std::vector<Dim> b) {
    return InferCase(BinaryAttrs{}).in(std::move(a)).in(std::move(b)).text(t);
  };
  EXPECT_EQ(add({n, 3}, {n, 3}), "float32 [d0_0,3]");
  EXPECT_EQ(add({n, 1, 3}, {5, 1}), "float32 [d0_0,5,3]");
  EXPECT_EQ(add({n}, {1}), "float32 [d0_0]");
  EXPECT_EQ(add({n}, {8}), "float32 [8]");
  EXPECT_EQ(add({n}, {0}), "float32 [0]");
  EXPECT_EQ(add({n}, {m}), "float32 [bcast(d0_0,d1_0)]");
  EXPECT_EQ(add({}, {2, 2}), "float32 [2,2]");
  EXPECT_THAT(add({2, 3}, {2, 4}), HasSubstr("shapes [2,3] and [2,4] do not broadcast"));
}

TEST(InferBinary, Dtypes) {
  BinaryAttrs a;
  EXPECT_THAT(InferCase(a).in({2}).in({2}, DType::kDouble).text(),
              HasSubstr("input 1 is float64, expected float32"));
  EXPECT_THAT(InferCase(a).in({2}, DType::kBool).in({2}, DType::kBool).text(),
              HasSubstr("add does not take bool"));
  a.fn = BinaryFn::kLess;
  EXPECT_EQ(InferCase(a).in({2}).in({2}).text(), "bool [2]");
  a.fn = BinaryFn::kEqual;
  EXPECT_EQ(InferCase(a).in({2}, DType::kBool).in({2}, DType::kBool).text(), "bool [2]");
  a.fn = BinaryFn::kLogicalAnd;
  EXPECT_EQ(InferCase(a).in({2}, DType::kBool).in({2}, DType::kBool).text(), "bool [2]");
  a.fn = static_cast<BinaryFn>(99);
  EXPECT_THAT(InferCase(a).in({2}).in({2}).text(), HasSubstr("invalid does not take"));
}

TEST(InferBinary, HostArithmetic) {
  DimTable t;
  const Dim n = t.input(0, 0);
  const auto host = [&](BinaryFn fn, std::vector<Dim> a, std::vector<Dim> b) {
    return InferCase(BinaryAttrs{fn}).host(std::move(a)).host(std::move(b)).text(t);
  };
  EXPECT_EQ(host(BinaryFn::kMul, {n, 2}, {3}), "int32 [2] host=[d0_0*3,6]");
  EXPECT_EQ(host(BinaryFn::kSub, {n}, {n}), "int32 [1] host=[0]");
  EXPECT_EQ(host(BinaryFn::kFloorDiv, {-7}, {2}), "int32 [1] host=[-4]");
  EXPECT_EQ(host(BinaryFn::kTruncDiv, {-7}, {2}), "int32 [1] host=[-3]");
  EXPECT_EQ(host(BinaryFn::kFloorMod, {-7}, {2}), "int32 [1] host=[1]");
  EXPECT_EQ(host(BinaryFn::kTruncDiv, {n}, {2}), "int32 [1] host=[floor(d0_0/2)]");
  EXPECT_EQ(host(BinaryFn::kMax, {n}, {0}), "int32 [1] host=[d0_0]");
  EXPECT_EQ(host(BinaryFn::kLess, {1}, {2}), "bool [1] host=[1]");
  // Not known: division by zero, and results that int32 would wrap.
  EXPECT_EQ(host(BinaryFn::kFloorDiv, {7}, {0}), "int32 [1]");
  EXPECT_EQ(host(BinaryFn::kAdd, {INT32_MAX}, {1}), "int32 [1]");
}

TEST(InferUnary, Types) {
  const auto unary = [](UnaryFn fn, DType t) {
    return InferCase(UnaryAttrs{{fn}}).in({2, 3}, t).text();
  };
  EXPECT_EQ(unary(UnaryFn::kRelu, DType::kInt32), "int32 [2,3]");
  EXPECT_EQ(unary(UnaryFn::kIsNan, DType::kHalf), "bool [2,3]");
  EXPECT_THAT(unary(UnaryFn::kExp, DType::kInt32), HasSubstr("exp does not take int32"));
  EXPECT_THAT(unary(UnaryFn::kNeg, DType::kUint8), HasSubstr("neg does not take uint8"));
  EXPECT_THAT(unary(UnaryFn::kCount, DType::kFloat), HasSubstr("invalid"));
  EXPECT_EQ(InferCase(UnaryAttrs{{UnaryFn::kNeg}}).host({3, -1}).text(), "int32 [2] host=[-3,1]");
}

TEST(InferUnary, BitsOfIntegers) {
  EXPECT_EQ(InferCase(UnaryAttrs{{UnaryFn::kPopulationCount}}).in({2, 3}, DType::kInt64).text(),
            "uint8 [2,3]");
  EXPECT_THAT(InferCase(UnaryAttrs{{UnaryFn::kPopulationCount}}).in({2}).text(),
              HasSubstr("population_count does not take float32"));
  const auto shift = [](DType t) {
    return InferCase(BinaryAttrs{BinaryFn::kLeftShift}).in({2, 1}, t).in({3}, t).text();
  };
  EXPECT_EQ(shift(DType::kUint16), "uint16 [2,3]");
  EXPECT_THAT(shift(DType::kBool), HasSubstr("left_shift does not take bool"));
  EXPECT_THAT(InferCase(AffineAttrs{{UnaryFn::kPopulationCount}}).in({2, 3}).in({3}).in({3}).text(),
              HasSubstr("activation population_count does not take float32"));
}

TEST(InferBitcast, LastAxis) {
  DimTable t;
  const Dim n = t.input(0, 0);
  const auto cast = [&](DType from, DType to, std::vector<Dim> dims) {
    return InferCase(BitcastAttrs{to}).in(std::move(dims), from).text(t);
  };
  EXPECT_EQ(cast(DType::kFloat, DType::kInt32, {n, 3}), "int32 [d0_0,3]");
  EXPECT_EQ(cast(DType::kFloat, DType::kUint8, {n}), "uint8 [d0_0,4]");
  EXPECT_EQ(cast(DType::kInt16, DType::kDouble, {n, 4}), "float64 [d0_0]");
  EXPECT_THAT(cast(DType::kInt16, DType::kDouble, {n, 2}), HasSubstr("a last extent of 4"));
  EXPECT_THAT(cast(DType::kInt16, DType::kDouble, {2, n}), HasSubstr("Unsupported"));
  EXPECT_THAT(cast(DType::kInt16, DType::kDouble, {}), HasSubstr("src is a scalar"));
  EXPECT_THAT(cast(DType::kInt16, DType::kInt8, {1, 1, 1, 1, 1, 1, 1, 1}), HasSubstr("8 axes"));
  EXPECT_THAT(cast(DType::kBool, DType::kInt8, {1}), HasSubstr("bool"));
  EXPECT_THAT(cast(DType::kInt8, DType::kString, {1}), HasSubstr("string"));
}

TEST(InferSelect, BroadcastsAndHosts) {
  EXPECT_EQ(InferCase(SelectAttrs{}).in({2, 1}, DType::kBool).in({3}).in({}).text(),
            "float32 [2,3]");
  EXPECT_THAT(InferCase(SelectAttrs{}).in({2}).in({2}).in({2}).text(), HasSubstr("expected bool"));
  EXPECT_EQ(InferCase(SelectAttrs{}).host({1, 0}, DType::kBool).host({4, 5}).host({6, 7}).text(),
            "int32 [2] host=[4,7]");
}

TEST(InferCast, KeepsHosts) {
  EXPECT_EQ(InferCase(CastAttrs{DType::kInt64}).host({4, -5}).text(), "int64 [2] host=[4,-5]");
  EXPECT_EQ(InferCase(CastAttrs{DType::kInt32}).host({int64_t{1} << 40}, DType::kInt64).text(),
            "int32 [1]");
  EXPECT_EQ(InferCase(CastAttrs{DType::kFloat}).host({4}).text(), "float32 [1]");
  EXPECT_THAT(InferCase(CastAttrs{DType::kString}).in({1}).text(),
              HasSubstr("not an engine dtype"));
  EXPECT_THAT(InferCase(CastAttrs{static_cast<DType>(9999)}).in({1}).text(),
              HasSubstr("dtype 9999"));
}

TEST(InferAffine, Channels) {
  DimTable t;
  EXPECT_EQ(InferCase(AffineAttrs{}).in({t.input(0, 0), 4, 8}).in({8}).in({8}).text(t),
            "float32 [d0_0,4,8]");
  EXPECT_THAT(InferCase(AffineAttrs{}).in({4, 8}).in({8}).in({7}).text(),
              HasSubstr("shift [7] does not fit src [4,8]"));
}

TEST(InferMatMul, Shapes) {
  DimTable t;
  const Dim n = t.input(0, 0), m = t.input(1, 0);
  MatMulAttrs a;
  EXPECT_EQ(InferCase(a).in({n, 4}).in({4, 5}).text(t), "float32 [d0_0,5]");
  EXPECT_EQ(InferCase(a).in({n, 1, 3, 4}).in({7, 4, 5}).text(t), "float32 [d0_0,7,3,5]");
  EXPECT_EQ(InferCase(a).in({n, 3, 4}).in({m, 4, 5}).text(t), "float32 [bcast(d0_0,d1_0),3,5]");
  EXPECT_THAT(InferCase(a).in({2, 4}).in({5, 4}).text(), HasSubstr("differ: 4 and 5"));
  a.transpose_a = a.transpose_b = true;
  EXPECT_EQ(InferCase(a).in({4, n}).in({5, 4}).text(t), "float32 [d0_0,5]");
  a = {};
  a.has_bias = true;
  EXPECT_EQ(InferCase(a).in({n, 4}).in({4, 5}).in({5}).text(t), "float32 [d0_0,5]");
  EXPECT_THAT(InferCase(a).in({n, 4}).in({4, 5}).in({4}).text(t), HasSubstr("bias [4]"));
  EXPECT_THAT(InferCase(a).in({4}).in({4, 5}).in({5}).text(), HasSubstr("rank 2 or more"));
}

TEST(InferReduce, AxesAndHosts) {
  DimTable t;
  const Dim n = t.input(0, 0);
  ReduceAttrs a{ReduceFn::kMean, {1, 2}, false};
  EXPECT_EQ(InferCase(a).in({n, 7, 7, 64}).text(t), "float32 [d0_0,64]");
  a.keep_dims = true;
  EXPECT_EQ(InferCase(a).in({n, 7, 7, 64}).text(t), "float32 [d0_0,1,1,64]");
  EXPECT_EQ(InferCase(ReduceAttrs{ReduceFn::kProd, {0}, false}).host({n, 4, 5}).text(t),
            "int32 [] host=[d0_0*20]");
  EXPECT_EQ(InferCase(ReduceAttrs{ReduceFn::kMax, {0}, true}).host({3, 4}).text(),
            "int32 [1] host=[4]");
}

TEST(InferReduce, A8_axes_out_of_range) {
  for (std::vector<int64_t> axes :
       std::vector<std::vector<int64_t>>{{-1}, {3}, {1, 1}, {2, 1}, {INT64_MAX}})
    EXPECT_THAT(InferCase(ReduceAttrs{ReduceFn::kSum, axes, false}).in({2, 3, 4}).text(),
                HasSubstr("InvalidGraph"));
  EXPECT_THAT(InferCase(ReduceAttrs{ReduceFn::kAll, {0}, false}).in({2}).text(),
              HasSubstr("all does not take float32"));
}

TEST(InferArgReduce, AxisAndEmpty) {
  EXPECT_EQ(InferCase(ArgReduceAttrs{true, 1, DType::kInt64}).in({2, 3, 4}).text(), "int64 [2,4]");
  EXPECT_THAT(InferCase(ArgReduceAttrs{true, 3, DType::kInt64}).in({2, 3, 4}).text(),
              HasSubstr("out of range"));
  EXPECT_THAT(InferCase(ArgReduceAttrs{true, 0, DType::kInt64}).in({0, 4}).text(),
              HasSubstr("is empty"));
  EXPECT_THAT(InferCase(ArgReduceAttrs{true, 0, DType::kFloat}).in({1}).text(),
              HasSubstr("expected int32 or int64"));
}

TEST(InferNormalization, Shapes) {
  EXPECT_EQ(InferCase(SoftmaxAttrs{}).in({2, 3}, DType::kHalf).text(), "float16 [2,3]");
  EXPECT_THAT(InferCase(SoftmaxAttrs{}).in({}).text(), HasSubstr("scalar"));
  EXPECT_EQ(InferCase(LayerNormAttrs{}).in({2, 3}).in({3}).in({3}).text(), "float32 [2,3]");
  EXPECT_THAT(InferCase(LayerNormAttrs{}).in({2, 3}).in({3}).in({2}).text(), HasSubstr("beta [2]"));
}

TEST(InferAttention, Shapes) {
  DimTable t;
  const Dim b = t.input(0, 0), s = t.input(0, 1);
  AttentionAttrs a;
  a.has_mask = true;
  EXPECT_EQ(InferCase(a)
                .in({b, s, 12, 64})
                .in({b, 9, 12, 64})
                .in({b, 9, 12, 32})
                .in({b, 1, 1, 9})
                .text(t),
            "float32 [d0_0,d0_1,12,32]");
  EXPECT_THAT(InferCase(a)
                  .in({b, s, 12, 64})
                  .in({b, 9, 12, 64})
                  .in({b, 9, 12, 32})
                  .in({b, 1, 1, 8})
                  .text(t),
              HasSubstr("mask"));
  EXPECT_THAT(InferCase(a).in({b, s, 12, 64}).in({b, 9, 12, 60}).in({b, 9, 12, 32}).in({9}).text(t),
              HasSubstr("do not fit"));
}

}  // namespace
}  // namespace graft::ir
