// Cuts and scratch layout of one attention schedule.
#pragma once

#include "backends/cpu/attention/attention_cuts.h"
#include "backends/cpu/gemm/panels.h"

namespace graft::cpu {

struct AttentionPlan : AttentionCuts {
  Panels k_panels, v_panels;
  int64_t worker_bytes = 0;
  // Byte offsets in a worker's scratch; packed keys are at 0.
  int64_t v_at = 0, scores_at = 0, sums_at = 0, rows_at = 0;
};

// Operands as cut_attention takes them.
AttentionPlan plan_attention(const ComputeTable& table, std::span<const int64_t> q,
                             std::span<const int64_t> v, std::span<const int64_t> mask,
                             int64_t l2_bytes, int threads);

}  // namespace graft::cpu
