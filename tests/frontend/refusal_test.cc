// Graphs that are good but that Graft leaves to TensorFlow: a reason code, never an error, never a
// guess.
#include "graph_builder.h"

namespace graft::frontend {
namespace {

using graphdef::attr_of_bool;
using graphdef::attr_of_float;
using graphdef::attr_of_int;
using graphdef::attr_of_ints;
using graphdef::attr_of_shapes;
using graphdef::attr_of_string;

const std::string kFloatAttr = type_attr(DType::kFloat);

GraphBuilder image() {
  GraphBuilder b;
  b.placeholder("x", DType::kFloat, {-1, 8, 8, 4}).floats("w", {3, 3, 4, 6}).floats("c", {4});
  return b;
}

TEST(Refusal, unknown_attr_is_named) {
  expect_refused(
      image().add("Relu", "n", {"x"}, {{"T", kFloatAttr}, {"negative_slope", attr_of_float(0.1f)}}),
      "unsupported_attr", "'negative_slope'");
}

TEST(Refusal, A2_private_attrs_do_not_matter) {
  expect_supported(
      image().add("Relu", "n", {"x"}, {{"T", kFloatAttr}, {"_anything", attr_of_string("y")}}));
}

TEST(Refusal, S10_unknown_op) {
  expect_refused(image().add("MyOwnOp", "n", {"x"}, {}), "unsupported_op", "MyOwnOp");
}

TEST(Refusal, S21_stateful_ops) {
  expect_refused(image().add("RandomShuffle", "n", {"x"}, {{"T", kFloatAttr}}), "stateful");
  expect_refused(image().add("Print", "n", {"x"}, {{"T", kFloatAttr}}), "stateful");
}

TEST(Refusal, S6_control_flow) {
  expect_refused(
      image().add("Enter", "n", {"x"}, {{"T", kFloatAttr}, {"frame_name", attr_of_string("f")}}),
      "control_flow");
  expect_refused(image().add("Exit", "n", {"x"}, {{"T", kFloatAttr}}),
                 "control_flow");  // S7: without Enter
}

TEST(Refusal, S22_resources) {
  expect_refused(image().add("HashTableV2", "n", {}, {}), "resource");
}
TEST(Refusal, S24_variables) {
  expect_refused(image().add("VarHandleOp", "n", {}, {{"dtype", kFloatAttr}}), "variable");
}
TEST(Refusal, C5_function_calls) {
  expect_refused(image().add("RemoteCall", "n", {"x"}, {}), "function_call");
}
TEST(Refusal, S16_engines) { expect_refused(image().add("TRTEngineOp", "n", {"x"}, {}), "engine"); }

TEST(Refusal, placeholders_are_inputs_of_known_type) {
  const Verdict v = import_last(GraphBuilder().placeholder("n", DType::kFloat, {-1, 3}));
  EXPECT_EQ(v.support.code, "input_node");
  ASSERT_EQ(v.types.size(), 1u);
  EXPECT_EQ(v.types[0].dtype, DType::kFloat);
  EXPECT_FALSE(v.types[0].dims[0].is_const());
  EXPECT_EQ(v.types[0].dims[1], ir::Dim(3));
}

TEST(Refusal, S26_unknown_rank) {
  GraphBuilder b;
  b.add("Placeholder", "x", {}, {{"dtype", kFloatAttr}})
      .add("Relu", "n", {"x"}, {{"T", kFloatAttr}});
  expect_refused(b, "rank", "'x'");
  EXPECT_FALSE(import_last(b).support.hint.empty());
}

TEST(Refusal, output_shapes_of_unknown_ops_type_their_consumers) {
  graphdef::ShapeView shape;
  shape.dims = {-1, 5};
  GraphBuilder b;
  b.placeholder("x", DType::kFloat, {-1, 5});
  b.add("Lgamma", "r", {"x"}, {{"T", kFloatAttr}, {"_output_shapes", attr_of_shapes({shape})}});
  b.add("Relu", "n", {"r"}, {{"T", kFloatAttr}});
  expect_supported(b);
  GraphBuilder unknown;  // the dtype of a user's op is not guessed
  unknown.placeholder("x", DType::kFloat, {-1, 5});
  unknown.add("MyOwnOp", "r", {"x"},
              {{"T", kFloatAttr}, {"_output_shapes", attr_of_shapes({shape})}});
  unknown.add("Relu", "n", {"r"}, {{"T", kFloatAttr}});
  expect_refused(unknown, "rank");
}

TEST(Refusal, A4_batch_stride) {
  expect_refused(image().add("Conv2D", "n", {"x", "w"},
                             {{"T", kFloatAttr},
                              {"strides", attr_of_ints({2, 1, 1, 1})},
                              {"padding", attr_of_string("SAME")}}),
                 "unsupported_attr", "strides");
}

TEST(Refusal, A6_vectorized_layout) {
  expect_refused(image().add("Conv2D", "n", {"x", "w"},
                             {{"T", kFloatAttr},
                              {"strides", attr_of_ints({1, 1, 1, 1})},
                              {"padding", attr_of_string("SAME")},
                              {"data_format", attr_of_string("NCHW_VECT_C")}}),
                 "unsupported_attr", "NCHW_VECT_C");
}

TEST(Refusal, A9_training_batch_norm) {
  expect_refused(
      image().add("FusedBatchNormV3", "n", {"x", "c", "c", "c", "c"},
                  {{"T", kFloatAttr}, {"U", kFloatAttr}, {"is_training", attr_of_bool(true)}}),
      "unsupported_attr", "is_training");
}

TEST(Refusal, T6_string_constants) {
  GraphBuilder b;
  b.add("Const", "n", {},
        {{"dtype", type_attr(DType::kString)}, {"value", tensor_attr(DType::kString, {}, "")}});
  expect_refused(b, "dtype");
}

TEST(Refusal, data_dependent_operands) {
  GraphBuilder b = image();
  b.placeholder("axis", DType::kInt32, {})
      .add("Mean", "n", {"x", "axis"}, {{"T", kFloatAttr}, {"Tidx", type_attr(DType::kInt32)}});
  expect_refused(b, "shape", "reduction_indices");
}

// TensorFlow takes these graphs, so that they must not fail a conversion.
TEST(Refusal, narrow_indices_and_fed_borders) {
  const std::string int16 = type_attr(DType::kInt16);
  GraphBuilder axis = image();
  axis.constant<int16_t>("axis", DType::kInt16, {}, {1})
      .add("ArgMax", "n", {"x", "axis"}, {{"T", kFloatAttr}, {"Tidx", int16}});
  expect_refused(axis, "dtype", "int16");
  GraphBuilder slice = image();
  slice.constant<int16_t>("i", DType::kInt16, {1}, {1})
      .add("StridedSlice", "n", {"x", "i", "i", "i"}, {{"T", kFloatAttr}, {"Index", int16}});
  expect_refused(slice, "dtype", "Index");
  GraphBuilder borders = image();
  borders.ints("block", {2}, {2, 2})
      .placeholder("pads", DType::kInt32, {-1, 2})
      .add("SpaceToBatchND", "n", {"x", "block", "pads"}, {{"T", kFloatAttr}});
  expect_refused(borders, "shape", "paddings");
}

TEST(Refusal, operands_that_only_some_ops_take) {
  expect_refused(
      image().ints("i", {2}, {1, 2}).add("Exp", "n", {"i"}, {{"T", type_attr(DType::kInt32)}}),
      "dtype", "int32");
  expect_refused(image()
                     .placeholder("y", DType::kFloat, {-1, 8, 8, 3})
                     .add("Equal", "n", {"x", "y"},
                          {{"T", kFloatAttr}, {"incompatible_shape_error", attr_of_bool(false)}}),
                 "shape", "incompatible_shape_error");
  expect_refused(
      image().add(
          "Einsum", "n", {"x", "x"},
          {{"T", kFloatAttr}, {"N", attr_of_int(2)}, {"equation", attr_of_string("aabc,abcd->d")}}),
      "unsupported_attr", "aabc");
}

TEST(Refusal, leaves_no_trace_in_the_network) {
  GraphBuilder b = image();
  b.add("Conv2D", "n", {"x", "w"},
        {{"T", kFloatAttr},
         {"strides", attr_of_ints({1, 1, 1, 1})},
         {"padding", attr_of_string("SAME")},
         {"data_format", attr_of_string("NHWC")},
         {"extra", attr_of_int(1)}});
  const graphdef::Graph graph = b.graph();
  WorkContext work;
  auto imported = import_all(graph, work);
  ASSERT_TRUE(imported.ok());
  EXPECT_FALSE(imported->support.back().yes);
  EXPECT_TRUE(imported->network.ops.empty());
}

}  // namespace
}  // namespace graft::frontend
