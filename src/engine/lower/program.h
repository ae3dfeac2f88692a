// Program: a plan made ready for one target: a prepared step per op, and the constants that no step
// packed. Immutable and shared by all engines of the same plan, target and options; refers to none
// of the plan's bytes.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "backends/backend.h"
#include "base/alloc.h"
#include "engine/plan/plan_view.h"

namespace graft::engine {

struct LowerOptions {
  ir::Target target;
  int64_t max_workspace_bytes = -1;  // cap on scratch; -1: what the plan says
  bool reference_only = false;
  int threads = 1;  // for packing; the result is the same for any number
};

struct Program;

struct ProgramOp {
  std::unique_ptr<backends::Step> step;  // null: a view, or host arithmetic at every shape
  std::vector<backends::Refusal> refused;
  bool view = false;                                   // dst is src[0] under another shape
  std::vector<std::shared_ptr<const Program>> bodies;  // of While and Branch, which have no step
};

// Ops [first, first + count) as one step, for schedules at whose shapes it plans to run.
struct FusedOps {
  int32_t first = 0, count = 0;
  std::unique_ptr<backends::Step> step;
};

struct Program {
  ir::Network network;          // constants without their bytes
  std::vector<ProgramOp> ops;   // as network.ops
  std::vector<FusedOps> fused;  // disjoint, in order
  std::vector<const std::byte*>
      resident;                      // per value: 64-byte aligned elements of a constant, or null
  std::vector<int32_t> host_inputs;  // network inputs whose values decide shapes
  const backends::Backend* backend = nullptr;
  size_t weights_bytes = 0;  // packed + resident
  int64_t l3_bytes = 0;      // of the target
  Buffer resident_storage;
};

// Unsupported names the op that no kernel takes; ResourceExhausted when memory does.
Result<std::shared_ptr<const Program>> lower(PlanView view, const LowerOptions& options,
                                             const backends::Backend& backend);

}  // namespace graft::engine
