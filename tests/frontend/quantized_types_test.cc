// QuantizeV2 and Dequantize: which attributes are refused or invalid, and that nodes which hand a
// quantized tensor to each other are kept together.
#include "graph_builder.h"

namespace graft::frontend {
namespace {

using graphdef::attr_of_int;
using graphdef::attr_of_string;

const std::string kFloatAttr = type_attr(DType::kFloat);
constexpr auto kQint8 = static_cast<DType>(11);

GraphBuilder tensors() {
  GraphBuilder b;
  b.placeholder("x", DType::kFloat, {-1, 8, 4})
      .placeholder("fed", DType::kFloat, {})
      .constant<float>("low", DType::kFloat, {}, {-1})
      .constant<float>("high", DType::kFloat, {}, {2})
      .constant<float>("lows", DType::kFloat, {4}, {-1, 0, -2, -3})
      .constant<float>("highs", DType::kFloat, {4}, {2, 1, 1, 3});
  return b;
}

AttrList attrs_with(const AttrList& more, DType type = kQint8) {
  AttrList attrs = more;
  attrs.emplace_back("T", type_attr(type));
  return attrs;
}

GraphBuilder quantize(const AttrList& more, const char* low = "low", const char* high = "high") {
  return tensors().add("QuantizeV2", "n", {"x", low, high}, attrs_with(more));
}

GraphBuilder dequantize(const AttrList& more, DType type = kQint8) {
  GraphBuilder b = tensors();
  b.add("Const", "levels", {},
        {{"dtype", type_attr(type)}, {"value", tensor_attr(type, {4}, std::string("\1\2\3\4"))}});
  return b.add("Dequantize", "n", {"levels", "low", "high"}, attrs_with(more, type));
}

TEST(QuantizedTypes, attributes) {
  const auto mode = [](const char* name) { return AttrList{{"mode", attr_of_string(name)}}; };
  expect_supported(quantize({}));
  expect_supported(quantize(mode("SCALED")));
  expect_supported(
      quantize({{"mode", attr_of_string("SCALED")}, {"axis", attr_of_int(2)}}, "lows", "highs"));
  expect_refused(quantize({}, "fed"), "shape", "input 1 (min_range) is not a constant");
  expect_refused(quantize({}, "high", "low"), "unsupported_value", "less than min_range");
  expect_refused(quantize({}, "lows", "highs"), "shape", "axis -1");
  expect_refused(quantize({{"axis", attr_of_int(1)}}, "lows", "highs"), "shape", "axis 1");
  expect_refused(quantize({{"mode", attr_of_string("MIN_FIRST")}, {"axis", attr_of_int(2)}}),
                 "unsupported_attr", "'axis' is 2 in mode MIN_FIRST");
  expect_invalid(quantize(mode("BEST")), {"'mode'", "BEST", "MIN_COMBINED"});
  expect_invalid(quantize({{"round_mode", attr_of_string("UP")}}), {"'round_mode'", "UP"});
  expect_invalid(quantize({{"round_mode", attr_of_string("HALF_TO_EVEN")}}), {"SCALED"});
  for (int64_t axis : {int64_t{3}, int64_t{-2}, INT64_MAX, INT64_MIN})
    expect_invalid(quantize({{"axis", attr_of_int(axis)}}), {"'axis'", std::to_string(axis)});
  expect_invalid(tensors().add("QuantizeV2", "n", {"x", "low", "high"}, {{"T", kFloatAttr}}),
                 {"'T'", "float32"});
}

TEST(QuantizedTypes, constants) {
  expect_supported(dequantize({}));
  expect_supported(dequantize({{"mode", attr_of_string("MIN_FIRST")}}));
  expect_invalid(dequantize({{"dtype", type_attr(DType::kInt32)}}), {"'dtype'", "int32"});
  GraphBuilder moved = dequantize({});
  moved.ints("flat", {1}, {-1})
      .add("Reshape", "r", {"levels", "flat"},
           {{"T", type_attr(kQint8)}, {"Tshape", type_attr(DType::kInt32)}});
  expect_refused(moved, "dtype", "is qint8");
  GraphBuilder other = tensors();
  other.add("Dequantize", "n", {"x", "low", "high"}, attrs_with({}));
  expect_invalid(other, {"'T' is qint8", "another dtype"});
}

// Bonds of the nodes named, after the fetch of `fetched`.
std::vector<int32_t> bonds(const GraphBuilder& b, const std::vector<std::string>& names,
                           const char* fetched, Support* support = nullptr) {
  const graphdef::Graph graph = b.graph();
  WorkContext work;
  auto imported = import_all(graph, work);
  EXPECT_TRUE(imported.ok()) << imported.status().message();
  const std::vector<graphdef::InputRef> refs{{graph.find(fetched), 0}};
  bond_lists(graph, refs, *imported);
  std::vector<int32_t> result;
  for (const std::string& name : names)
    result.push_back(imported->bond[static_cast<size_t>(graph.find(name))]);
  if (support) *support = imported->support[static_cast<size_t>(graph.find(fetched))];
  return result;
}

TEST(QuantizedTypes, no_border_between) {
  GraphBuilder b = quantize({{"mode", attr_of_string("SCALED")}});
  b.add("Identity", "id", {"n"}, {{"T", type_attr(kQint8)}});
  b.add("Dequantize", "back", {"id", "n:1", "n:2"},
        attrs_with({{"mode", attr_of_string("SCALED")}}));
  b.add("Relu", "relu", {"back"}, {{"T", kFloatAttr}});
  Support support;
  auto found = bonds(b, {"n", "id", "back", "relu", "x"}, "relu", &support);
  EXPECT_TRUE(support.yes) << support.reason;
  EXPECT_GE(found[0], 0);
  EXPECT_EQ(found[1], found[0]);
  EXPECT_EQ(found[2], found[0]);
  EXPECT_EQ(found[3], -1);
  EXPECT_EQ(found[4], -1);
  bonds(b, {"n"}, "id", &support);
  EXPECT_FALSE(support.yes);
  EXPECT_EQ(support.code, "dtype");
  EXPECT_NE(support.reason.find("qint8"), std::string::npos) << support.reason;
  // A consumer that stays native is one of them.
  b.add("QuantizedRelu", "native", {"n", "n:1", "n:2"}, {});
  found = bonds(b, {"n", "native", "id"}, "relu");
  EXPECT_EQ(found[0], found[1]);
  EXPECT_EQ(found[0], found[2]);
}

}  // namespace
}  // namespace graft::frontend
