#include "backends/cpu/int8/attention8_plan.h"

#include <algorithm>

#include "backends/cpu/common/rounding.h"

namespace graft::cpu {

Int8AttentionPlan plan_int8_attention(const Int8Isa& isa, bool q_has_sign,
                                      std::span<const int64_t> q, std::span<const int64_t> v,
                                      std::span<const int64_t> mask, int64_t l2_bytes,
                                      int threads) {
  constexpr int64_t kScoreBytes = sizeof(float) + sizeof(uint8_t);  // and its probability
  Int8AttentionPlan p{cut_attention(q, v, mask, kScoreBytes, l2_bytes, threads), {}, {}};
  if (p.batch * p.heads == 0 || p.sq == 0 || p.sk == 0) return p;
  p.keys = int8_operand(isa, p.d, p.sk, q_has_sign);
  p.values = int8_operand(isa, p.sk, p.dv, false);
  int64_t end = 0;
  const auto place = [&](int64_t bytes) {
    const int64_t at = end;
    end += align64(bytes);
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
