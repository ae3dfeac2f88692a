// fft, complex, dilation2d: extents, and each broken constraint named.
#include "ir_test_util.h"

namespace graft::ir {
namespace {

using ::testing::HasSubstr;

TEST(InferSpectral, fft) {
  const auto fft = [](FftFn fn, int64_t axis, std::vector<Dim> src) {
    return InferCase(FftAttrs{fn, axis}).in(std::move(src));
  };
  EXPECT_EQ(fft(FftFn::kForward, 1, {3, 5, 2}).text(), "float32 [3,5,2]");
  EXPECT_EQ(fft(FftFn::kInverse, 0, {3, 5, 2}).text(), "float32 [3,5,2]");
  EXPECT_EQ(fft(FftFn::kReal, 1, {3, 8}).scalar(8).text(), "float32 [3,5,2]");
  EXPECT_EQ(fft(FftFn::kReal, 0, {9, 3}).scalar(7).text(), "float32 [4,3,2]");
  EXPECT_EQ(fft(FftFn::kInverseReal, 1, {3, 5, 2}).scalar(8).text(), "float32 [3,8]");
  EXPECT_EQ(fft(FftFn::kInverseReal, 1, {3, 5, 2}).scalar(9).text(), "float32 [3,9]");
  EXPECT_THAT(fft(FftFn::kReal, 1, {3, 7}).scalar(8).text(), HasSubstr("less than 8"));
  EXPECT_THAT(fft(FftFn::kInverseReal, 1, {3, 5, 2}).scalar(10).text(), HasSubstr("less than 6"));
  EXPECT_THAT(fft(FftFn::kReal, 1, {3, 7}).scalar(0).text(), HasSubstr("length is 0"));
  EXPECT_THAT(fft(FftFn::kReal, 2, {3, 7}).scalar(7).text(), HasSubstr("axis"));
  EXPECT_THAT(fft(FftFn::kForward, 2, {3, 5, 2}).text(), HasSubstr("axis"));
  EXPECT_THAT(fft(FftFn::kForward, 1, {3, 5}).text(), HasSubstr("real and imaginary part"));
  EXPECT_THAT(fft(FftFn::kForward, 1, {3, 5, 2}).scalar(5).text(), HasSubstr("expected 1"));
  EXPECT_THAT(fft(FftFn::kReal, 1, {3, 5}).text(), HasSubstr("expected 2"));
  EXPECT_THAT(fft(FftFn::kCount, 1, {3, 5, 2}).text(), HasSubstr("unknown function"));
  EXPECT_THAT(fft(FftFn::kReal, 1, {3, 7}).in({}, DType::kInt32).text(),
              HasSubstr("Unsupported: "));
  EXPECT_THAT(InferCase(FftAttrs{}).in({3, 2}, DType::kHalf).text(), HasSubstr("float16"));
}

TEST(InferSpectral, fft_of_extents_that_are_not_known) {
  DimTable dims;
  const Dim n = dims.input(0, 0);
  const auto real = InferCase(FftAttrs{FftFn::kReal, 1}).in({4, n}).scalar(n).text(dims);
  EXPECT_THAT(real, HasSubstr("float32 [4,"));
  EXPECT_THAT(real, HasSubstr(",2]"));
  EXPECT_EQ(InferCase(FftAttrs{FftFn::kReal, 1}).in({4, n}).scalar(16).text(dims),
            "float32 [4,9,2]");
}

TEST(InferSpectral, complex) {
  const auto unary = [](ComplexFn fn, std::vector<Dim> src) {
    return InferCase(ComplexAttrs{fn}).in(std::move(src)).text();
  };
  const auto binary = [](ComplexFn fn, std::vector<Dim> a, std::vector<Dim> b) {
    return InferCase(ComplexAttrs{fn}).in(std::move(a)).in(std::move(b)).text();
  };
  for (ComplexFn fn : {ComplexFn::kReal, ComplexFn::kImag, ComplexFn::kAbs, ComplexFn::kAngle})
    EXPECT_EQ(unary(fn, {3, 4, 2}), "float32 [3,4]");
  EXPECT_EQ(unary(ComplexFn::kExp, {3, 4, 2}), "float32 [3,4,2]");
  EXPECT_EQ(binary(ComplexFn::kMake, {3, 1}, {4}), "float32 [3,4,2]");
  EXPECT_EQ(binary(ComplexFn::kMul, {3, 1, 2}, {4, 2}), "float32 [3,4,2]");
  EXPECT_EQ(binary(ComplexFn::kMul, {2}, {2}), "float32 [2]");
  EXPECT_THAT(binary(ComplexFn::kMul, {3, 2, 2}, {4, 2}), HasSubstr("broadcast"));
  EXPECT_THAT(binary(ComplexFn::kMul, {3, 2}, {3}), HasSubstr("real and imaginary part"));
  EXPECT_THAT(unary(ComplexFn::kAbs, {3, 4}), HasSubstr("real and imaginary part"));
  EXPECT_THAT(unary(ComplexFn::kAbs, {}), HasSubstr("real and imaginary part"));
  EXPECT_THAT(unary(ComplexFn::kMul, {3, 2}), HasSubstr("expected 2"));
  EXPECT_THAT(binary(ComplexFn::kAbs, {3, 2}, {3, 2}), HasSubstr("expected 1"));
  EXPECT_THAT(unary(ComplexFn::kCount, {3, 2}), HasSubstr("unknown function"));
  EXPECT_THAT(InferCase(ComplexAttrs{}).in({3, 2}, DType::kInt32).text(), HasSubstr("int32"));
}

TEST(InferSpectral, dilation2d) {
  const auto dilate = [](Dilation2DAttrs a, std::vector<Dim> src, std::vector<Dim> filter) {
    return InferCase(std::move(a)).in(std::move(src)).in(std::move(filter)).text();
  };
  const Dilation2DAttrs same{{2, 1}, {1, 2}, Padding::kSame};
  EXPECT_EQ(dilate(same, {2, 7, 8, 3}, {3, 2, 3}), "float32 [2,4,8,3]");
  EXPECT_EQ(dilate({{2, 1}, {1, 2}, Padding::kValid}, {2, 7, 8, 3}, {3, 2, 3}),
            "float32 [2,3,6,3]");
  EXPECT_THAT(dilate(same, {2, 7, 8, 3}, {3, 2, 4}), HasSubstr("does not have the channels"));
  EXPECT_THAT(dilate(same, {2, 7, 8}, {3, 2, 3}), HasSubstr("rank"));
  EXPECT_THAT(dilate(same, {2, 7, 8, 3}, {0, 2, 3}), HasSubstr("out of range"));
  EXPECT_THAT(dilate({{2, 0}, {1, 2}, Padding::kSame}, {2, 7, 8, 3}, {3, 2, 3}),
              HasSubstr("out of range"));
  EXPECT_THAT(dilate({{2, 1}, {1, -1}, Padding::kSame}, {2, 7, 8, 3}, {3, 2, 3}),
              HasSubstr("out of range"));
  EXPECT_THAT(dilate({{2, 1, 1}, {1, 2}, Padding::kSame}, {2, 7, 8, 3}, {3, 2, 3}),
              HasSubstr("2 entries"));
  EXPECT_THAT(dilate({{1, 1}, {1, 1}, Padding::kExplicit}, {2, 7, 8, 3}, {3, 2, 3}),
              HasSubstr("expected valid or same"));
  EXPECT_THAT(dilate({{1, 1}, {9, 9}, Padding::kValid}, {2, 7, 8, 3}, {3, 2, 3}),
              HasSubstr("larger than"));
}

}  // namespace
}  // namespace graft::ir
