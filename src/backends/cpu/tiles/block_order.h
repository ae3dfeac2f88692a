// The order in which the blocks of a product by tiles, some rows times one panel, are computed.
#pragma once

#include <algorithm>
#include <cstdint>

namespace graft::cpu {

// Weights up to here are read again for every block of rows, from the second-level cache, so that
// rows of dst and residual are touched once; larger ones once for all rows.
constexpr int64_t kRereadWeightsBytes = 512 << 10;

// compute(slot, row, count, panel) and finish(slot) of every block, slot 0 and 1 in turn. A block
// is finished after the next one is begun: tiles and vectors work side by side, and sums that a
// tile stored are not waited for.
template <typename Compute, typename Finish>
void for_tile_blocks(int64_t num_rows, int64_t block_rows, int64_t panel_begin, int64_t panel_end,
                     int64_t weights_bytes, Compute&& compute, Finish&& finish) {
  int slot = 0;
  bool pending = false;
  const auto block = [&](int64_t row, int64_t panel) {
    compute(slot, row, std::min(block_rows, num_rows - row), panel);
    slot ^= 1;
    if (pending) finish(slot);
    pending = true;
  };
  if (weights_bytes <= kRereadWeightsBytes) {
    for (int64_t row = 0; row < num_rows; row += block_rows) {
      for (int64_t p = panel_begin; p < panel_end; ++p) block(row, p);
    }
  } else {
    for (int64_t p = panel_begin; p < panel_end; ++p) {
      for (int64_t row = 0; row < num_rows; row += block_rows) block(row, p);
    }
  }
  if (pending) finish(slot ^ 1);
}

}  // namespace graft::cpu
