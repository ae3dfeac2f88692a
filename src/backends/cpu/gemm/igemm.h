// The loops around the register tiles: one block of rows times a range of packed panels.
//
// Bits: an element is bias, residual and the multiply-adds of the first slice of (tap, k) as one
// chain, then each later slice's chain added to it. Slices follow from taps, tap_k and the level's
// panel width alone, so blocking of rows or panels never changes an element.
#pragma once

#include <cstdint>

#include "backends/cpu/gemm/compute_table.h"
#include "backends/cpu/gemm/panels.h"

namespace graft::cpu {

struct IgemmBlock {
  const ComputeTable* table = nullptr;
  Panels panels;
  const float* packed = nullptr;  // panels from the one that begins at packed_column on
  int64_t packed_column = 0;
  int64_t taps = 1, tap_k = 0;         // K = taps * tap_k
  const float* const* rows = nullptr;  // a(t, i) = rows[t * row_stride + i] + row_shift
  int64_t row_stride = 0;
  int64_t num_rows = 0;
  const float* bias = nullptr;      // [n] or null
  const float* residual = nullptr;  // of row 0, column 0; or null; may be dst
  int64_t ldr = 0;
  float* dst = nullptr;  // of row 0, column 0
  int64_t ldd = 0;
  const Epilogue* epilogue = nullptr;
  bool full_panels = false;  // dst has room for the padded columns too, and they are written
};

// Computes columns of panels [panel_begin, panel_end) of every row.
void run_igemm_block(const IgemmBlock& block, int64_t panel_begin, int64_t panel_end);

// How an [m, n] product is cut into tasks: row blocks x panel chunks.
struct IgemmSplit {
  int64_t row_blocks = 1, panel_chunks = 1;
  int64_t m = 0, panels = 0;
  int64_t tasks() const { return row_blocks * panel_chunks; }
  int64_t row_begin(int64_t block) const { return m * block / row_blocks; }
  int64_t max_rows() const { return (m + row_blocks - 1) / row_blocks; }
  int64_t panel_begin(int64_t chunk) const { return panels * chunk / panel_chunks; }
};
// `groups` products of [m, k] x [k, n] on `threads` threads. Costs nanoseconds.
IgemmSplit split_igemm(const Panels& panels, int64_t m, int64_t k, int64_t groups, int threads);

}  // namespace graft::cpu
