// Extents, cuts and scratch layout of one schedule of attention over quantized tensors.
#pragma once

#include <cstdint>
#include <span>

#include "backends/cpu/int8/operand8.h"
#include "backends/cpu/int8/product.h"

namespace graft::cpu {

struct Int8AttentionPlan {
  int64_t batch = 0, heads = 0, sq = 0, sk = 0, d = 0, dv = 0;
  int64_t mask_step[4] = {};  // elements between images, heads, queries, keys; 0 where broadcast
  int64_t row_cuts = 1;       // tasks of one (image, head)
  int64_t block_rows = 1;     // query rows whose scores are in cache together
  Int8Operand keys, values;
  int64_t workers = 1, worker_bytes = 0;
  // Byte offsets in a worker's scratch; packed keys are at 0.
  int64_t values_at = 0, scores_at = 0, probabilities_at = 0, copies_at = 0, acc_at = 0,
          factors_at = 0, rows_at = 0;
};

// q [B, Sq, H, D], v [B, Sk, H, Dv], mask: dims that broadcast to [B, H, Sq, Sk], or empty. Sk and
// D are at most ir::kMaxQuantizedTerms.
Int8AttentionPlan plan_int8_attention(const Int8Isa& isa, bool q_has_sign,
                                      std::span<const int64_t> q, std::span<const int64_t> v,
                                      std::span<const int64_t> mask, int64_t l2_bytes, int threads);

}  // namespace graft::cpu
