// 3x3, stride 1 convolution by Winograd's F(2x2, 3x3): 16 products where the direct form needs 36.
//
// Error constant kWinogradErrorConstant (direct: 1); measured 0.24 on normal data, because the
// chains are nine times shorter than those of the direct form; fp32_math "strict" leaves this
// kernel out. A tile of dst is computed alone, so its bits do not depend on batch, extents or
// threads.
#pragma once

#include <cstdint>

#include "backends/cpu/conv/conv2d.h"

namespace graft::cpu {

inline constexpr double kWinogradErrorConstant = 1.0;

struct WinogradWeights {
  const ComputeTable* table = nullptr;
  Panels panels;
  int64_t position_elems = 0;  // packed elements of one of the 16 positions
  Buffer packed;               // [16][position_elems], then a row of zeros
  const float* zeros = nullptr;

  static Result<WinogradWeights> pack(const ComputeTable& table, const float* weights,
                                      const ConvShape& shape);
};

struct WinogradPlan {
  ConvShape shape;
  int64_t tiles_h = 0, tiles_w = 0, tiles = 0;
  int64_t block = 1;  // tiles of a task
  int64_t tasks = 0;
  int workers = 1;
  int64_t worker_bytes = 0;
  int64_t scratch_bytes() const { return worker_bytes * workers; }
};

// Shapes for which this is the faster way, by channels only.
bool winograd_fits(const ConvShape& shape);

WinogradPlan plan_winograd(const WinogradWeights& weights, const ConvShape& shape, int threads);

// scratch: plan.scratch_bytes(), aligned to 64.
void run_winograd(const WinogradWeights& weights, const WinogradPlan& plan, const float* src,
                  const float* bias, const float* residual, const Epilogue& epilogue, float* dst,
                  void* scratch);

}  // namespace graft::cpu
