// Control steps: While and Branch, whose bodies are programs with schedules of their own. All their
// memory is scratch of the step, so that a run allocates nothing.
#pragma once

#include <memory>
#include <span>
#include <stop_token>
#include <vector>

#include "engine/run/schedule.h"

namespace graft::engine {

struct ControlPlan {
  struct Body {
    std::shared_ptr<const Program> program;
    std::shared_ptr<const Schedule> schedule;
    size_t table_offset = 0;  // pointers: of its values, then of the step that runs
  };
  // A tensor that the loop hands from iteration to iteration. It alternates between the op's dst
  // and a buffer, unless the body may write the next one over it.
  struct Carry {
    size_t size_bytes = 0;
    bool in_place = false;
    size_t buffer_offset = 0;
  };
  bool is_loop = false;
  std::vector<Body> bodies;    // loop: condition, body
  std::vector<Carry> carries;  // loop only
  size_t pointers_offset = 0;  // loop: its tensors, now and next
  size_t flag_offset = 0;      // loop: what the condition says
  size_t memory_offset = 0;    // arena and scratch of the body that runs
  size_t scratch_bytes = 0;
  double flops = 0, reference_flops = 0;  // of each body once
};

// Extents and known elements of the op's inputs, extents of its outputs. InvalidArgument when a
// body changes the extents of what it carries.
Result<std::shared_ptr<const ControlPlan>> plan_control(const ir::Op& op, const ProgramOp& lowered,
                                                        const backends::StepShapes& shapes,
                                                        const Limits& limits);

// Throws what steps throw, and StepFailure with Cancelled; the token is asked in every iteration.
void run_control(const ControlPlan& plan, const void* const* src, void* const* dst,
                 std::byte* scratch, const std::stop_token& stop);

}  // namespace graft::engine
