#include "backends/cpu/attention/attention_cuts.h"

#include <algorithm>

#include "backends/cpu/common/rounding.h"

namespace graft::cpu {
namespace {

constexpr int64_t kMinBlockRows = 24, kMaxBlockRows = 192;

}  // namespace

AttentionCuts cut_attention(std::span<const int64_t> q, std::span<const int64_t> v,
                            std::span<const int64_t> mask, int64_t score_bytes, int64_t l2_bytes,
                            int threads) {
  AttentionCuts c;
  c.batch = q[0];
  c.sq = q[1];
  c.heads = q[2];
  c.d = q[3];
  c.sk = v[1];
  c.dv = v[3];
  int64_t step = 1;
  for (size_t k = 0; k < mask.size(); ++k) {
    const int64_t n = mask[mask.size() - 1 - k];
    c.mask_step[3 - k] = n == 1 ? 0 : step;
    step *= n;
  }
  const int64_t pairs = std::max<int64_t>(1, c.batch * c.heads);
  if (pairs < 2 * threads) {
    const int64_t most = std::max<int64_t>(1, c.sq / kMinBlockRows);
    c.row_cuts = std::clamp<int64_t>(ceil_div(2 * threads, pairs), 1, most);
  }
  const int64_t fit = l2_bytes / 2 / (std::max<int64_t>(c.sk, 1) * score_bytes);
  c.block_rows = std::max<int64_t>(
      1, std::min(ceil_div(c.sq, c.row_cuts), std::clamp(fit, kMinBlockRows, kMaxBlockRows)));
  c.workers = std::min<int64_t>(threads, pairs * c.row_cuts);
  return c;
}

}  // namespace graft::cpu
