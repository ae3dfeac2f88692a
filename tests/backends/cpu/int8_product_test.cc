// Conv and MatMul over quantized tensors: the bits of the reference evaluator at every ISA level,
// for every thread count and alignment.
#include "step_testing.h"

namespace graft::cpu::testing {
namespace {

using ir::DstQuant;
using ir::UnaryFn;

struct Product {
  DType src = DType::kUint8;
  DstQuant quant{DType::kInt8, 0.05f};  // none: float dst
  bool has_bias = true, has_residual = false;
  DType residual = DType::kInt8;
  ir::Activation act{};
};

Tensor scales(std::mt19937& rng, int64_t n) {
  Tensor t = empty_tensor(DType::kFloat, {n});
  std::uniform_real_distribution<float> scale(0.5e-3f, 3e-3f);
  for (int64_t i = 0; i < n; ++i) {
    const float s = scale(rng);
    std::memcpy(t.bytes.data() + i * 4, &s, 4);
  }
  return t;
}

Tensor int8_weights(std::mt19937& rng, std::vector<int64_t> dims) {
  Tensor t = draw_quantized(rng, DType::kInt8, std::move(dims), 1.0f);
  t.scale = 0;
  // Not all of the same size: some channels small, so that int16 sums of all depths occur.
  const int64_t n = t.dims.back();
  for (int64_t i = 0; i < t.elems(); ++i) {
    auto& b = t.bytes[static_cast<size_t>(i)];
    b = static_cast<std::byte>(static_cast<int8_t>(b) / static_cast<int>(1 + i % n % 23));
  }
  return t;
}

// Adds bias, residual and scales to an op with src and weights, which are there.
Case finish(std::mt19937& rng, Case c, const Product& p, int64_t channels,
            std::vector<int64_t> dst_dims) {
  c.quant = p.quant;
  c.constants = {1};
  if (p.has_bias) {
    Tensor bias = empty_tensor(DType::kInt32, {channels});
    std::uniform_int_distribution<int32_t> values(-30000, 30000);
    for (int64_t i = 0; i < channels; ++i) {
      const int32_t b = values(rng);
      std::memcpy(bias.bytes.data() + i * 4, &b, 4);
    }
    c.constants.push_back(c.inputs.size());
    c.inputs.push_back(std::move(bias));
  }
  if (p.has_residual) {
    c.inputs.push_back(p.quant ? draw_quantized(rng, p.residual, std::move(dst_dims), 0.04f)
                               : draw(rng, DType::kFloat, std::move(dst_dims), 1.0f));
  }
  c.constants.push_back(c.inputs.size());
  c.inputs.push_back(scales(rng, channels));
  return c;
}

struct ConvCase {
  std::vector<int64_t> src, weights;  // [N, H, W, C], [KH, KW, C/groups, OC]
  int64_t groups = 1, stride_h = 1, stride_w = 1, dilation_h = 1, dilation_w = 1;
  ir::Padding padding = ir::Padding::kSame;
  std::vector<int64_t> pads{0, 0, 0, 0};
};

Case conv(std::mt19937& rng, const ConvCase& s, const Product& p) {
  ir::ConvAttrs a;
  a.strides = {s.stride_h, s.stride_w};
  a.dilations = {s.dilation_h, s.dilation_w};
  a.padding = s.padding;
  a.pads = s.pads;
  a.groups = s.groups;
  a.has_bias = p.has_bias;
  a.has_residual = p.has_residual;
  a.act = p.act;
  Case c;
  c.inputs = {draw_quantized(rng, p.src, s.src, 0.02f), int8_weights(rng, s.weights)};
  const int64_t oc = s.weights[3];
  // The dims of dst, by the same op without a residual.
  ir::ConvAttrs plain = a;
  plain.has_residual = false;
  c.attrs = plain;
  Product q = p;
  q.has_residual = false;
  const Case without = finish(rng, c, q, oc, {});
  const auto dims = infer_outputs(op_of(without), without)[0].dims;
  c.attrs = a;
  return finish(rng, std::move(c), p, oc, dims);
}

const std::vector<Product>& products() {
  static const std::vector<Product> all = {
      {},
      {DType::kInt8},
      {DType::kUint8, {DType::kUint8, 0.04f}, true, false, DType::kInt8, {UnaryFn::kRelu}},
      {DType::kInt8, {DType::kUint8, 0.02f}, false, true, DType::kInt8, {UnaryFn::kRelu6}},
      {DType::kInt8, {DType::kInt8, 0.03f}, true, true, DType::kUint8},
      {DType::kUint8,
       {DType::kInt8, 0.03f},
       true,
       true,
       DType::kInt8,
       {UnaryFn::kClip, -1.1f, 0.9f}},
      {DType::kUint8, {}},
      {DType::kInt8, {}, true, true, DType::kFloat, {UnaryFn::kRelu6}},
  };
  return all;
}

void check_all(const ConvCase& s, unsigned seed) {
  for (const Product& p : products()) {
    std::mt19937 rng(seed);
    check(conv(rng, s, p));
    if (::testing::Test::HasFatalFailure()) return;
  }
}

TEST(QuantizedConv, pointwise) {
  check_all({{1, 5, 7, 64}, {1, 1, 64, 40}}, 1);
  check_all({{3, 4, 3, 17}, {1, 1, 17, 19}}, 2);
  check_all({{1, 3, 3, 1}, {1, 1, 1, 5}}, 3);
}
TEST(QuantizedConv, kernels_of_taps) {
  check_all({{1, 6, 7, 16}, {3, 3, 16, 33}}, 4);
  check_all({{2, 5, 6, 5}, {3, 2, 5, 9}}, 5);
  check_all({{1, 9, 8, 7}, {3, 3, 7, 16}, 1, 2, 1}, 6);
  check_all({{1, 9, 11, 12}, {3, 3, 12, 20}, 1, 1, 1, 2, 3}, 7);
  check_all({{1, 8, 8, 12}, {1, 1, 12, 70}, 1, 2, 2}, 8);
  check_all({{1, 6, 5, 6}, {4, 3, 6, 8}, 1, 1, 2, 1, 1, ir::Padding::kExplicit, {3, 2, 0, 4}}, 9);
  check_all({{1, 7, 7, 9}, {3, 3, 9, 4}, 1, 1, 1, 1, 1, ir::Padding::kValid}, 10);
}
TEST(QuantizedConv, few_channels) {
  check_all({{1, 15, 14, 3}, {7, 7, 3, 24}, 1, 2, 2}, 11);
  check_all({{2, 6, 9, 3}, {3, 3, 3, 16}, 1, 1, 1}, 12);
  check_all({{1, 8, 7, 1}, {5, 4, 1, 6}, 1, 1, 2}, 13);
  check_all({{1, 8, 7, 4}, {3, 3, 4, 6}, 1, 1, 1, 2, 1}, 14);
  check_all({{1, 8, 7, 2}, {3, 3, 2, 6}, 1, 1, 1, 1, 2}, 15);
}
TEST(QuantizedConv, groups) {
  check_all({{1, 5, 6, 8}, {3, 3, 4, 6}, 2}, 16);
  check_all({{2, 5, 4, 15}, {3, 3, 5, 54}, 3}, 17);
  check_all({{1, 5, 4, 12}, {1, 1, 3, 8}, 4}, 18);
}
TEST(QuantizedConv, many_terms_and_rows) {
  std::mt19937 rng(19);
  check(conv(rng, {{1, 12, 14, 96}, {3, 3, 96, 48}}, {}));
  check(conv(rng, {{1, 12, 14, 96}, {3, 3, 96, 48}}, {DType::kInt8}));
  check(conv(rng, {{1, 2, 3, 1500}, {1, 1, 1500, 20}}, {}));
}
// More rows than one pass over all panels takes, and a stem whose rows lie evenly within one line
// of pixels only.
TEST(QuantizedConv, many_rows_of_few_channels) {
  for (const Product& p : {products()[1], products()[3]}) {
    std::mt19937 rng(24);
    check(conv(rng, {{1, 20, 41, 16}, {1, 1, 16, 96}}, p));
    check(conv(rng, {{1, 9, 113, 3}, {3, 3, 3, 32}, 1, 2, 2}, p));
    if (HasFatalFailure()) return;
  }
}
TEST(QuantizedConv, in_place_of_the_residual) {
  std::mt19937 rng(20);
  for (const DType residual : {DType::kInt8, DType::kUint8}) {
    const Product p{DType::kUint8, {DType::kInt8, 0.03f}, true, true, residual};
    check_in_place(conv(rng, {{1, 9, 7, 12}, {3, 3, 12, 21}}, p), 3);
  }
  check_in_place(
      conv(rng, {{1, 9, 7, 12}, {3, 3, 12, 21}}, {DType::kUint8, {}, false, true, DType::kFloat}),
      2);
}
TEST(QuantizedConv, float_dst_takes_any_activation) {
  for (const UnaryFn fn :
       {UnaryFn::kSigmoid, UnaryFn::kSwish, UnaryFn::kTanh, UnaryFn::kHardSwish, UnaryFn::kGelu}) {
    std::mt19937 rng(21);
    const Product p{DType::kInt8, {}, true, false, DType::kInt8, {fn}};
    check(conv(rng, {{1, 5, 4, 12}, {3, 3, 12, 18}}, p), {1e-5, 1e-5});
    if (HasFatalFailure()) return;
  }
}
// Scales that make every result pass the range, and ties of rounding.
TEST(QuantizedConv, I4_saturates_and_rounds_half_to_even) {
  std::mt19937 rng(22);
  check(conv(rng, {{1, 4, 4, 20}, {1, 1, 20, 17}}, {DType::kInt8, {DType::kInt8, 1e-5f}}));
  check(conv(rng, {{1, 4, 4, 20}, {1, 1, 20, 17}}, {DType::kInt8, {DType::kUint8, 1e-5f}}));
  // Of whole panels, up to and past the values that int32 holds.
  for (const DType src : {DType::kInt8, DType::kUint8}) {
    for (const float scale : {1e-5f, 1e-9f, 1e-12f}) {
      check(conv(rng, {{1, 4, 4, 20}, {1, 1, 20, 32}}, {src, {DType::kInt8, scale}}));
      const Product clipped{src,  {DType::kUint8, scale}, true,
                            true, DType::kInt8,           {UnaryFn::kClip, 3 * scale, 90 * scale}};
      check(conv(rng, {{1, 4, 4, 20}, {1, 1, 20, 32}}, clipped));
    }
  }
  Case c = conv(rng, {{1, 8, 8, 1}, {1, 1, 1, 2}}, {DType::kInt8, {DType::kInt8, 1.0f}, false});
  c.inputs[0].scale = 1.0f;
  c.inputs[1] = tensor_of<int8_t>(DType::kInt8, {1, 1, 1, 2}, {1, 3});
  c.inputs[2] = floats({2}, {0.5f, 0.5f});
  check(c);
}

Case matmul(std::mt19937& rng, std::vector<int64_t> a, int64_t n, bool transpose_b,
            const Product& p) {
  ir::MatMulAttrs attrs;
  attrs.transpose_b = transpose_b;
  attrs.has_bias = p.has_bias;
  attrs.has_residual = p.has_residual;
  attrs.act = p.act;
  const int64_t k = a.back();
  std::vector<int64_t> dst = a;
  dst.back() = n;
  Case c;
  c.attrs = attrs;
  c.inputs = {draw_quantized(rng, p.src, std::move(a), 0.02f),
              int8_weights(rng, transpose_b ? std::vector{n, k} : std::vector{k, n})};
  return finish(rng, std::move(c), p, n, std::move(dst));
}

TEST(QuantizedMatMul, constant_b) {
  for (const Product& p : products()) {
    for (const bool transpose_b : {false, true}) {
      std::mt19937 rng(23);
      check(matmul(rng, {5, 40}, 33, transpose_b, p));
      check(matmul(rng, {2, 3, 4, 21}, 7, transpose_b, p));
      check(matmul(rng, {1, 1}, 1, transpose_b, p));
      check(matmul(rng, {1, 1030}, 50, transpose_b, p));
      if (HasFatalFailure()) return;
    }
  }
}

}  // namespace
}  // namespace graft::cpu::testing
