#include "backends/cpu/conv/depthwise2d.h"

#include <algorithm>

#include "backends/cpu/threads/parallel.h"

namespace graft::cpu {
namespace {

constexpr int64_t kMinTaskMacs = 60'000;

// Taps [begin, end) of a kernel of `size` taps that fall inside [0, extent), the first at `start`.
struct TapRange {
  int64_t begin, end;
};
TapRange taps_inside(int64_t start, int64_t dilation, int64_t size, int64_t extent) {
  TapRange r;
  r.begin = start >= 0 ? 0 : std::min(size, (-start + dilation - 1) / dilation);
  r.end = start >= extent ? 0 : std::min(size, (extent - 1 - start) / dilation + 1);
  if (r.end < r.begin) r.end = r.begin;
  return r;
}

}  // namespace

Result<Buffer> pack_depthwise(const ComputeTable& table, const float* weights, const ConvShape& s) {
  const int64_t taps = s.kh * s.kw, lanes = table.lanes;
  const bool by_vectors = s.oc == s.c;
  const int64_t channels = by_vectors ? (s.oc + lanes - 1) / lanes * lanes : s.oc;
  GRAFT_ASSIGN_OR_RETURN(
      auto packed, Buffer::allocate_weights(static_cast<size_t>(taps * channels) * sizeof(float)));
  float* dst = packed.as<float>();
  if (!by_vectors) {
    std::copy_n(weights, taps * channels, dst);
    return packed;
  }
  for (int64_t c0 = 0; c0 < channels; c0 += lanes) {
    for (int64_t t = 0; t < taps; ++t) {
      for (int64_t c = c0; c < c0 + lanes; ++c) *dst++ = c < s.oc ? weights[t * s.oc + c] : 0.0f;
    }
  }
  return packed;
}

DepthwisePlan plan_depthwise(const ConvShape& s, int threads) {
  DepthwisePlan p;
  p.shape = s;
  const int64_t rows = s.batch * s.oh;
  if (rows == 0 || s.ow == 0 || s.oc == 0) return p;
  p.x_begin = std::min(s.ow, (s.pad_left + s.stride_w - 1) / s.stride_w);
  const int64_t room = s.w - 1 - (s.kw - 1) * s.dilation_w + s.pad_left;
  p.x_end = room < 0 ? p.x_begin : std::clamp(room / s.stride_w + 1, p.x_begin, s.ow);
  p.workers = std::max(1, threads);
  const int64_t macs = s.ow * s.oc * s.kh * s.kw;
  const int64_t least = std::max<int64_t>(1, (kMinTaskMacs + macs - 1) / macs);
  const int64_t even = std::max<int64_t>(1, rows / (int64_t{p.workers} * 4));
  p.rows_per_task = std::min(rows, std::max(least, even));
  // Not so few tasks that a thread has nothing to do, where there is enough to do at all.
  if (rows >= p.workers && rows * macs >= kMinTaskMacs) {
    p.rows_per_task = std::min(p.rows_per_task, rows / p.workers);
  }
  p.tasks = (rows + p.rows_per_task - 1) / p.rows_per_task;
  return p;
}

RowRange depthwise_input_rows(const ConvShape& s, int64_t oy) {
  const int64_t y0 = oy * s.stride_h - s.pad_top;
  const TapRange ky = taps_inside(y0, s.dilation_h, s.kh, s.h);
  if (ky.begin == ky.end) return {};
  return {y0 + ky.begin * s.dilation_h, y0 + (ky.end - 1) * s.dilation_h + 1};
}

void run_depthwise_row(const ComputeTable& table, const DepthwisePlan& plan, const float* weights,
                       const ImageRows& src, int64_t oy, const float* bias, const float* residual,
                       const Epilogue& epilogue, float* dst) {
  const ConvShape& s = plan.shape;
  DepthwiseArgs base;
  base.pixel_step = s.dilation_w * s.src_ld;
  base.column_step = s.stride_w * s.src_ld;
  base.row_step = s.dilation_h * s.w * s.src_ld;
  base.weights_row_taps = s.kw;
  base.weights_taps = s.kh * s.kw;
  base.bias = bias;
  base.ldr = s.residual_ld;
  base.ldd = s.dst_ld;
  base.channels = s.oc;
  base.multiplier = s.oc / s.c;
  base.epilogue = &epilogue;
  const int64_t tap_elems = base.multiplier == 1 ? table.lanes : s.oc;
  const int64_t y0 = oy * s.stride_h - s.pad_top;
  const TapRange ky = taps_inside(y0, s.dilation_h, s.kh, s.h);
  const auto run_columns = [&](int64_t x, int64_t cols) {
    const int64_t x0 = x * s.stride_w - s.pad_left;
    // A run inside the image has all its taps; else it is one column.
    const TapRange kx = taps_inside(x0, s.dilation_w, s.kw, s.w);
    DepthwiseArgs a = base;
    a.taps_h = ky.end - ky.begin;
    a.taps_w = kx.end - kx.begin;
    const bool empty = a.taps_h == 0 || a.taps_w == 0;
    if (empty) a.taps_h = a.taps_w = 0;
    const int64_t slot = empty ? 0 : (y0 + ky.begin * s.dilation_h) % src.slots;
    const int64_t first_x = empty ? 0 : x0 + kx.begin * s.dilation_w;
    a.src = src.first + (slot * s.w + first_x) * s.src_ld;
    const int64_t before_wrap = (src.slots - slot + s.dilation_h - 1) / s.dilation_h;
    a.wrap_row = before_wrap < a.taps_h ? before_wrap : 0;
    a.wrap_step = -src.slots * s.w * s.src_ld;
    a.weights = weights + (ky.begin * s.kw + kx.begin) * tap_elems;
    a.cols = cols;
    a.dst = dst + x * s.dst_ld;
    a.residual = residual ? residual + x * s.residual_ld : nullptr;
    table.depthwise(&a);
  };
  for (int64_t x = 0; x < plan.x_begin; ++x) run_columns(x, 1);
  if (plan.x_end > plan.x_begin) run_columns(plan.x_begin, plan.x_end - plan.x_begin);
  for (int64_t x = plan.x_end; x < s.ow; ++x) run_columns(x, 1);
}

void run_depthwise(const ComputeTable& table, const DepthwisePlan& plan, const float* weights,
                   const float* src, const float* bias, const float* residual,
                   const Epilogue& epilogue, float* dst) {
  const ConvShape& s = plan.shape;
  const int64_t rows = s.batch * s.oh;
  parallel_for(plan.tasks, plan.workers, [&](int64_t task, int) {
    const int64_t end = std::min(rows, (task + 1) * plan.rows_per_task);
    for (int64_t row = task * plan.rows_per_task; row < end; ++row) {
      const int64_t image = row / s.oh;
      run_depthwise_row(table, plan, weights, {src + image * s.h * s.w * s.src_ld, s.h}, row % s.oh,
                        bias, residual ? residual + row * s.ow * s.residual_ld : nullptr, epilogue,
                        dst + row * s.ow * s.dst_ld);
    }
  });
}

}  // namespace graft::cpu
