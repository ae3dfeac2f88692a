// Which ops take quantized tensors, and what their dst is; rules of ir/quantized.h.
#include <cmath>

#include "ir/quantized.h"
#include "ir_test_util.h"

namespace graft::ir {
namespace {

using ::testing::HasSubstr;

constexpr DstQuant kInt8Dst{DType::kInt8, 0.5f}, kUint8Dst{DType::kUint8, 0.25f};

struct In {
  std::vector<Dim> dims;
  DType dtype = DType::kInt8;
  float scale = 0;
};
In quantized(std::vector<Dim> dims, float scale = 0.125f, DType dtype = DType::kInt8) {
  return {std::move(dims), dtype, scale};
}
In floats(std::vector<Dim> dims) { return {std::move(dims), DType::kFloat, 0}; }

// "int8 [1,2] * 0.5", or "Code: message".
std::string infer_text(Attrs attrs, const std::vector<In>& in, DstQuant quant = {},
                       const std::vector<Dim>* host1 = nullptr, size_t outputs = 1) {
  Op op;
  op.attrs = std::move(attrs);
  op.name = "x";
  op.quant = quant;
  std::vector<TensorType> types;
  for (const In& i : in) types.push_back({i.dtype, i.dims, i.scale});
  std::vector<InferInput> inputs;
  for (size_t i = 0; i < types.size(); ++i) inputs.push_back({&types[i], i == 1 ? host1 : nullptr});
  DimTable dims;
  auto r = infer(op, inputs, outputs, dims);
  if (!r.ok()) return std::string(code_name(r.status().code())) + ": " + r.status().message();
  std::string s = dtype_name(r->front().type.dtype) + " [";
  for (size_t i = 0; i < r->front().type.dims.size(); ++i)
    s += (i ? "," : "") + dims.text(r->front().type.dims[i]);
  s += "]";
  if (r->front().type.scale > 0) s += " * " + std::to_string(r->front().type.scale).substr(0, 5);
  return s;
}

TEST(InferQuantize, every_direction) {
  EXPECT_EQ(infer_text(QuantizeAttrs{}, {floats({2, 3})}, kInt8Dst), "int8 [2,3] * 0.500");
  EXPECT_EQ(infer_text(QuantizeAttrs{}, {quantized({2, 3})}, kUint8Dst), "uint8 [2,3] * 0.250");
  EXPECT_EQ(infer_text(QuantizeAttrs{}, {quantized({2, 3})}), "float32 [2,3]");
  EXPECT_THAT(infer_text(QuantizeAttrs{}, {{{2}, DType::kInt8, 0}}), HasSubstr("src is int8"));
  EXPECT_THAT(infer_text(QuantizeAttrs{}, {{{2}, DType::kInt32, 0}}, kInt8Dst),
              HasSubstr("src is int32"));
}

TEST(InferQuantized, L6_dst_dtype_and_scale_out_of_range) {
  for (float scale : {0.0f, -1.0f, NAN, INFINITY, 1e38f, 1e-38f, 1.1e30f, 0.9e-30f})
    EXPECT_THAT(infer_text(QuantizeAttrs{}, {floats({2})}, {DType::kInt8, scale}),
                HasSubstr("dst scale"))
        << scale;
  for (float scale : {1e-30f, 1e30f})
    EXPECT_THAT(infer_text(QuantizeAttrs{}, {floats({2})}, {DType::kInt8, scale}),
                HasSubstr("int8 [2]"));
  for (DType dtype : {DType::kFloat, DType::kInt32, DType::kBool, DType::kInt16})
    EXPECT_THAT(infer_text(QuantizeAttrs{}, {floats({2})}, {dtype, 1.0f}),
                HasSubstr("expected int8 or uint8"));
}

struct ConvCase {
  bool bias = true, residual = false, scales = true;
  In src = quantized({1, 5, 5, 4}), weights{{3, 3, 4, 8}, DType::kInt8, 0};
  In bias_in{{8}, DType::kInt32, 0}, residual_in = quantized({1, 3, 3, 8}), scales_in = floats({8});
  Activation act;
  DstQuant quant = kInt8Dst;
  std::string text() const {
    ConvAttrs a;
    a.has_bias = bias;
    a.has_residual = residual;
    a.act = act;
    std::vector<In> in{src, weights};
    if (bias) in.push_back(bias_in);
    if (residual) in.push_back(residual_in);
    if (scales) in.push_back(scales_in);
    return infer_text(a, in, quant);
  }
};

TEST(InferQuantizedConv, takes) {
  ConvCase c;
  EXPECT_EQ(c.text(), "int8 [1,3,3,8] * 0.500");
  c.quant = {};
  EXPECT_EQ(c.text(), "float32 [1,3,3,8]");
  c.act.fn = UnaryFn::kSwish;
  EXPECT_EQ(c.text(), "float32 [1,3,3,8]");
  c.residual = true;
  c.residual_in = floats({1, 3, 3, 8});
  EXPECT_EQ(c.text(), "float32 [1,3,3,8]");
  c = {};
  c.bias = false;
  c.residual = true;
  c.act.fn = UnaryFn::kRelu6;
  c.quant = kUint8Dst;
  EXPECT_EQ(c.text(), "uint8 [1,3,3,8] * 0.250");
}

TEST(InferQuantizedConv, refuses) {
  const auto with = [](auto&& change) {
    ConvCase c;
    change(c);
    return c.text();
  };
  EXPECT_THAT(with([](ConvCase& c) {
                c.src = floats({1, 5, 5, 4});
              }),
              HasSubstr("src that is not quantized"));
  EXPECT_THAT(with([](ConvCase& c) { c.src.scale = 0; }), HasSubstr("src that is not quantized"));
  EXPECT_THAT(with([](ConvCase& c) { c.scales = false; }), HasSubstr("int8 weights"));
  EXPECT_THAT(with([](ConvCase& c) { c.weights.dtype = DType::kUint8; }),
              HasSubstr("int8 weights"));
  EXPECT_THAT(with([](ConvCase& c) {
                c.weights = floats({3, 3, 4, 8});
              }),
              HasSubstr("int8 weights"));
  EXPECT_THAT(with([](ConvCase& c) { c.weights.scale = 1; }), HasSubstr("int8 weights"));
  EXPECT_THAT(with([](ConvCase& c) { c.weights.scale = 1, c.scales = false; }),
              HasSubstr("needs int8 weights with their scales"));
  EXPECT_THAT(with([](ConvCase& c) { c.bias_in = floats({8}); }),
              HasSubstr("bias of float32, expected int32"));
  EXPECT_THAT(with([](ConvCase& c) { c.bias_in.dims = {7}; }), HasSubstr("bias [7]"));
  EXPECT_THAT(with([](ConvCase& c) { c.scales_in.dims = {7}; }), HasSubstr("7 weight scales"));
  EXPECT_THAT(with([](ConvCase& c) { c.scales_in.dims = {1, 8}; }), HasSubstr("no float32 vector"));
  EXPECT_THAT(with([](ConvCase& c) { c.scales_in.dtype = DType::kInt32; }),
              HasSubstr("no float32 vector"));
  EXPECT_THAT(with([](ConvCase& c) { c.act.fn = UnaryFn::kSigmoid; }),
              HasSubstr("can't store sigmoid quantized"));
  EXPECT_THAT(with([](ConvCase& c) {
                c.residual = true, c.residual_in = floats({1, 3, 3, 8});
              }),
              HasSubstr("quantized residual"));
  EXPECT_THAT(with([](ConvCase& c) { c.residual = true, c.quant = {}; }),
              HasSubstr("float residual"));
  EXPECT_THAT(with([](ConvCase& c) {
                c.weights.dims = {3, 3, 5, 8};
              }),
              HasSubstr("input channels"));
}

TEST(InferQuantizedConv, sums_too_long_for_int32) {
  ConvCase c;
  c.src = quantized({1, 3, 3, 1 << 13});
  c.weights.dims = {3, 3, 1 << 13, 8};
  EXPECT_THAT(c.text(), HasSubstr("sums 73728 products"));
  c.src = quantized({1, 2, 2, 1 << 14});
  c.weights.dims = {2, 2, 1 << 14, 8};
  EXPECT_EQ(c.text(), "int8 [1,1,1,8] * 0.500");
}

TEST(InferQuantizedMatMul, both_kinds) {
  const In a = quantized({2, 4}), w{{4, 5}, DType::kInt8, 0};
  EXPECT_EQ(infer_text(MatMulAttrs{}, {a, w, floats({5})}, kInt8Dst), "int8 [2,5] * 0.500");
  EXPECT_EQ(infer_text(MatMulAttrs{}, {a, quantized({4, 5})}), "float32 [2,5]");
  EXPECT_THAT(infer_text(MatMulAttrs{}, {a, quantized({4, 5}), floats({5})}),
              HasSubstr("int8 weights"));
  EXPECT_THAT(infer_text(MatMulAttrs{}, {a, w}), HasSubstr("int8 weights"));
  EXPECT_THAT(infer_text(MatMulAttrs{}, {a, floats({4, 5}), floats({5})}),
              HasSubstr("int8 weights"));
  EXPECT_THAT(infer_text(MatMulAttrs{}, {floats({2, 4}), w, floats({5})}, kInt8Dst),
              HasSubstr("src that is not quantized"));
  MatMulAttrs t;
  t.transpose_a = true;
  EXPECT_THAT(infer_text(t, {quantized({65537, 2}), {{65537, 5}, DType::kInt8, 0}, floats({5})}),
              HasSubstr("sums 65537 products"));
  EXPECT_EQ(infer_text(t, {quantized({65536, 2}), {{65536, 5}, DType::kInt8, 0}, floats({5})}),
            "float32 [2,5]");
}

TEST(InferQuantizedAttention, takes_and_refuses) {
  const In q = quantized({2, 5, 3, 8}), k = quantized({2, 7, 3, 8}, 0.5f, DType::kUint8),
           v = quantized({2, 7, 3, 4});
  const AttentionAttrs plain{0.5f, false}, masked{0.5f, true};
  EXPECT_EQ(infer_text(plain, {q, k, v}, kInt8Dst), "int8 [2,5,3,4] * 0.500");
  EXPECT_EQ(infer_text(masked, {q, k, v, floats({5, 7})}, kUint8Dst), "uint8 [2,5,3,4] * 0.250");
  EXPECT_EQ(infer_text(masked, {q, k, v, floats({2, 1, 1, 7})}), "float32 [2,5,3,4]");
  EXPECT_THAT(infer_text(plain, {q, k, floats({2, 7, 3, 4})}), HasSubstr("mixes quantized"));
  EXPECT_THAT(infer_text(plain, {floats({2, 5, 3, 8}), k, v}), HasSubstr("mixes quantized"));
  EXPECT_THAT(infer_text(plain, {floats({2, 5, 3, 8}), floats({2, 7, 3, 8}), floats({2, 7, 3, 4})},
                         kInt8Dst),
              HasSubstr("mixes quantized"));
  EXPECT_THAT(infer_text(masked, {q, k, v, quantized({5, 7})}), HasSubstr("float mask"));
  EXPECT_THAT(infer_text(masked, {q, k, v, {{5, 7}, DType::kInt32, 0}}), HasSubstr("float mask"));
  EXPECT_THAT(infer_text(masked, {q, k, v}), HasSubstr("has_mask"));
  EXPECT_THAT(infer_text(masked, {q, k, v, floats({5, 8})}), HasSubstr("does not broadcast"));
  EXPECT_THAT(infer_text(AttentionAttrs{INFINITY, false}, {q, k, v}), HasSubstr("not finite"));
  const In long_k = quantized({1, 70000, 1, 2});
  EXPECT_THAT(infer_text(plain, {quantized({1, 1, 1, 2}), long_k, long_k}),
              HasSubstr("sums 70000 products"));
}

TEST(InferQuantizedElementwise, unary_and_binary) {
  const UnaryAttrs swish{{UnaryFn::kSwish}};
  EXPECT_EQ(infer_text(swish, {quantized({4})}, kInt8Dst), "int8 [4] * 0.500");
  EXPECT_THAT(infer_text(swish, {quantized({4})}), HasSubstr("needs the scale of its dst"));
  EXPECT_THAT(infer_text(swish, {floats({4})}, kInt8Dst), HasSubstr("mixes quantized"));
  EXPECT_THAT(infer_text(UnaryAttrs{{UnaryFn::kIsNan}}, {quantized({4})}, kInt8Dst),
              HasSubstr("never quantized"));
  for (BinaryFn fn :
       {BinaryFn::kAdd, BinaryFn::kSub, BinaryFn::kMul, BinaryFn::kMax, BinaryFn::kMin})
    EXPECT_EQ(infer_text(BinaryAttrs{fn}, {quantized({2, 4}), quantized({4}, 1, DType::kUint8)},
                         kUint8Dst),
              "uint8 [2,4] * 0.250");
  for (BinaryFn fn : {BinaryFn::kDiv, BinaryFn::kPow, BinaryFn::kLess, BinaryFn::kFloorDiv})
    EXPECT_THAT(infer_text(BinaryAttrs{fn}, {quantized({4}), quantized({4})}, kInt8Dst),
                HasSubstr("does not take quantized tensors"));
  EXPECT_THAT(infer_text(BinaryAttrs{}, {quantized({4}), floats({4})}, kInt8Dst),
              HasSubstr("mixes quantized"));
  EXPECT_THAT(infer_text(BinaryAttrs{}, {floats({4}), floats({4})}, kInt8Dst),
              HasSubstr("mixes quantized"));
  EXPECT_THAT(infer_text(BinaryAttrs{}, {quantized({4}), quantized({5})}, kInt8Dst),
              HasSubstr("do not broadcast"));
}

TEST(InferQuantizedPool, max_keeps_and_avg_rescales) {
  PoolAttrs a;
  a.ksize = {2, 2};
  const In x = quantized({1, 4, 4, 3}, 0.125f, DType::kUint8);
  EXPECT_EQ(infer_text(a, {x}), "uint8 [1,3,3,3] * 0.125");
  EXPECT_THAT(infer_text(a, {x}, kInt8Dst), HasSubstr("keeps the scale of src"));
  a.fn = PoolFn::kAvg;
  EXPECT_EQ(infer_text(a, {x}, kInt8Dst), "int8 [1,3,3,3] * 0.500");
  EXPECT_THAT(infer_text(a, {x}), HasSubstr("needs the scale of its dst"));
}

TEST(InferQuantizedReduce, mean_only) {
  const In x = quantized({1, 4, 4, 3});
  EXPECT_EQ(infer_text(ReduceAttrs{ReduceFn::kMean, {1, 2}, false}, {x}, kInt8Dst),
            "int8 [1,3] * 0.500");
  for (ReduceFn fn : {ReduceFn::kSum, ReduceFn::kMax, ReduceFn::kMin, ReduceFn::kProd})
    EXPECT_THAT(infer_text(ReduceAttrs{fn, {1, 2}, false}, {x}, kInt8Dst),
                HasSubstr("does not take quantized tensors"));
}

TEST(InferQuantizedMovement, keeps_dtype_and_scale) {
  EXPECT_EQ(infer_text(TransposeAttrs{{1, 0}}, {quantized({2, 3})}), "int8 [3,2] * 0.125");
  EXPECT_THAT(infer_text(TransposeAttrs{{1, 0}}, {quantized({2, 3})}, kInt8Dst),
              HasSubstr("keeps the scale of src"));
  EXPECT_EQ(infer_text(SplitAttrs{1, {}}, {quantized({2, 4})}, {}, nullptr, 2),
            "int8 [2,2] * 0.125");
  EXPECT_EQ(infer_text(DepthToSpaceAttrs{2, false}, {quantized({1, 2, 2, 4})}),
            "int8 [1,4,4,1] * 0.125");
  const In x = quantized({2, 3});
  EXPECT_EQ(infer_text(ConcatAttrs{0}, {x, x}), "int8 [4,3] * 0.125");
  EXPECT_EQ(infer_text(PackAttrs{0}, {x, x}), "int8 [2,2,3] * 0.125");
  EXPECT_THAT(infer_text(ConcatAttrs{0}, {x, quantized({2, 3}, 0.25f)}),
              HasSubstr("joins tensors of different scales"));
  EXPECT_THAT(infer_text(ConcatAttrs{0}, {x, quantized({2, 3}, 0.125f, DType::kUint8)}),
              HasSubstr("joins tensors of different scales"));
  EXPECT_THAT(infer_text(ConcatAttrs{0}, {x, {{2, 3}, DType::kInt8, 0}}),
              HasSubstr("joins tensors of different scales"));
  EXPECT_THAT(infer_text(ConcatAttrs{0}, {floats({2, 3}), x}), HasSubstr("mixes quantized"));
}

TEST(InferQuantizedMovement, pad_value_is_in_units_of_q) {
  const std::vector<Dim> pads{0, 0, 1, 1};
  const In x = quantized({2, 3}), paddings{{2, 2}, DType::kInt32, 0};
  const auto pad = [&](const In& value) {
    return infer_text(PadAttrs{}, {x, paddings, value}, {}, &pads);
  };
  EXPECT_EQ(pad({{}, DType::kInt8, 0}), "int8 [2,5] * 0.125");
  EXPECT_THAT(pad({{}, DType::kFloat, 0}), HasSubstr("value of another dtype"));
  EXPECT_THAT(pad({{}, DType::kUint8, 0}), HasSubstr("value of another dtype"));
  EXPECT_EQ(infer_text(PadAttrs{}, {x, paddings}, {}, &pads), "int8 [2,5] * 0.125");
}

TEST(InferQuantizedMovement, L6_pad_value_outside_of_the_range) {
  const auto verified = [](int8_t q) {
    Network n;
    n.inputs = {n.add_value("x", {DType::kFloat, {2, 3}})};
    const auto y = n.append(QuantizeAttrs{}, {n.inputs[0]}, "q", -1, kInt8Dst);
    EXPECT_TRUE(y.ok()) << y.status().message();
    const std::vector<int64_t> dims{2, 2};
    const auto pads =
        n.add_constant_of<int32_t>("p", dims, std::span<const int32_t>(std::vector<int32_t>(4, 1)));
    const auto value = n.add_constant_of<int8_t>("v", {}, std::span<const int8_t>(&q, 1));
    const auto z = n.append(PadAttrs{}, {*y, pads, value}, "pad");
    EXPECT_TRUE(z.ok()) << z.status().message();
    n.outputs = {*z};
    return verify(n).message();
  };
  EXPECT_EQ(verified(127), "");
  EXPECT_EQ(verified(-127), "");
  EXPECT_THAT(verified(-128), HasSubstr("pads with -128"));
}

TEST(InferQuantized, L6_kinds_that_are_never_quantized) {
  const In x = quantized({2, 4});
  const std::vector<Dim> size{4, 4};
  EXPECT_THAT(infer_text(SoftmaxAttrs{}, {x}, kInt8Dst), HasSubstr("does not take quantized"));
  EXPECT_THAT(infer_text(SoftmaxAttrs{}, {x}), HasSubstr("needs the scale of its dst"));
  EXPECT_THAT(infer_text(SoftmaxAttrs{}, {floats({2, 4})}, kInt8Dst), HasSubstr("InvalidGraph"));
  EXPECT_THAT(infer_text(CastAttrs{DType::kFloat}, {x}), HasSubstr("InvalidGraph"));
  EXPECT_THAT(infer_text(LayerNormAttrs{}, {x, floats({4}), floats({4})}, kInt8Dst),
              HasSubstr("InvalidGraph"));
  EXPECT_THAT(infer_text(ShapeAttrs{DType::kInt32}, {x}), HasSubstr("InvalidGraph"));
  EXPECT_THAT(infer_text(ResizeAttrs{}, {quantized({1, 2, 2, 4}), {{2}, DType::kInt32, 0}},
                         kInt8Dst, &size),
              HasSubstr("InvalidGraph"));
  EXPECT_THAT(infer_text(GatherAttrs{0, 0}, {x, {{3}, DType::kInt32, 0}}),
              HasSubstr("InvalidGraph"));
}

}  // namespace
}  // namespace graft::ir
