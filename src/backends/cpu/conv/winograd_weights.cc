// The transform of weights, in double.
#include <algorithm>

#include "backends/cpu/conv/winograd2d.h"
#include "backends/cpu/threads/parallel.h"
#include "backends/winograd_rule.h"

namespace graft::cpu {
namespace {

constexpr int kMaxTaps = 5;
constexpr int kBlock = 4;  // output channels side by side; divides every panel's width

// u[i] = sum over k of at[i][k] * g[k]: taps of one dimension -> points.
struct TapsTransform {
  double at[kMaxWinogradPoints][kMaxTaps] = {};
};

TapsTransform taps_transform(int taps, int n) {
  TapsTransform t;
  t.at[n - 1][taps - 1] = 1;
  const int pairs = winograd_pairs(n);
  double points[kMaxWinogradPoints] = {};
  for (int p = 0; p < pairs && n > 1; ++p) {
    points[1 + 2 * p] = kWinogradPairs[pairs].a[p];
    points[2 + 2 * p] = -kWinogradPairs[pairs].a[p];
  }
  for (int j = 0; j + 1 < n; ++j) {
    double scale = 1, power = 1;
    for (int i = 0; i + 1 < n; ++i)
      if (i != j) scale *= points[j] - points[i];
    for (int k = 0; k < taps; ++k, power *= points[j]) t.at[j][k] = power / scale;
  }
  return t;
}

using Block = double[kBlock];

// dst = sum over k of row[k] * src[k * step].
void combine(const double* row, int taps, const Block* src, int step, Block& dst) {
  Block sum = {};
  for (int k = 0; k < taps; ++k)
    for (int j = 0; j < kBlock; ++j) sum[j] += row[k] * src[k * step][j];
  for (int j = 0; j < kBlock; ++j) dst[j] = sum[j];
}

}  // namespace

int winograd_form(const ConvShape& s) {
  if (s.stride_h != 1 || s.stride_w != 1 || s.dilation_h != 1 || s.dilation_w != 1 || s.groups != 1)
    return -1;
  return backends::winograd_form(s.kh, s.kw, s.c, s.oc, s.oh, s.ow);
}

Result<WinogradWeights> WinogradWeights::pack(const ComputeTable& table, const float* weights,
                                              const ConvShape& s, int form) {
  const WinogradForm& f = kWinogradForm[form];
  const int positions = f.positions();
  WinogradWeights w;
  w.table = &table;
  w.form = form;
  w.transposed = f.kernel_h != s.kh;
  w.panels = Panels(table, s.oc);
  w.position_elems = s.c * w.panels.padded_columns();
  GRAFT_ASSIGN_OR_RETURN(
      w.packed,
      Buffer::allocate_weights(static_cast<size_t>(positions * w.position_elems) * sizeof(float)));
  float* packed = w.packed.as<float>();
  const int kw = f.kernel_w, nh = f.n_h(), nw = f.n_w();
  const TapsTransform down = taps_transform(f.kernel_h, nh), across = taps_transform(kw, nw);
  parallel_for(w.panels.count, ThreadPool::kNoLimit, [&](int64_t p, int) {
    const int64_t width = w.panels.width(p), columns = w.panels.columns(p),
                  first = w.panels.first_column(p);
    for (int64_t c = 0; c < s.c; ++c) {
      float* dst = packed + first * s.c + c * width;
      for (int64_t at = 0; at < width; at += kBlock, dst += kBlock) {
        const int64_t valid = std::clamp<int64_t>(columns - at, 0, kBlock);
        Block g[kMaxTaps * kMaxTaps] = {}, half[kMaxWinogradPoints * kMaxTaps], u;
        for (int64_t tap = 0; tap < s.kh * s.kw; ++tap)
          for (int64_t j = 0; j < valid; ++j)
            g[tap][j] = weights[(tap * s.c + c) * s.oc + first + at + j];
        for (int y = 0; y < nh; ++y)
          for (int x = 0; x < kw; ++x) combine(down.at[y], f.kernel_h, g + x, kw, half[y * kw + x]);
        for (int i = 0; i < positions; ++i) {
          combine(across.at[i % nw], kw, half + i / nw * kw, 1, u);
          for (int j = 0; j < kBlock; ++j) dst[i * w.position_elems + j] = static_cast<float>(u[j]);
        }
      }
    }
  });
  return w;
}

}  // namespace graft::cpu
