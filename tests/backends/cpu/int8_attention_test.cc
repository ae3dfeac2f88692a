// Attention and products of two quantized tensors: the bits of the reference evaluator at every ISA
// level, for every thread count and alignment.
#include "step_testing.h"

namespace graft::cpu::testing {
namespace {

using ir::DstQuant;

struct Shape {
  int64_t b, sq, sk, h, d, dv;
  std::vector<int64_t> mask;
};

struct Kind {
  DType q = DType::kInt8, k = DType::kInt8, v = DType::kInt8;
  DstQuant quant{DType::kInt8, 0.004f};  // none: float dst
};

const Kind kKinds[] = {{},
                       {DType::kUint8, DType::kInt8, DType::kInt8, {}},
                       {DType::kInt8, DType::kUint8, DType::kUint8, {DType::kUint8, 0.01f}},
                       {DType::kInt8, DType::kInt8, DType::kInt8, {}}};

Case attention(std::mt19937& rng, const Shape& s, const Kind& kind, float scale) {
  Case c{ir::AttentionAttrs{scale, !s.mask.empty()},
         {draw_quantized(rng, kind.q, {s.b, s.sq, s.h, s.d}, 0.03f),
          draw_quantized(rng, kind.k, {s.b, s.sk, s.h, s.d}, 0.02f),
          draw_quantized(rng, kind.v, {s.b, s.sk, s.h, s.dv}, 0.01f)}};
  if (!s.mask.empty()) c.inputs.push_back(draw(rng, DType::kFloat, s.mask, 3.0f));
  c.quant = kind.quant;
  return c;
}

TEST(QuantizedAttention, shapes_and_masks) {
  const Shape shapes[] = {
      {1, 1, 1, 1, 1, 1, {}},
      {2, 5, 7, 3, 9, 11, {}},
      {1, 64, 128, 2, 64, 64, {1, 1, 1, 128}},
      {2, 33, 17, 2, 8, 16, {2, 1, 1, 17}},
      {2, 9, 10, 2, 5, 6, {2, 2, 9, 10}},
      {2, 9, 10, 2, 5, 6, {9, 10}},
      {1, 9, 10, 2, 5, 6, {1, 1, 9, 1}},
      {1, 200, 130, 1, 33, 40, {}},
      {3, 1, 50, 2, 16, 16, {50}},
      {2, 36, 36, 4, 16, 16, {}},
      {1, 3, 4, 1, 0, 5, {}},
      {1, 3, 4, 1, 5, 0, {}},
      {0, 3, 4, 1, 5, 5, {}},
      {1, 0, 4, 1, 5, 5, {}},
  };
  unsigned seed = 0;
  for (const Shape& s : shapes) {
    for (const Kind& kind : kKinds) {
      SCOPED_TRACE("mask " + ::testing::PrintToString(s.mask) + " sq " + std::to_string(s.sq) +
                   " sk " + std::to_string(s.sk));
      std::mt19937 rng(++seed);
      // From nearly even probabilities to a single one.
      check(attention(rng, s, kind, seed % 3 == 0 ? 0.01f : seed % 3 == 1 ? 0.1f : 4.0f));
      if (HasFatalFailure()) return;
    }
  }
}

Tensor all(DType dtype, std::vector<int64_t> dims, int first, int second, float scale) {
  Tensor t = empty_tensor(dtype, std::move(dims));
  for (size_t i = 0; i < t.bytes.size(); ++i)
    t.bytes[i] = static_cast<std::byte>(static_cast<uint8_t>(i % 2 ? second : first));
  t.scale = scale;
  return t;
}

// Sums at their largest: every product is 127 * 127, of either sign, or they cancel.
TEST(QuantizedAttention, extreme_integers) {
  for (const int q : {127, -127}) {
    for (const int second : {127, -127}) {
      for (const DstQuant quant : {DstQuant{}, DstQuant{DType::kInt8, 0.9f}}) {
        Case c{ir::AttentionAttrs{1e-4f, false},
               {all(DType::kInt8, {1, 7, 1, 66}, q, q, 1.0f),
                all(DType::kInt8, {1, 19, 1, 66}, 127, second, 1.0f),
                all(DType::kInt8, {1, 19, 1, 21}, -127, second, 1.0f)}};
        c.quant = quant;
        check(c);
        if (HasFatalFailure()) return;
      }
    }
  }
}

TEST(QuantizedAttention, batch_never_changes_the_bits) {
  std::mt19937 rng(2);
  const Case two = attention(rng, {2, 40, 40, 3, 16, 16, {}}, {}, 0.1f);
  Case one{two.attrs, {}};
  one.quant = two.quant;
  for (const Tensor& t : two.inputs) {
    Tensor half = empty_tensor(t.dtype, {1, t.dims[1], t.dims[2], t.dims[3]});
    half.scale = t.scale;
    std::memcpy(half.bytes.data(), t.bytes.data(), half.bytes.size());
    one.inputs.push_back(half);
  }
  const auto both = run_kernel(two, {machine_target().isa, 2})[0],
             alone = run_kernel(one, {machine_target().isa, 2})[0];
  EXPECT_EQ(std::memcmp(both.bytes.data(), alone.bytes.data(), alone.bytes.size()), 0);
}

TEST(QuantizedAttention, no_keys_give_zeros_and_masked_rows_give_nan) {
  std::mt19937 rng(3);
  for (const Kind& kind : kKinds) check(attention(rng, {1, 2, 0, 1, 4, 3, {}}, kind, 1.0f));
  const float inf = INFINITY;
  Case c = attention(rng, {1, 4, 3, 1, 4, 3, {1, 1, 4, 3}}, {.quant = {}}, 1.0f);
  c.inputs[3] = floats({1, 1, 4, 3}, {-inf, -inf, -inf, -inf, 0, -inf, inf, 0, 0, NAN, 1, -inf});
  check(c);
  const Tensor got = run_kernel(c, {machine_target().isa, 1})[0];
  for (int64_t i = 0; i < 3; ++i) {
    EXPECT_TRUE(std::isnan(got.at<float>(i)));
    for (int64_t row : {1, 3})  // one key is left
      EXPECT_NEAR(got.at<float>(3 * row + i), 0.01f * c.inputs[2].at<int8_t>(3 + i), 1e-5);
    EXPECT_TRUE(std::isnan(got.at<float>(6 + i)));
  }
  c.quant = {DType::kInt8, 0.01f};
  check(c);  // a NaN becomes the lowest integer
}

TEST(QuantizedAttention, error_is_that_of_seven_bits) {
  std::mt19937 rng(4);
  Case c = attention(rng, {2, 48, 48, 2, 32, 32, {}}, {.quant = {}}, 0.02f);
  const Tensor got = run_kernel(c, {machine_target().isa, 2})[0];
  Case real{c.attrs, {}};
  for (const Tensor& t : c.inputs) {
    std::vector<float> x;
    for (int64_t i = 0; i < t.elems(); ++i)
      x.push_back(static_cast<float>(t.at<int8_t>(i)) * t.scale);
    real.inputs.push_back(floats(t.dims, x));
  }
  const Tensor want = run_reference(real)[0];
  double signal = 0, noise = 0;
  for (int64_t i = 0; i < want.elems(); ++i) {
    const double w = want.at<float>(i), e = got.at<float>(i) - w;
    signal += w * w;
    noise += e * e;
  }
  EXPECT_GT(10 * std::log10(signal / noise), 35);
  EXPECT_GT(noise, 0);
}

struct Product {
  DType a = DType::kInt8, b = DType::kInt8;
  DstQuant quant{DType::kInt8, 0.05f};
  bool has_bias = false, has_residual = false;
  ir::Activation act{};
};

TEST(QuantizedMatMul, of_two_tensors) {
  struct Extents {
    std::vector<int64_t> a_batch, b_batch, dst_batch;
    int64_t m, k, n;
  };
  const Extents extents[] = {{{}, {}, {}, 1, 1, 1},
                             {{}, {}, {}, 70, 33, 50},
                             {{2, 3}, {2, 3}, {2, 3}, 20, 16, 37},
                             {{2, 1}, {3}, {2, 3}, 5, 22, 18},
                             {{4}, {}, {4}, 9, 130, 8},
                             {{}, {}, {}, 3, 4500, 17},
                             {{}, {2}, {2}, 210, 64, 16}};
  const Product products[] = {
      {},
      {DType::kUint8, DType::kInt8, {}},
      {DType::kUint8, DType::kUint8, {DType::kUint8, 0.2f}, true, true, {ir::UnaryFn::kRelu}},
      {DType::kInt8, DType::kUint8, {}, true, true, {ir::UnaryFn::kRelu6}}};
  unsigned seed = 5;
  for (const Extents& e : extents) {
    for (const Product& p : products) {
      const bool ta = seed % 2, tb = seed / 2 % 2;
      std::mt19937 rng(++seed);
      ir::MatMulAttrs attrs;
      attrs.transpose_a = ta;
      attrs.transpose_b = tb;
      attrs.has_bias = p.has_bias;
      attrs.has_residual = p.has_residual;
      attrs.act = p.act;
      const auto dims = [](std::vector<int64_t> batch, int64_t rows, int64_t columns) {
        batch.push_back(rows);
        batch.push_back(columns);
        return batch;
      };
      Case c;
      c.attrs = attrs;
      c.quant = p.quant;
      c.inputs = {draw_quantized(rng, p.a,
                                 ta ? dims(e.a_batch, e.k, e.m) : dims(e.a_batch, e.m, e.k), 0.03f),
                  draw_quantized(
                      rng, p.b, tb ? dims(e.b_batch, e.n, e.k) : dims(e.b_batch, e.k, e.n), 0.02f)};
      if (p.has_bias) {
        c.constants = {2};
        c.inputs.push_back(draw(rng, DType::kInt32, {e.n}));
      }
      if (p.has_residual)
        c.inputs.push_back(
            p.quant ? draw_quantized(rng, DType::kInt8, dims(e.dst_batch, e.m, e.n), 0.1f)
                    : draw(rng, DType::kFloat, dims(e.dst_batch, e.m, e.n)));
      SCOPED_TRACE("m " + std::to_string(e.m) + " k " + std::to_string(e.k) + " n " +
                   std::to_string(e.n) + (ta ? " transposed a" : "") + (tb ? " transposed b" : ""));
      check(c);
      if (p.has_residual) check_in_place(c, 2 + p.has_bias);
      if (HasFatalFailure()) return;
    }
    ++seed;  // other transposes for the next extents
  }
}

}  // namespace
}  // namespace graft::cpu::testing
