// Cuts and scratch layout of one schedule of attention over quantized tensors.
#pragma once

#include "backends/cpu/attention/attention_cuts.h"
#include "backends/cpu/int8/operand8.h"
#include "backends/cpu/int8/product.h"

namespace graft::cpu {

struct Int8AttentionPlan : AttentionCuts {
  Int8Operand keys, values;
  int64_t worker_bytes = 0;
  // Byte offsets in a worker's scratch; packed keys are at 0.
  int64_t values_at = 0, scores_at = 0, probabilities_at = 0, copies_at = 0, acc_at = 0,
          factors_at = 0, rows_at = 0;
};

// Operands as cut_attention takes them; Sk and D are at most ir::kMaxQuantizedTerms.
Int8AttentionPlan plan_int8_attention(const Int8Isa& isa, bool q_has_sign,
                                      std::span<const int64_t> q, std::span<const int64_t> v,
                                      std::span<const int64_t> mask, int64_t l2_bytes, int threads);

}  // namespace graft::cpu
