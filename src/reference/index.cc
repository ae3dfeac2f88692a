// gather, one_hot, range, resize.
#include <algorithm>
#include <cmath>

#include "reference/values.h"

namespace graft::reference {

Status evaluate_gather(const Call& c) {
  const auto& a = c.op.as<ir::GatherAttrs>();
  const auto axis = static_cast<size_t>(a.axis), batch = static_cast<size_t>(a.batch_dims);
  const std::span<const int64_t> params = c.in[0].dims;
  const std::vector<int64_t> index = ints(c.in[1]);
  const int64_t batches = elems(params.first(batch)),
                outer = elems(params.subspan(batch, axis - batch));
  const int64_t n = params[axis], inner = elems(params.subspan(axis + 1));
  const int64_t picks = elems(c.in[1].dims.subspan(batch));
  int64_t to = 0;
  for (int64_t row = 0; row < batches * outer; ++row) {
    for (int64_t j = 0; j < picks; ++j) {
      const int64_t at = index[static_cast<size_t>(row / outer * picks + j)];
      if (at < 0 || at >= n)
        return c.fail("index " + std::to_string(at) + " is not in [0, " + std::to_string(n) + ")");
      for (int64_t k = 0; k < inner; ++k)
        copy_element(c.out[0], to++, c.in[0], (row * n + at) * inner + k);
    }
  }
  return ok_status();
}

Status evaluate_one_hot(const Call& c) {
  const auto axis = static_cast<size_t>(c.op.as<ir::OneHotAttrs>().axis);
  const std::vector<int64_t> index = ints(c.in[0]);
  const int64_t depth = c.out[0].dims[axis], inner = elems(c.out[0].dims.subspan(axis + 1));
  for (int64_t i = 0; i < elems(c.out[0].dims); ++i) {
    const int64_t k = i / inner % depth, at = i / inner / depth * inner + i % inner;
    copy_element(c.out[0], i, c.in[index[static_cast<size_t>(at)] == k ? 2 : 3], 0);
  }
  return ok_status();
}

Status evaluate_range(const Call& c) {
  visit_wide(c.out[0].dtype, [&]<typename W>() {
    std::vector<W> y(static_cast<size_t>(elems(c.out[0].dims)));
    W v = load<W>(c.in[0])[0];
    const W delta = load<W>(c.in[2])[0];
    for (W& e : y) {
      e = v;
      if constexpr (std::is_same_v<W, double>)
        v += delta;
      else
        v = static_cast<W>(static_cast<uint64_t>(v) + static_cast<uint64_t>(delta));
    }
    store(c.out[0], y);
  });
  return ok_status();
}

namespace {

// Source coordinates in float, as TensorFlow computes them: an exact coordinate would pick other
// pixels.
float resize_scale(const ir::ResizeAttrs& a, int64_t in, int64_t out) {
  if (a.align_corners && out > 1) return static_cast<float>(in - 1) / static_cast<float>(out - 1);
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

}  // namespace

Status evaluate_resize(const Call& c) {
  const auto& a = c.op.as<ir::ResizeAttrs>();
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
