#include "backends/cpu/int8/tile_grid.h"

#include <algorithm>
#include <cstring>

#include "backends/cpu/common/rounding.h"
#include "backends/cpu/int8/panel_args.h"
#include "backends/cpu/tiles/block_order.h"

namespace graft::cpu {
namespace {

constexpr int64_t kTileBytes = int64_t{kInt8TileSteps} * kInt8Step;

}  // namespace

bool int8_conv_fits_grid(const ConvShape& s) {
  const int64_t padded = round_up(s.c, kTileBytes);
  return s.groups == 1 && s.kh * s.kw > 1 && s.stride_h == 1 && s.stride_w == 1 &&
         padded * 3 <= s.c * 4;
}

TileGrid::TileGrid(const Int8Weights& w, const ConvShape& s, int64_t output_lines)
    : lines(output_lines),
      columns(s.ow),
      pitch(s.ow + (s.kw - 1) * s.dilation_w),
      pixel_bytes(w.tap_steps * kInt8Step),
      copied_lines(output_lines + (s.kh - 1) * s.dilation_h) {
  // Tiles of the last tap read whole tiles of rows.
  const int64_t last_tap = (s.kh - 1) * s.dilation_h * pitch + (s.kw - 1) * s.dilation_w;
  const int64_t pixels = round_up(rows(), w.table->row_multiple) + last_tap;
  copied_bytes = std::max(pixels, copied_lines * pitch) * pixel_bytes;
}

bool tile_grid_pays(const Int8Weights& w, const ConvShape& s) {
  const int64_t tile = w.table->row_multiple;
  return ceil_div(TileGrid(w, s, s.oh).rows(), tile) * 4 <= ceil_div(s.oh * s.ow, tile) * 5;
}

void copy_grid_lines(const ConvShape& s, const TileGrid& g, const uint8_t* src, int64_t image,
                     int64_t oy, uint8_t* copy) {
  const auto bytes = [&](int64_t pixels) { return static_cast<size_t>(pixels * g.pixel_bytes); };
  const int64_t left = std::min(s.pad_left, g.pitch);
  const int64_t inside = std::clamp<int64_t>(g.pitch - left, 0, s.w);
  for (int64_t line = 0; line < g.copied_lines; ++line) {
    const int64_t y = oy - s.pad_top + line;
    uint8_t* to = copy + line * g.pitch * g.pixel_bytes;
    if (y < 0 || y >= s.h) {
      std::memset(to, 0, bytes(g.pitch));
      continue;
    }
    std::memset(to, 0, bytes(left));
    to += left * g.pixel_bytes;
    const uint8_t* from = src + (image * s.h + y) * s.w * s.src_ld;
    if (s.src_ld == g.pixel_bytes) {
      std::memcpy(to, from, bytes(inside));
    } else {
      // What lies past a pixel's channels meets zeros among the weights.
      for (int64_t x = 0; x < inside; ++x)
        std::memcpy(to + x * g.pixel_bytes, from + x * s.src_ld, static_cast<size_t>(s.c));
    }
    std::memset(to + inside * g.pixel_bytes, 0, bytes(g.pitch - left - inside));
  }
}

std::vector<ptrdiff_t> tile_grid_taps(const Int8Weights& w, const ConvShape& s) {
  const TileGrid g(w, s, s.oh);
  std::vector<ptrdiff_t> taps;
  taps.reserve(static_cast<size_t>(s.kh * s.kw));
  for (int64_t ky = 0; ky < s.kh; ++ky) {
    for (int64_t kx = 0; kx < s.kw; ++kx)
      taps.push_back((ky * s.dilation_h * g.pitch + kx * s.dilation_w) * g.pixel_bytes);
  }
  return taps;
}

void run_tile_grid(const Int8Block& b, const TileGrid& g, const ptrdiff_t* taps,
                   const uint8_t* copy, int64_t panel_begin, int64_t panel_end) {
  const Int8Weights& w = *b.weights;
  const int64_t rows = g.rows();
  Int8PanelArgs args[2] = {Int8PanelArgs(b), Int8PanelArgs(b)};
  args[1].acc.acc = b.acc + kInt8TileRows * w.table->panel_vecs * w.table->lanes;
  for (Int8PanelArgs& a : args) {
    a.acc.packed_ld = a.acc.packed_bytes = g.pixel_bytes;
    a.acc.packed_taps = taps;
    a.acc.num_packed_taps = w.taps;
  }
  int64_t first[2] = {};
  if (w.table->begin) w.table->begin();
  for_tile_blocks(
      rows, kInt8TileRows, panel_begin, panel_end,
      w.panel_offset(b.group, panel_end) - w.panel_offset(b.group, panel_begin),
      [&](int slot, int64_t row, int64_t count, int64_t panel) {
        args[slot].select(panel);
        args[slot].acc.num_rows = count;
        args[slot].acc.packed_rows = copy + row * g.pixel_bytes;
        first[slot] = row;
        w.table->accumulate(&args[slot].acc);
      },
      [&](int slot) {
        Int8PanelArgs& a = args[slot];
        const int64_t row = first[slot], count = a.acc.num_rows;
        for (int64_t i = 0; i < count;) {
          const int64_t line = (row + i) / g.pitch, x = (row + i) % g.pitch;
          const int64_t run = std::min(count - i, (x < g.columns ? g.columns : g.pitch) - x);
          if (x < g.columns) a.finish(a.acc.acc + i * a.width(), line * g.columns + x, run);
          i += run;
        }
      });
  if (w.table->end) w.table->end();
}

}  // namespace graft::cpu
