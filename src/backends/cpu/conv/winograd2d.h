// Convolution of stride 1 by Winograd's algorithm (winograd_form.h): transform of src, one matrix
// product for each position of the transformed patch, transform of the products.
//
// Errors stay near those of the direct form, since the chains are as many times shorter as the
// kernel has taps; WinogradForm states the constant. fp32_math "strict" leaves this kernel out. A
// tile of dst is computed alone and its reduction is cut by channels only, so its bits do not
// depend on batch, extents or threads.
#pragma once

#include <cstdint>

#include "backends/cpu/conv/conv2d.h"

namespace graft::cpu {

// The form to use, by kernel, stride, channels and extents of dst, 0 where they are not known
// (backends/winograd_rule.h); -1: none.
int winograd_form(const ConvShape& shape);

struct WinogradWeights {
  const ComputeTable* table = nullptr;
  int form = 0;
  bool transposed = false;  // a 1-D form along the height
  Panels panels;
  int64_t position_elems = 0;  // packed elements of one position
  Buffer packed;               // [positions][position_elems]

  static Result<WinogradWeights> pack(const ComputeTable& table, const float* weights,
                                      const ConvShape& shape, int form);
};

// Two phases: src is transformed, then blocks of tiles x chunks of panels are multiplied and
// transformed back. Many tiles: each task does both for a block of its own, nothing is shared. Few
// tiles: the transformed src is shared, and the second phase is cut by panels first, so that each
// weight is read by one thread only.
struct WinogradPlan {
  ConvShape shape;                        // height and width swapped if the weights are transposed
  int64_t row_step = 0, column_step = 0;  // pixels of src
  int64_t dst_row_step = 0, dst_column_step = 0;
  int64_t tiles_h = 0, tiles_w = 0, tiles = 0;
  bool shared = false;
  int64_t block = 1;  // tiles of a block
  int64_t blocks = 0;
  int64_t chunks = 1;  // of the panels
  int workers = 1;
  int64_t src_step = 0, dst_step = 0;  // elements between positions
  int64_t shared_bytes = 0, worker_bytes = 0;
  int64_t panel_begin(int64_t panels, int64_t chunk) const { return panels * chunk / chunks; }
  int64_t scratch_bytes() const { return shared_bytes + worker_bytes * workers; }
};

WinogradPlan plan_winograd(const WinogradWeights& weights, const ConvShape& shape, int threads);

// scratch: plan.scratch_bytes(), aligned to 64.
void run_winograd(const WinogradWeights& weights, const WinogradPlan& plan, const float* src,
                  const float* bias, const float* residual, const Epilogue& epilogue, float* dst,
                  void* scratch);

}  // namespace graft::cpu
