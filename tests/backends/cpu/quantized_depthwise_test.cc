// Depthwise convolution of quantized tensors: the bits of the reference evaluator at every ISA
// level.
#include "step_testing.h"

namespace graft::cpu::testing {
namespace {

using ir::DstQuant;
using ir::Padding;
using ir::UnaryFn;

constexpr DType kQuantized[] = {DType::kInt8, DType::kUint8};
constexpr DstQuant kInt8Dst{DType::kInt8, 0.4f}, kUint8Dst{DType::kUint8, 0.4f};

struct Depthwise {
  std::vector<int64_t> src{1, 7, 9, 32};
  std::vector<int64_t> kernel{3, 3}, strides{1, 1}, dilations{1, 1};
  Padding padding = Padding::kSame;
  std::vector<int64_t> pads{0, 0, 0, 0};
  int64_t multiplier = 1;
  bool has_bias = true;
  ir::Activation act{};
  DType from = DType::kInt8;
  DstQuant quant = kInt8Dst;
  DType residual = DType::kInvalid;
};

int64_t extent(const Depthwise& d, size_t axis) {
  const int64_t in = d.src[axis + 1], effective = (d.kernel[axis] - 1) * d.dilations[axis] + 1;
  if (d.padding == Padding::kSame) return (in + d.strides[axis] - 1) / d.strides[axis];
  const int64_t pads =
      d.padding == Padding::kExplicit ? d.pads[2 * axis] + d.pads[2 * axis + 1] : 0;
  return (in + pads - effective) / d.strides[axis] + 1;
}

Case depthwise(std::mt19937& rng, const Depthwise& d) {
  ir::ConvAttrs a;
  a.strides = d.strides;
  a.dilations = d.dilations;
  a.padding = d.padding;
  a.pads = d.pads;
  a.groups = d.src[3];
  a.has_bias = d.has_bias;
  a.has_residual = d.residual != DType::kInvalid;
  a.act = d.act;
  const int64_t oc = d.src[3] * d.multiplier;
  Case c;
  Tensor weights = draw_quantized(rng, DType::kInt8, {d.kernel[0], d.kernel[1], 1, oc}, 0);
  c.inputs = {draw_quantized(rng, d.from, d.src, 0.05f), weights};
  c.constants = {1};
  if (d.has_bias) {
    Tensor bias = empty_tensor(DType::kInt32, {oc});
    for (int64_t i = 0; i < oc; ++i) {
      const int32_t v = static_cast<int32_t>(rng() % 20001) - 10000;
      std::memcpy(bias.bytes.data() + i * 4, &v, 4);
    }
    c.inputs.push_back(bias);
    c.constants.push_back(2);
  }
  if (a.has_residual) {
    const std::vector<int64_t> dims{d.src[0], extent(d, 0), extent(d, 1), oc};
    c.inputs.push_back(d.residual == DType::kFloat ? draw(rng, DType::kFloat, dims, 20.0f)
                                                   : draw_quantized(rng, d.residual, dims, 0.37f));
  }
  Tensor scales = empty_tensor(DType::kFloat, {oc});
  for (int64_t i = 0; i < oc; ++i) {
    const float v = 0.002f + 0.0001f * static_cast<float>(rng() % 100);
    std::memcpy(scales.bytes.data() + i * 4, &v, 4);
  }
  c.inputs.push_back(scales);
  c.constants.push_back(c.inputs.size() - 1);
  c.attrs = a;
  c.quant = d.quant;
  return c;
}

TEST(QuantizedDepthwise, channels_and_dtypes) {
  std::mt19937 rng(1);
  for (int64_t c : {2, 3, 8, 15, 16, 17, 24, 31, 32, 33, 48, 63, 64, 65, 96, 144, 200}) {
    for (DType from : kQuantized) {
      for (const DstQuant& quant : {kInt8Dst, kUint8Dst, DstQuant{}}) {
        Depthwise d;
        d.src = {1, 5, 6, c};
        d.from = from;
        d.quant = quant;
        check(depthwise(rng, d));
        if (HasFatalFailure()) return;
      }
    }
  }
}

TEST(QuantizedDepthwise, kernels_strides_dilations_and_paddings) {
  std::mt19937 rng(2);
  for (std::vector<int64_t> kernel : std::vector<std::vector<int64_t>>{
           {3, 3}, {5, 5}, {1, 1}, {1, 3}, {2, 1}, {2, 2}, {7, 7}, {4, 3}}) {
    for (std::vector<int64_t> strides : std::vector<std::vector<int64_t>>{{1, 1}, {2, 2}, {1, 3}}) {
      for (int64_t dilation : {1, 2}) {
        for (Padding padding : {Padding::kSame, Padding::kValid, Padding::kExplicit}) {
          Depthwise d;
          d.src = {2, 15, 14, 35};
          d.kernel = kernel;
          d.strides = strides;
          d.dilations = {dilation, dilation};
          d.padding = padding;
          if (padding == Padding::kExplicit) d.pads = {2, 0, 1, 3};
          d.from = kQuantized[rng() % 2];
          d.has_bias = rng() % 2 == 0;
          check(depthwise(rng, d));
          if (HasFatalFailure()) return;
        }
      }
    }
  }
}

TEST(QuantizedDepthwise, every_tap_outside_and_empty_dst) {
  std::mt19937 rng(3);
  Depthwise d;
  d.src = {1, 1, 1, 40};
  d.padding = Padding::kExplicit;
  d.pads = {9, 9, 9, 9};
  check(depthwise(rng, d));
  d.src = {0, 4, 4, 40};
  check(depthwise(rng, d));
  d.src = {1, 3, 3, 40};
  d.pads = {0, 0, 0, 0};
  d.kernel = {4, 4};
  EXPECT_EQ(extent(d, 0), 0);
  check(depthwise(rng, d));
}

TEST(QuantizedDepthwise, activations_and_residuals) {
  std::mt19937 rng(4);
  const ir::Activation acts[] = {{},
                                 {UnaryFn::kRelu, 0, 0},
                                 {UnaryFn::kRelu6, 0, 0},
                                 {UnaryFn::kClip, -3.3f, 7.1f},
                                 {UnaryFn::kClip, 90.0f, 95.0f},
                                 {UnaryFn::kClip, -1e9f, -10.0f}};
  for (const ir::Activation& act : acts) {
    for (DType residual : {DType::kInvalid, DType::kInt8, DType::kUint8}) {
      for (const DstQuant& quant : {kInt8Dst, kUint8Dst}) {
        for (int64_t c : {20, 64, 70}) {
          Depthwise d;
          d.src = {2, 5, 5, c};
          d.act = act;
          d.residual = residual;
          d.quant = quant;
          d.has_bias = c != 20;
          d.from = kQuantized[c % 3 == 1];
          const Case cse = depthwise(rng, d);
          check(cse);
          if (HasFatalFailure()) return;
        }
      }
    }
    Depthwise d;
    d.quant = {};
    d.act = act;
    check(depthwise(rng, d));
    d.residual = DType::kFloat;
    check(depthwise(rng, d));
    d.src[3] = 45;
    check(depthwise(rng, d));
  }
}

TEST(QuantizedDepthwise, in_place_of_the_residual) {
  std::mt19937 rng(5);
  for (int64_t c : {64, 128, 5}) {
    Depthwise d;
    d.src = {1, 9, 9, c};
    d.residual = DType::kInt8;
    check_in_place(depthwise(rng, d), 3);
    d.quant = {};
    d.residual = DType::kFloat;
    check_in_place(depthwise(rng, d), 3);
  }
}

TEST(QuantizedDepthwise, several_outputs_a_channel) {
  std::mt19937 rng(6);
  for (int64_t multiplier : {2, 3, 8}) {
    for (int64_t c : {2, 5, 16, 33}) {
      for (int64_t stride : {1, 2}) {
        Depthwise d;
        d.src = {2, 9, 7, c};
        d.multiplier = multiplier;
        d.strides = {stride, stride};
        d.from = kQuantized[c % 2];
        check(depthwise(rng, d));
        if (HasFatalFailure()) return;
      }
    }
  }
}

// The largest sums of pairs and of all taps.
TEST(QuantizedDepthwise, extreme_integers) {
  std::mt19937 rng(7);
  for (DType from : kQuantized) {
    for (int x : {127, -127}) {
      for (int w : {127, -127}) {
        Depthwise d;
        d.from = from;
        d.kernel = {5, 5};
        d.quant = {};
        Case c = depthwise(rng, d);
        const int low = from == DType::kInt8 ? x : std::max(x, 0);
        std::fill(c.inputs[0].bytes.begin(), c.inputs[0].bytes.end(), static_cast<std::byte>(low));
        std::fill(c.inputs[1].bytes.begin(), c.inputs[1].bytes.end(), static_cast<std::byte>(w));
        check(c);
      }
    }
  }
}

void set_weights(Case& c, const auto& weight_of) {
  auto* w = reinterpret_cast<int8_t*>(c.inputs[1].bytes.data());
  for (size_t i = 0; i < c.inputs[1].bytes.size(); ++i) w[i] = weight_of(i);
}

// Weights whose sums over two rows fit in int16 in every channel, in none, and in some blocks.
TEST(QuantizedDepthwise, sums_of_3x3_in_int16) {
  std::mt19937 rng(9);
  for (int64_t channels : {16, 32, 40, 64, 96, 144, 200}) {
    for (int64_t stride : {1, 2}) {
      for (int64_t extent : {1, 2, 3, 4, 5, 8, 9}) {
        for (Padding padding : {Padding::kSame, Padding::kValid, Padding::kExplicit}) {
          if (padding == Padding::kValid && extent < 3) continue;
          Depthwise d;
          d.src = {2, extent, 12 - extent, channels};
          d.strides = {stride, stride};
          d.padding = padding;
          if (padding == Padding::kExplicit) d.pads = {1, 1, 0, 2};
          d.from = DType::kUint8;
          d.quant = extent % 2 ? kInt8Dst : kUint8Dst;
          d.act = {UnaryFn::kClip, -13.3f, 37.1f};
          Case c = depthwise(rng, d);
          const auto wide = static_cast<size_t>(extent % 3 == 0 ? channels : channels - 3);
          set_weights(c, [&](size_t i) {
            const int most = i % static_cast<size_t>(channels) == wide ? 127 : 80;
            return static_cast<int8_t>(static_cast<int>(rng() % (2 * most + 1)) - most);
          });
          check(c);
          if (HasFatalFailure()) return;
        }
      }
    }
  }
}

// The largest sums of six and of three taps, on either side of what int16 holds.
TEST(QuantizedDepthwise, extreme_sums_of_3x3) {
  std::mt19937 rng(10);
  for (int w : {86, 87, 127, -86, -87, -127}) {
    for (int mixed : {0, 1}) {
      for (int x : {0, 127}) {
        for (int64_t stride : {1, 2}) {
          Depthwise d;
          d.src = {1, 7, 8, 72};
          d.strides = {stride, stride};
          d.from = DType::kUint8;
          d.quant = {DType::kInt8, 40.0f};
          Case c = depthwise(rng, d);
          std::fill(c.inputs[0].bytes.begin(), c.inputs[0].bytes.end(), static_cast<std::byte>(x));
          set_weights(c, [&](size_t i) {
            const size_t tap = i / 72;
            const int magnitude = tap / 3 == 1 ? (w < 0 ? -127 : 127) : w;
            return static_cast<int8_t>(mixed && tap % 2 ? -magnitude : magnitude);
          });
          check(c);
          if (HasFatalFailure()) return;
        }
      }
    }
  }
}

TEST(QuantizedDepthwise, large_image_on_several_threads) {
  std::mt19937 rng(8);
  Depthwise d;
  d.src = {2, 33, 41, 96};
  d.strides = {2, 2};
  d.act = {UnaryFn::kRelu6, 0, 0};
  d.from = DType::kUint8;
  d.quant = kUint8Dst;
  check(depthwise(rng, d));
}

}  // namespace
}  // namespace graft::cpu::testing
