#include "backends/cpu/conv/conv2d.h"

#include <algorithm>
#include <cstring>

#include "backends/cpu/conv/conv_rows.h"
#include "backends/cpu/threads/parallel.h"

namespace graft::cpu {
namespace {

// Up to this many channels a tap is too short for a loop of its own.
constexpr int64_t kFewChannels = 4;
// Output pixels of a task with padded copies.
constexpr int64_t kRunPixels = 256;

int64_t align64(int64_t bytes) { return (bytes + 63) / 64 * 64; }

}  // namespace

Result<ConvWeights> ConvWeights::pack(const ComputeTable& table, const float* weights,
                                      const ConvShape& s) {
  const int64_t cg = s.c / s.groups;
  return pack_groups(table, weights, s.oc, 1, s.kh * s.kw * cg, s.oc / s.groups, s.groups, cg);
}

Result<ConvWeights> ConvWeights::pack_matrix(const ComputeTable& table, const float* b,
                                             int64_t row_step, int64_t column_step, int64_t k,
                                             int64_t n) {
  return pack_groups(table, b, row_step, column_step, k, n, 1, 0);
}

Result<ConvWeights> ConvWeights::pack_groups(const ComputeTable& table, const float* b,
                                             int64_t row_step, int64_t column_step, int64_t k,
                                             int64_t n, int64_t groups, int64_t zeros) {
  ConvWeights w;
  w.table = &table;
  w.panels = Panels(table, n);
  w.group_elems = k * w.panels.padded_columns();
  const int64_t elems = groups * w.group_elems + zeros;
  GRAFT_ASSIGN_OR_RETURN(w.packed,
                         Buffer::allocate_weights(static_cast<size_t>(elems) * sizeof(float)));
  float* dst = w.packed.as<float>();
  parallel_for(groups * w.panels.count, ThreadPool::kNoLimit, [&](int64_t task, int) {
    const int64_t g = task / w.panels.count, p = task % w.panels.count;
    pack_panel(w.panels, p, b + g * n * column_step, row_step, column_step, k,
               dst + g * w.group_elems + w.panels.first_column(p) * k);
  });
  w.zeros = dst + groups * w.group_elems;
  std::fill_n(dst + groups * w.group_elems, zeros, 0.0f);
  return w;
}

ConvPlan plan_conv(const ConvWeights& weights, const ConvShape& s, int threads) {
  ConvPlan p;
  p.shape = s;
  const int64_t m = s.batch * s.oh * s.ow, cg = s.c / s.groups, k = s.kh * s.kw * cg;
  const bool pointwise = s.kh == 1 && s.kw == 1 && s.pad_top == 0 && s.pad_left == 0 &&
                         s.stride_h == 1 && s.stride_w == 1 && s.oh == s.h && s.ow == s.w;
  if (m == 0 || s.oc == 0) return p;
  p.workers = std::max(1, threads);
  if (!pointwise && s.groups == 1 && s.c <= kFewChannels && s.dilation_w == 1) {
    p.rows = ConvRows::kRuns;
    p.rows_per_task = std::clamp<int64_t>(kRunPixels / s.ow, 1, s.oh);
    const int64_t blocks = (s.oh + p.rows_per_task - 1) / p.rows_per_task;
    p.rows_per_task = (s.oh + blocks - 1) / blocks;
    p.row_tasks = (s.oh + p.rows_per_task - 1) / p.rows_per_task;
    p.tasks = s.batch * p.row_tasks;
    p.worker_bytes = align64(run_rows(s, p.rows_per_task) * run_width(s) * int64_t{sizeof(float)}) +
                     align64(s.kh * p.rows_per_task * s.ow * int64_t{sizeof(float*)});
    return p;
  }
  p.rows = pointwise ? ConvRows::kDense : ConvRows::kTaps;
  p.split = split_igemm(weights.panels, m, k, s.groups, threads);
  p.tasks = s.groups * p.split.tasks();
  p.worker_bytes = align64(s.kh * s.kw * p.split.max_rows() * int64_t{sizeof(float*)});
  return p;
}

void run_conv(const ConvWeights& weights, const ConvPlan& plan, const float* src, const float* bias,
              const float* residual, const Epilogue& epilogue, float* dst, void* scratch) {
  const ConvShape& s = plan.shape;
  const int64_t cg = s.c / s.groups, ng = s.oc / s.groups;
  IgemmBlock base;
  base.table = weights.table;
  base.panels = weights.panels;
  base.ldr = s.residual_ld;
  base.ldd = s.dst_ld;
  base.epilogue = &epilogue;
  base.taps = plan.rows == ConvRows::kRuns ? s.kh : s.kh * s.kw;
  base.tap_k = plan.rows == ConvRows::kRuns ? s.kw * s.c : cg;
  parallel_for(plan.tasks, plan.workers, [&](int64_t task, int worker) {
    char* mine = static_cast<char*>(scratch) + worker * plan.worker_bytes;
    IgemmBlock b = base;
    int64_t m0, panel_begin = 0, panel_end = weights.panels.count, g = 0;
    if (plan.rows == ConvRows::kRuns) {
      const int64_t image = task / plan.row_tasks;
      const int64_t oy0 = task % plan.row_tasks * plan.rows_per_task;
      const int64_t oys = std::min(plan.rows_per_task, s.oh - oy0);
      const int64_t width = run_width(s), runs = run_rows(s, oys);
      float* copies = reinterpret_cast<float*>(mine);
      const float** rows = reinterpret_cast<const float**>(
          mine + align64(run_rows(s, plan.rows_per_task) * width * int64_t{sizeof(float)}));
      for (int64_t r = 0; r < runs; ++r) {
        fill_run(s, src, image, oy0 * s.stride_h - s.pad_top + r, copies + r * width);
      }
      b.num_rows = oys * s.ow;
      b.row_stride = b.num_rows;
      const float** row = rows;
      for (int64_t ky = 0; ky < s.kh; ++ky) {
        for (int64_t y = 0; y < oys; ++y) {
          const float* pixel = copies + (y * s.stride_h + ky * s.dilation_h) * width;
          for (int64_t x = 0; x < s.ow; ++x, pixel += s.stride_w * s.c) *row++ = pixel;
        }
      }
      b.rows = rows;
      m0 = (image * s.oh + oy0) * s.ow;
    } else {
      // Neighbouring tasks share rows, whose pointers and pixels are then warm.
      const int64_t chunk = task % plan.split.panel_chunks;
      const int64_t block = task / plan.split.panel_chunks % plan.split.row_blocks;
      g = task / plan.split.tasks();
      m0 = plan.split.row_begin(block);
      b.num_rows = plan.split.row_begin(block + 1) - m0;
      b.row_stride = b.num_rows;
      panel_begin = plan.split.panel_begin(chunk);
      panel_end = plan.split.panel_begin(chunk + 1);
      const float** rows = reinterpret_cast<const float**>(mine);
      if (plan.rows == ConvRows::kDense) {
        for (int64_t i = 0; i < b.num_rows; ++i) rows[i] = src + (m0 + i) * s.src_ld + g * cg;
      } else {
        fill_tap_rows(s, src + g * cg, weights.zeros, m0, b.num_rows, rows);
      }
      b.rows = rows;
    }
    b.packed = weights.packed.as<float>() + g * weights.group_elems;
    b.bias = bias ? bias + g * ng : nullptr;
    b.residual = residual ? residual + m0 * s.residual_ld + g * ng : nullptr;
    b.dst = dst + m0 * s.dst_ld + g * ng;
    run_igemm_block(b, panel_begin, panel_end);
  });
}

}  // namespace graft::cpu
