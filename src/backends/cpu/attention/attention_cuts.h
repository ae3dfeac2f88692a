// Extents of an attention problem and how its queries are cut into tasks and blocks, whatever the
// precision.
#pragma once

#include <cstdint>
#include <span>

namespace graft::cpu {

struct AttentionCuts {
  int64_t batch = 0, heads = 0, sq = 0, sk = 0, d = 0, dv = 0;
  int64_t mask_step[4] = {};  // elements between images, heads, queries, keys; 0 where broadcast
  int64_t row_cuts = 1;       // tasks of one (image, head)
  int64_t block_rows = 1;     // query rows whose scores are in cache together
  int64_t workers = 1;
};

// q [B, Sq, H, D], v [B, Sk, H, Dv], mask: dims that broadcast to [B, H, Sq, Sk], or empty.
// score_bytes: what a block holds for each query and key.
AttentionCuts cut_attention(std::span<const int64_t> q, std::span<const int64_t> v,
                            std::span<const int64_t> mask, int64_t score_bytes, int64_t l2_bytes,
                            int threads);

}  // namespace graft::cpu
