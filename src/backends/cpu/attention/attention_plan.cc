#include "backends/cpu/attention/attention_plan.h"

namespace graft::cpu {
namespace {

constexpr int64_t kMinBlockRows = 24, kMaxBlockRows = 192;

int64_t aligned(int64_t bytes) { return (bytes + 63) / 64 * 64; }

}  // namespace

AttentionPlan plan_attention(const ComputeTable& table, std::span<const int64_t> q,
                             std::span<const int64_t> v, std::span<const int64_t> mask,
                             int64_t l2_bytes, int threads) {
  AttentionPlan p;
  p.batch = q[0];
  p.sq = q[1];
  p.heads = q[2];
  p.d = q[3];
  p.sk = v[1];
  p.dv = v[3];
  int64_t step = 1;
  for (size_t k = 0; k < mask.size(); ++k) {
    const int64_t n = mask[mask.size() - 1 - k];
    p.mask_step[3 - k] = n == 1 ? 0 : step;
    step *= n;
  }
  const int64_t pairs = std::max<int64_t>(1, p.batch * p.heads);
  if (pairs < 2 * threads) {
    const int64_t most = std::max<int64_t>(1, p.sq / kMinBlockRows);
    p.row_cuts = std::clamp<int64_t>((2 * threads + pairs - 1) / pairs, 1, most);
  }
  const int64_t task_rows = (p.sq + p.row_cuts - 1) / p.row_cuts;
  const int64_t fit = l2_bytes / 2 / (std::max<int64_t>(p.sk, 1) * 4);
  p.block_rows =
      std::max<int64_t>(1, std::min(task_rows, std::clamp(fit, kMinBlockRows, kMaxBlockRows)));
  p.k_panels = Panels(table, p.sk);
  p.v_panels = Panels(table, p.dv);
  p.workers = std::min<int64_t>(threads, pairs * p.row_cuts);
  p.v_at = aligned(p.k_panels.padded_columns() * p.d * 4);
  p.scores_at = p.v_at + aligned(p.v_panels.padded_columns() * p.sk * 4);
  p.sums_at = p.scores_at + aligned(p.block_rows * p.sk * 4);
  p.rows_at = p.sums_at + aligned(p.block_rows * 4);
  p.worker_bytes = p.rows_at + aligned(2 * p.block_rows * static_cast<int64_t>(sizeof(float*)));
  return p;
}

}  // namespace graft::cpu
