// Convolution and pooling, NHWC.
#include <algorithm>
#include <limits>
#include <optional>

#include "reference/values.h"

namespace graft::reference {

namespace {

// Padding in front of one spatial axis.
int64_t pad_before(ir::Padding padding, const std::vector<int64_t>& pads, size_t axis, int64_t in,
                   int64_t out, int64_t ksize, int64_t stride, int64_t dilation) {
  if (padding == ir::Padding::kValid) return 0;
  if (padding == ir::Padding::kExplicit) return pads[2 * axis];
  return std::max<int64_t>(0, (out - 1) * stride + (ksize - 1) * dilation + 1 - in) / 2;
}

template <typename W>
void convolve(const Call& c) {
  const auto& a = c.op.as<ir::ConvAttrs>();
  using Acc = std::conditional_t<std::is_same_v<W, double>, double, uint64_t>;
  const std::vector<W> x = load<W>(c.in[0]), w = load<W>(c.in[1]);
  const std::vector<W> bias = a.has_bias ? load<W>(c.in[2]) : std::vector<W>{};
  const std::vector<W> residual =
      a.has_residual ? load<W>(c.in[a.has_bias ? 3 : 2]) : std::vector<W>{};
  const auto s = c.in[0].dims, k = c.in[1].dims, d = c.out[0].dims;
  const int64_t top =
      pad_before(a.padding, a.pads, 0, s[1], d[1], k[0], a.strides[0], a.dilations[0]);
  const int64_t left =
      pad_before(a.padding, a.pads, 1, s[2], d[2], k[1], a.strides[1], a.dilations[1]);
  const int64_t group_in = k[2], group_out = d[3] / a.groups;
  std::vector<W> y(static_cast<size_t>(elems(d)));
  std::vector<Acc> acc(static_cast<size_t>(d[3]));
  for (int64_t pixel = 0; pixel < d[0] * d[1] * d[2]; ++pixel) {
    const int64_t n = pixel / (d[1] * d[2]), oh = pixel / d[2] % d[1], ow = pixel % d[2];
    std::fill(acc.begin(), acc.end(), Acc{0});
    for (int64_t kh = 0; kh < k[0]; ++kh) {
      const int64_t ih = oh * a.strides[0] - top + kh * a.dilations[0];
      if (ih < 0 || ih >= s[1]) continue;
      for (int64_t kw = 0; kw < k[1]; ++kw) {
        const int64_t iw = ow * a.strides[1] - left + kw * a.dilations[1];
        if (iw < 0 || iw >= s[2]) continue;
        const W* src = &x[static_cast<size_t>(((n * s[1] + ih) * s[2] + iw) * s[3])];
        const W* tap = &w[static_cast<size_t>((kh * k[1] + kw) * k[2] * k[3])];
        for (int64_t g = 0; g < a.groups; ++g) {
          for (int64_t i = 0; i < group_in; ++i) {
            const Acc v = static_cast<Acc>(src[g * group_in + i]);
            const W* row = tap + i * k[3] + g * group_out;
            Acc* to = &acc[static_cast<size_t>(g * group_out)];
            for (int64_t o = 0; o < group_out; ++o) to[o] += v * static_cast<Acc>(row[o]);
          }
        }
      }
    }
    for (int64_t o = 0; o < d[3]; ++o) {
      const size_t at = static_cast<size_t>(pixel * d[3] + o);
      Acc v = acc[static_cast<size_t>(o)];
      if (a.has_bias) v += static_cast<Acc>(bias[static_cast<size_t>(o)]);
      if (a.has_residual) v += static_cast<Acc>(residual[at]);
      y[at] = apply(a.act, wrap(c.out[0].dtype, static_cast<W>(v)));
    }
  }
  store(c.out[0], y);
}

template <typename W>
void pool(const Call& c) {
  const auto& a = c.op.as<ir::PoolAttrs>();
  const std::vector<W> x = load<W>(c.in[0]);
  const auto s = c.in[0].dims, d = c.out[0].dims;
  const int64_t top = pad_before(a.padding, a.pads, 0, s[1], d[1], a.ksize[0], a.strides[0], 1);
  const int64_t left = pad_before(a.padding, a.pads, 1, s[2], d[2], a.ksize[1], a.strides[1], 1);
  const bool max = a.fn == ir::PoolFn::kMax;
  std::vector<W> y(static_cast<size_t>(elems(d)));
  for (size_t i = 0; i < y.size(); ++i) {
    const auto at = static_cast<int64_t>(i);
    const int64_t ch = at % d[3], ow = at / d[3] % d[2], oh = at / d[3] / d[2] % d[1],
                  n = at / d[3] / d[2] / d[1];
    const int64_t h0 = oh * a.strides[0] - top, w0 = ow * a.strides[1] - left;
    W best = lowest<W>(c.in[0].dtype), sum = 0;
    int64_t count = 0;
    for (int64_t h = std::max<int64_t>(h0, 0); h < std::min(h0 + a.ksize[0], s[1]); ++h) {
      for (int64_t w = std::max<int64_t>(w0, 0); w < std::min(w0 + a.ksize[1], s[2]); ++w) {
        const W v = x[static_cast<size_t>(((n * s[1] + h) * s[2] + w) * s[3] + ch)];
        if (v > best) best = v;
        sum += v;
        ++count;
      }
    }
    y[i] = max ? best : sum / static_cast<W>(count);
  }
  store(c.out[0], y);
}

}  // namespace

void pool_sums(const Call& c, const std::vector<int64_t>& x, std::vector<int64_t>& sums,
               std::vector<int64_t>& counts) {
  const auto& a = c.op.as<ir::PoolAttrs>();
  const auto s = c.in[0].dims, d = c.out[0].dims;
  const int64_t top = pad_before(a.padding, a.pads, 0, s[1], d[1], a.ksize[0], a.strides[0], 1);
  const int64_t left = pad_before(a.padding, a.pads, 1, s[2], d[2], a.ksize[1], a.strides[1], 1);
  for (size_t i = 0; i < sums.size(); ++i) {
    const auto at = static_cast<int64_t>(i);
    const int64_t ch = at % d[3], ow = at / d[3] % d[2], oh = at / d[3] / d[2] % d[1],
                  n = at / d[3] / d[2] / d[1];
    const int64_t h0 = oh * a.strides[0] - top, w0 = ow * a.strides[1] - left;
    for (int64_t h = std::max<int64_t>(h0, 0); h < std::min(h0 + a.ksize[0], s[1]); ++h) {
      for (int64_t w = std::max<int64_t>(w0, 0); w < std::min(w0 + a.ksize[1], s[2]); ++w) {
        sums[i] += x[static_cast<size_t>(((n * s[1] + h) * s[2] + w) * s[3] + ch)];
        ++counts[i];
      }
    }
  }
}

Status evaluate_conv(const Call& c) {
  if (is_floating(c.in[0].dtype))
    convolve<double>(c);
  else
    convolve<int64_t>(c);
  return ok_status();
}

Status evaluate_pool_argmax(const Call& c) {
  const auto& a = c.op.as<ir::PoolArgmaxAttrs>();
  const auto s = c.in[0].dims, d = c.out[0].dims;
  const int64_t top = pad_before(a.padding, {}, 0, s[1], d[1], a.ksize[0], a.strides[0], 1);
  const int64_t left = pad_before(a.padding, {}, 1, s[2], d[2], a.ksize[1], a.strides[1], 1);
  std::vector<int64_t> places(static_cast<size_t>(elems(d)));
  visit_wide(c.in[0].dtype, [&]<typename W>() {
    const std::vector<W> x = load<W>(c.in[0]);
    for (size_t i = 0; i < places.size(); ++i) {
      const auto at = static_cast<int64_t>(i);
      const int64_t ch = at % d[3], ow = at / d[3] % d[2], oh = at / d[3] / d[2] % d[1],
                    n = at / d[3] / d[2] / d[1];
      const int64_t h0 = oh * a.strides[0] - top, w0 = ow * a.strides[1] - left;
      int64_t best = -1;
      for (int64_t h = std::max<int64_t>(h0, 0); h < std::min(h0 + a.ksize[0], s[1]); ++h) {
        for (int64_t w = std::max<int64_t>(w0, 0); w < std::min(w0 + a.ksize[1], s[2]); ++w) {
          const int64_t v = ((n * s[1] + h) * s[2] + w) * s[3] + ch;
          if (best < 0 || x[static_cast<size_t>(best)] < x[static_cast<size_t>(v)]) best = v;
        }
      }
      copy_element(c.out[0], at, c.in[0], best);
      places[i] = a.include_batch ? best : best - n * s[1] * s[2] * s[3];
    }
  });
  store(c.out[1], places);
  return ok_status();
}

Status evaluate_pool(const Call& c) {
  visit_wide(c.in[0].dtype, [&]<typename W>() { pool<W>(c); });
  return ok_status();
}

}  // namespace graft::reference
