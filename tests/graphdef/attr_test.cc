#include "graphdef_testing.h"

#include <cmath>

namespace graft::graphdef {
namespace {

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// A node that owns its bytes.
struct OwnedNode {
  explicit OwnedNode(const std::string& attr_value) {
    graph = parse_text(field(1, node_body("conv", "Conv2D") + attr_field("a", attr_value))).value();
  }
  const Node& get() const { return graph.nodes[0]; }
  Graph graph;
};

TEST(Attr, round_trip_of_every_kind) {
  EXPECT_EQ(attr_int(OwnedNode(attr_of_int(-5)).get(), "a").value(), -5);
  EXPECT_EQ(attr_float_or(OwnedNode(attr_of_float(0.25f)).get(), "a", 1).value(), 0.25f);
  EXPECT_EQ(attr_bool_or(OwnedNode(attr_of_bool(true)).get(), "a", false).value(), true);
  EXPECT_EQ(attr_type(OwnedNode(attr_of_type(DType::kHalf)).get(), "a").value(), DType::kHalf);
  EXPECT_EQ(
      attr_type_list(OwnedNode(attr_of_types({DType::kFloat, DType::kInt64})).get(), "a").value(),
      (std::vector<DType>{DType::kFloat, DType::kInt64}));
  EXPECT_EQ(attr_int_list(OwnedNode(attr_of_ints({1, -2, 1LL << 40})).get(), "a").value(),
            (std::vector<int64_t>{1, -2, 1LL << 40}));
  EXPECT_TRUE(attr_int_list(OwnedNode(attr_of_ints({})).get(), "a").value().empty());
  const OwnedNode text(attr_of_string("SAME"));
  EXPECT_EQ(attr_string_or(text.get(), "a", "").value(), "SAME");
  ShapeView shape;
  shape.dims = {-1, 3};
  EXPECT_EQ(attr_shape(OwnedNode(attr_of_shape(shape)).get(), "a").value().dims, shape.dims);
  shape.dims.clear();
  shape.unknown_rank = true;
  EXPECT_TRUE(attr_shape(OwnedNode(attr_of_shape(shape)).get(), "a").value().unknown_rank);
  const OwnedNode func(attr_of_func("f"));
  EXPECT_EQ(decode_attr(func.get().attrs[0].value).value().func.name, "f");
}

TEST(Attr, absent_attributes_take_their_default) {
  const OwnedNode node(attr_of_int(1));
  EXPECT_EQ(attr_int_or(node.get(), "b", 7).value(), 7);
  EXPECT_EQ(attr_string_or(node.get(), "b", "NHWC").value(), "NHWC");
  EXPECT_EQ(attr_int_list_or(node.get(), "b", {1, 1}).value(), (std::vector<int64_t>{1, 1}));
}

TEST(Attr, A1_missing_or_of_the_wrong_kind) {
  const OwnedNode node(attr_of_string("x"));
  const std::string missing = attr_int(node.get(), "b").status().message();
  EXPECT_TRUE(contains(missing, "\"conv\" (Conv2D): attribute \"b\" is missing")) << missing;
  const std::string kind = attr_int_or(node.get(), "a", 7).status().message();
  EXPECT_TRUE(contains(kind, "is a string; expected an int")) << kind;
  EXPECT_FALSE(attr_int_list(OwnedNode(attr_of_types({DType::kFloat})).get(), "a").ok());
  EXPECT_FALSE(attr_int_list(OwnedNode(field(1, field(8, field(1, 1)))).get(), "a").ok())
      << "a list of tensors";
  EXPECT_FALSE(attr_int(OwnedNode("").get(), "a").ok());
}

TEST(Attr, A3_data_types) {
  for (int number : {0, 34, 9999, -1, 101, 133})
    EXPECT_EQ(
        attr_type(OwnedNode(attr_of_type(static_cast<DType>(number))).get(), "a").status().code(),
        Code::kInvalidGraph)
        << number;
  const std::string ref =
      attr_type(OwnedNode(attr_of_type(static_cast<DType>(101))).get(), "a").status().message();
  EXPECT_TRUE(contains(ref, "reference type")) << ref;
  EXPECT_FALSE(
      attr_type_list(OwnedNode(attr_of_types({DType::kFloat, static_cast<DType>(9999)})).get(), "a")
          .ok());
}

TEST(Attr, A12_shapes) {
  const auto shape_of = [](const std::vector<int64_t>& dims, bool unknown) {
    std::string message;
    for (int64_t dim : dims) message += field(2, field(1, dim));
    if (unknown) message += field(3, 1);
    return attr_shape(OwnedNode(field(7, message)).get(), "a");
  };
  EXPECT_TRUE(shape_of(std::vector<int64_t>(254, 1), false).ok());
  EXPECT_FALSE(shape_of(std::vector<int64_t>(255, 1), false).ok());
  EXPECT_FALSE(shape_of(std::vector<int64_t>(100'000, 1), false).ok());
  EXPECT_FALSE(shape_of({-5}, false).ok());
  EXPECT_FALSE(shape_of({2}, true).ok());
  EXPECT_FALSE(shape_of({1LL << 62, 4}, false).ok());
  EXPECT_TRUE(shape_of({1LL << 62, -1}, false).ok());
}

TEST(Attr, A14_long_lists_are_bounded) {
  const auto value = decode_attr(as_bytes(field(1, field(3, std::string(2'000'000, '\1')))));
  EXPECT_TRUE(contains(value.status().message(), "2000000 elements")) << value.status().message();
  EXPECT_TRUE(decode_attr(as_bytes(field(1, field(3, std::string(1'000'000, '\1'))))).ok());
}

std::string tensor(DType dtype, const std::vector<int64_t>& dims, const std::string& values) {
  std::string shape;
  for (int64_t dim : dims) shape += field(2, field(1, dim));
  return field(1, static_cast<int64_t>(dtype)) + field(2, shape) + values;
}
Result<TensorView> decode(const std::string& bytes) {
  static std::string kept;
  kept = bytes;
  return decode_tensor(as_bytes(kept));
}
template <typename T>
std::vector<T> values_of(const TensorView& t) {
  std::vector<T> out(t.content.size() / sizeof(T));
  std::memcpy(out.data(), t.content.data(), t.content.size());
  return out;
}
std::string floats(const std::vector<float>& values) {
  std::string out;
  for (float v : values) out += fixed32(5, v);
  return out;
}

TEST(Tensor, T1_content_must_fit) {
  for (size_t size : {7u, 9u, 4u, 12u}) {
    const auto t = decode(tensor(DType::kFloat, {2}, field(4, std::string(size, 'x'))));
    EXPECT_TRUE(contains(t.status().message(), std::to_string(size) + " bytes"))
        << t.status().message();
    EXPECT_TRUE(contains(t.status().message(), "need 8")) << t.status().message();
  }
  const auto t = decode(tensor(DType::kFloat, {2}, field(4, std::string(8, 'x')))).value();
  EXPECT_EQ(t.content.size(), 8u);
  EXPECT_EQ(t.owner, nullptr) << "a view";
}

TEST(Tensor, T2_typed_values_as_in_tensorflow) {
  EXPECT_EQ(values_of<float>(decode(tensor(DType::kFloat, {2}, floats({1, 2, 3}))).value()),
            (std::vector<float>{1, 2}));
  EXPECT_EQ(values_of<float>(decode(tensor(DType::kFloat, {4}, floats({1, 2}))).value()),
            (std::vector<float>{1, 2, 2, 2}));
  const auto none = decode(tensor(DType::kFloat, {4}, "")).value();
  EXPECT_TRUE(none.splat);
  EXPECT_EQ(values_of<float>(none), (std::vector<float>{0}));
  const auto both =
      decode(tensor(DType::kFloat, {1}, floats({1}) + field(4, std::string("\0\0\0\x40", 4))))
          .value();
  EXPECT_EQ(values_of<float>(both), (std::vector<float>{2})) << "tensor_content wins";
  const auto scalar = decode(tensor(DType::kInt32, {}, field(7, -3))).value();
  EXPECT_FALSE(scalar.splat);
  EXPECT_EQ(values_of<int32_t>(scalar), (std::vector<int32_t>{-3}));
}

TEST(Tensor, packed_floats_stay_views) {
  std::string run(12, '\0');
  const float values[] = {1, 2, 3};
  std::memcpy(run.data(), values, 12);
  const auto t = decode(tensor(DType::kFloat, {3}, field(5, run))).value();
  EXPECT_EQ(t.owner, nullptr);
  EXPECT_EQ(values_of<float>(t), (std::vector<float>{1, 2, 3}));
  const auto mixed = decode(tensor(DType::kFloat, {4}, field(5, run) + floats({4}))).value();
  EXPECT_EQ(values_of<float>(mixed), (std::vector<float>{1, 2, 3, 4}));
  EXPECT_FALSE(decode(tensor(DType::kFloat, {3}, field(5, run + "x"))).ok());
}

TEST(Tensor, T3_sizes_that_overflow) {
  for (const std::vector<int64_t>& dims :
       {std::vector<int64_t>{1LL << 32, 1LL << 32}, {-1}, {0, 1LL << 62, 4}, {1LL << 61, 1}})
    EXPECT_EQ(decode(tensor(DType::kDouble, dims, "")).status().code(), Code::kInvalidGraph)
        << dims[0];
}

TEST(Tensor, T4_splat_bomb_stays_splat) {
  const auto t = decode(tensor(DType::kFloat, {1 << 30}, floats({1.5f}))).value();
  EXPECT_TRUE(t.splat);
  EXPECT_EQ(t.content.size(), 4u);
  EXPECT_EQ(t.elems(), 1 << 30);
  EXPECT_EQ(decode(tensor(DType::kFloat, {1 << 30}, floats({1, 2}))).status().code(),
            Code::kResourceExhausted);
}

TEST(Tensor, T5_zero_elements_need_no_values) {
  const auto t = decode(tensor(DType::kFloat, {0, 3}, field(4, std::string("junk")))).value();
  EXPECT_EQ(t.content.size(), 0u);
  EXPECT_FALSE(t.splat);
}

TEST(Tensor, T6_types_without_values) {
  EXPECT_EQ(decode(tensor(DType::kString, {1}, field(8, std::string("s")))).status().code(),
            Code::kUnsupported);
  EXPECT_EQ(decode(tensor(DType::kResource, {}, "")).status().code(), Code::kUnsupported);
  EXPECT_EQ(decode(tensor(DType::kVariant, {}, "")).status().code(), Code::kUnsupported);
  EXPECT_EQ(decode(tensor(DType::kInvalid, {0}, "")).status().code(), Code::kInvalidGraph);
  EXPECT_EQ(decode(tensor(static_cast<DType>(9999), {0}, "")).status().code(), Code::kInvalidGraph);
}

TEST(Tensor, T7_values_out_of_range_are_cut) {
  EXPECT_EQ(values_of<uint16_t>(decode(tensor(DType::kHalf, {1}, field(13, 0x13c00))).value()),
            (std::vector<uint16_t>{0x3c00}));
  EXPECT_EQ(values_of<uint16_t>(decode(tensor(DType::kBfloat16, {1}, field(13, 0x3f80))).value()),
            (std::vector<uint16_t>{0x3f80}));
  EXPECT_EQ(values_of<uint8_t>(
                decode(tensor(DType::kBool, {2}, field(11, varint(7) + varint(256)))).value()),
            (std::vector<uint8_t>{1, 1}));
  EXPECT_EQ(values_of<int8_t>(decode(tensor(DType::kInt8, {1}, field(7, 400))).value()),
            (std::vector<int8_t>{-112}));
  EXPECT_EQ(values_of<uint64_t>(decode(tensor(DType::kUint64, {1}, field(17, -1))).value()),
            (std::vector<uint64_t>{UINT64_MAX}));
}

TEST(Tensor, T8_special_floats_keep_their_bits) {
  const std::vector<float> want = {-0.0f, INFINITY, -INFINITY, 1e-42f};
  EXPECT_EQ(values_of<float>(decode(tensor(DType::kFloat, {4}, floats(want))).value()), want);
  EXPECT_TRUE(std::signbit(
      values_of<float>(decode(tensor(DType::kFloat, {1}, floats({-0.0f}))).value())[0]));
  EXPECT_TRUE(
      std::isnan(values_of<float>(decode(tensor(DType::kFloat, {1}, floats({NAN}))).value())[0]));
}

TEST(Tensor, T11_misaligned_bytes) {
  const std::string bytes = tensor(DType::kDouble, {3}, field(4, std::string(24, 'x')));
  for (size_t shift = 0; shift < 8; ++shift) {
    const std::string moved = std::string(shift, ' ') + bytes;
    const auto t = decode_tensor(as_bytes(moved).subspan(shift)).value();
    EXPECT_EQ(values_of<double>(t).size(), 3u);
  }
}

}  // namespace
}  // namespace graft::graphdef
