// Convolution, pooling, resizing.
#include "ir_test_util.h"

namespace graft::ir {
namespace {

using ::testing::HasSubstr;

ConvAttrs conv(Padding padding, int64_t stride = 1) {
  ConvAttrs a;
  a.padding = padding;
  a.strides = {stride, stride};
  return a;
}

std::string conv_text(ConvAttrs a, std::vector<Dim> src, std::vector<Dim> weights) {
  return InferCase(std::move(a)).in(std::move(src)).in(std::move(weights)).text();
}

TEST(InferConv, Same) {
  EXPECT_EQ(conv_text(conv(Padding::kSame, 2), {1, 224, 224, 3}, {3, 3, 3, 32}),
            "float32 [1,112,112,32]");
  EXPECT_EQ(conv_text(conv(Padding::kSame, 2), {1, 7, 8, 3}, {5, 5, 3, 4}), "float32 [1,4,4,4]");
}

TEST(InferConv, SameSymbolic) {
  DimTable t;
  const Dim n = t.input(0, 0), h = t.input(0, 1);
  EXPECT_EQ(InferCase(conv(Padding::kSame, 2)).in({n, h, 8, 3}).in({3, 3, 3, 4}).text(t),
            "float32 [d0_0,ceil(d0_1/2),4,4]");
  EXPECT_EQ(InferCase(conv(Padding::kSame)).in({n, h, 8, 3}).in({3, 3, 3, 4}).text(t),
            "float32 [d0_0,d0_1,8,4]");
}

TEST(InferConv, Valid) {
  EXPECT_EQ(conv_text(conv(Padding::kValid), {2, 5, 6, 3}, {3, 3, 3, 4}), "float32 [2,3,4,4]");
  EXPECT_EQ(conv_text(conv(Padding::kValid, 2), {2, 5, 6, 3}, {3, 3, 3, 4}), "float32 [2,2,2,4]");
  DimTable t;
  EXPECT_EQ(
      InferCase(conv(Padding::kValid, 2)).in({1, t.input(0, 1), 9, 3}).in({3, 3, 3, 4}).text(t),
      "float32 [1,floor((d0_1-1)/2),4,4]");
}

TEST(InferConv, DilationAndExplicit) {
  ConvAttrs a = conv(Padding::kValid);
  a.dilations = {2, 3};
  EXPECT_EQ(conv_text(a, {1, 10, 10, 1}, {3, 3, 1, 1}), "float32 [1,6,4,1]");
  a = conv(Padding::kExplicit, 2);
  a.pads = {3, 3, 0, 1};
  EXPECT_EQ(conv_text(a, {1, 224, 224, 3}, {7, 7, 3, 64}), "float32 [1,112,110,64]");
}

TEST(InferConv, A7_window_larger_than_input_is_as_in_tensorflow) {
  EXPECT_EQ(conv_text(conv(Padding::kValid), {1, 2, 3, 1}, {3, 3, 1, 1}), "float32 [1,0,1,1]");
  EXPECT_THAT(conv_text(conv(Padding::kValid), {1, 1, 3, 1}, {3, 3, 1, 1}),
              HasSubstr("larger than the padded extent 1"));
  EXPECT_EQ(conv_text(conv(Padding::kSame), {1, 1, 1, 1}, {3, 3, 1, 1}), "float32 [1,1,1,1]");
}

TEST(InferConv, A4_strides_and_dilations_out_of_range) {
  for (int64_t bad : {int64_t{0}, int64_t{-1}, INT64_MAX, INT64_MIN}) {
    ConvAttrs a = conv(Padding::kSame);
    a.strides[1] = bad;
    EXPECT_THAT(conv_text(a, {1, 8, 8, 1}, {3, 3, 1, 1}), HasSubstr("InvalidGraph"));
    a = conv(Padding::kValid);
    a.dilations[0] = bad;
    EXPECT_THAT(conv_text(a, {1, 8, 8, 1}, {3, 3, 1, 1}), HasSubstr("InvalidGraph"));
  }
  ConvAttrs a = conv(Padding::kSame);
  a.strides = {1};
  EXPECT_THAT(conv_text(a, {1, 8, 8, 1}, {3, 3, 1, 1}), HasSubstr("2 entries"));
}

TEST(InferConv, A5_explicit_padding_out_of_range) {
  ConvAttrs a = conv(Padding::kExplicit);
  a.pads = {0, 0, 0};
  EXPECT_THAT(conv_text(a, {1, 8, 8, 1}, {3, 3, 1, 1}), HasSubstr("3 entries, expected 4"));
  a.pads = {0, -1, 0, 0};
  EXPECT_THAT(conv_text(a, {1, 8, 8, 1}, {3, 3, 1, 1}), HasSubstr("out of range"));
  a.pads = {INT64_MAX, INT64_MAX, 0, 0};
  EXPECT_THAT(conv_text(a, {1, 8, 8, 1}, {3, 3, 1, 1}), HasSubstr("out of range"));
  a.padding = static_cast<Padding>(17);
  EXPECT_THAT(conv_text(a, {1, 8, 8, 1}, {3, 3, 1, 1}), HasSubstr("unknown padding 17"));
}

TEST(InferConv, A11_channels_and_groups) {
  EXPECT_THAT(conv_text(conv(Padding::kSame), {1, 8, 8, 32}, {3, 3, 64, 128}),
              HasSubstr("weights [3,3,64,128] have 64 input channels a group, src [1,8,8,32] with "
                        "1 groups has 32"));
  ConvAttrs a = conv(Padding::kSame);
  a.groups = 0;
  EXPECT_THAT(conv_text(a, {1, 8, 8, 4}, {3, 3, 4, 4}), HasSubstr("groups is 0"));
  a.groups = 3;
  EXPECT_THAT(conv_text(a, {1, 8, 8, 4}, {3, 3, 1, 4}), HasSubstr("InvalidGraph"));
  EXPECT_THAT(conv_text(a, {1, 8, 8, 6}, {3, 3, 2, 4}), HasSubstr("no multiple of 3 groups"));
  EXPECT_THAT(conv_text(conv(Padding::kSame), {1, 8, 8, 0}, {3, 3, 0, 4}),
              HasSubstr("have no elements"));
  a.groups = 6;
  EXPECT_EQ(conv_text(a, {1, 8, 8, 6}, {3, 3, 1, 12}),
            "float32 [1,8,8,12]");  // depthwise, multiplier 2
}

TEST(InferConv, FusedInputs) {
  ConvAttrs a = conv(Padding::kSame);
  a.has_bias = a.has_residual = true;
  DimTable t;
  const Dim n = t.input(0, 0);
  EXPECT_EQ(InferCase(a).in({n, 8, 8, 2}).in({1, 1, 2, 4}).in({4}).in({n, 8, 8, 4}).text(t),
            "float32 [d0_0,8,8,4]");
  EXPECT_THAT(InferCase(a).in({n, 8, 8, 2}).in({1, 1, 2, 4}).in({4}).text(t),
              HasSubstr("does not fit has_bias"));
  EXPECT_THAT(InferCase(a).in({n, 8, 8, 2}).in({1, 1, 2, 4}).in({5}).in({n, 8, 8, 4}).text(t),
              HasSubstr("bias [5]"));
  EXPECT_THAT(InferCase(a).in({n, 8, 8, 2}).in({1, 1, 2, 4}).in({4}).in({n, 8, 7, 4}).text(t),
              HasSubstr("residual"));
  a.act.fn = UnaryFn::kIsNan;
  EXPECT_THAT(InferCase(a).in({n, 8, 8, 2}).in({1, 1, 2, 4}).in({4}).in({n, 8, 8, 4}).text(t),
              HasSubstr("is_nan"));
}

TEST(InferConv, Dtypes) {
  EXPECT_THAT(
      InferCase(conv(Padding::kSame)).in({1, 8, 8, 2}).in({1, 1, 2, 4}, DType::kHalf).text(),
      HasSubstr("input 1 is float16, expected float32"));
  EXPECT_THAT(InferCase(conv(Padding::kSame))
                  .in({1, 8, 8, 2}, DType::kBool)
                  .in({1, 1, 2, 4}, DType::kBool)
                  .text(),
              HasSubstr("does not take bool"));
}

TEST(InferWindow, PadsOfSame) {
  DimTable t;
  auto w = window(224, 7, 2, 1, Padding::kSame, 0, 0, t);
  ASSERT_TRUE(w.ok());
  EXPECT_EQ(w->out, Dim(112));
  EXPECT_EQ(w->pad_before, Dim(2));
  EXPECT_EQ(w->pad_after, Dim(3));
  EXPECT_EQ(t.size(), 0);
  auto sym = window(t.input(0, 1), 3, 1, 1, Padding::kSame, 0, 0, t);
  ASSERT_TRUE(sym.ok());
  EXPECT_EQ(sym->pad_before, Dim(1));
}

TEST(InferPool, ExtentsAndErrors) {
  PoolAttrs a;
  a.ksize = {3, 3};
  a.strides = {2, 2};
  a.padding = Padding::kSame;
  EXPECT_EQ(InferCase(a).in({1, 112, 112, 64}).text(), "float32 [1,56,56,64]");
  EXPECT_EQ(InferCase(a).in({1, 9, 9, 1}, DType::kUint8).text(), "uint8 [1,5,5,1]");
  a.ksize = {0, 3};
  EXPECT_THAT(InferCase(a).in({1, 9, 9, 1}).text(), HasSubstr("out of range"));
  a.ksize = {2, 2};
  a.padding = Padding::kExplicit;
  a.pads = {2, 0, 0, 0};
  EXPECT_THAT(InferCase(a).in({1, 9, 9, 1}).text(), HasSubstr("smaller than the window"));
  a.pads = {1, 1, 0, 0};
  EXPECT_EQ(InferCase(a).in({1, 9, 9, 1}).text(), "float32 [1,5,4,1]");
  a.fn = PoolFn::kAvg;
  EXPECT_THAT(InferCase(a).in({1, 9, 9, 1}, DType::kInt32).text(),
              HasSubstr("avg does not take int32"));
}

TEST(InferResize, SizeAndDtype) {
  ResizeAttrs a;
  DimTable t;
  const Dim n = t.input(0, 0), h = t.input(1, 1);
  EXPECT_EQ(InferCase(a).in({n, 4, 4, 3}, DType::kUint8).host({h, 8}).text(t),
            "float32 [d0_0,d1_1,8,3]");
  a.bilinear = false;
  EXPECT_EQ(InferCase(a).in({1, 4, 4, 3}, DType::kUint8).host({8, 8}).text(), "uint8 [1,8,8,3]");
  EXPECT_THAT(InferCase(a).in({1, 4, 4, 3}).host({0, 8}).text(), HasSubstr("must be positive"));
  EXPECT_THAT(InferCase(a).in({1, 4, 4, 3}).in({2}, DType::kInt32).text(),
              HasSubstr("Unsupported"));
  a.align_corners = a.half_pixel_centers = true;
  EXPECT_THAT(InferCase(a).in({1, 4, 4, 3}).host({8, 8}).text(), HasSubstr("exclude each other"));
}

TEST(InferDepthToSpace, BothWays) {
  DepthToSpaceAttrs a;
  DimTable t;
  const Dim h = t.input(0, 1);
  EXPECT_EQ(InferCase(a).in({1, h, 4, 12}).text(t), "float32 [1,d0_1*2,8,3]");
  a.inverse = true;
  EXPECT_EQ(InferCase(a).in({1, 4, 6, 3}).text(), "float32 [1,2,3,12]");
  EXPECT_THAT(InferCase(a).in({1, 5, 6, 3}).text(), HasSubstr("no multiple"));
  a.block = 0;
  EXPECT_THAT(InferCase(a).in({1, 4, 6, 3}).text(), HasSubstr("block is 0"));
}

}  // namespace
}  // namespace graft::ir
