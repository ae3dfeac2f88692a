// Ops as they become IR: types, kinds and attributes; extraction of segments.
#include <algorithm>

#include "graph_builder.h"

namespace graft::frontend {
namespace {

using graphdef::attr_of_bool;
using graphdef::attr_of_float;
using graphdef::attr_of_int;
using graphdef::attr_of_ints;
using graphdef::attr_of_string;

const std::string kFloatAttr = type_attr(DType::kFloat), kIntAttr = type_attr(DType::kInt32);

GraphBuilder image() {
  GraphBuilder b;
  b.placeholder("x", DType::kFloat, {-1, 8, 8, 4});
  return b;
}

std::vector<int64_t> dims(const ir::TensorType& type) {  // symbols as -1
  std::vector<int64_t> out;
  for (ir::Dim d : type.dims) out.push_back(d.is_const() ? d.value() : -1);
  return out;
}

void expect_dims(const GraphBuilder& b, const std::vector<std::vector<int64_t>>& want) {
  const Verdict v = import_last(b);
  ASSERT_TRUE(v.status.ok()) << v.status.message();
  ASSERT_TRUE(v.support.yes) << v.support.code << ": " << v.support.reason;
  ASSERT_EQ(v.types.size(), want.size());
  for (size_t i = 0; i < want.size(); ++i) EXPECT_EQ(dims(v.types[i]), want[i]);
}

TEST(Import, convolutions) {
  auto conv = [](const char* padding, const char* format) {
    GraphBuilder b;
    b.placeholder("x", DType::kFloat,
                  std::string(format) == "NHWC" ? std::vector<int64_t>{-1, 9, 8, 4}
                                                : std::vector<int64_t>{-1, 4, 9, 8});
    const bool nhwc = std::string(format) == "NHWC";
    b.floats("w", {3, 3, 4, 6});
    b.add("Conv2D", "n", {"x", "w"},
          {{"T", kFloatAttr},
           {"strides", nhwc ? attr_of_ints({1, 2, 1, 1}) : attr_of_ints({1, 1, 2, 1})},
           {"padding", attr_of_string(padding)},
           {"data_format", attr_of_string(format)},
           {"use_cudnn_on_gpu", attr_of_bool(true)}});
    return b;
  };
  expect_dims(conv("SAME", "NHWC"), {{-1, 5, 8, 6}});
  expect_dims(conv("VALID", "NHWC"), {{-1, 4, 6, 6}});
  expect_dims(conv("SAME", "NCHW"), {{-1, 6, 5, 8}});
}

TEST(Import, A7_window_larger_than_the_image) {
  GraphBuilder b = image();
  b.floats("w", {9, 3, 4, 6})
      .add("Conv2D", "n", {"x", "w"},
           {{"T", kFloatAttr},
            {"strides", attr_of_ints({1, 1, 1, 1})},
            {"padding", attr_of_string("VALID")}});
  const Verdict v = import_last(b);
  if (v.status.ok() && v.support.yes) {
    EXPECT_EQ(dims(v.types[0])[1], 0);
  }
}

TEST(Import, depthwise_weights_become_groups) {
  GraphBuilder b = image();
  b.floats("w", {3, 3, 4, 2})
      .add("DepthwiseConv2dNative", "n", {"x", "w"},
           {{"T", kFloatAttr},
            {"strides", attr_of_ints({1, 1, 1, 1})},
            {"padding", attr_of_string("SAME")}});
  expect_dims(b, {{-1, 8, 8, 8}});
}

TEST(Import, multiple_outputs) {
  expect_dims(
      image()
          .ints("a", {}, {-1})
          .add("Split", "n", {"a", "x"}, {{"T", kFloatAttr}, {"num_split", attr_of_int(2)}}),
      {{-1, 8, 8, 2}, {-1, 8, 8, 2}});
  expect_dims(image().add("Unpack", "n", {"x"},
                          {{"T", kFloatAttr}, {"num", attr_of_int(4)}, {"axis", attr_of_int(3)}}),
              {{-1, 8, 8}, {-1, 8, 8}, {-1, 8, 8}, {-1, 8, 8}});
}

TEST(Import, einsum_equations) {
  auto einsum = [](const char* equation, std::vector<int64_t> a, std::vector<int64_t> b) {
    GraphBuilder g;
    g.placeholder("a", DType::kFloat, a).floats("b", b);
    g.add("Einsum", "n", {"a", "b"},
          {{"T", kFloatAttr}, {"N", attr_of_int(2)}, {"equation", attr_of_string(equation)}});
    return g;
  };
  expect_dims(einsum("ab,bc->ac", {-1, 3}, {3, 5}), {{-1, 5}});
  expect_dims(einsum("abc,cde->abde", {-1, 7, 6}, {6, 2, 3}), {{-1, 7, 2, 3}});
  expect_dims(einsum("abcd,cde->abe", {-1, 7, 2, 3}, {2, 3, 6}), {{-1, 7, 6}});
  expect_dims(einsum("aecd,abcd->acbe", {4, 7, 2, 3}, {4, 5, 2, 3}), {{4, 2, 5, 7}});
  expect_dims(einsum("abc,cde->abde", {-1, -1, 6}, {6, 2, 3}), {{-1, -1, 2, 3}});
  expect_dims(einsum("...c,cd->...d", {-1, -1, 6}, {6, 2}), {{-1, -1, 2}});
  expect_dims(einsum("abc,d->ad", {-1, 7, 6}, {5}), {{-1, 5}});
}

TEST(Import, shape_arithmetic_is_known) {
  GraphBuilder b = image();
  b.add("Shape", "s", {"x"}, {{"T", kFloatAttr}, {"out_type", kIntAttr}});
  b.ints("zero", {1}, {0}).ints("one", {1}, {1}).ints("rest", {}, {256});
  b.add("StridedSlice", "batch", {"s", "zero", "one", "one"},
        {{"T", kIntAttr}, {"Index", kIntAttr}, {"shrink_axis_mask", attr_of_int(1)}});
  b.add("Pack", "to", {"batch", "rest"}, {{"T", kIntAttr}, {"N", attr_of_int(2)}});
  b.add("Reshape", "n", {"x", "to"}, {{"T", kFloatAttr}, {"Tshape", kIntAttr}});
  const Verdict v = import_last(b);
  ASSERT_TRUE(v.support.yes) << v.support.reason;
  EXPECT_EQ(dims(v.types[0]), (std::vector<int64_t>{-1, 256}));
}

// As a SavedModel with strip_default_attrs holds them: no T where it is TensorFlow's default.
TEST(Import, default_attributes_may_be_absent) {
  const auto window = attr_of_ints({1, 2, 2, 1});
  EXPECT_TRUE(import_last(image().add("MaxPool", "n", {"x"},
                                      {{"ksize", window},
                                       {"strides", window},
                                       {"padding", attr_of_string("SAME")}}))
                  .support.yes);
  for (const char* op : {"LeakyRelu", "LRN"})
    EXPECT_TRUE(import_last(image().add(op, "n", {"x"}, {})).support.yes) << op;
}

TEST(Import, table_is_sorted_and_has_the_common_ops) {
  const auto ops = supported_ops();
  EXPECT_TRUE(std::is_sorted(ops.begin(), ops.end()));
  for (const char* op : {"Conv2D", "MatMul", "FusedBatchNormV3", "GatherV2", "Einsum"})
    EXPECT_TRUE(std::binary_search(ops.begin(), ops.end(), op)) << op;
  for (const auto& [code, names] : native_ops()) {
    for (const std::string& op : names)
      EXPECT_FALSE(std::binary_search(ops.begin(), ops.end(), op)) << op << " is both: " << code;
  }
}

TEST(Import, stop_token_and_budget) {
  const GraphBuilder b = image();
  const graphdef::Graph graph = b.graph();
  WorkContext none({}, 0);
  EXPECT_EQ(import_all(graph, none).status().code(), Code::kResourceExhausted);
  std::stop_source stop;
  stop.request_stop();
  WorkContext stopped(stop.get_token());
  EXPECT_EQ(import_all(graph, stopped).status().code(), Code::kCancelled);
}

// x -> a -> id -> b -> c: the segment {b, c} with input "id".
TEST(Extract, inputs_constants_and_outputs) {
  GraphBuilder g = image();
  g.add("Relu", "a", {"x"}, {{"T", kFloatAttr}});
  g.add("Identity", "id", {"a"}, {{"T", kFloatAttr}});
  g.floats("k", {4}).add("Mul", "b", {"id", "k"}, {{"T", kFloatAttr}});
  g.add("AddV2", "c", {"b", "x"}, {{"T", kFloatAttr}});
  const graphdef::Graph graph = g.graph();
  WorkContext work;
  auto imported = import_all(graph, work);
  ASSERT_TRUE(imported.ok());
  const std::vector<int32_t> nodes{graph.find("b"), graph.find("c")};
  const std::vector<graphdef::InputRef> inputs{{graph.find("id"), 0}, {graph.find("x"), 0}},
      outputs{{graph.find("c"), 0}};
  auto net = extract(graph, *imported, nodes, inputs, outputs);
  ASSERT_TRUE(net.ok()) << net.status().message();
  ASSERT_EQ(net->inputs.size(), 2u);
  EXPECT_EQ(net->values[static_cast<size_t>(net->inputs[0])].name, "id");
  EXPECT_EQ(net->ops.size(), 2u);
  // The batch was one symbol in the graph, so it is one in the segment.
  EXPECT_EQ(net->values[static_cast<size_t>(net->inputs[0])].type.dims[0],
            net->values[static_cast<size_t>(net->inputs[1])].type.dims[0]);
  EXPECT_EQ(net->values[static_cast<size_t>(net->outputs[0])].type.dims[0],
            net->values[static_cast<size_t>(net->inputs[0])].type.dims[0]);
}

}  // namespace
}  // namespace graft::frontend
