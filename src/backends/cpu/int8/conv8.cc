#include "backends/cpu/int8/conv8.h"

#include <algorithm>
#include <cstring>

#include "backends/cpu/common/rounding.h"
#include "backends/cpu/conv/conv_rows.h"
#include "backends/cpu/int8/tile_grid.h"
#include "backends/cpu/threads/parallel.h"

namespace graft::cpu {
namespace {

// Up to this many channels a tap is too short for a loop of its own.
constexpr int64_t kFewChannels = 4;
// Output pixels of a task with padded copies.
constexpr int64_t kRunPixels = 256;
// Bytes that are read past the last pixel of padded copies.
constexpr int64_t kRunsBehind = kInt8ShortTap;
// Of the second-level cache.
constexpr int64_t kCachedCopyBytes = 256 << 10;
// A multiply-add costs about a third of one in float32, by which split_igemm counts.
constexpr int64_t kFloatRatio = 3;

// Bytes that a row's reads take, past its last term too.
int64_t row_bytes(const Int8Weights& w) { return w.tap_steps * kInt8Step; }

// Reads of a tap's last step may pass the end of src behind its last pixels only: their pointers go
// to a copy of src's last bytes with zeros behind (row_bytes + kInt8Step).
void guard_end(const Int8Weights& w, const uint8_t* src, const uint8_t* end, uint8_t* copy,
               const uint8_t** rows, int64_t count) {
  if (w.tap_k == row_bytes(w) || w.table->kind == Int8Kind::kWords) return;
  const int64_t tail = std::min<int64_t>(row_bytes(w), end - src);
  const auto last = reinterpret_cast<uintptr_t>(end), first = last - static_cast<uintptr_t>(tail);
  bool used = false;
  for (int64_t i = 0; i < count; ++i) {
    const auto at = reinterpret_cast<uintptr_t>(rows[i]);
    if (at < first || at >= last) continue;
    rows[i] = copy + (at - first);
    used = true;
  }
  if (!used) return;
  std::memcpy(copy, end - tail, static_cast<size_t>(tail));
  std::memset(copy + tail, 0, static_cast<size_t>(row_bytes(w) + kInt8Step - tail));
}

// Into how many tasks an image's lines are cut: as few as keep the threads busy and the copies in
// the cache, since tasks that meet copy the lines between them twice.
int64_t grid_row_tasks(const Int8Weights& w, const ConvShape& s, const IgemmSplit& split,
                       int threads) {
  const int64_t for_threads =
      threads <= 1 ? 1
                   : std::min<int64_t>(ceil_div(split.row_blocks, s.batch), int64_t{threads} * 2);
  const int64_t for_cache = ceil_div(TileGrid(w, s, s.oh).copied_bytes, kCachedCopyBytes);
  return std::clamp<int64_t>(std::max(for_threads, for_cache), 1, s.oh);
}

}  // namespace

bool int8_conv_uses_runs(const ConvShape& s) {
  return s.groups == 1 && s.c <= kFewChannels && s.dilation_w == 1 && s.kh * s.kw > 1;
}

Int8Matrix int8_conv_matrix(const ConvShape& s, const int8_t* weights) {
  const bool runs = int8_conv_uses_runs(s);
  Int8Matrix m;
  m.b = weights;
  m.groups = s.groups;
  m.taps = runs ? s.kh : s.kh * s.kw;
  m.tap_k = runs ? s.kw * s.c : s.c / s.groups;
  m.n = s.oc / s.groups;
  m.row_step = s.oc;
  m.taps_fill_tiles = !runs && int8_conv_fits_grid(s);
  m.taps_are_runs = runs;
  return m;
}

Int8ConvPlan plan_int8_conv(const Int8Weights& w, const ConvShape& s, int threads) {
  Int8ConvPlan p;
  p.shape = s;
  const int64_t m = s.batch * s.oh * s.ow, k = w.taps * w.tap_k;
  if (m == 0 || s.oc == 0) return p;
  p.workers = std::max(1, threads);
  p.rows_offset = align64(int8_acc_bytes(*w.table));
  constexpr int64_t kPointer = sizeof(uint8_t*);
  if (int8_conv_uses_runs(s)) {
    p.rows = ConvRows::kRuns;
    p.rows_per_task = std::clamp<int64_t>(kRunPixels / s.ow, 1, s.oh);
    const int64_t blocks = (s.oh + p.rows_per_task - 1) / p.rows_per_task;
    p.rows_per_task = (s.oh + blocks - 1) / blocks;
    p.row_tasks = (s.oh + p.rows_per_task - 1) / p.rows_per_task;
    p.tasks = s.batch * p.row_tasks;
    p.copies_offset = p.rows_offset + align64(s.kh * p.rows_per_task * s.ow * kPointer);
    const int64_t copied = run_rows(s, p.rows_per_task) * run_width(s) + kRunsBehind;
    p.packed_offset = p.copies_offset + align64(copied);
    p.worker_bytes = p.packed_offset + align64(w.table->kind == Int8Kind::kWords
                                                   ? copied * int64_t{sizeof(int16_t)}
                                                   : int8_packed_bytes(w, p.rows_per_task * s.ow));
    return p;
  }
  const bool pointwise = s.kh == 1 && s.kw == 1 && s.pad_top == 0 && s.pad_left == 0 &&
                         s.stride_h == 1 && s.stride_w == 1 && s.oh == s.h && s.ow == s.w;
  p.rows = pointwise ? ConvRows::kDense : ConvRows::kTaps;
  p.split = split_igemm(w.panels, m, (k + kFloatRatio - 1) / kFloatRatio, s.groups, threads);
  if (w.taps_fill_tiles && tile_grid_pays(w, s)) {
    p.grid = true;
    p.row_tasks = grid_row_tasks(w, s, p.split, threads);
    p.rows_per_task = ceil_div(s.oh, p.row_tasks);
    p.tasks = s.batch * p.row_tasks * p.split.panel_chunks;
    p.grid_taps = tile_grid_taps(w, s);
    p.copies_offset = p.rows_offset;
    p.worker_bytes = p.copies_offset + align64(TileGrid(w, s, p.rows_per_task).copied_bytes);
    return p;
  }
  p.tasks = s.groups * p.split.tasks();
  p.copies_offset = p.rows_offset + align64(w.taps * p.split.max_rows() * kPointer);
  p.packed_offset = p.copies_offset + align64(row_bytes(w) + kInt8Step);
  p.worker_bytes = p.packed_offset + align64(int8_packed_bytes(w, p.split.max_rows()));
  return p;
}

void run_int8_conv(const Int8Weights& w, const Int8ConvPlan& plan, const Int8Epilogue& epilogue,
                   const void* src_data, const void* residual, void* dst, void* scratch) {
  const ConvShape& s = plan.shape;
  const int64_t cg = s.c / s.groups, ng = s.oc / s.groups;
  const auto* src = static_cast<const uint8_t*>(src_data);
  parallel_for(plan.tasks, plan.workers, [&](int64_t task, int worker) {
    char* mine = static_cast<char*>(scratch) + worker * plan.worker_bytes;
    const auto** rows = reinterpret_cast<const uint8_t**>(mine + plan.rows_offset);
    auto* copies = reinterpret_cast<uint8_t*>(mine + plan.copies_offset);
    Int8Block b;
    b.weights = &w;
    b.epilogue = &epilogue;
    b.rows = rows;
    b.ldr = s.residual_ld;
    b.ldd = s.dst_ld;
    b.acc = reinterpret_cast<int32_t*>(mine);
    b.packed_rows = reinterpret_cast<uint8_t*>(mine + plan.packed_offset);
    int64_t m0, panel_begin = 0, panel_end = w.panels.count;
    TileGrid grid;
    if (plan.grid) {
      const int64_t chunk = task % plan.split.panel_chunks;
      const int64_t block = task / plan.split.panel_chunks;
      const int64_t image = block / plan.row_tasks;
      const int64_t oy = s.oh * (block % plan.row_tasks) / plan.row_tasks;
      const int64_t end = s.oh * (block % plan.row_tasks + 1) / plan.row_tasks;
      panel_begin = plan.split.panel_begin(chunk);
      panel_end = plan.split.panel_begin(chunk + 1);
      grid = TileGrid(w, s, end - oy);
      copy_grid_lines(s, grid, src, image, oy, copies);
      m0 = (image * s.oh + oy) * s.ow;
    } else if (plan.rows == ConvRows::kRuns) {
      const int64_t image = task / plan.row_tasks;
      const int64_t oy0 = task % plan.row_tasks * plan.rows_per_task;
      const int64_t oys = std::min(plan.rows_per_task, s.oh - oy0);
      const int64_t width = run_width(s), runs = run_rows(s, oys);
      for (int64_t r = 0; r < runs; ++r) {
        fill_run(s, src, image, oy0 * s.stride_h - s.pad_top + r, copies + r * width);
      }
      std::memset(copies + runs * width, 0, kRunsBehind);
      b.taps_readable = row_bytes(w) <= kInt8ShortTap;
      b.num_rows = oys * s.ow;
      const uint8_t* first = copies;
      int64_t elem_bytes = 1;
      if (w.table->kind == Int8Kind::kWords) {
        w.table->widen(copies, runs * width + kInt8Step, reinterpret_cast<int16_t*>(b.packed_rows));
        first = b.packed_rows;
        elem_bytes = sizeof(int16_t);
        b.rows_are_words = true;
        b.word_pitch = s.stride_w * s.c * elem_bytes;
        b.pitched_rows = s.ow;
      }
      const uint8_t** row = rows;
      for (int64_t ky = 0; ky < s.kh; ++ky) {
        for (int64_t y = 0; y < oys; ++y) {
          const uint8_t* pixel = first + (y * s.stride_h + ky * s.dilation_h) * width * elem_bytes;
          for (int64_t x = 0; x < s.ow; ++x, pixel += s.stride_w * s.c * elem_bytes) *row++ = pixel;
        }
      }
      m0 = (image * s.oh + oy0) * s.ow;
    } else {
      // Neighbouring tasks share rows, whose pointers and pixels are then warm.
      const int64_t chunk = task % plan.split.panel_chunks;
      const int64_t block = task / plan.split.panel_chunks % plan.split.row_blocks;
      b.group = task / plan.split.tasks();
      m0 = plan.split.row_begin(block);
      b.num_rows = plan.split.row_begin(block + 1) - m0;
      panel_begin = plan.split.panel_begin(chunk);
      panel_end = plan.split.panel_begin(chunk + 1);
      const uint8_t* first = src + b.group * cg;
      if (plan.rows == ConvRows::kDense) {
        for (int64_t i = 0; i < b.num_rows; ++i) rows[i] = first + (m0 + i) * s.src_ld;
        b.row_bytes = s.src_ld;
        b.readable_rows = s.batch * s.oh * s.ow - m0;
      } else {
        fill_tap_rows(s, first, w.zeros, m0, b.num_rows, rows);
      }
      guard_end(w, src, src + s.batch * s.h * s.w * s.src_ld, copies, rows, w.taps * b.num_rows);
    }
    b.row_stride = b.num_rows;
    const auto at = [&](auto* p, int64_t ld, int elem_bytes) {
      return p + (m0 * ld + b.group * ng) * elem_bytes;
    };
    if (residual) {
      b.residual =
          at(static_cast<const char*>(residual), s.residual_ld, epilogue.residual_elem_bytes);
    }
    b.dst = at(static_cast<char*>(dst), s.dst_ld, epilogue.dst_elem_bytes);
    if (plan.grid) {
      run_tile_grid(b, grid, plan.grid_taps.data(), copies, panel_begin, panel_end);
    } else {
      run_int8_block(b, panel_begin, panel_end);
    }
  });
}

}  // namespace graft::cpu
