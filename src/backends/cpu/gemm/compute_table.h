// The functions that one ISA level gives to the drivers, as plain C types: the only door between
// code compiled for an ISA and everything else.
#pragma once

#include <stddef.h>

#include "backends/cpu/gemm/epilogue.h"
#include "backends/winograd_form.h"

namespace graft::cpu {

constexpr int kMaxTileVecs = 4;
constexpr int kMaxTileRows = 14;

// One register tile: `rows` x (up to panel width) elements of dst.
//   dst[i, j] = act(init[i, j] + sum over taps t, k of a(t, i)[k] * b[t, k, j])
// with init = bias[j] + residual[i, j] (either may be null) if `first`; else the sum starts at zero
// and is added to what dst holds, so that the error of a reduction in n calls grows with the root
// of its parts, not with one chain of all its length. act only if `last`. residual may be dst.
struct TileArgs {
  const float* const* rows;  // a(t, i) = rows[t * row_tap_stride + i] + row_offset
  ptrdiff_t row_tap_stride;
  ptrdiff_t row_offset;
  ptrdiff_t taps;
  ptrdiff_t k;     // elements per tap
  const float* b;  // [taps][k][panel width], taps b_tap_stride elements apart
  ptrdiff_t b_tap_stride;
  float* dst;
  ptrdiff_t ldd;
  const float* bias;
  const float* residual;
  ptrdiff_t ldr;
  ptrdiff_t columns;  // valid columns, 1 <= columns <= panel width
  const Epilogue* epilogue;
  bool first;
  bool last;
  // Memory to fetch into the second-level cache while the tile is computed: from `next` on,
  // next_step elements for every 4 elements of k. Null: nothing.
  const float* next = nullptr;
  ptrdiff_t next_step = 0;
};
using TileFn = void (*)(const TileArgs*);

// `cols` neighbouring output pixels of one output row of a depthwise convolution, all channels.
// Every tap given here lies inside the image: the driver cuts borders into ranges of taps.
struct DepthwiseArgs {
  const float* src;          // input pixel of the first output and first tap
  ptrdiff_t pixel_step;      // elements between input pixels of neighbouring taps (dilation)
  ptrdiff_t column_step;     // elements between input pixels of neighbouring outputs (stride)
  ptrdiff_t row_step;        // elements between input rows of neighbouring kernel rows
  ptrdiff_t taps_h, taps_w;  // taps to add
  // Input rows in a ring: those of tap rows from wrap_row on (0: none) lie wrap_step elements off.
  ptrdiff_t wrap_row, wrap_step;
  // First tap. multiplier 1: [vectors of channels][weights_taps][lanes], zeros past the channels;
  // else [weights_taps][channels].
  const float* weights;
  ptrdiff_t weights_row_taps;  // taps in a row of the whole kernel
  ptrdiff_t weights_taps;      // taps of the whole kernel
  const float* bias;           // [channels] or null
  const float* residual;       // or null; may be dst
  ptrdiff_t ldr;
  float* dst;
  ptrdiff_t ldd;
  ptrdiff_t cols;
  ptrdiff_t channels;    // output channels
  ptrdiff_t multiplier;  // output channels per input channel
  const Epilogue* epilogue;
};

// A patch of src -> `positions` numbers for each of `channels`, position_step apart. Element (y, x)
// of the patch is src[offset + y * row_step + x * column_step]; it is zero, and not read, outside
// [y_begin, y_end) x [x_begin, x_end).
struct WinogradSrcArgs {
  const float* src;
  ptrdiff_t offset, row_step, column_step;
  ptrdiff_t y_begin, y_end, x_begin, x_end;
  float* dst;
  ptrdiff_t position_step;
  ptrdiff_t channels;
};

// As many positions -> the first rows x columns of a tile of dst. src may be read up to a whole
// vector.
struct WinogradDstArgs {
  const float* src;
  ptrdiff_t position_step;
  const float* bias;      // or null
  const float* residual;  // or null; may be dst
  ptrdiff_t residual_row_step, residual_column_step;
  float* dst;
  ptrdiff_t row_step, column_step;
  ptrdiff_t rows, columns;
  ptrdiff_t channels;
  const Epilogue* epilogue;
};

struct ComputeTable {
  const char* name;
  int lanes;                                        // floats per vector
  int panel_vecs;                                   // vectors of a full packed panel
  int max_rows[kMaxTileVecs + 1];                   // tallest tile for a panel of that many vectors
  TileFn tile[kMaxTileVecs + 1][kMaxTileRows + 1];  // [vectors][rows]
  void (*depthwise)(const DepthwiseArgs*);
  void (*winograd_src[kWinogradForms])(const WinogradSrcArgs*);
  void (*winograd_dst[kWinogradForms])(const WinogradDstArgs*);
  void (*act)(const Epilogue*, float* p, ptrdiff_t rows, ptrdiff_t n, ptrdiff_t ld);
  void (*exp)(const float* src, float* dst, ptrdiff_t n);
  void (*erf)(const float* src, float* dst, ptrdiff_t n);
};

inline namespace isa_baseline {
const ComputeTable* compute_table();
}
inline namespace isa_avx2 {
const ComputeTable* compute_table();
}
inline namespace isa_avx512 {
const ComputeTable* compute_table();
}

}  // namespace graft::cpu
