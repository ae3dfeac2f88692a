#include "backends/cpu/int8/igemm8.h"

#include <algorithm>
#include <cstring>

#include "backends/cpu/common/rounding.h"
#include "backends/cpu/int8/panel_args.h"
#include "backends/cpu/tiles/block_order.h"

namespace graft::cpu {
namespace {

// Of the first-level cache.
constexpr int64_t kCachedPanelsBytes = 8 << 10, kCachedRowsBytes = 16 << 10;
constexpr int64_t kAllRows = int64_t{1} << 62;

// Every row's taps one after another, each padded to whole steps; the rows from `begin` on.
void pack_rows(const Int8Block& b, int64_t begin) {
  const Int8Weights& w = *b.weights;
  const int64_t ld = w.steps * kInt8Step, tap_bytes = w.tap_steps * kInt8Step;
  const int64_t padded = round_up(b.num_rows, w.table->row_multiple);
  std::memset(b.packed_rows + b.num_rows * ld, 0, static_cast<size_t>((padded - b.num_rows) * ld));
  for (int64_t i = begin; i < b.num_rows; ++i) {
    uint8_t* row = b.packed_rows + i * ld;
    if (b.taps_readable) {
      // A fixed size is no call. The next tap writes over what is too much, and the bytes past the
      // last one meet zeros among the weights.
      for (int64_t tap = 0; tap < w.taps; ++tap, row += tap_bytes)
        std::memcpy(row, b.rows[tap * b.row_stride + i], kInt8ShortTap);
      continue;
    }
    for (int64_t tap = 0; tap < w.taps; ++tap, row += tap_bytes) {
      std::memcpy(row, b.rows[tap * b.row_stride + i], static_cast<size_t>(w.tap_k));
      std::memset(row + w.tap_k, 0, static_cast<size_t>(tap_bytes - w.tap_k));
    }
    std::memset(row, 0, static_cast<size_t>(ld - w.taps * tap_bytes));
  }
}

// The rows as int16, each tap of a row padded to whole steps, and pointers to them before.
const uint8_t* const* widen_rows(const Int8Block& b) {
  const Int8Weights& w = *b.weights;
  const int64_t count = w.taps * b.num_rows, words = w.tap_steps * 2;
  auto** rows = reinterpret_cast<const uint8_t**>(b.packed_rows);
  auto* to = reinterpret_cast<int16_t*>(b.packed_rows + align64(count * int64_t{sizeof(*rows)}));
  const bool dense = w.taps == 1 && words == w.tap_k && b.row_bytes == words;
  if (dense && b.readable_rows >= b.num_rows) {
    w.table->widen(b.rows[0], count * words, to);
    for (int64_t i = 0; i < count; ++i) rows[i] = reinterpret_cast<const uint8_t*>(to + i * words);
    return rows;
  }
  for (int64_t tap = 0; tap < w.taps; ++tap) {
    const uint8_t* const* from = b.rows + tap * b.row_stride;
    for (int64_t i = 0; i < b.num_rows;) {
      // Neighbouring pixels in one go.
      int64_t run = 1;
      while (words == w.tap_k && i + run < b.num_rows && from[i + run] == from[i] + run * words) {
        ++run;
      }
      w.table->widen(from[i], (run - 1) * words + w.tap_k, to);
      for (const int64_t end = i + run; i < end; ++i, to += words) {
        if (words > w.tap_k) to[words - 1] = 0;
        *rows++ = reinterpret_cast<const uint8_t*>(to);
      }
    }
  }
  return rows - count;
}

// Rows [0, direct_rows) are read where they are, the others from their copies.
void run_tile_rows(const Int8Block& b, int64_t direct_rows, int64_t panel_begin,
                   int64_t panel_end) {
  const Int8Weights& w = *b.weights;
  Int8PanelArgs args[2] = {Int8PanelArgs(b), Int8PanelArgs(b)};
  args[1].acc.acc = b.acc + kInt8TileRows * w.table->panel_vecs * w.table->lanes;
  int64_t first[2] = {};
  for_tile_blocks(
      b.num_rows, kInt8TileRows, panel_begin, panel_end,
      w.panel_offset(b.group, panel_end) - w.panel_offset(b.group, panel_begin),
      [&](int slot, int64_t row, int64_t count, int64_t panel) {
        args[slot].select(panel);
        Int8AccArgs& acc = args[slot].acc;
        const bool direct = row < direct_rows;
        acc.packed_ld = direct ? b.row_bytes : w.steps * kInt8Step;
        acc.packed_rows = direct ? b.rows[row] : b.packed_rows + row * acc.packed_ld;
        acc.num_rows = count;
        first[slot] = row;
        w.table->accumulate(&acc);
      },
      [&](int slot) {
        args[slot].finish(args[slot].acc.acc, first[slot], args[slot].acc.num_rows);
      });
}

// Rows whose src and dst stay in the first-level cache from one panel to the next, where the
// panels do too; else all.
int64_t rows_in_cache(const Int8Weights& w, int64_t panels) {
  const int64_t columns = panels * w.table->panel_vecs * w.table->lanes;
  const int64_t row_bytes = w.steps * kInt8Step + columns;
  if (columns * w.steps * kInt8Step > kCachedPanelsBytes) return kAllRows;
  return std::max(kInt8FinishRows,
                  kCachedRowsBytes / row_bytes / kInt8FinishRows * kInt8FinishRows);
}

}  // namespace

int64_t int8_packed_bytes(const Int8Weights& w, int64_t num_rows) {
  if (w.table->kind == Int8Kind::kWords) {
    const int64_t count = w.taps * num_rows;
    return align64(count * int64_t{sizeof(uint8_t*)}) + count * w.tap_steps * kInt8Step;
  }
  if (w.table->kind != Int8Kind::kTiles) return 0;
  return round_up(num_rows, w.table->row_multiple) * w.steps * kInt8Step + kInt8ShortTap;
}

void run_int8_block(const Int8Block& b, int64_t panel_begin, int64_t panel_end) {
  const Int8Weights& w = *b.weights;
  const Int8Epilogue& e = *b.epilogue;
  // Blocks of whole strips of rows, so that only the last has a short one.
  const int64_t blocks = ceil_div(b.num_rows, kInt8FinishRows);
  const int64_t height =
      blocks > 0 ? round_up(ceil_div(b.num_rows, blocks), w.table->row_multiple) : 1;
  const uint8_t* const* rows = b.rows;
  int64_t row_stride = b.row_stride;
  if (w.table->kind == Int8Kind::kTiles) {
    // Whole blocks that tiles may read where they are.
    int64_t direct_rows = 0;
    if (w.taps == 1 && w.tap_k == w.steps * kInt8Step) {
      const bool all = b.readable_rows >= round_up(b.num_rows, w.table->row_multiple);
      direct_rows =
          all ? b.num_rows : std::min(b.readable_rows, b.num_rows) / kInt8TileRows * kInt8TileRows;
    }
    if (direct_rows < b.num_rows) pack_rows(b, direct_rows);
    if (w.table->begin) w.table->begin();
    run_tile_rows(b, direct_rows, panel_begin, panel_end);
    if (w.table->end) w.table->end();
    return;
  }
  if (w.table->kind == Int8Kind::kWords && !b.rows_are_words) {
    rows = widen_rows(b);
    row_stride = b.num_rows;
  }
  const bool one_pass = w.table->product && e.quantized && e.within_int32 &&
                        w.slices_per_panel == 1 && (!w.src_has_sign || w.table->product_with_sign);
  if (w.table->begin) w.table->begin();
  Int8PanelArgs args(b);
  Int8AccArgs& acc = args.acc;
  acc.row_tap_stride = w.taps == 1 ? 0 : row_stride;
  // As widen_rows has laid them, or as the caller has.
  acc.row_pitch = rows != b.rows ? w.tap_steps * kInt8Step : b.word_pitch;
  const int64_t cached = one_pass ? rows_in_cache(w, panel_end - panel_begin) : b.num_rows;
  const int64_t block_rows = rows == b.rows && b.word_pitch > 0 ? b.pitched_rows : cached;
  for (int64_t begin = 0; begin < b.num_rows; begin += block_rows) {
    const int64_t end = std::min(begin + block_rows, b.num_rows);
    for (int64_t p = panel_begin; p < panel_end; ++p) {
      args.select(p);
      const bool two_full = acc.vecs == 2 && args.to_dst.columns == args.width();
      const bool finishes = one_pass && (two_full || w.table->product_any_width);
      const int64_t step = finishes ? end - begin : height;
      for (int64_t row = begin; row < end; row += step) {
        acc.num_rows = std::min(step, end - row);
        acc.rows = rows + row;
        if (finishes) {
          args.rows_of_dst(row, acc.num_rows);
          w.table->product(&acc, &args.to_dst);
          continue;
        }
        w.table->accumulate(&acc);
        args.finish(acc.acc, row, acc.num_rows);
      }
    }
  }
  if (w.table->end) w.table->end();
}

}  // namespace graft::cpu
