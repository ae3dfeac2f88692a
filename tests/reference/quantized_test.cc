// The reference over quantized tensors against a model of quantize/dequantize that is written here:
// every tensor as real numbers in double, the op in double, the result in units of dst's scale. The
// integers differ from the model's by at most one, and are equal where the model's number is not
// next to the middle between two integers.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <random>

#include "reference/evaluate.h"

namespace graft::reference {
namespace {

using ir::DstQuant;
using Real = std::vector<double>;
using Dims = std::vector<int64_t>;

constexpr double kTie = 1e-3;  // float32 arithmetic of numbers up to 2^8

struct Quantized {
  DType dtype;
  float scale;
  Dims dims;
  std::vector<int8_t> q;  // uint8: the same bits
  ConstTensor in() const { return {dtype, dims, q.data(), scale}; }
  double real(size_t i) const { return double{scale} * q[i]; }
};

size_t count(const Dims& dims) {
  size_t n = 1;
  for (int64_t d : dims) n *= static_cast<size_t>(d);
  return n;
}

Quantized draw(std::mt19937& rng, Dims dims, float scale, DType dtype = DType::kInt8) {
  Quantized t{dtype, scale, std::move(dims), {}};
  const int lo = dtype == DType::kInt8 ? -127 : 0;
  for (size_t i = 0; i < count(t.dims); ++i)
    t.q.push_back(static_cast<int8_t>(lo + static_cast<int>(rng() % unsigned(128 - lo))));
  return t;
}

// Runs the op and compares with `model`, real numbers of dst.
void expect_model(ir::Attrs attrs, const std::vector<ConstTensor>& in, const Dims& dims,
                  DstQuant quant, const Real& model) {
  ASSERT_EQ(model.size(), count(dims));
  ir::Op op;
  op.attrs = std::move(attrs);
  op.name = "op";
  op.quant = quant;
  std::vector<int8_t> got(model.size());
  const MutTensor out{quant.dtype, dims, got.data(), quant.scale};
  const Status status = evaluate(op, in, std::span(&out, 1));
  ASSERT_TRUE(status.ok()) << status.message();
  const double lo = quant.dtype == DType::kInt8 ? -127 : 0;
  size_t inside = 0;
  for (size_t i = 0; i < model.size(); ++i) {
    const double v = std::clamp(model[i] / double{quant.scale}, lo, 127.0);
    inside += v > lo && v < 127;
    ASSERT_LE(std::fabs(got[i] - v), 0.5 + kTie) << "element " << i;
    if (std::fabs(v - std::floor(v) - 0.5) > kTie)
      ASSERT_EQ(got[i], std::nearbyint(v)) << "element " << i << ": " << v;
  }
  EXPECT_GT(inside, model.size() / 10);  // the range fits: not everything is clamped
}

TEST(ReferenceQuantized, quantize_and_back) {
  std::mt19937 rng(1);
  std::vector<float> x(500);
  std::normal_distribution<float> normal;
  for (float& v : x) v = normal(rng);
  const Dims dims{500};
  const Real model(x.begin(), x.end());
  for (DType to : {DType::kInt8, DType::kUint8})
    expect_model(ir::QuantizeAttrs{}, {{DType::kFloat, dims, x.data()}}, dims, {to, 0.02f}, model);
  const Quantized q = draw(rng, dims, 0.03f);
  Real real;
  for (size_t i = 0; i < 500; ++i) real.push_back(q.real(i));
  expect_model(ir::QuantizeAttrs{}, {q.in()}, dims, {DType::kInt8, 0.047f}, real);

  ir::Op op;
  op.attrs = ir::QuantizeAttrs{};
  std::vector<float> back(500);
  const ConstTensor in = q.in();
  const MutTensor out{DType::kFloat, dims, back.data()};
  ASSERT_TRUE(evaluate(op, std::span(&in, 1), std::span(&out, 1)).ok());
  for (size_t i = 0; i < 500; ++i) EXPECT_NEAR(back[i], real[i], 1e-6 * std::fabs(real[i]));
}

TEST(ReferenceQuantized, unary) {
  std::mt19937 rng(2);
  const Quantized x = draw(rng, {400}, 0.04f);
  const auto model = [&](const std::function<double(double)>& f) {
    Real y;
    for (size_t i = 0; i < x.q.size(); ++i) y.push_back(f(x.real(i)));
    return y;
  };
  using ir::UnaryFn;
  expect_model(ir::UnaryAttrs{{UnaryFn::kSwish}}, {x.in()}, x.dims, {DType::kInt8, 0.03f},
               model([](double v) { return v / (1 + std::exp(-v)); }));
  expect_model(ir::UnaryAttrs{{UnaryFn::kTanh}}, {x.in()}, x.dims, {DType::kInt8, 0.0081f},
               model([](double v) { return std::tanh(v); }));
  expect_model(ir::UnaryAttrs{{UnaryFn::kLeakyRelu, 0.25f}}, {x.in()}, x.dims,
               {DType::kInt8, 0.037f}, model([](double v) { return v < 0 ? 0.25 * v : v; }));
  expect_model(ir::UnaryAttrs{{UnaryFn::kSigmoid}}, {x.in()}, x.dims, {DType::kUint8, 0.0083f},
               model([](double v) { return 1 / (1 + std::exp(-v)); }));
}

TEST(ReferenceQuantized, binary_with_broadcasting) {
  std::mt19937 rng(3);
  const Quantized a = draw(rng, {2, 5, 7, 8}, 0.04f);
  const Quantized b = draw(rng, {2, 1, 1, 8}, 0.007f, DType::kUint8);
  const auto model = [&](const std::function<double(double, double)>& f) {
    Real y;
    for (size_t i = 0; i < a.q.size(); ++i)
      y.push_back(f(a.real(i), b.real(i / (5 * 7 * 8) * 8 + i % 8)));
    return y;
  };
  using ir::BinaryFn;
  const auto expect = [&](BinaryFn fn, float scale,
                          const std::function<double(double, double)>& f) {
    expect_model(ir::BinaryAttrs{fn}, {a.in(), b.in()}, a.dims, {DType::kInt8, scale}, model(f));
  };
  expect(BinaryFn::kAdd, 0.05f, [](double x, double y) { return x + y; });
  expect(BinaryFn::kSub, 0.05f, [](double x, double y) { return x - y; });
  expect(BinaryFn::kMul, 0.04f, [](double x, double y) { return x * y; });
  expect(BinaryFn::kMax, 0.043f, [](double x, double y) { return std::max(x, y); });
  expect(BinaryFn::kMin, 0.043f, [](double x, double y) { return std::min(x, y); });
}

TEST(ReferenceQuantized, pools_and_means) {
  std::mt19937 rng(4);
  const Quantized x = draw(rng, {1, 6, 6, 3}, 0.04f);
  ir::PoolAttrs a;
  a.ksize = {3, 3};
  a.padding = ir::Padding::kSame;
  Real avg, max;
  for (int oy = 0; oy < 6; ++oy) {
    for (int ox = 0; ox < 6; ++ox) {
      for (int c = 0; c < 3; ++c) {
        double sum = 0, best = -1e9;
        int n = 0;
        for (int y = std::max(oy - 1, 0); y <= std::min(oy + 1, 5); ++y) {
          for (int col = std::max(ox - 1, 0); col <= std::min(ox + 1, 5); ++col, ++n) {
            const double v = x.real(static_cast<size_t>((y * 6 + col) * 3 + c));
            sum += v;
            best = std::max(best, v);
          }
        }
        avg.push_back(sum / n);
        max.push_back(best);
      }
    }
  }
  a.fn = ir::PoolFn::kAvg;
  expect_model(a, {x.in()}, x.dims, {DType::kInt8, 0.02f}, avg);

  a.fn = ir::PoolFn::kMax;
  ir::Op op;
  op.attrs = a;
  std::vector<int8_t> y(x.q.size());
  const ConstTensor in = x.in();
  const MutTensor out{DType::kInt8, x.dims, y.data(), x.scale};
  ASSERT_TRUE(evaluate(op, std::span(&in, 1), std::span(&out, 1)).ok());
  for (size_t i = 0; i < y.size(); ++i) ASSERT_EQ(y[i], std::nearbyint(max[i] / double{x.scale}));

  Real mean(3);
  for (size_t i = 0; i < x.q.size(); ++i) mean[i % 3] += x.real(i) / 36;
  expect_model(ir::ReduceAttrs{ir::ReduceFn::kMean, {1, 2}, true}, {x.in()}, {1, 1, 1, 3},
               {DType::kInt8, 0.005f}, mean);
}

struct Weights {
  Dims dims;
  std::vector<int8_t> q;
  std::vector<float> scales;
  std::vector<int32_t> bias;
  Dims channels;
};
Weights draw_weights(std::mt19937& rng, Dims dims) {
  Weights w;
  w.channels = {dims.back()};
  w.q = draw(rng, dims, 1).q;
  w.dims = std::move(dims);
  for (int64_t i = 0; i < w.channels[0]; ++i) {
    w.scales.push_back(0.001f + 0.0001f * static_cast<float>(rng() % 50));
    w.bias.push_back(static_cast<int32_t>(rng() % 20000) - 10000);
  }
  return w;
}

TEST(ReferenceQuantized, conv_with_bias_residual_and_activation) {
  std::mt19937 rng(5);
  for (int64_t groups : {1, 4}) {
    const Quantized x = draw(rng, {1, 4, 5, 4}, 0.04f);
    const Quantized r = draw(rng, {1, 4, 5, 8}, 0.05f);
    const int64_t per_group = 4 / groups;
    const Weights w = draw_weights(rng, {3, 3, per_group, 8});
    for (auto fn : {ir::UnaryFn::kIdentity, ir::UnaryFn::kRelu, ir::UnaryFn::kRelu6}) {
      for (bool residual : {false, true}) {
        Real model;
        for (int64_t oy = 0; oy < 4; ++oy) {
          for (int64_t ox = 0; ox < 5; ++ox) {
            for (int64_t oc = 0; oc < 8; ++oc) {
              const double ws = double{w.scales[static_cast<size_t>(oc)]};
              double v = double{x.scale} * ws * w.bias[static_cast<size_t>(oc)];
              for (int64_t ky = 0; ky < 3; ++ky) {
                for (int64_t kx = 0; kx < 3; ++kx) {
                  const int64_t y = oy + ky - 1, col = ox + kx - 1;
                  if (y < 0 || y > 3 || col < 0 || col > 4) continue;
                  for (int64_t i = 0; i < per_group; ++i) {
                    const int64_t ic = oc / (8 / groups) * per_group + i;
                    v += x.real(static_cast<size_t>((y * 5 + col) * 4 + ic)) * ws *
                         w.q[static_cast<size_t>(((ky * 3 + kx) * per_group + i) * 8 + oc)];
                  }
                }
              }
              if (residual) v += r.real(model.size());
              if (fn != ir::UnaryFn::kIdentity) v = std::max(v, 0.0);
              if (fn == ir::UnaryFn::kRelu6) v = std::min(v, 6.0);
              model.push_back(v);
            }
          }
        }
        ir::ConvAttrs a;
        a.padding = ir::Padding::kSame;
        a.groups = groups;
        a.has_bias = true;
        a.has_residual = residual;
        a.act.fn = fn;
        std::vector<ConstTensor> in{
            x.in(), {DType::kInt8, w.dims, w.q.data()}, {DType::kInt32, w.channels, w.bias.data()}};
        if (residual) in.push_back(r.in());
        in.push_back({DType::kFloat, w.channels, w.scales.data()});
        expect_model(a, in, r.dims, {DType::kInt8, fn == ir::UnaryFn::kRelu6 ? 0.049f : 0.2f},
                     model);
      }
    }
  }
}

TEST(ReferenceQuantized, matmul_with_weights_and_of_two_tensors) {
  std::mt19937 rng(6);
  const Quantized a = draw(rng, {7, 20}, 0.04f), b = draw(rng, {20, 6}, 0.003f);
  const Weights w = draw_weights(rng, {20, 6});
  Real weighted, plain;
  for (size_t i = 0; i < 7; ++i) {
    for (size_t j = 0; j < 6; ++j) {
      const double ws = double{w.scales[j]};
      double v = double{a.scale} * ws * w.bias[j], u = 0;
      for (size_t k = 0; k < 20; ++k) {
        v += a.real(i * 20 + k) * ws * w.q[k * 6 + j];
        u += a.real(i * 20 + k) * b.real(k * 6 + j);
      }
      weighted.push_back(v);
      plain.push_back(u);
    }
  }
  ir::MatMulAttrs attrs;
  expect_model(attrs, {a.in(), b.in()}, {7, 6}, {DType::kInt8, 0.05f}, plain);
  attrs.has_bias = true;
  expect_model(attrs,
               {a.in(),
                {DType::kInt8, w.dims, w.q.data()},
                {DType::kInt32, w.channels, w.bias.data()},
                {DType::kFloat, w.channels, w.scales.data()}},
               {7, 6}, {DType::kInt8, 0.2f}, weighted);
}

TEST(ReferenceQuantized, I4_nan_is_the_lowest_integer_and_ties_go_to_even) {
  const std::vector<float> x{NAN, 0.5f, 1.5f, 2.5f, -0.5f, -2.5f, 300.0f, -INFINITY};
  const Dims dims{8};
  ir::Op op;
  op.attrs = ir::QuantizeAttrs{};
  for (DType to : {DType::kInt8, DType::kUint8}) {
    op.quant = {to, 1.0f};
    std::vector<int8_t> y(8);
    const ConstTensor in{DType::kFloat, dims, x.data()};
    const MutTensor out{to, dims, y.data(), 1.0f};
    ASSERT_TRUE(evaluate(op, std::span(&in, 1), std::span(&out, 1)).ok());
    EXPECT_EQ(y, to == DType::kInt8 ? (std::vector<int8_t>{-127, 0, 2, 2, 0, -2, 127, -127})
                                    : (std::vector<int8_t>{0, 0, 2, 2, 0, 0, 127, 0}));
  }
}

TEST(ReferenceQuantized, attention_with_seven_bit_probabilities) {
  std::mt19937 rng(8);
  const Quantized q = draw(rng, {2, 3, 2, 6}, 0.02f), k = draw(rng, {2, 9, 2, 6}, 0.03f),
                  v = draw(rng, {2, 9, 2, 4}, 0.01f);
  const Dims mask_dims{1, 2, 1, 9}, dims{2, 3, 2, 4};
  std::vector<float> mask;
  for (int i = 0; i < 18; ++i) mask.push_back(0.37f * static_cast<float>(i % 7));
  Real model;
  for (size_t b = 0; b < 2; ++b) {
    for (size_t i = 0; i < 3; ++i) {
      for (size_t h = 0; h < 2; ++h) {
        Real x(9);
        for (size_t j = 0; j < 9; ++j) {
          for (size_t e = 0; e < 6; ++e)
            x[j] += q.real(((b * 3 + i) * 2 + h) * 6 + e) * k.real(((b * 9 + j) * 2 + h) * 6 + e);
          x[j] = x[j] * double{0.4f} + double{mask[h * 9 + j]};
        }
        const double top = *std::max_element(x.begin(), x.end());
        double sum = 0;
        for (double& score : x) sum += score = std::nearbyint(127 * std::exp(score - top));
        for (size_t e = 0; e < 4; ++e) {
          double y = 0;
          for (size_t j = 0; j < 9; ++j) y += x[j] / sum * v.real(((b * 9 + j) * 2 + h) * 4 + e);
          model.push_back(y);
        }
      }
    }
  }
  expect_model(ir::AttentionAttrs{0.4f, true},
               {q.in(), k.in(), v.in(), {DType::kFloat, mask_dims, mask.data()}}, dims,
               {DType::kInt8, 0.011f}, model);
}

}  // namespace
}  // namespace graft::reference
