// TensorFlow ops that become several IR ops: graphs that TensorFlow would refuse, too. What they
// compute is compared with TensorFlow in tests/conformance/op_cases.py.
#include "graph_builder.h"

namespace graft::frontend {
namespace {

using graphdef::attr_of_float;
using graphdef::attr_of_int;
using graphdef::attr_of_ints;
using graphdef::attr_of_string;

const std::string kFloatAttr = type_attr(DType::kFloat), kIntAttr = type_attr(DType::kInt32);

GraphBuilder image() {
  GraphBuilder b;
  b.placeholder("x", DType::kFloat, {-1, 5, 4, 3});
  return b;
}

GraphBuilder transposed(std::vector<int32_t> sizes, const char* padding,
                        std::vector<int64_t> filter = {3, 3, 6, 3}) {
  GraphBuilder b = image();
  b.ints("sizes", {static_cast<int64_t>(sizes.size())}, sizes).floats("w", std::move(filter));
  b.add("Conv2DBackpropInput", "n", {"sizes", "w", "x"},
        {{"T", kFloatAttr},
         {"strides", attr_of_ints({1, 2, 2, 1})},
         {"padding", attr_of_string(padding)}});
  return b;
}

TEST(Composed, transposed_convolution_sizes) {
  expect_supported(transposed({2, 10, 8, 6}, "SAME"));
  expect_supported(transposed({2, 9, 7, 6}, "SAME"));
  expect_invalid(transposed({2, 11, 8, 6}, "SAME"), {"height", "does not fit out_backprop"});
  expect_invalid(transposed({2, 10, 6, 6}, "SAME"), {"width", "does not fit out_backprop"});
  expect_supported(transposed({2, 11, 9, 6}, "VALID"));
  expect_supported(transposed({2, 12, 10, 6}, "VALID"));
  expect_invalid(transposed({2, 13, 9, 6}, "VALID"), {"height", "does not fit out_backprop"});
  expect_invalid(transposed({2, 10, 9, 6}, "VALID"), {"height", "does not fit out_backprop"});
  expect_invalid(transposed({2, 10, 8, 5}, "SAME"), {"channels", "5", "6"});
  expect_invalid(transposed({10, 8, 6}, "SAME"), {"3", "expected 4 or 2"});
  expect_invalid(transposed({2, 10, 8, 6}, "SAME", {3, 3, 6, 4}), {"out_backprop", "3", "4"});
  expect_refused(transposed({2, 10, 8, 12}, "SAME"), "unsupported_value", "grouped");
}

GraphBuilder space_to_batch(std::vector<int32_t> block, std::vector<int32_t> pads) {
  GraphBuilder b = image();
  const auto axes = static_cast<int64_t>(block.size()),
             rows = static_cast<int64_t>(pads.size()) / 2;
  b.ints("block", {axes}, block).ints("pads", {rows, 2}, pads);
  b.add("SpaceToBatchND", "n", {"x", "block", "pads"},
        {{"T", kFloatAttr}, {"Tblock_shape", kIntAttr}, {"Tpaddings", kIntAttr}});
  return b;
}

TEST(Composed, space_to_batch_operands) {
  expect_supported(space_to_batch({2, 2}, {0, 1, 0, 0}));
  expect_invalid(space_to_batch({2, 2}, {0, 0, 0, 0}), {"padded dimension 1 is 5", "2"});
  expect_invalid(space_to_batch({0, 2}, {0, 1, 0, 0}), {"block_shape", "0"});
  expect_invalid(space_to_batch({2, 2}, {0, -1, 0, 0}), {"negative"});
  expect_invalid(space_to_batch({2, 2}, {0, 1}), {"[2,2]"});
  expect_invalid(space_to_batch({1, 1, 1, 1}, {0, 0, 0, 0, 0, 0, 0, 0}), {"block_shape", "rank 4"});
}

TEST(Composed, batch_to_space_crops) {
  auto crop = [](std::vector<int32_t> crops) {
    GraphBuilder b;
    b.placeholder("x", DType::kFloat, {4, 3, 3, 1}).ints("block", {2}, {2, 2});
    b.ints("crops", {2, 2}, crops);
    b.add("BatchToSpaceND", "n", {"x", "block", "crops"},
          {{"T", kFloatAttr}, {"Tblock_shape", kIntAttr}, {"Tcrops", kIntAttr}});
    return b;
  };
  expect_supported(crop({3, 3, 0, 0}));
  expect_invalid(crop({4, 3, 0, 0}), {"crops of dimension 1", "4 and 3", "6"});
}

TEST(Composed, axes_of_reverse_and_roll) {
  const AttrList attrs{{"T", kFloatAttr}, {"Tidx", kIntAttr}};
  expect_invalid(image().ints("a", {2}, {1, -3}).add("ReverseV2", "n", {"x", "a"}, attrs),
                 {"axis 1 twice"});
  expect_invalid(image().ints("a", {1}, {4}).add("ReverseV2", "n", {"x", "a"}, attrs), {"4"});
  const AttrList roll{{"T", kFloatAttr}, {"Tshift", kIntAttr}, {"Taxis", kIntAttr}};
  expect_invalid(
      image().ints("s", {2}, {1, 1}).ints("a", {1}, {1}).add("Roll", "n", {"x", "s", "a"}, roll),
      {"2 and 1"});
}

TEST(Composed, permutations) {
  auto invert = [](std::vector<int32_t> p) {
    GraphBuilder b;
    b.ints("p", {3}, std::move(p)).add("InvertPermutation", "n", {"p"}, {{"T", kIntAttr}});
    return b;
  };
  expect_supported(invert({2, 0, 1}));
  expect_invalid(invert({2, 0, 0}), {"no permutation", "element 2 is 0"});
  expect_invalid(invert({3, 0, 1}), {"no permutation", "element 0 is 3"});
}

TEST(Composed, matrix_bounds) {
  auto diag = [](int32_t k, int32_t rows, int32_t cols) {
    GraphBuilder b;
    b.placeholder("x", DType::kFloat, {-1, 4}).ints("k", {}, {k}).ints("r", {}, {rows});
    b.ints("c", {}, {cols}).floats("p", {});
    b.add("MatrixDiagV3", "n", {"x", "k", "r", "c", "p"},
          {{"T", kFloatAttr}, {"align", attr_of_string("RIGHT_LEFT")}});
    return b;
  };
  expect_supported(diag(0, 4, 6));
  expect_invalid(diag(0, 5, 6), {"both larger", "4"});
  expect_invalid(diag(0, 3, -1), {"3 and -1", "4"});
  expect_refused(diag(1, -1, -1), "unsupported_value", "main diagonal");
  GraphBuilder band = image();
  band.ints("l", {}, {5}).ints("u", {}, {0});
  band.add("MatrixBandPart", "n", {"x", "l", "u"}, {{"T", kFloatAttr}, {"Tindex", kIntAttr}});
  expect_invalid(band, {"5", "4 rows"});
}

TEST(Composed, local_response_normalization) {
  auto lrn = [](std::vector<int64_t> dims, int64_t radius) {
    GraphBuilder b;
    b.placeholder("x", DType::kFloat, std::move(dims));
    b.add("LRN", "n", {"x"}, {{"T", kFloatAttr}, {"depth_radius", attr_of_int(radius)}});
    return b;
  };
  expect_supported(lrn({-1, -1, -1, 8}, 5));
  expect_invalid(lrn({-1, 8, 8}, 5), {"rank 3"});
  expect_invalid(lrn({-1, 8, 8, 8}, -1), {"depth_radius", "-1"});
  expect_refused(lrn({-1, 8, 8, 4096}, 5), "shape", "4096");
}

TEST(Composed, broadcast_args) {
  auto args = [](std::vector<int32_t> a, std::vector<int32_t> b) {
    GraphBuilder g;
    const auto n = static_cast<int64_t>(a.size()), m = static_cast<int64_t>(b.size());
    g.ints("a", {n}, std::move(a)).ints("b", {m}, std::move(b));
    g.add("BroadcastArgs", "n", {"a", "b"}, {{"T", kIntAttr}});
    return g;
  };
  expect_supported(args({}, {}));
  expect_supported(args({2, 3}, {1}));
  expect_invalid(args({2, 3}, {2}), {"do not broadcast", "3", "2"});
}

}  // namespace
}  // namespace graft::frontend
