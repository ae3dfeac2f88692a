// 2-D convolution in bfloat16 by implicit GEMM, NHWC, groups 1; the 1x1 case is a matrix product.
// src and dst are float32: a task rounds the lines that it reads into a copy of its own.
//
// Where the channels fill tiles, rows of the product are pixels of the copy: one plane for each
// phase of the strides, so that the pixels of a tap lie side by side, the padding between two lines
// included. Else the taps of a pixel are laid side by side once more.
#pragma once

#include <cstdint>
#include <vector>

#include "backends/cpu/bf16/bf16_rows.h"
#include "backends/cpu/conv/conv2d.h"

namespace graft::cpu {

// How weights [KH, KW, C, OC] are packed for the shape: kernel and channels decide.
Bf16Matrix bf16_conv_matrix(const ConvShape& shape, const float* weights);

// The planes that hold a copy of the lines that some output lines read.
struct Bf16Planes {
  int64_t pixel_bytes = 0, pitch = 0, lines = 0;
  // Input pixels and lines from one of a plane to the next; which of them a plane begins with.
  int64_t step_h = 1, step_w = 1;
  std::vector<int64_t> phases_h = {0}, phases_w = {0};

  int64_t plane_bytes() const { return lines * pitch * pixel_bytes; }
  int64_t bytes() const {
    return plane_bytes() * static_cast<int64_t>(phases_h.size() * phases_w.size());
  }
};

struct Bf16ConvPlan {
  enum class Rows {
    kDense,   // 1x1, stride 1: the pixels of all images, one after another
    kGrid,    // pixels of the planes
    kPacked,  // the taps of a pixel side by side
  };
  ConvShape shape;
  Rows rows = Rows::kGrid;
  IgemmSplit split;             // kDense; else its panel chunks only
  int64_t lines_per_task = 1;   // of output, at most
  int64_t line_tasks = 1;       // of an image
  Bf16Planes planes;            // of a task
  std::vector<ptrdiff_t> taps;  // kGrid: bytes from a pixel to each of its taps
  int64_t tasks = 0;
  int workers = 1;
  // Scratch of each worker: sums, copies of src, rows of kPacked.
  int64_t worker_bytes = 0, packed_offset = 0;
  int64_t scratch_bytes() const { return worker_bytes * workers; }
};

Bf16ConvPlan plan_bf16_conv(const Bf16Weights& weights, const ConvShape& shape, int threads);

// scratch: plan.scratch_bytes(), aligned to 64. residual may be dst, or null.
void run_bf16_conv(const Bf16Weights& weights, const Bf16ConvPlan& plan, const float* src,
                   const float* residual, const Epilogue& epilogue, float* dst, void* scratch);

// A 1x1 convolution of `rows` dense pixels. scratch: bf16_pixels_scratch_bytes, aligned to 64.
int64_t bf16_pixels_scratch_bytes(const Bf16Weights& weights, int64_t rows);
void run_bf16_pixels(const Bf16Weights& weights, const float* src, int64_t rows, const Bf16Dst& dst,
                     void* scratch);

}  // namespace graft::cpu
