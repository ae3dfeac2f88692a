// Quantized 2-D convolution by implicit GEMM, NHWC; the 1x1 case is a matrix product. As
// conv/conv2d.h, with bytes: ConvShape counts elements.
#pragma once

#include <cstdint>
#include <vector>

#include "backends/cpu/conv/conv2d.h"
#include "backends/cpu/int8/igemm8.h"

namespace graft::cpu {

// Whether the shape is computed over padded copies of image rows. Fixed by kernel, dilation, groups
// and channels, since the packing differs.
bool int8_conv_uses_runs(const ConvShape& shape);

// How weights [KH, KW, C/groups, OC] are packed for the shape.
Int8Matrix int8_conv_matrix(const ConvShape& shape, const int8_t* weights);

struct Int8ConvPlan {
  ConvShape shape;
  ConvRows rows = ConvRows::kTaps;
  IgemmSplit split;           // kDense, kTaps
  bool grid = false;          // tile_grid.h; of the split only panel chunks, row_tasks for its rows
  int64_t rows_per_task = 1;  // kRuns: output rows; grid: at most
  int64_t row_tasks = 1;      // kRuns, grid: tasks of an image, for each panel chunk
  std::vector<ptrdiff_t> grid_taps;
  int64_t tasks = 0;
  int workers = 1;
  // Scratch of each worker: accumulators, row pointers, copies of src, copies of rows.
  int64_t worker_bytes = 0, rows_offset = 0, copies_offset = 0, packed_offset = 0;
  int64_t scratch_bytes() const { return worker_bytes * workers; }
};

Int8ConvPlan plan_int8_conv(const Int8Weights& weights, const ConvShape& shape, int threads);

// scratch: plan.scratch_bytes(), aligned to 64. residual may be dst, or null.
void run_int8_conv(const Int8Weights& weights, const Int8ConvPlan& plan,
                   const Int8Epilogue& epilogue, const void* src, const void* residual, void* dst,
                   void* scratch);

}  // namespace graft::cpu
