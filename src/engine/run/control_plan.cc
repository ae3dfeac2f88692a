#include <algorithm>

#include "base/check.h"
#include "engine/run/control.h"

namespace graft::engine {
namespace {

size_t round_up(size_t bytes) { return (bytes + 63) / 64 * 64; }

bool same(const std::vector<int64_t>& a, std::span<const int64_t> b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end());
}

ir::ValueId root_of(const Schedule& schedule, ir::ValueId id) {
  const Slot& slot = schedule.slots[id];
  return slot.place == Place::kView ? static_cast<ir::ValueId>(slot.index) : id;
}

// Whether the body may write output k over input k: the step that makes it may, and nothing reads
// the input afterwards.
bool runs_in_place(const Program& program, const Schedule& schedule, size_t k) {
  const ir::Network& network = program.network;
  const ir::ValueId src = network.inputs[k], dst = root_of(schedule, network.outputs[k]);
  const Slot& slot = schedule.slots[dst];
  if (slot.place != Place::kOutput || slot.index != static_cast<int64_t>(k)) return false;
  for (const OutputCopy& copy : schedule.copies) {
    if (copy.value == src) return false;
  }
  bool made = false;
  for (const ScheduledStep& step : schedule.steps) {
    const ir::Op& op = network.ops[step.op];
    size_t uses = 0, use = 0;
    for (size_t i = 0; i < op.inputs.size(); ++i) {
      if (root_of(schedule, op.inputs[i]) == src) ++uses, use = i;
    }
    const bool makes = std::find(op.outputs.begin(), op.outputs.end(), dst) != op.outputs.end();
    if (makes) {
      made = uses == 1 && step.step && op.outputs[0] == dst &&
             step.step->may_run_in_place(static_cast<int>(use));
      if (!made) return false;
    } else if (made && uses > 0) {
      return false;
    }
  }
  return made;
}

class Planner {
 public:
  Planner(const ir::Op& op, const ProgramOp& lowered, const backends::StepShapes& shapes,
          const Limits& limits)
      : op_(op), lowered_(lowered), shapes_(shapes), limits_(limits) {}

  Result<std::shared_ptr<const ControlPlan>> run() {
    plan_->is_loop = op_.kind() == ir::OpKind::kWhile;
    const size_t first = plan_->is_loop ? 0 : 1;
    size_t memory_bytes = 0;
    for (const auto& program : lowered_.bodies) {
      GRAFT_ASSIGN_OR_RETURN(ControlPlan::Body body, plan_body(program, first));
      memory_bytes = std::max(memory_bytes,
                              round_up(body.schedule->arena_bytes) + body.schedule->scratch_bytes);
      plan_->flops += body.schedule->flops;
      plan_->reference_flops += body.schedule->reference_flops;
      plan_->bodies.push_back(std::move(body));
    }
    if (plan_->is_loop) {
      GRAFT_RETURN_IF_ERROR(plan_loop());
    } else {
      for (const ControlPlan::Body& body : plan_->bodies)
        GRAFT_RETURN_IF_ERROR(check_outputs(body, shapes_.dst));
    }
    plan_->memory_offset = take(memory_bytes);
    return std::shared_ptr<const ControlPlan>(std::move(plan_));
  }

 private:
  size_t take(size_t bytes) {
    const size_t at = plan_->scratch_bytes;
    plan_->scratch_bytes += round_up(bytes);
    return at;
  }

  Result<ControlPlan::Body> plan_body(const std::shared_ptr<const Program>& program, size_t first) {
    ScheduleInputs inputs;
    for (size_t i = first; i < shapes_.src.size(); ++i)
      inputs.dims.emplace_back(shapes_.src[i].begin(), shapes_.src[i].end());
    for (int32_t index : program->host_inputs) {
      const size_t i = static_cast<size_t>(index) + first;
      const bool carried = plan_->is_loop && i < shapes_.dst.size();
      const auto known = carried ? std::span<const int64_t>() : shapes_.host[i];
      inputs.host.emplace_back(known.begin(), known.end());
    }
    ControlPlan::Body body;
    body.program = program;
    GRAFT_ASSIGN_OR_RETURN(body.schedule,
                           make_schedule(*program, inputs, {}, shapes_.threads, limits_));
    size_t pointers = program->network.values.size(), most_src = 0, most_dst = 0;
    for (const ir::Op& op : program->network.ops) {
      most_src = std::max(most_src, op.inputs.size());
      most_dst = std::max(most_dst, op.outputs.size());
    }
    pointers += most_src + most_dst;
    body.table_offset = take(pointers * sizeof(void*));
    return body;
  }

  Status check_outputs(const ControlPlan::Body& body,
                       std::span<const std::span<const int64_t>> want) const {
    const std::vector<ir::ValueId>& outputs = body.program->network.outputs;
    for (size_t k = 0; k < outputs.size(); ++k) {
      if (!same(body.schedule->dims[outputs[k]], want[k]))
        return invalid_argument(op_.name + ": a body changes the extents of tensor " +
                                std::to_string(k));
    }
    return ok_status();
  }

  Status plan_loop() {
    const ControlPlan::Body& body = plan_->bodies[1];
    const size_t carried = shapes_.dst.size();
    GRAFT_RETURN_IF_ERROR(check_outputs(body, std::span(shapes_.src).first(carried)));
    GRAFT_CHECK(
        plan_->bodies[0].schedule->size_bytes[plan_->bodies[0].program->network.outputs[0]] == 1,
        op_.name);
    for (size_t k = 0; k < carried; ++k) {
      ControlPlan::Carry& carry = plan_->carries.emplace_back();
      carry.size_bytes = body.schedule->size_bytes[body.program->network.outputs[k]];
      carry.in_place = runs_in_place(*body.program, *body.schedule, k);
      if (!carry.in_place) carry.buffer_offset = take(carry.size_bytes);
    }
    plan_->flag_offset = take(1);
    plan_->pointers_offset = take((shapes_.src.size() + carried) * sizeof(void*));
    return ok_status();
  }

  const ir::Op& op_;
  const ProgramOp& lowered_;
  const backends::StepShapes& shapes_;
  const Limits& limits_;
  std::shared_ptr<ControlPlan> plan_ = std::make_shared<ControlPlan>();
};

}  // namespace

Result<std::shared_ptr<const ControlPlan>> plan_control(const ir::Op& op, const ProgramOp& lowered,
                                                        const backends::StepShapes& shapes,
                                                        const Limits& limits) {
  return Planner(op, lowered, shapes, limits).run();
}

}  // namespace graft::engine
