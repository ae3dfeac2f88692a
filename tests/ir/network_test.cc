// Network building, verification of hostile content, printing, cost.
#include "ir/network.h"

#include <cstring>
#include <functional>

#include "ir/cost.h"
#include "ir_test_util.h"

namespace graft::ir {
namespace {

using ::testing::HasSubstr;

template <typename T>
ValueId constant(Network& n, std::vector<int64_t> dims, std::vector<T> elems) {
  return n.add_constant_of<T>("c" + std::to_string(n.values.size()), dims,
                              std::span<const T>(elems));
}

// x [n,8,8,2] -> conv 3x3 -> relu -> reshape [n,-1].
Network small_network() {
  Network n;
  n.inputs = {n.add_value("x", {DType::kFloat, {n.dims.input(0, 0), 8, 8, 2}})};
  ConvAttrs conv;
  conv.padding = Padding::kSame;
  const ValueId w = constant<float>(n, {3, 3, 2, 4}, std::vector<float>(72, 0.5f));
  const ValueId y = *n.append(conv, {0, w}, "conv");
  const ValueId z = *n.append(UnaryAttrs{{UnaryFn::kRelu}}, {y}, "relu");
  const ValueId shape = *n.append(ShapeAttrs{}, {z}, "shape");
  const ValueId zero = constant<int32_t>(n, {1}, {0}), one = constant<int32_t>(n, {1}, {1});
  StridedSliceAttrs first;
  first.shrink_axis_mask = 1;
  const ValueId batch = *n.append(first, {shape, zero, one, one}, "batch");
  const ValueId rest = constant<int32_t>(n, {}, {-1});
  const ValueId to = *n.append(PackAttrs{}, {batch, rest}, "to");
  n.outputs = {*n.append(ReshapeAttrs{}, {z, to}, "flat")};
  return n;
}

TEST(Network, AppendInfersTypesAndHosts) {
  Network n = small_network();
  EXPECT_TRUE(verify(n).ok()) << verify(n).message();
  const Value& out = n.values[static_cast<size_t>(n.outputs[0])];
  EXPECT_EQ(out.name, "flat");
  EXPECT_EQ(out.type.dims, (std::vector<Dim>{n.dims.input(0, 0), 256}));
}

TEST(Network, AppendRefusesWithInfersError) {
  Network n = small_network();
  const size_t ops = n.ops.size();
  EXPECT_THAT(n.append(TransposeAttrs{{0}}, {0}, "bad").status().message(),
              HasSubstr("transpose 'bad'"));
  EXPECT_EQ(n.ops.size(), ops);
}

TEST(Network, ConstantHosts) {
  Network n;
  EXPECT_EQ(*n.values[static_cast<size_t>(constant<int64_t>(n, {2}, {3, -1}))].host,
            (std::vector<Dim>{3, -1}));
  EXPECT_FALSE(n.values[static_cast<size_t>(constant<float>(n, {1}, {3}))].host);
  EXPECT_FALSE(
      n.values[static_cast<size_t>(constant<int32_t>(n, {65}, std::vector<int32_t>(65)))].host);
  // INT64_MIN as a dim would read as a symbol.
  EXPECT_FALSE(n.values[static_cast<size_t>(constant<int64_t>(n, {1}, {INT64_MIN}))].host);
}

TEST(Network, SplatAndUnalignedConstants) {
  Network n;
  const int32_t seven = 7;
  const ValueId v = n.add_constant("s", {DType::kInt32, {2, 2}},
                                   {std::as_bytes(std::span(&seven, 1)), true, nullptr});
  const Value& value = n.values[static_cast<size_t>(v)];
  EXPECT_EQ(*value.host, (std::vector<Dim>{7, 7, 7, 7}));
  EXPECT_EQ(materialize(value).size(), 16u);
  EXPECT_EQ(*constant_ints(value), (std::vector<int64_t>{7, 7, 7, 7}));
  EXPECT_FALSE(constant_ints(value, 3));
  std::vector<std::byte> bytes(9);
  const int64_t number = -5;
  std::memcpy(bytes.data() + 1, &number, 8);
  const ValueId u =
      n.add_constant("u", {DType::kInt64, {}}, {std::span(bytes).subspan(1), false, nullptr});
  EXPECT_EQ(*constant_ints(n.values[static_cast<size_t>(u)]), (std::vector<int64_t>{-5}));
}

TEST(Network, UsesAndCompact) {
  Network n = small_network();
  ASSERT_TRUE(n.append(UnaryAttrs{{UnaryFn::kExp}}, {0}, "dead").ok());
  constant<float>(n, {1}, {1});
  const Uses uses = compute_uses(n);
  EXPECT_EQ(uses.producer[0], -1);
  EXPECT_EQ(uses.count[static_cast<size_t>(n.ops[1].outputs[0])], 2);  // relu: shape and reshape
  const size_t values = n.values.size(), ops = n.ops.size();
  compact(n);
  EXPECT_EQ(n.ops.size(), ops - 1);
  EXPECT_EQ(n.values.size(), values - 2);
  EXPECT_TRUE(verify(n).ok()) << verify(n).message();
}

TEST(Network, OpTable) {
  for (size_t i = 0; i < static_cast<size_t>(OpKind::kCount); ++i) {
    const auto kind = static_cast<OpKind>(i);
    EXPECT_EQ(default_attrs(kind).index(), i);
    EXPECT_EQ(op_kind_from_text(op_info(kind).text_name), kind);
  }
  EXPECT_FALSE(op_kind_from_text("no_such_op"));
  EXPECT_STREQ(name_of(UnaryFn::kInvert), "invert");
  EXPECT_STREQ(name_of(BinaryFn::kLogicalOr), "logical_or");
  EXPECT_STREQ(name_of(UnaryFn::kBesselI1e), "bessel_i1e");
  EXPECT_STREQ(name_of(BinaryFn::kRightShift), "right_shift");
}

struct Corruption {
  const char* name;
  std::function<void(Network&)> apply;
  const char* message;
};

const Corruption kCorruptions[] = {
    {"input_id_negative", [](Network& n) { n.ops[0].inputs[0] = -7; }, "refers to value -7"},
    {"input_id_too_large", [](Network& n) { n.ops[0].inputs[0] = 1 << 30; }, "refers to value"},
    {"output_id_out_of_range", [](Network& n) { n.ops[0].outputs[0] = 99; }, "refers to value 99"},
    {"network_output_out_of_range", [](Network& n) { n.outputs[0] = 99; }, "network output"},
    {"network_input_out_of_range", [](Network& n) { n.inputs[0] = -2; }, "network input"},
    {"output_without_producer",
     [](Network& n) {
       n.outputs[0] = n.add_value("y", {DType::kFloat, {}});
     },
     "without producer"},
    {"two_producers", [](Network& n) { n.ops[1].outputs = n.ops[0].outputs; },
     "already has a producer"},
    {"cycle", [](Network& n) { n.ops[0].inputs[0] = n.ops[1].outputs[0]; },
     "before it is computed"},
    {"order", [](Network& n) { std::swap(n.ops[0], n.ops[1]); }, "before it is computed"},
    {"input_is_constant", [](Network& n) { n.inputs.push_back(1); }, "is an input and a constant"},
    {"input_twice", [](Network& n) { n.inputs.push_back(0); }, "is an input twice"},
    {"input_is_produced", [](Network& n) { n.inputs.push_back(n.ops[0].outputs[0]); },
     "already has a producer"},
    {"dtype", [](Network& n) { n.values[0].type.dtype = static_cast<DType>(4711); },
     "not an engine dtype"},
    {"rank", [](Network& n) { n.values[0].type.dims.assign(9, Dim(1)); }, "rank 9"},
    {"negative_extent", [](Network& n) { n.values[0].type.dims[1] = -4; }, "has extent -4"},
    {"elements",
     [](Network& n) { n.values[0].type.dims[1] = n.values[0].type.dims[2] = int64_t{1} << 40; },
     "2^40"},
    {"unknown_symbol", [](Network& n) { n.values[0].type.dims[0] = Dim::symbol(1000); },
     "unknown dim expression"},
    {"unknown_symbol_in_host",
     [](Network& n) {
       n.values[static_cast<size_t>(n.ops[2].outputs[0])].host->at(0) = Dim::symbol(77);
     },
     "unknown dim expression"},
    {"host_length",
     [](Network& n) { n.values[static_cast<size_t>(n.ops[2].outputs[0])].host->pop_back(); },
     "3 host elements"},
    {"host_differs",
     [](Network& n) { n.values[static_cast<size_t>(n.ops[2].outputs[0])].host->at(1) = 9; },
     "differ from the inferred"},
    {"host_invented",
     [](Network& n) {
       n.values[0].type = {DType::kInt32, {1}};
       n.values[0].host = {{1}};
     },
     "InvalidGraph"},
    {"host_of_float", [](Network& n) { n.values[1].host = std::vector<Dim>(72, Dim(1)); },
     "no integer dtype"},
    {"host_of_constant_differs",
     [](Network& n) {
       for (Value& v : n.values)
         if (v.is_const() && v.host) v.host->at(0) = 5;
     },
     "differ from its constant"},
    {"constant_short",
     [](Network& n) { n.values[1].constant->bytes = n.values[1].constant->bytes.first(4); },
     "4 constant bytes, expected 288"},
    {"constant_long_splat", [](Network& n) { n.values[1].constant->splat = true; }, "expected 4"},
    {"constant_symbolic", [](Network& n) { n.values[1].type.dims[0] = n.dims.input(0, 0); },
     "symbolic shape"},
    {"type_differs",
     [](Network& n) { n.values[static_cast<size_t>(n.ops[0].outputs[0])].type.dims[1] = 7; },
     "expected float32"},
    {"constant_claimed_for_symbol",
     [](Network& n) { n.values[static_cast<size_t>(n.ops[0].outputs[0])].type.dims[0] = 7; },
     "expected float32"},
    {"input_count", [](Network& n) { n.ops[0].inputs.pop_back(); }, "has 1 inputs"},
    {"no_outputs", [](Network& n) { n.ops[0].outputs.clear(); }, "has 0 outputs"},
    {"attribute_list_length", [](Network& n) { n.ops[0].as<ConvAttrs>().strides.clear(); },
     "2 entries"},
    {"attribute_value", [](Network& n) { n.ops[0].as<ConvAttrs>().groups = -3; }, "groups is -3"},
    {"enum", [](Network& n) { n.ops[1].as<UnaryAttrs>().fn.fn = static_cast<UnaryFn>(-9); },
     "invalid does not take"},
    {"nan_parameter", [](Network& n) { n.ops[1].as<UnaryAttrs>().fn.alpha = __builtin_nanf(""); },
     "NaN"},
    {"no_kind", [](Network& n) { n.ops[1].attrs = std::monostate{}; }, "has no kind"},
};

TEST(Verify, L6_refuses_each_corruption) {
  for (const Corruption& c : kCorruptions) {
    Network n = small_network();
    c.apply(n);
    const Status s = verify(n);
    EXPECT_FALSE(s.ok()) << c.name;
    EXPECT_THAT(std::string(code_name(s.code())) + ": " + s.message(), HasSubstr(c.message))
        << c.name;
    EXPECT_FALSE(print(n).empty()) << c.name;  // printing what was refused is safe
  }
}

TEST(Verify, BoolConstantsAreZeroOrOne) {
  Network n;
  const uint8_t bytes[] = {0, 1, 7};
  const ValueId v =
      n.add_constant("b", {DType::kBool, {3}}, {std::as_bytes(std::span(bytes)), false, nullptr});
  n.outputs = {v};
  EXPECT_THAT(verify(n).message(), HasSubstr("byte above 1"));
}

TEST(Verify, HostsMayBeLeftOut) {
  Network n = small_network();
  for (Value& v : n.values)
    if (!v.is_const()) v.host.reset();
  EXPECT_TRUE(verify(n).ok()) << verify(n).message();
}

TEST(Print, Text) {
  const std::string text = print(small_network());
  EXPECT_THAT(text, HasSubstr("input %0 \"x\" float32 [d0_0,8,8,2]\n"));
  EXPECT_THAT(text, HasSubstr("const %1 \"c1\" float32 [3,3,2,4] 288 bytes fnv1a="));
  EXPECT_THAT(text, HasSubstr("%2 = conv(%0, %1) \"conv\" padding=same : float32 [d0_0,8,8,4]\n"));
  EXPECT_THAT(text, HasSubstr(" = shape(%3) \"shape\" : int32 [4] host=[d0_0,8,8,4]\n"));
  EXPECT_THAT(text, HasSubstr("int32 [] {-1}\n"));
}

TEST(Print, W11_control_characters_are_escaped) {
  Network n;
  n.inputs = {n.add_value("a\x1b[31m\n\"", {DType::kFloat, {}})};
  EXPECT_THAT(print(n), HasSubstr("\"a\\x1b[31m\\x0a\\\"\""));
}

TEST(Cost, Flops) {
  const auto cost = [](Attrs attrs, std::vector<std::vector<int64_t>> src,
                       std::vector<int64_t> dst) {
    Op op;
    op.attrs = std::move(attrs);
    std::vector<std::span<const int64_t>> s(src.begin(), src.end());
    const std::span<const int64_t> d[] = {dst};
    return flops(op, s, d);
  };
  EXPECT_EQ(cost(ConvAttrs{}, {{1, 4, 4, 2}, {3, 3, 2, 8}}, {1, 2, 2, 8}), 2.0 * 32 * 18);
  EXPECT_EQ(cost(MatMulAttrs{}, {{5, 6}, {6, 7}}, {5, 7}), 2.0 * 5 * 6 * 7);
  EXPECT_EQ(cost(BinaryAttrs{}, {{5}, {5}}, {5}), 5);
  EXPECT_EQ(cost(TransposeAttrs{}, {{5, 2}}, {2, 5}), 0);
}

}  // namespace
}  // namespace graft::ir
