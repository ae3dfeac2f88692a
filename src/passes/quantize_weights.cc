#include "passes/quantize_weights.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/check.h"
#include "base/fault.h"
#include "ir/quantized.h"

namespace graft::passes {

namespace {

std::vector<float> floats(const ir::Value& value) {
  const std::vector<std::byte> bytes = ir::materialize(value);
  std::vector<float> result(bytes.size() / sizeof(float));
  if (!result.empty()) std::memcpy(result.data(), bytes.data(), bytes.size());
  return result;
}

size_t channel_of(size_t i, const ChannelLayout& layout) {
  return i / layout.inner % layout.channels;
}

int8_t round_to_q(double w, double scale) {
  return static_cast<int8_t>(std::clamp(std::nearbyint(w / scale), -127.0, 127.0));
}

// A channel whose elements are whole multiples of one step, as those of networks trained for
// quantization are: the largest multiple (at most 127), else 0. Found from the numbers, since the
// op that made them may be folded long ago and batch norms multiplied in. Elements may be off by
// what two roundings to float make of the largest. Several multiples explain few elements: three
// different magnitudes fix the step (the coarsest that fits), fewer take the finest.
int largest_multiple(const std::vector<double>& magnitudes) {
  const double most = *std::max_element(magnitudes.begin(), magnitudes.end());
  std::vector<double> distinct;
  for (double m : magnitudes) {
    const auto same = [&](double d) { return std::fabs(d - m) <= most * 0x1p-20; };
    if (m > most * 0x1p-20 && std::none_of(distinct.begin(), distinct.end(), same))
      distinct.push_back(m);
    if (distinct.size() == 3) break;
  }
  const auto fits = [&](int multiple) {
    return std::all_of(magnitudes.begin(), magnitudes.end(), [&](double m) {
      const double q = m / most * multiple;
      return std::fabs(q - std::nearbyint(q)) <= multiple * 0x1p-21;
    });
  };
  const bool sure = distinct.size() == 3;
  for (int k = 1; k <= 127; ++k) {
    const int multiple = sure ? k : 128 - k;
    if (fits(multiple)) return multiple;
  }
  return 0;
}

// Input channel of each element; depthwise: that of its output channel.
class InputChannel {
 public:
  InputChannel(const ir::Op& op, const ir::Value& weights) {
    for (ir::Dim d : weights.type.dims) dims_.push_back(static_cast<size_t>(d.value()));
    if (const auto* conv = op.get_if<ir::ConvAttrs>()) {
      groups_ = static_cast<size_t>(conv->groups);
    } else {
      transposed_ = op.as<ir::MatMulAttrs>().transpose_b;
    }
  }
  size_t operator()(size_t i) const {
    const size_t columns = dims_.back();
    if (transposed_) return i % columns;
    if (dims_.size() == 2) return i / columns;
    const size_t group = i % columns / (columns / groups_);
    return group * dims_[2] + i / columns % dims_[2];
  }

 private:
  std::vector<size_t> dims_;
  size_t groups_ = 1;
  bool transposed_ = false;
};

}  // namespace

ChannelLayout channel_layout(const ir::Op& op, const ir::Value& weights) {
  const std::vector<ir::Dim>& dims = weights.type.dims;
  if (const auto* m = op.get_if<ir::MatMulAttrs>(); m && m->transpose_b)
    return {static_cast<size_t>(dims[0].value()), static_cast<size_t>(dims[1].value())};
  return {static_cast<size_t>(dims.back().value()), 1};
}

Result<QuantizedWeights> quantize_weights(const ir::Value& weights, const ChannelLayout& layout,
                                          bool per_tensor) {
  const std::vector<float> w = floats(weights);
  std::vector<double> largest(layout.channels, 0);
  for (size_t i = 0; i < w.size(); ++i) {
    if (!std::isfinite(w[i])) return unsupported("weights hold a value that is not finite");
    double& most = largest[channel_of(i, layout)];
    most = std::max(most, std::fabs(static_cast<double>(w[i])));
  }
  std::vector<double> multiples(layout.channels, 127);
  std::vector<double> channel;
  for (size_t c = 0; !per_tensor && c < layout.channels; ++c) {
    channel.clear();
    for (size_t i = c * layout.inner; i < w.size(); i += layout.inner * layout.channels) {
      for (size_t k = 0; k < layout.inner; ++k) channel.push_back(std::fabs(double{w[i + k]}));
    }
    const int found = largest[c] < 1e-30 ? 0 : largest_multiple(channel);
    if (found > 0) multiples[c] = found;
  }
  if (per_tensor || GRAFT_FAULT(weight_scales_per_tensor))
    std::fill(largest.begin(), largest.end(), *std::max_element(largest.begin(), largest.end()));
  QuantizedWeights r;
  for (size_t c = 0; c < layout.channels; ++c) {
    // A scale whose inverse is not normal in float stands for nothing.
    const bool zero = largest[c] < 1e-30;
    r.scales.push_back(zero ? 1.0f : static_cast<float>(largest[c] / multiples[c]));
    r.zero.push_back(zero);
  }
  r.q.resize(w.size());
  for (size_t i = 0; i < w.size(); ++i) r.q[i] = round_to_q(w[i], r.scales[channel_of(i, layout)]);
  return r;
}

std::vector<double> mean_shift(const ir::Op& op, const ir::Value& weights,
                               const QuantizedWeights& quantized, const std::vector<float>& means) {
  const ChannelLayout layout = channel_layout(op, weights);
  const std::vector<float> w = floats(weights);
  const InputChannel input(op, weights);
  std::vector<double> shift(layout.channels, 0);
  for (size_t i = 0; i < w.size(); ++i) {
    const size_t channel = channel_of(i, layout), in = input(i);
    GRAFT_CHECK(in < means.size(), weights.name);
    const double back = quantized.q[i] * static_cast<double>(quantized.scales[channel]);
    shift[channel] += (back - w[i]) * means[in];
  }
  return shift;
}

std::vector<int32_t> quantize_bias(const std::vector<double>& bias, float src_scale,
                                   const ir::Value& weights, const ChannelLayout& layout,
                                   QuantizedWeights& quantized) {
  constexpr double kMax = ir::kMaxQuantizedBias;
  std::vector<bool> raised(layout.channels, false);
  bool any = false;
  for (size_t c = 0; c < layout.channels; ++c) {
    const double least = std::fabs(bias[c]) / (kMax * src_scale);
    if (quantized.zero[c] && least > 1e-30) quantized.scales[c] = 0;
    if (quantized.scales[c] >= least) continue;
    // A little more, since the scale is rounded to float.
    quantized.scales[c] = static_cast<float>(least * 1.000001);
    raised[c] = any = true;
  }
  if (any) {
    const std::vector<float> w = floats(weights);
    for (size_t i = 0; i < w.size(); ++i) {
      const size_t c = channel_of(i, layout);
      if (raised[c]) quantized.q[i] = round_to_q(w[i], quantized.scales[c]);
    }
  }
  std::vector<int32_t> result(layout.channels);
  for (size_t c = 0; c < layout.channels; ++c) {
    const double unit = static_cast<double>(src_scale) * quantized.scales[c];
    result[c] = GRAFT_FAULT(quantized_bias_dropped)
                    ? 0
                    : static_cast<int32_t>(std::clamp(std::nearbyint(bias[c] / unit), -kMax, kMax));
  }
  return result;
}

}  // namespace graft::passes
