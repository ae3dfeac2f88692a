// Shape arithmetic: reshape, slices, joins, gathers and ops that make elements.
#include "ir_test_util.h"

namespace graft::ir {
namespace {

using ::testing::HasSubstr;

TEST(InferReshape, Symbolic) {
  DimTable t;
  const Dim n = t.input(0, 0), s = t.input(0, 1);
  const auto reshape = [&](std::vector<Dim> src, std::vector<Dim> to) {
    return InferCase(ReshapeAttrs{}).in(std::move(src)).host(std::move(to)).text(t);
  };
  EXPECT_EQ(reshape({n, 7, 7, 2048}, {n, -1}), "float32 [d0_0,100352]");
  EXPECT_EQ(reshape({n, 128, 768}, {-1, 768}), "float32 [d0_0*128,768]");
  EXPECT_EQ(reshape({n, s, 768}, {n, s, 12, 64}), "float32 [d0_0,d0_1,12,64]");
  EXPECT_EQ(reshape({t.mul(n, s), 768}, {n, -1, 768}), "float32 [d0_0,d0_1,768]");
  EXPECT_EQ(reshape({n, 4, 4}, {-1, 16}), "float32 [d0_0,16]");
  EXPECT_EQ(reshape({2, 3}, {3, -1}), "float32 [3,2]");
  EXPECT_EQ(reshape({0, 3}, {-1, 3}), "float32 [0,3]");
}

TEST(InferReshape, Errors) {
  const auto reshape = [](std::vector<Dim> src, std::vector<Dim> to) {
    return InferCase(ReshapeAttrs{}).in(std::move(src)).host(std::move(to)).text();
  };
  EXPECT_THAT(reshape({2, 3}, {4}), HasSubstr("has 6 elements, shape [4] has 4"));
  EXPECT_THAT(reshape({2, 3}, {4, -1}), HasSubstr("does not fit"));
  EXPECT_THAT(reshape({2, 3}, {-1, -1}), HasSubstr("more than one -1"));
  EXPECT_THAT(reshape({2, 3}, {-2}), HasSubstr("negative extent"));
  EXPECT_THAT(reshape({0, 3}, {0, -1}), HasSubstr("cannot infer the -1"));
  EXPECT_THAT(reshape({1}, {INT64_MAX, INT64_MAX}), HasSubstr("overflows"));
  EXPECT_THAT(InferCase(ReshapeAttrs{}).in({2, 3}).in({2}, DType::kInt32).text(),
              HasSubstr("Unsupported: reshape 'x': shape (input 1) depends on data"));
  EXPECT_THAT(InferCase(ReshapeAttrs{}).in({2, 3}).host({6}, DType::kFloat).text(),
              HasSubstr("expected int32 or int64"));
  EXPECT_THAT(InferCase(ReshapeAttrs{}).in({1}).host({1, 1, 1, 1, 1, 1, 1, 1, 1}).text(),
              HasSubstr("rank 9"));
}

TEST(InferViews, ExpandSqueezeTranspose) {
  DimTable t;
  const Dim n = t.input(0, 0);
  EXPECT_EQ(InferCase(ExpandDimsAttrs{1}).in({n, 3}).text(t), "float32 [d0_0,1,3]");
  EXPECT_EQ(InferCase(ExpandDimsAttrs{2}).in({n, 3}).text(t), "float32 [d0_0,3,1]");
  EXPECT_THAT(InferCase(ExpandDimsAttrs{3}).in({n, 3}).text(t), HasSubstr("out of range"));
  EXPECT_EQ(InferCase(SqueezeAttrs{{1, 2}}).in({n, 1, 1, 5}).text(t), "float32 [d0_0,5]");
  EXPECT_THAT(InferCase(SqueezeAttrs{{3}}).in({n, 1, 1, 5}).text(t), HasSubstr("is not 1"));
  EXPECT_THAT(InferCase(SqueezeAttrs{{1, 1}}).in({n, 1}).text(t), HasSubstr("twice"));
  EXPECT_EQ(InferCase(TransposeAttrs{{0, 3, 1, 2}}).in({n, 2, 3, 4}).text(t),
            "float32 [d0_0,4,2,3]");
  EXPECT_EQ(InferCase(ExpandDimsAttrs{0}).scalar(n).text(t), "int32 [1] host=[d0_0]");
  EXPECT_EQ(InferCase(SqueezeAttrs{{0}}).host({n}).text(t), "int32 [] host=[d0_0]");
}

TEST(InferTranspose, A8_perm_out_of_range) {
  for (std::vector<int64_t> perm :
       std::vector<std::vector<int64_t>>{{0, 0}, {0, 2}, {-1, 0}, {0}, {INT64_MIN, 0}})
    EXPECT_THAT(InferCase(TransposeAttrs{perm}).in({2, 3}).text(), HasSubstr("InvalidGraph"));
}

TEST(InferShape, HostIsTheShape) {
  DimTable t;
  EXPECT_EQ(InferCase(ShapeAttrs{}).in({t.input(0, 0), 3}).text(t), "int32 [2] host=[d0_0,3]");
  EXPECT_EQ(InferCase(ShapeAttrs{DType::kInt64}).in({}).text(), "int64 [0] host=[]");
  EXPECT_THAT(InferCase(ShapeAttrs{}).in({0, int64_t{1} << 33}).text(),
              HasSubstr("does not fit int32"));
}

StridedSliceAttrs masks(int64_t begin, int64_t end, int64_t ellipsis = 0, int64_t new_axis = 0,
                        int64_t shrink = 0) {
  return {begin, end, ellipsis, new_axis, shrink};
}

TEST(InferStridedSlice, HostsOfShapes) {
  DimTable t;
  const Dim n = t.input(0, 0);
  EXPECT_EQ(InferCase(masks(0, 0, 0, 0, 1)).host({n, 3, 4}).host({0}).host({1}).host({1}).text(t),
            "int32 [] host=[d0_0]");
  EXPECT_EQ(InferCase(masks(0, 1)).host({n, 3, 4}).host({1}).host({0}).host({1}).text(t),
            "int32 [2] host=[3,4]");
  EXPECT_EQ(InferCase(masks(1, 1)).host({n, 3, 4}).host({0}).host({0}).host({-1}).text(t),
            "int32 [3] host=[4,3,d0_0]");
  EXPECT_EQ(InferCase(masks(0, 0)).host({n, 3, 4}).host({-2}).host({100}).host({1}).text(t),
            "int32 [2] host=[3,4]");
}

TEST(InferStridedSlice, Shapes) {
  DimTable t;
  const Dim n = t.input(0, 0);
  const auto slice = [&](StridedSliceAttrs a, std::vector<Dim> src, std::vector<Dim> b,
                         std::vector<Dim> e, std::vector<Dim> s) {
    return InferCase(a)
        .in(std::move(src))
        .host(std::move(b))
        .host(std::move(e))
        .host(std::move(s))
        .text(t);
  };
  EXPECT_EQ(slice(masks(1, 1, 0, 0, 2), {n, 8, 5}, {0, 0}, {0, 1}, {1, 1}),
            "float32 [d0_0,5]");  // x[:, 0]
  EXPECT_EQ(slice(masks(0, 0, 1), {n, 8, 5}, {0, 1}, {0, 3}, {1, 1}),
            "float32 [d0_0,8,2]");  // x[..., 1:3]
  EXPECT_EQ(slice(masks(3, 3, 0, 2), {n, 8}, {0, 0}, {0, 0}, {1, 1}),
            "float32 [d0_0,1,8]");  // x[:, None]
  EXPECT_EQ(slice(masks(1, 1), {n, 8}, {0, 7}, {0, 0}, {1, -2}),
            "float32 [d0_0,4]");  // x[:, 7:0:-2]
  EXPECT_EQ(slice(masks(1, 0), {n}, {0}, {n}, {1}), "float32 [d0_0]");
  EXPECT_EQ(slice(masks(0, 1), {n}, {1}, {0}, {1}), "float32 [max(d0_0-min(d0_0,1),0)]");
  EXPECT_EQ(slice(masks(1, 1), {4, 4}, {0}, {0}, {1}), "float32 [4,4]");
  EXPECT_EQ(slice(masks(0, 0), {4}, {3}, {1}, {1}), "float32 [0]");
}

TEST(InferStridedSlice, Errors) {
  const auto slice = [&](StridedSliceAttrs a, std::vector<Dim> src, std::vector<Dim> b,
                         std::vector<Dim> e, std::vector<Dim> s) {
    return InferCase(a)
        .in(std::move(src))
        .host(std::move(b))
        .host(std::move(e))
        .host(std::move(s))
        .text();
  };
  EXPECT_THAT(slice(masks(0, 0), {4}, {0}, {1}, {0}), HasSubstr("stride of axis 0 is 0"));
  EXPECT_THAT(slice(masks(0, 0, 0, 0, 1), {4}, {4}, {5}, {1}),
              HasSubstr("index 4 of axis 0 is out of bounds"));
  EXPECT_THAT(slice(masks(0, 0, 0, 0, 1), {4}, {-5}, {5}, {1}), HasSubstr("out of bounds"));
  EXPECT_THAT(slice(masks(0, 0, 0, 0, 1), {4}, {0}, {5}, {-1}), HasSubstr("negative stride"));
  EXPECT_THAT(slice(masks(0, 0), {4}, {0, 0}, {1, 1}, {1, 1}),
              HasSubstr("slices 2 axes of a tensor of rank 1"));
  EXPECT_THAT(slice(masks(0, 0, 3), {4}, {0, 0}, {1, 1}, {1, 1}),
              HasSubstr("more than one ellipsis"));
  EXPECT_THAT(slice(masks(0, 0), {4}, {0}, {1, 2}, {1}), HasSubstr("differ in length"));
}

TEST(InferSlice, BoundsAndRest) {
  DimTable t;
  const Dim n = t.input(0, 0);
  EXPECT_EQ(InferCase(SliceAttrs{}).in({n, 8}).host({0, 2}).host({-1, 3}).text(t),
            "float32 [d0_0,3]");
  EXPECT_EQ(InferCase(SliceAttrs{}).host({n, 8, 9}).host({1}).host({2}).text(t),
            "int32 [2] host=[8,9]");
  EXPECT_THAT(InferCase(SliceAttrs{}).in({4}).host({2}).host({3}).text(),
              HasSubstr("out of bounds"));
  EXPECT_THAT(InferCase(SliceAttrs{}).in({4}).host({-1}).host({1}).text(),
              HasSubstr("out of bounds"));
  EXPECT_THAT(InferCase(SliceAttrs{}).in({4}).host({1}).host({INT64_MAX}, DType::kInt32).text(),
              HasSubstr("InvalidGraph"));
}

TEST(InferJoin, ConcatAndPack) {
  DimTable t;
  const Dim n = t.input(0, 0);
  EXPECT_EQ(InferCase(ConcatAttrs{1}).in({n, 3}).in({n, 4}).text(t), "float32 [d0_0,7]");
  EXPECT_EQ(InferCase(ConcatAttrs{0}).in({n, 3}).in({n, 3}).in({1, 3}).text(t),
            "float32 [d0_0*2+1,3]");
  EXPECT_EQ(InferCase(ConcatAttrs{0}).host({n}).host({3, 4}).text(t), "int32 [3] host=[d0_0,3,4]");
  EXPECT_THAT(InferCase(ConcatAttrs{1}).in({2, 3}).in({4, 3}).text(),
              HasSubstr("does not fit input 0 [2,3]"));
  EXPECT_THAT(InferCase(ConcatAttrs{2}).in({2, 3}).text(), HasSubstr("out of range"));
  EXPECT_EQ(InferCase(PackAttrs{0}).scalar(n).scalar(-1).text(t), "int32 [2] host=[d0_0,-1]");
  EXPECT_EQ(InferCase(PackAttrs{1}).in({n, 3}).in({n, 3}).text(t), "float32 [d0_0,2,3]");
  EXPECT_THAT(InferCase(PackAttrs{0}).text(), HasSubstr("has 0 inputs, expected 1 or more"));
}

TEST(InferSplit, EqualAndSized) {
  DimTable t;
  const Dim n = t.input(0, 0);
  EXPECT_EQ(InferCase(SplitAttrs{1, {}}).in({n, 6}).outputs(2).text(t),
            "float32 [d0_0,3]; float32 [d0_0,3]");
  EXPECT_EQ(InferCase(SplitAttrs{1, {2, -1}}).in({n, 6}).outputs(2).text(t),
            "float32 [d0_0,2]; float32 [d0_0,4]");
  EXPECT_EQ(InferCase(SplitAttrs{0, {1, 2}}).host({n, 6, 7}).outputs(2).text(t),
            "int32 [1] host=[d0_0]; int32 [2] host=[6,7]");
  EXPECT_EQ(InferCase(UnpackAttrs{0}).host({n, 6}).outputs(2).text(t),
            "int32 [] host=[d0_0]; int32 [] host=[6]");
  EXPECT_THAT(InferCase(UnpackAttrs{0}).in({3}).outputs(2).text(),
              HasSubstr("does not give 2 outputs"));
}

TEST(InferSplit, A10_sizes) {
  EXPECT_THAT(InferCase(SplitAttrs{0, {}}).in({6}).outputs(0).text(), HasSubstr("no outputs"));
  EXPECT_THAT(InferCase(SplitAttrs{0, {}}).in({6}).outputs(4).text(),
              HasSubstr("no multiple of 4"));
  EXPECT_THAT(InferCase(SplitAttrs{0, {2, -2}}).in({6}).outputs(2).text(),
              HasSubstr("size -2 is negative"));
  EXPECT_THAT(InferCase(SplitAttrs{0, {2, 3}}).in({6}).outputs(2).text(),
              HasSubstr("do not add up"));
  EXPECT_THAT(InferCase(SplitAttrs{0, {7, -1}}).in({6}).outputs(2).text(),
              HasSubstr("do not add up"));
  EXPECT_THAT(InferCase(SplitAttrs{0, {-1, -1}}).in({6}).outputs(2).text(),
              HasSubstr("more than one size -1"));
  EXPECT_THAT(InferCase(SplitAttrs{0, {INT64_MAX, INT64_MAX, 8}}).in({6}).outputs(3).text(),
              HasSubstr("InvalidGraph"));
  EXPECT_THAT(InferCase(SplitAttrs{0, {6}}).in({6}).outputs(2).text(),
              HasSubstr("1 sizes and 2 outputs"));
}

TEST(InferPad, ModesAndErrors) {
  DimTable t;
  const Dim n = t.input(0, 0);
  EXPECT_EQ(InferCase(PadAttrs{}).in({n, 4}).host_of({2, 2}, {0, 0, 1, 2}).text(t),
            "float32 [d0_0,7]");
  EXPECT_EQ(InferCase(PadAttrs{}).in({n, 4}).host_of({2, 2}, {1, 1, 1, 2}).in({}).text(t),
            "float32 [d0_0+2,7]");
  EXPECT_EQ(InferCase(PadAttrs{PadMode::kReflect}).in({4}).host_of({1, 2}, {3, 3}).text(),
            "float32 [10]");
  EXPECT_THAT(InferCase(PadAttrs{PadMode::kReflect}).in({4}).host_of({1, 2}, {4, 0}).text(),
              HasSubstr("too large to mirror"));
  EXPECT_THAT(InferCase(PadAttrs{PadMode::kReflect}).in({0}).host_of({1, 2}, {0, 0}).text(),
              HasSubstr("too large to mirror"));
  EXPECT_EQ(InferCase(PadAttrs{PadMode::kSymmetric}).in({4}).host_of({1, 2}, {4, 0}).text(),
            "float32 [8]");
  EXPECT_THAT(InferCase(PadAttrs{}).in({4}).host_of({1, 2}, {-1, 0}).text(), HasSubstr("negative"));
  EXPECT_THAT(InferCase(PadAttrs{}).in({4}).host_of({2, 2}, {0, 0, 0, 0}).text(),
              HasSubstr("expected [rank,2]"));
}

TEST(InferGather, ShapesAndHosts) {
  DimTable t;
  const Dim n = t.input(0, 0), s = t.input(0, 1);
  EXPECT_EQ(InferCase(GatherAttrs{0, 0}).in({30522, 768}).in({n, s}, DType::kInt32).text(t),
            "float32 [d0_0,d0_1,768]");
  EXPECT_EQ(InferCase(GatherAttrs{1, 1}).in({n, 9, 4}).in({n, 3}, DType::kInt64).text(t),
            "float32 [d0_0,3,4]");
  EXPECT_EQ(InferCase(GatherAttrs{0, 0}).host({n, s, 7}).host({2, 0}).text(t),
            "int32 [2] host=[7,d0_0]");
  EXPECT_EQ(InferCase(GatherAttrs{0, 0}).host({n, s, 7}).scalar(1).text(t), "int32 [] host=[d0_1]");
  EXPECT_THAT(InferCase(GatherAttrs{0, 0}).host({n, s, 7}).scalar(3).text(t),
              HasSubstr("out of bounds"));
  EXPECT_THAT(InferCase(GatherAttrs{2, 0}).in({2, 3}).in({1}, DType::kInt32).text(),
              HasSubstr("out of range"));
  EXPECT_THAT(InferCase(GatherAttrs{0, 1}).in({2, 3}).in({1}, DType::kInt32).text(),
              HasSubstr("batch_dims"));
  EXPECT_THAT(InferCase(GatherAttrs{0, 0}).in({2, 3}).in({1}).text(),
              HasSubstr("indices are float32"));
}

TEST(InferMakers, TileBroadcastFillRangeOneHot) {
  DimTable t;
  const Dim n = t.input(0, 0);
  EXPECT_EQ(InferCase(TileAttrs{}).in({2, 3}).host({n, 2}).text(t), "float32 [d0_0*2,6]");
  EXPECT_EQ(InferCase(TileAttrs{}).host({n, 3}).host({2}).text(t),
            "int32 [4] host=[d0_0,3,d0_0,3]");
  EXPECT_EQ(InferCase(BroadcastToAttrs{}).in({1, 3}).host({n, 3}).text(t), "float32 [d0_0,3]");
  EXPECT_THAT(InferCase(BroadcastToAttrs{}).in({2}).host({3}).text(),
              HasSubstr("does not broadcast"));
  EXPECT_EQ(InferCase(FillAttrs{}).host({2}).scalar(n).text(t), "int32 [2] host=[d0_0,d0_0]");
  EXPECT_EQ(InferCase(FillAttrs{}).host({n, 2}).in({}).text(t), "float32 [d0_0,2]");
  EXPECT_EQ(InferCase(RangeAttrs{}).scalar(0).scalar(n).scalar(1).text(t), "int32 [d0_0]");
  EXPECT_EQ(InferCase(RangeAttrs{}).scalar(10).scalar(0).scalar(-3).text(),
            "int32 [4] host=[10,7,4,1]");
  EXPECT_THAT(InferCase(RangeAttrs{}).scalar(0).scalar(5).scalar(0).text(),
              HasSubstr("delta is 0"));
  EXPECT_THAT(InferCase(RangeAttrs{}).scalar(5).scalar(0).scalar(1).text(),
              HasSubstr("do not fit delta"));
  EXPECT_EQ(InferCase(OneHotAttrs{1}).in({n, 4}, DType::kInt64).scalar(10).in({}).in({}).text(t),
            "float32 [d0_0,10,4]");
  EXPECT_THAT(InferCase(OneHotAttrs{0}).in({4}, DType::kInt64).scalar(-1).in({}).in({}).text(),
              HasSubstr("depth is -1"));
}

TEST(InferMakers, T13_sizes_that_tensor_values_ask_for_are_capped) {
  const Dim huge = int64_t{1} << 31;
  EXPECT_THAT(InferCase(FillAttrs{}).host({huge, huge}, DType::kInt64).in({}).text(),
              HasSubstr("more than 2^40"));
  EXPECT_THAT(InferCase(FillAttrs{}).host({INT64_MAX, 8}, DType::kInt64).in({}).text(),
              HasSubstr("more than 2^40"));
  EXPECT_THAT(InferCase(TileAttrs{}).in({8}).host({INT64_MAX}, DType::kInt64).text(),
              HasSubstr("overflows"));
  EXPECT_THAT(InferCase(TileAttrs{}).in({8}).host({-1}).text(), HasSubstr("negative"));
  EXPECT_THAT(InferCase(RangeAttrs{})
                  .scalar(0, DType::kInt64)
                  .scalar(INT64_MAX, DType::kInt64)
                  .scalar(1, DType::kInt64)
                  .text(),
              HasSubstr("more than 2^40"));
  EXPECT_THAT(InferCase(RangeAttrs{})
                  .scalar(-9, DType::kInt64)
                  .scalar(INT64_MAX, DType::kInt64)
                  .scalar(1, DType::kInt64)
                  .text(),
              HasSubstr("overflows"));
  EXPECT_THAT(
      InferCase(PadAttrs{}).in({8}).host_of({1, 2}, {INT64_MAX, INT64_MAX}, DType::kInt64).text(),
      HasSubstr("overflows"));
  EXPECT_THAT(InferCase(OneHotAttrs{0})
                  .in({1 << 20}, DType::kInt32)
                  .scalar(huge, DType::kInt64)
                  .in({})
                  .in({})
                  .text(),
              HasSubstr("more than 2^40"));
  EXPECT_THAT(InferCase(FillAttrs{}).host({0, huge, huge}, DType::kInt64).in({}).text(),
              HasSubstr("more than 2^40"));
}

TEST(Infer, ConstantInputsLeaveTheDimTableAlone) {
  DimTable t;
  ConvAttrs a;
  a.padding = Padding::kSame;
  EXPECT_TRUE(InferCase(a).in({1, 9, 9, 2}).in({3, 3, 2, 4}).run(t).ok());
  EXPECT_TRUE(InferCase(ReshapeAttrs{}).in({4, 6}).host({-1, 8}).run(t).ok());
  EXPECT_TRUE(InferCase(masks(0, 0)).in({9}).host({-5}).host({-1}).host({2}).run(t).ok());
  EXPECT_EQ(t.size(), 0);
}

TEST(Infer, HostNumbersThatReadAsSymbolsAreUnknown) {
  EXPECT_EQ(
      InferCase(UnaryAttrs{{UnaryFn::kNeg}}).host({INT64_MIN, INT64_MIN + 5}, DType::kInt64).text(),
      "int64 [2]");
  EXPECT_THAT(InferCase(ReshapeAttrs{}).in({4}).host({INT64_MIN + 1}, DType::kInt64).text(),
              HasSubstr("depends on data"));
  EXPECT_THAT(InferCase(SoftmaxAttrs{}).in({Dim::symbol(3)}).text(), HasSubstr("unknown dim"));
}

TEST(Infer, WrongInputCountAndDtype) {
  EXPECT_THAT(InferCase(SoftmaxAttrs{}).text(),
              HasSubstr("softmax 'x': has 0 inputs, expected 1 to 1"));
  EXPECT_THAT(InferCase(SoftmaxAttrs{}).in({1}, DType::kString).text(), HasSubstr("Unsupported"));
  EXPECT_THAT(InferCase(SoftmaxAttrs{}).in({1}).outputs(2).text(),
              HasSubstr("has 2 outputs, expected 1"));
}

}  // namespace
}  // namespace graft::ir
