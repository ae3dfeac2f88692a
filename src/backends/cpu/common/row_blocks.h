// Walks a LoopNest in parallel, in blocks of its two inner dims.
#pragma once

#include "backends/cpu/common/loop_nest.h"
#include "backends/cpu/common/split.h"

namespace graft::cpu {

// Calls f(offsets, rows, n) for blocks that cover the nest: offsets[i] is where operand i begins,
// rows are nest.stride[i][rank - 2] apart, elements nest.stride[i][rank - 1]. n is the whole inner
// dim, or a part of it with rows == 1.
template <typename F>
void for_row_blocks(const LoopNest& nest, int64_t grain_elems, F&& f) {
  if (nest.empty()) return;
  const int r = nest.rank;
  const int64_t per_block = nest.extent[r - 2], n = nest.extent[r - 1], total = nest.rows();
  const int threads = run_threads();
  if (total < threads * 4 && n >= 2 * grain_elems && threads > 1) {
    const int64_t cuts = std::min<int64_t>(threads * 2, n / grain_elems);
    parallel_ranges(total * cuts, 1, threads, [&](int64_t begin, int64_t end) {
      for (int64_t u = begin; u < end; ++u) {
        const int64_t row = u / cuts, first = n * (u % cuts) / cuts,
                      last = n * (u % cuts + 1) / cuts;
        int64_t offsets[LoopNest::kMaxOperands];
        nest.block_offsets(row / per_block, offsets);
        for (int i = 0; i < nest.operands; ++i) {
          offsets[i] += row % per_block * nest.stride[i][r - 2] + first * nest.stride[i][r - 1];
        }
        f(static_cast<const int64_t*>(offsets), int64_t{1}, last - first);
      }
    });
    return;
  }
  const int64_t grain_rows = std::max<int64_t>(1, grain_elems / n);
  parallel_ranges(total, grain_rows, threads, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end;) {
      const int64_t in_block = row % per_block;
      const int64_t rows = std::min(per_block - in_block, end - row);
      int64_t offsets[LoopNest::kMaxOperands];
      nest.block_offsets(row / per_block, offsets);
      for (int i = 0; i < nest.operands; ++i) offsets[i] += in_block * nest.stride[i][r - 2];
      f(static_cast<const int64_t*>(offsets), rows, n);
      row += rows;
    }
  });
}

}  // namespace graft::cpu
