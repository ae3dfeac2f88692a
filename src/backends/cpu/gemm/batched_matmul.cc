#include "backends/cpu/gemm/batched_matmul.h"

#include <algorithm>
#include <utility>

#include "backends/cpu/common/rounding.h"
#include "backends/cpu/threads/parallel.h"

namespace graft::cpu {
namespace {

// Packed columns of a task stay in the second-level cache.
constexpr int64_t kChunkElems = 32 * 1024;
constexpr int64_t kMaxBlockRows = 192;
constexpr int64_t kMinTaskMacs = 200'000;

}  // namespace

MatMulPlan plan_matmul(const ComputeTable& table, MatMulShape shape, int threads) {
  MatMulPlan p;
  p.shape = std::move(shape);
  const MatMulShape& s = p.shape;
  const int64_t batch = static_cast<int64_t>(s.dst_offset.size());
  if (batch == 0 || s.m == 0 || s.n == 0) return p;
  p.workers = std::max(1, threads);
  p.panels = Panels(table, s.n);
  const int64_t panel_elems = std::max<int64_t>(1, s.k * table.panel_vecs * table.lanes);
  const int64_t panels_of_chunk = std::max<int64_t>(1, kChunkElems / panel_elems);
  p.panel_chunks = ceil_div(p.panels.count, panels_of_chunk);
  p.row_blocks = 1;
  const int64_t macs = batch * s.m * s.n * s.k;
  const int64_t wanted =
      p.workers == 1 ? 1 : std::min<int64_t>(int64_t{p.workers} * 4, macs / kMinTaskMacs);
  if (batch * p.panel_chunks < wanted) {
    p.panel_chunks = std::min(p.panels.count, std::max(p.panel_chunks, ceil_div(wanted, batch)));
    // Each row block packs its columns again: only for products with few columns and many rows.
    const int64_t rest = ceil_div(wanted, batch * p.panel_chunks);
    p.row_blocks = std::clamp<int64_t>(rest, 1, ceil_div(s.m, 48));
  }
  p.row_blocks = std::max(p.row_blocks, ceil_div(s.m, 4096));
  p.block_rows = std::min(ceil_div(s.m, p.row_blocks), kMaxBlockRows);
  int64_t widest = 0;
  for (int64_t c = 0; c < p.panel_chunks; ++c) {
    const int64_t first = p.panels.count * c / p.panel_chunks,
                  end = p.panels.count * (c + 1) / p.panel_chunks;
    const int64_t last_column = p.panels.first_column(end - 1) + p.panels.width(end - 1);
    widest = std::max(widest, last_column - p.panels.first_column(first));
  }
  p.chunk_elems = widest * s.k;
  p.tasks = batch * p.panel_chunks * p.row_blocks;
  const int64_t a_elems = s.a_k_step == 1 ? 0 : p.block_rows * s.k;
  p.worker_bytes = align64(p.chunk_elems * int64_t{sizeof(float)}) +
                   align64(a_elems * int64_t{sizeof(float)}) +
                   align64(p.block_rows * int64_t{sizeof(float*)});
  return p;
}

void run_matmul(const ComputeTable& table, const MatMulPlan& plan, const float* a, const float* b,
                const float* bias, const float* residual, const Epilogue& epilogue, float* dst,
                void* scratch) {
  const MatMulShape& s = plan.shape;
  parallel_for(plan.tasks, plan.workers, [&](int64_t task, int worker) {
    char* mine = static_cast<char*>(scratch) + worker * plan.worker_bytes;
    float* packed = reinterpret_cast<float*>(mine);
    float* a_copy =
        reinterpret_cast<float*>(mine + align64(plan.chunk_elems * int64_t{sizeof(float)}));
    const int64_t row_block = task % plan.row_blocks;
    const int64_t chunk = task / plan.row_blocks % plan.panel_chunks;
    const size_t i = static_cast<size_t>(task / plan.row_blocks / plan.panel_chunks);
    const int64_t first = plan.panels.count * chunk / plan.panel_chunks;
    const int64_t end = plan.panels.count * (chunk + 1) / plan.panel_chunks;
    IgemmBlock block;
    block.table = &table;
    block.panels = plan.panels;
    block.packed = packed;
    block.packed_column = plan.panels.first_column(first);
    block.tap_k = s.k;
    block.bias = bias;
    block.ldr = s.ldr;
    block.ldd = s.ldd;
    block.epilogue = &epilogue;
    for (int64_t p = first; p < end; ++p) {
      pack_panel(plan.panels, p, b + s.b_offset[i], s.b_k_step, s.b_column_step, s.k,
                 packed + (plan.panels.first_column(p) - block.packed_column) * s.k);
    }
    const int64_t row_end = s.m * (row_block + 1) / plan.row_blocks;
    for (int64_t m0 = s.m * row_block / plan.row_blocks; m0 < row_end; m0 += plan.block_rows) {
      block.num_rows = std::min(plan.block_rows, row_end - m0);
      block.row_stride = block.num_rows;
      const float* rows_of_a = a + s.a_offset[i] + m0 * s.a_row_step;
      const bool copy = s.a_k_step != 1;
      const int64_t a_elems = copy ? plan.block_rows * s.k : 0;
      const float** rows = reinterpret_cast<const float**>(
          reinterpret_cast<char*>(a_copy) + align64(a_elems * int64_t{sizeof(float)}));
      if (copy) {
        for (int64_t k = 0; k < s.k; ++k) {
          for (int64_t r = 0; r < block.num_rows; ++r) {
            a_copy[r * s.k + k] = rows_of_a[r * s.a_row_step + k * s.a_k_step];
          }
        }
      }
      for (int64_t r = 0; r < block.num_rows; ++r) {
        rows[r] = copy ? a_copy + r * s.k : rows_of_a + r * s.a_row_step;
      }
      block.rows = rows;
      const int64_t offset = s.dst_offset[i] + m0 * s.ldd;
      block.dst = dst + offset;
      block.residual = residual ? residual + s.dst_offset[i] + m0 * s.ldr : nullptr;
      run_igemm_block(block, first, end);
    }
  });
}

}  // namespace graft::cpu
