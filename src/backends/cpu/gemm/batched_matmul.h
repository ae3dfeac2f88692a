// dst[i] = act(a[i] * b[i] + bias + residual[i]) for a batch of matrices that are all known only
// while running: b is packed panel by panel into scratch.
#pragma once

#include <cstdint>

#include "backends/cpu/gemm/igemm.h"
#include "backends/cpu/gemm/matmul_shape.h"

namespace graft::cpu {

struct MatMulPlan {
  MatMulShape shape;
  Panels panels;
  int64_t panel_chunks = 1, row_blocks = 1, tasks = 0;
  int64_t block_rows = 0;   // most rows of a block
  int64_t chunk_elems = 0;  // packed elements of a chunk
  int workers = 1;
  int64_t worker_bytes = 0;
  int64_t scratch_bytes() const { return worker_bytes * workers; }
};

MatMulPlan plan_matmul(const ComputeTable& table, MatMulShape shape, int threads);

// residual shares dst_offset. scratch: plan.scratch_bytes(), aligned to 64.
void run_matmul(const ComputeTable& table, const MatMulPlan& plan, const float* a, const float* b,
                const float* bias, const float* residual, const Epilogue& epilogue, float* dst,
                void* scratch);

}  // namespace graft::cpu
