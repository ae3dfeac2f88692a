// A verified plan whose constants still view the plan's bytes: what lower packs from, without
// copying the weights.
#pragma once

#include <span>
#include <vector>

#include "engine/plan/container.h"
#include "engine/plan/plan.h"

namespace graft::engine {

// A float32 constant that is stored in half or bfloat16. Its network value holds one zero as splat.
struct NarrowConstant {
  ir::ValueId value = ir::kNoValue;
  DType stored = DType::kInvalid;
  std::span<const std::byte> bytes;  // maybe unaligned
};

struct PlanView {
  Plan plan;
  std::vector<NarrowConstant> narrow;
};

// Builds the network of a container whose digests were checked. Constants view `container.weights`,
// with `owner` as their owner. PlanError for anything that write_plan would not have written.
Result<PlanView> parse_plan(const OpenPlan& container, std::shared_ptr<const void> owner,
                            const Limits& limits);

// dst[i] = float(src[i]) for src of half or bfloat16, maybe unaligned.
void widen(DType stored, std::span<const std::byte> src, float* dst);

}  // namespace graft::engine
