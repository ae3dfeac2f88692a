#include "backends/cpu/attention/attention_plan.h"

#include "backends/cpu/common/rounding.h"

namespace graft::cpu {

AttentionPlan plan_attention(const ComputeTable& table, std::span<const int64_t> q,
                             std::span<const int64_t> v, std::span<const int64_t> mask,
                             int64_t l2_bytes, int threads) {
  AttentionPlan p{cut_attention(q, v, mask, sizeof(float), l2_bytes, threads), {}, {}};
  p.k_panels = Panels(table, p.sk);
  p.v_panels = Panels(table, p.dv);
  p.v_at = align64(p.k_panels.padded_columns() * p.d * 4);
  p.scores_at = p.v_at + align64(p.v_panels.padded_columns() * p.sk * 4);
  p.sums_at = p.scores_at + align64(p.block_rows * p.sk * 4);
  p.rows_at = p.sums_at + align64(p.block_rows * 4);
  p.worker_bytes = p.rows_at + align64(2 * p.block_rows * static_cast<int64_t>(sizeof(float*)));
  return p;
}

}  // namespace graft::cpu
