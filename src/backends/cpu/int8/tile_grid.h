// Quantized convolution of stride 1 by tiles (AMX), without a row of its own for each tap of each
// pixel: over a padded copy of image lines [lines][pitch][pixel], pixels of whole tiles' depth, the
// rows of a tap are the pixels that follow each other, a constant away from those of the first tap.
// Rows in the padding between two output lines are computed and left out.
#pragma once

#include <cstdint>
#include <vector>

#include "backends/cpu/conv/conv2d.h"
#include "backends/cpu/int8/igemm8.h"

namespace graft::cpu {

// Whether weights are packed for it: kernel, stride, groups and channels decide.
bool int8_conv_fits_grid(const ConvShape& shape);

// The grid of `lines` output lines of an image.
struct TileGrid {
  int64_t lines = 0, columns = 0;  // of output pixels
  int64_t pitch = 0;               // pixels of a line, padding on both sides included
  int64_t pixel_bytes = 0;
  int64_t copied_lines = 0, copied_bytes = 0;

  TileGrid() = default;
  TileGrid(const Int8Weights& weights, const ConvShape& shape, int64_t output_lines);
  // From the first output pixel to the last, and the padding between them.
  int64_t rows() const { return (lines - 1) * pitch + columns; }
};

// Whether a grid of all lines has little padding, in tiles.
bool tile_grid_pays(const Int8Weights& weights, const ConvShape& shape);

// The lines that output lines from `oy` on read; copy: grid.copied_bytes, aligned to 64.
void copy_grid_lines(const ConvShape& shape, const TileGrid& grid, const uint8_t* src,
                     int64_t image, int64_t oy, uint8_t* copy);

// Bytes from a pixel of the first tap to that of each.
std::vector<ptrdiff_t> tile_grid_taps(const Int8Weights& weights, const ConvShape& shape);

// As run_int8_block of the block's output pixels, whose rows are not used.
void run_tile_grid(const Int8Block& block, const TileGrid& grid, const ptrdiff_t* taps,
                   const uint8_t* copy, int64_t panel_begin, int64_t panel_end);

}  // namespace graft::cpu
