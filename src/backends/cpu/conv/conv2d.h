// 2-D convolution by implicit GEMM, NHWC, without a copy of the image: pointers to rows of pixels
// plus one row of zeros.
//
// src [N, H, W, C] with src_ld elements between pixels, dst [N, OH, OW, OC] with dst_ld, weights
// [KH, KW, C/groups, OC]. Row and image steps are dense (W * src_ld, H * W * src_ld). The packing
// depends on the weights' shape and the ISA.
#pragma once

#include <cstdint>

#include "backends/cpu/gemm/igemm.h"
#include "base/alloc.h"

namespace graft::cpu {

struct ConvShape {
  int64_t batch = 0, h = 0, w = 0, c = 0;
  int64_t oh = 0, ow = 0, oc = 0;
  int64_t kh = 1, kw = 1, stride_h = 1, stride_w = 1, dilation_h = 1, dilation_w = 1;
  int64_t pad_top = 0, pad_left = 0;
  int64_t groups = 1;
  int64_t src_ld = 0, dst_ld = 0, residual_ld = 0;
};

// Packed weights of one convolution.
struct ConvWeights {
  const ComputeTable* table = nullptr;
  Panels panels;  // of one group
  int64_t group_elems = 0;
  Buffer packed;  // [groups][group_elems], then a row of zeros
  const float* zeros = nullptr;

  // Uses kh, kw, c, oc and groups of the shape. ResourceExhausted if memory is short.
  static Result<ConvWeights> pack(const ComputeTable& table, const float* weights,
                                  const ConvShape& shape);
  // A 1x1 convolution (a matrix product): element (row, column) of b [k, n] is b[row * row_step +
  // column * column_step].
  static Result<ConvWeights> pack_matrix(const ComputeTable& table, const float* b,
                                         int64_t row_step, int64_t column_step, int64_t k,
                                         int64_t n);

 private:
  static Result<ConvWeights> pack_groups(const ComputeTable& table, const float* b,
                                         int64_t row_step, int64_t column_step, int64_t k,
                                         int64_t n, int64_t groups, int64_t zeros);
};

enum class ConvRows {
  kDense,  // 1x1, stride 1: rows are the pixels themselves
  kTaps,   // a pointer for each tap of each pixel
  kRuns,   // few channels: padded copies of image rows, a pointer for each kernel row of each pixel
};

struct ConvPlan {
  ConvShape shape;
  ConvRows rows = ConvRows::kTaps;
  IgemmSplit split;           // kDense, kTaps
  int64_t rows_per_task = 1;  // kRuns: output rows
  int64_t row_tasks = 1;      // kRuns: tasks of an image
  int64_t panel_chunks = 1;
  int64_t tasks = 0;
  int workers = 1;
  int64_t worker_bytes = 0;  // scratch of each worker
  int64_t scratch_bytes() const { return worker_bytes * workers; }
};

ConvPlan plan_conv(const ConvWeights& weights, const ConvShape& shape, int threads);

// scratch: plan.scratch_bytes(), aligned to 64.
void run_conv(const ConvWeights& weights, const ConvPlan& plan, const float* src, const float* bias,
              const float* residual, const Epilogue& epilogue, float* dst, void* scratch);

}  // namespace graft::cpu
