// Depthwise convolution (groups == C, any multiplier), NHWC, weights [KH, KW, C * multiplier].
#pragma once

#include <cstdint>

#include "backends/cpu/conv/conv2d.h"

namespace graft::cpu {

struct DepthwisePlan {
  ConvShape shape;
  int64_t x_begin = 0, x_end = 0;  // output columns whose taps all lie inside
  int64_t rows_per_task = 1;
  int64_t tasks = 0;
  int workers = 1;
  int64_t scratch_bytes() const { return 0; }
};

// Weights by vectors of channels (multiplier 1), so that a vector's taps lie together.
// ResourceExhausted if memory is short.
Result<Buffer> pack_depthwise(const ComputeTable& table, const float* weights,
                              const ConvShape& shape);

DepthwisePlan plan_depthwise(const ConvShape& shape, int threads);

// Where the rows of one image of src lie: row y at first + y % slots * w * src_ld.
struct ImageRows {
  const float* first = nullptr;
  int64_t slots = 0;
};

// Input rows [begin, end) that output row oy reads.
struct RowRange {
  int64_t begin = 0, end = 0;
};
RowRange depthwise_input_rows(const ConvShape& shape, int64_t oy);

// Output row oy of one image; dst and residual (or null) are that row. What depthwise_input_rows
// says lies in src's slots.
void run_depthwise_row(const ComputeTable& table, const DepthwisePlan& plan, const float* weights,
                       const ImageRows& src, int64_t oy, const float* bias, const float* residual,
                       const Epilogue& epilogue, float* dst);

// weights: pack_depthwise's. No scratch.
void run_depthwise(const ComputeTable& table, const DepthwisePlan& plan, const float* weights,
                   const float* src, const float* bias, const float* residual,
                   const Epilogue& epilogue, float* dst);

}  // namespace graft::cpu
