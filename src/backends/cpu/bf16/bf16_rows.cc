#include "backends/cpu/bf16/bf16_rows.h"

#include <algorithm>

#include "backends/cpu/tiles/block_order.h"

namespace graft::cpu {

void run_bf16_rows(const Bf16Weights& w, const Bf16Rows& r, const Bf16Dst& d, float* acc,
                   int64_t panel_begin, int64_t panel_end) {
  const int64_t num_rows = r.lines > 0 ? (r.lines - 1) * r.pitch + r.columns : 0;
  struct Block {
    TileProductArgs product = {};
    Bf16FinishArgs finish = {};
    int64_t row = 0, column = 0;
  } blocks[2];
  for (Block& b : blocks) {
    b.product.row_bytes = r.row_bytes;
    b.product.taps = r.taps;
    b.product.num_taps = w.taps;
    b.product.tap_bytes = w.tap_bytes();
    b.product.acc = acc + (&b - blocks) * kBf16BlockRows * 2 * kTileColumns;
    b.finish.ldr = d.ldr;
    b.finish.ldd = d.ldd;
    b.finish.epilogue = d.epilogue;
  }
  const auto compute = [&](int slot, int64_t row, int64_t count, int64_t panel) {
    Block& b = blocks[slot];
    b.row = row;
    b.column = w.panels.first_column(panel);
    b.product.b = w.panel(panel);
    b.product.bias = w.bias.data() + b.column;
    b.product.vecs = w.panels.panel_vecs(panel);
    b.product.rows = static_cast<const char*>(r.first) + row * r.row_bytes;
    b.product.num_rows = count;
    b.finish.acc_ld = w.panels.width(panel);
    b.finish.columns = w.panels.columns(panel);
    w.isa.table->accumulate(&b.product);
  };
  const auto finish = [&](int slot) {
    Block& b = blocks[slot];
    // What lies between two lines is left out.
    for (int64_t i = 0; i < b.product.num_rows;) {
      const int64_t line = (b.row + i) / r.pitch, x = (b.row + i) % r.pitch;
      const int64_t run =
          std::min<int64_t>(b.product.num_rows - i, (x < r.columns ? r.columns : r.pitch) - x);
      if (x < r.columns) {
        const int64_t to = line * r.columns + x;
        b.finish.acc = static_cast<const float*>(b.product.acc) + i * b.finish.acc_ld;
        b.finish.rows = run;
        b.finish.residual = d.residual ? d.residual + to * d.ldr + b.column : nullptr;
        b.finish.dst = d.dst + to * d.ldd + b.column;
        w.isa.finish(&b.finish);
      }
      i += run;
    }
  };
  if (w.isa.table->begin) w.isa.table->begin();
  for_tile_blocks(num_rows, kBf16BlockRows, panel_begin, panel_end,
                  (panel_end - panel_begin) * 2 * kTileColumns * w.row_bytes(), compute, finish);
  if (w.isa.table->end) w.isa.table->end();
}

}  // namespace graft::cpu
