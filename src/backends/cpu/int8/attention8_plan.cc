#include "backends/cpu/int8/attention8_plan.h"

namespace graft::cpu {
namespace {

constexpr int64_t kMinBlockRows = 24, kMaxBlockRows = 192;

}  // namespace

Int8AttentionPlan plan_int8_attention(const Int8Isa& isa, bool q_has_sign,
                                      std::span<const int64_t> q, std::span<const int64_t> v,
                                      std::span<const int64_t> mask, int64_t l2_bytes,
                                      int threads) {
  Int8AttentionPlan p;
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
  const int64_t pairs = p.batch * p.heads;
  if (pairs == 0 || p.sq == 0 || p.sk == 0) return p;
  if (pairs < 2 * threads) {
    const int64_t most = std::max<int64_t>(1, p.sq / kMinBlockRows);
    p.row_cuts = std::clamp<int64_t>((2 * threads + pairs - 1) / pairs, 1, most);
  }
  p.keys = int8_operand(isa, p.d, p.sk, q_has_sign);
  p.values = int8_operand(isa, p.sk, p.dv, false);
  const int64_t task_rows = (p.sq + p.row_cuts - 1) / p.row_cuts;
  const int64_t fit = l2_bytes / 2 / (p.sk * 5);
  p.block_rows =
      std::max<int64_t>(1, std::min(task_rows, std::clamp(fit, kMinBlockRows, kMaxBlockRows)));
  p.workers = std::min<int64_t>(threads, pairs * p.row_cuts);
  int64_t end = 0;
  const auto place = [&](int64_t bytes) {
    const int64_t at = end;
    end += Int8Operand::align64(bytes);
    return at;
  };
  place(p.keys.bytes());
  p.values_at = place(p.values.bytes());
  p.scores_at = place(p.block_rows * p.sk * 4);
  p.probabilities_at = place(p.values.copied_rows(p.block_rows) * p.values.left_bytes());
  p.copies_at =
      place(p.keys.copies_left() ? p.keys.copied_rows(p.block_rows) * p.keys.left_bytes() : 0);
  p.acc_at = place(std::max(p.keys.acc_bytes(), p.values.acc_bytes()));
  p.factors_at = place(p.block_rows * 4);
  p.rows_at = place(p.block_rows * static_cast<int64_t>(sizeof(uint8_t*)));
  p.worker_bytes = end;
  return p;
}

}  // namespace graft::cpu
