#include "backends/cpu/bf16/bf16_conv.h"

#include <algorithm>
#include <cstring>

#include "backends/cpu/common/rounding.h"
#include "backends/cpu/threads/parallel.h"

namespace graft::cpu {
namespace {

constexpr int64_t kTermBytes = sizeof(uint16_t);
// Of the second-level cache, for the copies of a task.
constexpr int64_t kCachedBytes = 256 << 10;
// A multiply-add costs about a quarter of one in float32, by which split_igemm counts.
constexpr int64_t kFloatRatio = 4;
// Short runs are copied in one size, which passes their end.
constexpr int64_t kShortRunBytes = 64;

// Zeros past the channels of a pixel in at most a quarter of its tiles.
bool fills_tiles(const ConvShape& s) {
  return s.kh * s.kw == 1 || round_up(s.c, kBf16TileTerms) * 3 <= s.c * 4;
}

bool is_dense(const ConvShape& s) {
  return s.kh == 1 && s.kw == 1 && s.pad_top == 0 && s.pad_left == 0 && s.stride_h == 1 &&
         s.stride_w == 1 && s.oh == s.h && s.ow == s.w;
}

// The phases of a stride that taps begin at, rising.
std::vector<int64_t> phases_of(int64_t taps, int64_t dilation, int64_t stride) {
  std::vector<int64_t> phases;
  for (int64_t tap = 0; tap < taps; ++tap) phases.push_back(tap * dilation % stride);
  std::sort(phases.begin(), phases.end());
  phases.erase(std::unique(phases.begin(), phases.end()), phases.end());
  return phases;
}

int64_t place(const std::vector<int64_t>& phases, int64_t phase) {
  return std::lower_bound(phases.begin(), phases.end(), phase) - phases.begin();
}

// Of `lines` output lines.
Bf16Planes grid_planes(const Bf16Weights& w, const ConvShape& s, int64_t lines) {
  Bf16Planes p;
  p.pixel_bytes = w.tap_bytes();
  p.pitch = s.ow + (s.kw - 1) * s.dilation_w / s.stride_w;
  p.lines = lines + (s.kh - 1) * s.dilation_h / s.stride_h;
  p.step_h = s.stride_h;
  p.step_w = s.stride_w;
  p.phases_h = phases_of(s.kh, s.dilation_h, s.stride_h);
  p.phases_w = phases_of(s.kw, s.dilation_w, s.stride_w);
  return p;
}

Bf16Planes packed_planes(const ConvShape& s, int64_t lines) {
  Bf16Planes p;
  p.pixel_bytes = s.c * kTermBytes;
  p.pitch = (s.ow - 1) * s.stride_w + (s.kw - 1) * s.dilation_w + 1;
  p.lines = (lines - 1) * s.stride_h + (s.kh - 1) * s.dilation_h + 1;
  return p;
}

std::vector<ptrdiff_t> grid_taps(const ConvShape& s, const Bf16Planes& p) {
  std::vector<ptrdiff_t> taps;
  for (int64_t ky = 0; ky < s.kh; ++ky) {
    for (int64_t kx = 0; kx < s.kw; ++kx) {
      const int64_t y = ky * s.dilation_h, x = kx * s.dilation_w;
      const int64_t plane =
          place(p.phases_h, y % p.step_h) * static_cast<int64_t>(p.phases_w.size()) +
          place(p.phases_w, x % p.step_w);
      taps.push_back(plane * p.plane_bytes() +
                     (y / p.step_h * p.pitch + x / p.step_w) * p.pixel_bytes);
    }
  }
  return taps;
}

// `count` pixels, src_step elements apart, of `c` channels each; zeros up to pixel_bytes.
void narrow_pixels(const Bf16Isa& isa, const float* src, int64_t src_step, int64_t c, int64_t count,
                   int64_t pixel_bytes, char* dst) {
  const int64_t bytes = c * kTermBytes;
  if (src_step == c && bytes == pixel_bytes) {
    isa.narrow(src, count * c, reinterpret_cast<uint16_t*>(dst));
    return;
  }
  for (int64_t i = 0; i < count; ++i, src += src_step, dst += pixel_bytes) {
    isa.narrow(src, c, reinterpret_cast<uint16_t*>(dst));
    std::memset(dst + bytes, 0, static_cast<size_t>(pixel_bytes - bytes));
  }
}

// The lines that output lines from oy on read, of one phase of the lines.
void fill_plane(const Bf16Isa& isa, const ConvShape& s, const Bf16Planes& p, const float* image,
                int64_t first_y, int64_t first_x, char* plane) {
  const auto clear = [&](char* to, int64_t pixels) {
    std::memset(to, 0, static_cast<size_t>(pixels * p.pixel_bytes));
  };
  // Pixels of a line that lie inside the image.
  const int64_t begin =
      std::clamp<int64_t>(ceil_div(std::max<int64_t>(-first_x, 0), p.step_w), 0, p.pitch);
  const int64_t end =
      std::clamp<int64_t>(ceil_div(std::max<int64_t>(s.w - first_x, 0), p.step_w), begin, p.pitch);
  for (int64_t line = 0; line < p.lines; ++line, plane += p.pitch * p.pixel_bytes) {
    const int64_t y = first_y + line * p.step_h;
    if (y < 0 || y >= s.h) {
      clear(plane, p.pitch);
      continue;
    }
    clear(plane, begin);
    narrow_pixels(isa, image + (y * s.w + first_x + begin * p.step_w) * s.src_ld,
                  p.step_w * s.src_ld, s.c, end - begin, p.pixel_bytes,
                  plane + begin * p.pixel_bytes);
    clear(plane + end * p.pixel_bytes, p.pitch - end);
  }
}

void fill_planes(const Bf16Isa& isa, const ConvShape& s, const Bf16Planes& p, const float* image,
                 int64_t oy, char* planes) {
  for (const int64_t phase_h : p.phases_h) {
    for (const int64_t phase_w : p.phases_w) {
      fill_plane(isa, s, p, image, oy * s.stride_h - s.pad_top + phase_h, phase_w - s.pad_left,
                 planes);
      planes += p.plane_bytes();
    }
  }
}

// The taps of every output pixel of `lines` lines side by side, zeros up to row_bytes.
void pack_rows(const ConvShape& s, const Bf16Planes& p, const char* plane, int64_t lines,
               int64_t row_bytes, char* row) {
  const bool whole_runs = s.dilation_w == 1;
  const int64_t run_bytes = (whole_runs ? s.kw : 1) * p.pixel_bytes;
  const int64_t runs = whole_runs ? 1 : s.kw;
  for (int64_t line = 0; line < lines; ++line) {
    for (int64_t x = 0; x < s.ow; ++x, row += row_bytes) {
      char* to = row;
      for (int64_t ky = 0; ky < s.kh; ++ky) {
        const int64_t y = line * s.stride_h + ky * s.dilation_h;
        const char* from = plane + (y * p.pitch + x * s.stride_w) * p.pixel_bytes;
        for (int64_t run = 0; run < runs; ++run, to += run_bytes) {
          if (run_bytes <= kShortRunBytes) {
            std::memcpy(to, from, kShortRunBytes);
          } else {
            std::memcpy(to, from, static_cast<size_t>(run_bytes));
          }
          from += s.dilation_w * p.pixel_bytes;
        }
      }
      std::memset(to, 0, static_cast<size_t>(row + row_bytes - to));
    }
  }
}

}  // namespace

Bf16Matrix bf16_conv_matrix(const ConvShape& s, const float* weights) {
  Bf16Matrix m;
  m.b = weights;
  m.taps = fills_tiles(s) ? s.kh * s.kw : 1;
  m.tap_k = fills_tiles(s) ? s.c : s.kh * s.kw * s.c;
  m.n = m.row_step = s.oc;
  return m;
}

Bf16ConvPlan plan_bf16_conv(const Bf16Weights& w, const ConvShape& s, int threads) {
  Bf16ConvPlan p;
  p.shape = s;
  const int64_t m = s.batch * s.oh * s.ow;
  if (m == 0 || s.oc == 0) return p;
  p.workers = std::max(1, threads);
  p.split = split_igemm(w.panels, m, ceil_div(w.taps * w.tap_k, kFloatRatio), 1, threads);
  if (is_dense(s)) {
    p.rows = Bf16ConvPlan::Rows::kDense;
    p.tasks = p.split.tasks();
    p.worker_bytes = bf16_pixels_scratch_bytes(w, p.split.max_rows());
    return p;
  }
  const bool grid = fills_tiles(s);
  p.rows = grid ? Bf16ConvPlan::Rows::kGrid : Bf16ConvPlan::Rows::kPacked;
  const auto planes = [&](int64_t lines) {
    return grid ? grid_planes(w, s, lines) : packed_planes(s, lines);
  };
  // As few tasks as keep the threads busy and the copies in the cache, since tasks that meet copy
  // the lines between them twice.
  const int64_t for_threads =
      threads <= 1 ? 1
                   : std::min<int64_t>(ceil_div(p.split.row_blocks, s.batch), int64_t{threads} * 2);
  const int64_t image_bytes = planes(s.oh).bytes() + (grid ? 0 : s.oh * s.ow * w.row_bytes());
  p.line_tasks =
      std::clamp<int64_t>(std::max(for_threads, ceil_div(image_bytes, kCachedBytes)), 1, s.oh);
  p.lines_per_task = ceil_div(s.oh, p.line_tasks);
  p.tasks = s.batch * p.line_tasks * p.split.panel_chunks;
  p.planes = planes(p.lines_per_task);
  if (grid) p.taps = grid_taps(s, p.planes);
  // Tiles read whole, past the last row that counts.
  const int64_t behind = grid ? kTileRows * p.planes.pixel_bytes : kShortRunBytes;
  p.packed_offset = kBf16AccBytes + align64(p.planes.bytes() + behind);
  p.worker_bytes = p.packed_offset;
  if (!grid) {
    const int64_t rows = round_up(p.lines_per_task * s.ow, kTileRows);
    p.worker_bytes += align64(rows * w.row_bytes() + kShortRunBytes);
  }
  return p;
}

void run_bf16_conv(const Bf16Weights& w, const Bf16ConvPlan& plan, const float* src,
                   const float* residual, const Epilogue& epilogue, float* dst, void* scratch) {
  const ConvShape& s = plan.shape;
  parallel_for(plan.tasks, plan.workers, [&](int64_t task, int worker) {
    char* mine = static_cast<char*>(scratch) + worker * plan.worker_bytes;
    char* const copies = mine + kBf16AccBytes;
    // Neighbouring tasks share rows.
    const int64_t chunk = task % plan.split.panel_chunks, block = task / plan.split.panel_chunks;
    Bf16Rows rows;
    rows.first = copies;
    int64_t m0;
    if (plan.rows == Bf16ConvPlan::Rows::kDense) {
      m0 = plan.split.row_begin(block);
      rows.lines = 1;
      rows.pitch = rows.columns = plan.split.row_begin(block + 1) - m0;
      rows.row_bytes = w.row_bytes();
      narrow_pixels(w.isa, src + m0 * s.src_ld, s.src_ld, s.c, rows.columns, rows.row_bytes,
                    copies);
    } else {
      const int64_t image = block / plan.line_tasks, part = block % plan.line_tasks;
      const int64_t oy = s.oh * part / plan.line_tasks;
      const int64_t lines = s.oh * (part + 1) / plan.line_tasks - oy;
      m0 = (image * s.oh + oy) * s.ow;
      fill_planes(w.isa, s, plan.planes, src + image * s.h * s.w * s.src_ld, oy, copies);
      if (plan.rows == Bf16ConvPlan::Rows::kGrid) {
        rows.lines = lines;
        rows.pitch = plan.planes.pitch;
        rows.columns = s.ow;
        rows.row_bytes = plan.planes.pixel_bytes;
        rows.taps = plan.taps.data();
      } else {
        rows.lines = 1;
        rows.pitch = rows.columns = lines * s.ow;
        rows.row_bytes = w.row_bytes();
        rows.first = mine + plan.packed_offset;
        pack_rows(s, plan.planes, copies, lines, rows.row_bytes, mine + plan.packed_offset);
      }
    }
    Bf16Dst to;
    to.residual = residual ? residual + m0 * s.residual_ld : nullptr;
    to.ldr = s.residual_ld;
    to.dst = dst + m0 * s.dst_ld;
    to.ldd = s.dst_ld;
    to.epilogue = &epilogue;
    run_bf16_rows(w, rows, to, reinterpret_cast<float*>(mine), plan.split.panel_begin(chunk),
                  plan.split.panel_begin(chunk + 1));
  });
}

int64_t bf16_pixels_scratch_bytes(const Bf16Weights& w, int64_t rows) {
  return kBf16AccBytes + align64(round_up(rows, kTileRows) * w.row_bytes());
}

void run_bf16_pixels(const Bf16Weights& w, const float* src, int64_t rows, const Bf16Dst& dst,
                     void* scratch) {
  char* const copies = static_cast<char*>(scratch) + kBf16AccBytes;
  narrow_pixels(w.isa, src, w.tap_k, w.tap_k, rows, w.row_bytes(), copies);
  Bf16Rows r;
  r.first = copies;
  r.row_bytes = w.row_bytes();
  r.lines = 1;
  r.pitch = r.columns = rows;
  run_bf16_rows(w, r, dst, static_cast<float*>(scratch), 0, w.panels.count);
}

}  // namespace graft::cpu
