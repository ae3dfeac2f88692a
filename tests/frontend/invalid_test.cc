// Graphs that TensorFlow would not accept: errors that name node, attribute, got and expected.
#include "graph_builder.h"

namespace graft::frontend {
namespace {

using graphdef::attr_of_bool;
using graphdef::attr_of_float;
using graphdef::attr_of_int;
using graphdef::attr_of_ints;
using graphdef::attr_of_string;

const std::string kFloatAttr = type_attr(DType::kFloat);

GraphBuilder image() {
  GraphBuilder b;
  b.placeholder("x", DType::kFloat, {-1, 8, 8, 4}).floats("w", {3, 3, 4, 6});
  return b;
}

AttrList conv_attrs() {
  return {{"T", kFloatAttr},
          {"strides", attr_of_ints({1, 1, 1, 1})},
          {"padding", attr_of_string("SAME")}};
}

GraphBuilder conv_with(const std::string& name, const std::string& value) {
  AttrList attrs = conv_attrs();
  bool found = false;
  for (auto& [n, v] : attrs) {
    if (n == name) {
      v = value;
      found = true;
    }
  }
  if (!found) attrs.emplace_back(name, value);
  return image().add("Conv2D", "n", {"x", "w"}, attrs);
}

TEST(Invalid, base_graph_is_good) {
  expect_supported(image().add("Conv2D", "n", {"x", "w"}, conv_attrs()));
}

TEST(Invalid, A1_required_attr_missing) {
  expect_invalid(image().add("Conv2D", "n", {"x", "w"},
                             {{"T", kFloatAttr}, {"padding", attr_of_string("SAME")}}),
                 {"strides"});
  expect_invalid(image().add("Relu", "n", {"x"}, {}), {"T"});
}

TEST(Invalid, A1_attr_of_wrong_kind) {
  expect_invalid(conv_with("strides", attr_of_string("1")), {"strides"});
  expect_invalid(conv_with("padding", attr_of_int(3)), {"padding"});
}

TEST(Invalid, A3_dtype_numbers) {
  expect_invalid(image().add("Relu", "n", {"x"}, {{"T", type_attr(static_cast<DType>(9999))}}),
                 {"T", "9999"});
  expect_invalid(image().add("Relu", "n", {"x"}, {{"T", type_attr(DType::kInvalid)}}), {"T"});
  expect_invalid(image().add("Relu", "n", {"x"}, {{"T", type_attr(static_cast<DType>(101))}}),
                 {"T"});
}

TEST(Invalid, A3_T_differs_from_the_edge) {
  expect_invalid(image().add("Relu", "n", {"x"}, {{"T", type_attr(DType::kInt32)}}),
                 {"'T'", "int32", "input 0", "'x'", "float32"});
  expect_invalid(image().ints("i", {1}, {0}).add("AddV2", "n", {"x", "i"}, {{"T", kFloatAttr}}),
                 {"input 1", "int32"});
}

TEST(Invalid, A4_strides) {
  for (int64_t bad : {int64_t{0}, int64_t{-1}, INT64_MAX, int64_t{1} << 31})
    expect_invalid(conv_with("strides", attr_of_ints({1, bad, 1, 1})),
                   {"strides", std::to_string(bad)});
  expect_invalid(conv_with("strides", attr_of_ints({1, 1})),
                 {"strides", "2 elements", "expected 4"});
  expect_invalid(conv_with("dilations", attr_of_ints({1, 0, 1, 1})), {"dilations", "0"});
}

TEST(Invalid, A4_ksize) {
  for (int64_t bad : {int64_t{0}, int64_t{-3}, INT64_MAX}) {
    expect_invalid(image().add("MaxPool", "n", {"x"},
                               {{"T", kFloatAttr},
                                {"ksize", attr_of_ints({1, bad, 2, 1})},
                                {"strides", attr_of_ints({1, 1, 1, 1})},
                                {"padding", attr_of_string("SAME")}}),
                   {"ksize", std::to_string(bad)});
  }
}

TEST(Invalid, A5_padding) {
  expect_invalid(conv_with("padding", attr_of_string("FOO")), {"padding", "FOO", "SAME"});
  expect_invalid(conv_with("explicit_paddings", attr_of_ints({0, 0, 1, 1, 1, 1, 0, 0})),
                 {"explicit_paddings"});
  for (std::vector<int64_t> pads : {std::vector<int64_t>{},
                                    {0, 0, 1},
                                    {0, 0, -1, 1, 1, 1, 0, 0},
                                    {1, 0, 1, 1, 1, 1, 0, 0},
                                    {0, 0, INT64_MAX, 1, 1, 1, 0, 0}}) {
    expect_invalid(image().add("Conv2D", "n", {"x", "w"},
                               {{"T", kFloatAttr},
                                {"strides", attr_of_ints({1, 1, 1, 1})},
                                {"padding", attr_of_string("EXPLICIT")},
                                {"explicit_paddings", attr_of_ints(pads)}}),
                   {"explicit_paddings"});
  }
}

TEST(Invalid, A6_data_format) {
  expect_invalid(conv_with("data_format", attr_of_string("X")), {"data_format", "'X'", "NHWC"});
  expect_invalid(conv_with("data_format", attr_of_string("")), {"data_format"});
}

TEST(Invalid, A8_axes_and_permutations) {
  auto transpose = [](std::vector<int32_t> perm) {
    const auto n = static_cast<int64_t>(perm.size());
    return image()
        .ints("p", {n}, perm)
        .add("Transpose", "n", {"x", "p"},
             {{"T", kFloatAttr}, {"Tperm", type_attr(DType::kInt32)}});
  };
  expect_invalid(transpose({0, 1, 2, 4}), {"4", "rank 4"});
  expect_invalid(transpose({0, 1, 2, -5}), {"-5"});
  expect_invalid(transpose({0, 1, 2, 2}), {"twice"});
  expect_invalid(transpose({0, 1, 2}), {"3 elements", "rank 4"});
  auto reduce = [](std::vector<int32_t> axes) {
    const auto n = static_cast<int64_t>(axes.size());
    return image()
        .ints("a", {n}, axes)
        .add("Mean", "n", {"x", "a"}, {{"T", kFloatAttr}, {"Tidx", type_attr(DType::kInt32)}});
  };
  expect_invalid(reduce({4}), {"4"});
  expect_invalid(reduce({1, -3}), {"twice"});
  expect_invalid(image()
                     .ints("a", {}, {5})
                     .add("ExpandDims", "n", {"x", "a"},
                          {{"T", kFloatAttr}, {"Tdim", type_attr(DType::kInt32)}}),
                 {"5"});
  expect_invalid(
      image().add("Squeeze", "n", {"x"}, {{"T", kFloatAttr}, {"squeeze_dims", attr_of_ints({7})}}),
      {"7"});
  expect_invalid(
      image().add("Squeeze", "n", {"x"}, {{"T", kFloatAttr}, {"squeeze_dims", attr_of_ints({1})}}),
      {"8", "expected 1"});
}

TEST(Invalid, A10_split_and_concat_counts) {
  auto split = [](int64_t n) {
    return image()
        .ints("a", {}, {3})
        .add("Split", "n", {"a", "x"}, {{"T", kFloatAttr}, {"num_split", attr_of_int(n)}});
  };
  expect_invalid(split(0), {"num_split", "0"});
  expect_invalid(split(-2), {"num_split", "-2"});
  expect_invalid(split(3), {"3", "4"});
  auto split_v = [](std::vector<int32_t> sizes, int64_t n) {
    const auto count = static_cast<int64_t>(sizes.size());
    return image()
        .ints("s", {count}, sizes)
        .ints("a", {}, {3})
        .add(
            "SplitV", "n", {"x", "s", "a"},
            {{"T", kFloatAttr}, {"Tlen", type_attr(DType::kInt32)}, {"num_split", attr_of_int(n)}});
  };
  expect_invalid(split_v({1, 2}, 2), {"sum to 3", "4"});
  expect_invalid(split_v({5, -1}, 2), {"sum to 5"});
  expect_invalid(split_v({-1, -1}, 2), {"-1"});
  expect_invalid(split_v({-2, 6}, 2), {"-2"});
  expect_invalid(split_v({2, 2}, 3), {"2 elements", "3"});
  for (int64_t n : {int64_t{1}, int64_t{3}, int64_t{1} << 31})
    expect_invalid(
        image()
            .ints("a", {}, {3})
            .add("ConcatV2", "n", {"x", "x", "a"},
                 {{"T", kFloatAttr}, {"N", attr_of_int(n)}, {"Tidx", type_attr(DType::kInt32)}}),
        {"'N'", std::to_string(n)});
  expect_invalid(image().add("Pack", "n", {"x", "x"}, {{"T", kFloatAttr}, {"N", attr_of_int(5)}}),
                 {"'N'", "5"});
}

TEST(Invalid, A11_channels_and_groups) {
  auto conv = [](std::vector<int64_t> w) {
    GraphBuilder b;
    b.placeholder("x", DType::kFloat, {-1, 8, 8, 4})
        .floats("w", w)
        .add("Conv2D", "n", {"x", "w"}, conv_attrs());
    return b;
  };
  expect_invalid(conv({3, 3, 3, 6}), {"4 channels", "3"});
  expect_invalid(conv({3, 3, 2, 5}), {"5", "2 groups"});
  expect_supported(conv({3, 3, 2, 6}));
  GraphBuilder none;
  none.placeholder("x", DType::kFloat, {-1, 8, 8, 0})
      .floats("w", {3, 3, 4, 6})
      .add("Conv2D", "n", {"x", "w"}, conv_attrs());
  expect_invalid(none, {"0 channels"});
}

TEST(Invalid, T5_shapes_of_weights) {
  auto conv = [](std::vector<int64_t> w) {
    GraphBuilder b;
    b.placeholder("x", DType::kFloat, {-1, 8, 8, 4})
        .floats("w", w)
        .add("Conv2D", "n", {"x", "w"}, conv_attrs());
    return b;
  };
  expect_invalid(conv({0, 3, 4, 6}), {"filter", "0"});
  expect_invalid(conv({3, 3, 0, 6}), {"filter", "0"});
  expect_invalid(conv({3, 3, 4, 6, 1}), {"rank 5", "expected 4"});
  expect_invalid(image().floats("b", {}).add("BiasAdd", "n", {"x", "b"}, {{"T", kFloatAttr}}),
                 {"rank 0", "expected 1"});
  expect_invalid(image().floats("b", {5}).add("BiasAdd", "n", {"x", "b"}, {{"T", kFloatAttr}}),
                 {"5 elements", "4 channels"});
}

TEST(Invalid, S9_input_count) {
  expect_invalid(image().add("Relu", "n", {}, {{"T", kFloatAttr}}), {"0 inputs", "expected 1"});
  expect_invalid(image().add("Conv2D", "n", {"x", "w", "x"}, conv_attrs()),
                 {"3 inputs", "expected 2"});
  expect_invalid(image().add("ConcatV2", "n", {"x"}, {{"T", kFloatAttr}, {"N", attr_of_int(0)}}),
                 {"1 inputs", "2 or more"});
}

TEST(Invalid, S3_output_index_beyond_the_producer) {
  expect_invalid(image().add("Relu", "n", {"w:1"}, {{"T", kFloatAttr}}),
                 {"output 1 of 'w'", "which has 1"});
}

TEST(Invalid, T6_const_dtype_differs_from_its_tensor) {
  GraphBuilder b;
  b.add("Const", "n", {},
        {{"dtype", kFloatAttr}, {"value", tensor_attr(DType::kInt32, {1}, std::string(4, '\0'))}});
  expect_invalid(b, {"float32", "int32"});
}

TEST(Invalid, A9_batch_norm_statistics) {
  GraphBuilder b = image();
  b.floats("c", {4}).floats("d", {5});
  b.add("FusedBatchNormV3", "n", {"x", "c", "d", "c", "c"},
        {{"T", kFloatAttr}, {"U", kFloatAttr}, {"is_training", attr_of_bool(false)}});
  expect_invalid(b, {"input 2", "5 elements", "4 channels"});
}

GraphBuilder conv3d_with(const std::string& name, const std::string& value) {
  AttrList attrs{{"T", kFloatAttr},
                 {"strides", attr_of_ints({1, 1, 1, 1, 1})},
                 {"padding", attr_of_string("SAME")}};
  std::erase_if(attrs, [&](const auto& attr) { return attr.first == name; });
  attrs.emplace_back(name, value);
  GraphBuilder b;
  b.placeholder("x", DType::kFloat, {-1, 6, 8, 8, 4}).floats("w", {3, 3, 3, 4, 6});
  return b.add("Conv3D", "n", {"x", "w"}, attrs);
}

TEST(Invalid, volumes) {
  expect_supported(conv3d_with("padding", attr_of_string("VALID")));
  for (int64_t bad : {int64_t{0}, int64_t{-1}, INT64_MAX, INT64_MIN, int64_t{1} << 31}) {
    expect_invalid(conv3d_with("strides", attr_of_ints({1, 1, bad, 1, 1})),
                   {"strides", std::to_string(bad)});
    expect_invalid(conv3d_with("dilations", attr_of_ints({1, bad, 1, 1, 1})),
                   {"dilations", std::to_string(bad)});
  }
  expect_invalid(conv3d_with("strides", attr_of_ints({1, 1, 1, 1})),
                 {"strides", "4 elements", "expected 5"});
  expect_invalid(conv3d_with("padding", attr_of_string("EXPLICIT")), {"padding", "EXPLICIT"});
  expect_invalid(conv3d_with("data_format", attr_of_string("NHWC")), {"data_format", "NDHWC"});
  expect_invalid(conv3d_with("dilations", attr_of_ints({1, 1, 1})), {"dilations", "expected 5"});
}

TEST(Invalid, ops_of_bits_and_counts) {
  const std::string int32 = type_attr(DType::kInt32);
  expect_invalid(image().add("BitwiseXor", "n", {"x", "x"}, {{"T", kFloatAttr}}),
                 {"float32", "integer"});
  expect_invalid(image().add("PopulationCount", "n", {"x"}, {{"T", kFloatAttr}}),
                 {"float32", "integer"});
  expect_invalid(image().add("Bitcast", "n", {"x"},
                             {{"T", kFloatAttr}, {"type", type_attr(static_cast<DType>(9999))}}),
                 {"type", "9999"});
  expect_invalid(
      image()
          .ints("i", {3}, {1, 2, 3})
          .add("Bitcast", "n", {"i"}, {{"T", int32}, {"type", type_attr(DType::kInt64)}}),
      {"[3]", "a last extent of 2"});
  const auto count = [&](std::vector<int32_t> size, std::vector<int64_t> dims) {
    GraphBuilder b;
    b.ints("i", {3}, {1, 2, 3}).ints("size", dims, size).floats("none", {0});
    return b.add("DenseBincount", "n", {"i", "size", "none"}, {{"T", kFloatAttr}, {"Tidx", int32}});
  };
  expect_supported(count({4}, {}));
  expect_invalid(count({-4}, {}), {"size", "-4"});
  expect_invalid(count({4, 4}, {2}), {"size", "rank 1"});
  expect_invalid(count({}, {0}), {"size", "rank 1"});
}

}  // namespace
}  // namespace graft::frontend
