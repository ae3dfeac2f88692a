// resize.
#include <algorithm>
#include <cmath>
#include <limits>

#include "reference/values.h"

namespace graft::reference {

namespace {

// Source coordinates in float, as TensorFlow computes them: an exact coordinate would pick other
// pixels.
float resize_scale(const ir::ResizeAttrs& a, int64_t in, int64_t out) {
  // A single pixel covers all that is made of it.
  const bool corners = a.align_corners && (in > 1 || a.method != ir::ResizeMethod::kArea);
  if (corners && out > 1) return static_cast<float>(in - 1) / static_cast<float>(out - 1);
  return static_cast<float>(in) / static_cast<float>(out);
}

int64_t nearest(const ir::ResizeAttrs& a, int64_t i, int64_t in, float scale) {
  const float at =
      a.half_pixel_centers ? (static_cast<float>(i) + 0.5f) * scale : static_cast<float>(i) * scale;
  const float whole = a.align_corners ? std::round(at) : std::floor(at);
  return std::clamp<int64_t>(static_cast<int64_t>(whole), 0, in - 1);
}

struct Lerp {
  int64_t lower, upper;
  double weight;
};
Lerp bilinear(const ir::ResizeAttrs& a, int64_t i, int64_t in, float scale) {
  const float at = a.half_pixel_centers ? (static_cast<float>(i) + 0.5f) * scale - 0.5f
                                        : static_cast<float>(i) * scale;
  const float whole = std::floor(at);
  const auto lower = static_cast<int64_t>(whole), upper = static_cast<int64_t>(std::ceil(at));
  return {std::clamp<int64_t>(lower, 0, in - 1), std::min(upper, in - 1),
          static_cast<double>(at - whole)};
}

// A source pixel's part in an output pixel.
struct Tap {
  int64_t at;
  float weight;
};

// The convolution kernel of TensorFlow's ResizeBicubic, within one pixel and beyond it, as its
// table of 1024 steps has it.
float cubic_near(double a, int64_t step) {
  const float x = static_cast<float>(static_cast<double>(step) / 1024);
  return static_cast<float>(((a + 2) * x - (a + 3)) * x * x + 1);
}
float cubic_far(double a, int64_t step) {
  const float x = static_cast<float>(static_cast<double>(step) / 1024) + 1.0f;
  return static_cast<float>(((a * x - 5 * a) * x + 8 * a) * x - 4 * a);
}

// With half_pixel_centers, pixels outside the image weigh nothing and the others share the whole;
// else those outside are the image's edge.
std::vector<Tap> bicubic(const ir::ResizeAttrs& a, int64_t i, int64_t in, float scale) {
  const float at = a.half_pixel_centers ? (static_cast<float>(i) + 0.5f) * scale - 0.5f
                                        : static_cast<float>(i) * scale;
  const auto whole = static_cast<int64_t>(std::floor(at));
  const int64_t step = std::lrint((at - static_cast<float>(whole)) * 1024);
  const double k = a.half_pixel_centers ? -0.5 : -0.75;
  std::vector<Tap> taps = {{whole - 1, cubic_far(k, step)},
                           {whole, cubic_near(k, step)},
                           {whole + 1, cubic_near(k, 1024 - step)},
                           {whole + 2, cubic_far(k, 1024 - step)}};
  float sum = 0;
  for (Tap& tap : taps) {
    const int64_t inside = std::clamp<int64_t>(tap.at, 0, in - 1);
    if (a.half_pixel_centers && inside != tap.at) tap.weight = 0;
    tap.at = inside;
    sum += tap.weight;
  }
  if (a.half_pixel_centers && std::abs(sum) >= 1000 * std::numeric_limits<float>::min())
    for (Tap& tap : taps) tap.weight *= 1 / sum;
  return taps;
}

// Every pixel that the output pixel covers, by how much of it: the first of two that are one, or
// the last of more, may be covered in part.
std::vector<Tap> area(int64_t i, int64_t in, float scale, bool columns) {
  const float from = static_cast<float>(i) * scale, to = static_cast<float>(i + 1) * scale;
  const auto covered = [&](int64_t v) {
    const auto x = static_cast<float>(v), next = static_cast<float>(v + 1);
    if (x < from) return next > to ? scale : next - from;
    return next > to ? to - x : 1.0f;
  };
  const auto first = static_cast<int64_t>(std::floor(from)),
             end = static_cast<int64_t>(std::ceil(to));
  std::vector<Tap> taps;
  // Beyond 2^24 pixels both may be one number: TensorFlow reads two columns nevertheless.
  if (columns && end <= first) taps = {{first, covered(first)}, {end - 1, covered(end - 1)}};
  for (int64_t v = first; v < end; ++v)
    taps.push_back({v, !columns || v == first || v == end - 1 ? covered(v) : 1.0f});
  for (Tap& tap : taps) tap.at = std::clamp<int64_t>(tap.at, 0, in - 1);
  return taps;
}

// Bicubic and area: rows and columns have weights of their own.
Status resize_by_taps(const Call& c) {
  const auto& a = c.op.as<ir::ResizeAttrs>();
  const auto s = c.in[0].dims, d = c.out[0].dims;
  const float hs = resize_scale(a, s[1], d[1]), ws = resize_scale(a, s[2], d[2]);
  const bool by_area = a.method == ir::ResizeMethod::kArea;
  const float whole = by_area ? static_cast<float>(1.0 / (hs * ws)) : 1;
  std::vector<double> x, y(static_cast<size_t>(elems(d)));
  visit_wide(c.in[0].dtype, [&]<typename W>() {
    const std::vector<W> v = load<W>(c.in[0]);
    x.assign(v.begin(), v.end());
  });
  for (int64_t i = 0; i < elems(d); ++i) {
    const int64_t k = i % d[3], w = i / d[3] % d[2], h = i / d[3] / d[2] % d[1],
                  n = i / d[3] / d[2] / d[1];
    double sum = 0;
    for (const Tap& row : by_area ? area(h, s[1], hs, false) : bicubic(a, h, s[1], hs)) {
      double line = 0;
      for (const Tap& col : by_area ? area(w, s[2], ws, true) : bicubic(a, w, s[2], ws))
        line += x[static_cast<size_t>(((n * s[1] + row.at) * s[2] + col.at) * s[3] + k)] *
                static_cast<double>(col.weight);
      sum += line * static_cast<double>(row.weight);
    }
    y[static_cast<size_t>(i)] = sum * static_cast<double>(whole);
  }
  store(c.out[0], y);
  return ok_status();
}

}  // namespace

Status evaluate_resize(const Call& c) {
  const auto& a = c.op.as<ir::ResizeAttrs>();
  if (a.method != ir::ResizeMethod::kSample) return resize_by_taps(c);
  const auto s = c.in[0].dims, d = c.out[0].dims;
  const float hs = resize_scale(a, s[1], d[1]), ws = resize_scale(a, s[2], d[2]);
  const auto at = [&](int64_t n, int64_t h, int64_t w, int64_t k) {
    return ((n * s[1] + h) * s[2] + w) * s[3] + k;
  };
  std::vector<double> x, y;
  if (a.bilinear) {
    visit_wide(c.in[0].dtype, [&]<typename W>() {
      const std::vector<W> v = load<W>(c.in[0]);
      x.assign(v.begin(), v.end());
    });
    y.resize(static_cast<size_t>(elems(d)));
  }
  for (int64_t i = 0; i < elems(d); ++i) {
    const int64_t k = i % d[3], w = i / d[3] % d[2], h = i / d[3] / d[2] % d[1],
                  n = i / d[3] / d[2] / d[1];
    if (!a.bilinear) {
      copy_element(c.out[0], i, c.in[0],
                   at(n, nearest(a, h, s[1], hs), nearest(a, w, s[2], ws), k));
      continue;
    }
    const Lerp v = bilinear(a, h, s[1], hs), u = bilinear(a, w, s[2], ws);
    const auto value = [&](int64_t row, int64_t col) {
      return x[static_cast<size_t>(at(n, row, col, k))];
    };
    const double top =
        value(v.lower, u.lower) + (value(v.lower, u.upper) - value(v.lower, u.lower)) * u.weight;
    const double bottom =
        value(v.upper, u.lower) + (value(v.upper, u.upper) - value(v.upper, u.lower)) * u.weight;
    y[static_cast<size_t>(i)] = top + (bottom - top) * v.weight;
  }
  if (a.bilinear) store(c.out[0], y);
  return ok_status();
}

}  // namespace graft::reference
