// non_max_suppression, combined_non_max_suppression, crop_and_resize, pool_argmax, methods of
// resize: extents, and each broken constraint named.
#include "ir_test_util.h"

namespace graft::ir {
namespace {

using ::testing::HasSubstr;

InferCase nms(std::vector<Dim> boxes, std::vector<Dim> scores, DType t = DType::kFloat) {
  return InferCase(NonMaxSuppressionAttrs{}).outputs(3).in(boxes, t).in(scores, t);
}

TEST(InferDetection, non_max_suppression) {
  const DType half = DType::kHalf;
  EXPECT_EQ(nms({9, 4}, {9}).scalar(5).in({}).in({}).in({}).text(),
            "int32 [5]; float32 [5]; int32 []");
  EXPECT_EQ(nms({9, 4}, {9}, half).scalar(0).in({}, half).in({}, half).in({}, half).text(),
            "int32 [0]; float16 [0]; int32 []");
  EXPECT_THAT(nms({9, 5}, {9}).scalar(5).in({}).in({}).in({}).text(), HasSubstr("4 numbers"));
  EXPECT_THAT(nms({9, 4}, {8}).scalar(5).in({}).in({}).in({}).text(), HasSubstr("does not fit"));
  EXPECT_THAT(nms({9, 4}, {9}).scalar(-1).in({}).in({}).in({}).text(), HasSubstr("size is -1"));
  EXPECT_THAT(nms({9, 4}, {9}).scalar(int64_t{1} << 31, DType::kInt64).in({}).in({}).in({}).text(),
              HasSubstr("expected 0 to 2147483647"));
  EXPECT_THAT(nms({9, 4}, {9}).in({}, DType::kInt32).in({}).in({}).in({}).text(),
              HasSubstr("Unsupported: "));
  EXPECT_THAT(nms({9, 4}, {9}).scalar(5).in({1}).in({}).in({}).text(), HasSubstr("threshold"));
  EXPECT_THAT(nms({9, 4}, {9}).scalar(5).in({}, half).in({}).in({}).text(), HasSubstr("float16"));
  EXPECT_THAT(nms({9, 4}, {9}, DType::kDouble).scalar(5).in({}).in({}).in({}).text(),
              HasSubstr("expected float32 or float16"));
}

InferCase combined(bool pad, std::vector<Dim> boxes, std::vector<Dim> scores, Dim per_class,
                   Dim total) {
  return InferCase(CombinedNonMaxSuppressionAttrs{pad, true})
      .outputs(4)
      .in(boxes)
      .in(scores)
      .scalar(per_class)
      .scalar(total)
      .in({})
      .in({});
}

TEST(InferDetection, combined_non_max_suppression) {
  EXPECT_EQ(combined(false, {2, 9, 1, 4}, {2, 9, 3}, 5, 20).text(),
            "float32 [2,20,4]; float32 [2,20]; float32 [2,20]; int32 [2]");
  EXPECT_THAT(combined(true, {2, 9, 3, 4}, {2, 9, 3}, 5, 20).text(), HasSubstr("[2,15,4]"));
  EXPECT_THAT(combined(true, {2, 9, 3, 4}, {2, 9, 3}, 5, 7).text(), HasSubstr("[2,7,4]"));
  EXPECT_THAT(combined(false, {2, 9, 2, 4}, {2, 9, 3}, 5, 20).text(), HasSubstr("neither one"));
  EXPECT_THAT(combined(false, {2, 9, 1, 4}, {3, 9, 3}, 5, 20).text(), HasSubstr("does not fit"));
  EXPECT_THAT(combined(false, {2, 9, 1, 4}, {2, 8, 3}, 5, 20).text(), HasSubstr("does not fit"));
  EXPECT_THAT(combined(false, {2, 9, 1, 3}, {2, 9, 3}, 5, 20).text(), HasSubstr("4 numbers"));
  EXPECT_THAT(combined(false, {2, 9, 1, 4}, {2, 9, 3}, 0, 20).text(), HasSubstr("per class is 0"));
  EXPECT_THAT(combined(false, {2, 9, 1, 4}, {2, 9, 3}, 5, 0).text(), HasSubstr("total output"));
  DimTable dims;
  const Dim n = dims.input(0, 0);
  EXPECT_THAT(combined(true, {n, 9, 1, 4}, {n, 9, n}, 5, 20).text(dims), HasSubstr("min"));
}

TEST(InferDetection, crop_and_resize) {
  const DType i = DType::kInt32;
  const auto crop = [&](std::vector<Dim> src, std::vector<Dim> boxes, std::vector<Dim> size) {
    return InferCase(CropAndResizeAttrs{}).in(src).in(boxes).in({3}, i).host(size).text();
  };
  EXPECT_EQ(crop({2, 8, 8, 5}, {3, 4}, {7, 6}), "float32 [3,7,6,5]");
  EXPECT_THAT(crop({2, 8, 8, 5}, {2, 4}, {7, 6}), HasSubstr("does not fit"));
  EXPECT_THAT(crop({2, 8, 8, 5}, {3, 5}, {7, 6}), HasSubstr("4 numbers"));
  EXPECT_THAT(crop({2, 8, 8, 5}, {3, 4}, {0, 6}), HasSubstr("must be positive"));
  EXPECT_THAT(crop({2, 0, 8, 5}, {3, 4}, {7, 6}), HasSubstr("must be positive"));
  EXPECT_THAT(crop({2, 8, 8, 5}, {3, 4}, {7}), HasSubstr("2 elements"));
  EXPECT_THAT(crop({2, 8, 8, 0}, {3, 4}, {7, 6}), HasSubstr("no channels"));
  EXPECT_THAT(InferCase(CropAndResizeAttrs{true, NAN})
                  .in({2, 8, 8, 5})
                  .in({3, 4})
                  .in({3}, i)
                  .host({2, 2})
                  .text(),
              HasSubstr("extrapolation is NaN"));
  EXPECT_THAT(InferCase(CropAndResizeAttrs{})
                  .in({2, 8, 8, 5}, DType::kUint8)
                  .in({3, 4})
                  .in({3}, i)
                  .host({2, 2})
                  .text(),
              HasSubstr("src is uint8, expected float32"));
}

TEST(InferDetection, pool_argmax) {
  const auto pool = [](PoolArgmaxAttrs a, std::vector<Dim> src) {
    return InferCase(std::move(a)).outputs(2).in(std::move(src)).text();
  };
  PoolArgmaxAttrs a{{3, 2}, {2, 1}, Padding::kSame, false, DType::kInt32};
  EXPECT_EQ(pool(a, {2, 7, 8, 3}), "float32 [2,4,8,3]; int32 [2,4,8,3]");
  EXPECT_THAT(pool(a, {0, 7, 8, 3}), HasSubstr("no elements"));
  a.padding = Padding::kExplicit;
  EXPECT_THAT(pool(a, {2, 7, 8, 3}), HasSubstr("expected valid or same"));
  EXPECT_THAT(pool({{0, 2}, {1, 1}}, {2, 7, 8, 3}), HasSubstr("out of range"));
  EXPECT_THAT(pool({{2}, {1, 1}}, {2, 7, 8, 3}), HasSubstr("2 entries"));
  a = {};
  a.to = DType::kInt8;
  EXPECT_THAT(pool(a, {2, 7, 8, 3}), HasSubstr("expected int32 or int64"));
}

TEST(InferDetection, methods_of_resize) {
  const auto resize = [](ResizeAttrs a, std::vector<Dim> src) {
    return InferCase(a).in(std::move(src), DType::kUint8).host({5, 6}).text();
  };
  EXPECT_EQ(resize({true, false, true, ResizeMethod::kBicubic}, {2, 7, 8, 3}), "float32 [2,5,6,3]");
  EXPECT_EQ(resize({false, true, false, ResizeMethod::kArea}, {2, 7, 8, 3}), "float32 [2,5,6,3]");
  EXPECT_THAT(resize({true, false, true, ResizeMethod::kArea}, {2, 7, 8, 3}),
              HasSubstr("area has no half_pixel_centers"));
  EXPECT_THAT(resize({true, false, false, ResizeMethod::kCount}, {2, 7, 8, 3}),
              HasSubstr("unknown method"));
  EXPECT_THAT(resize({true, false, false, ResizeMethod::kArea}, {2, 7, 8, 0}),
              HasSubstr("no channels"));
}

}  // namespace
}  // namespace graft::ir
