#include <cstring>

#include "engine/run/control.h"

namespace graft::engine {
namespace {

// Elements of empty tensors: never read, but not null.
alignas(64) const std::byte kNothing[64] = {};

// One run of a body: its steps in order, over memory that its op lends.
class BodyRun {
 public:
  BodyRun(const ControlPlan& plan, size_t body, std::byte* scratch, const std::stop_token& stop)
      : network_(plan.bodies[body].program->network),
        program_(*plan.bodies[body].program),
        schedule_(*plan.bodies[body].schedule),
        values_(reinterpret_cast<const std::byte**>(scratch + plan.bodies[body].table_offset)),
        src_(reinterpret_cast<const void**>(values_ + network_.values.size())),
        memory_(scratch + plan.memory_offset),
        stop_(stop) {}

  void run(const std::byte* const* inputs, std::byte* const* outputs) {
    bind(inputs, outputs);
    for (const ScheduledStep& step : schedule_.steps) run_step(step);
    for (const OutputCopy& copy : schedule_.copies)
      std::memmove(outputs[copy.output], values_[copy.value], schedule_.size_bytes[copy.value]);
  }

 private:
  void bind(const std::byte* const* inputs, std::byte* const* outputs) {
    const size_t n = network_.values.size();
    for (size_t id = 0; id < n; ++id) {
      const Slot& slot = schedule_.slots[id];
      const std::byte* data = nullptr;
      switch (slot.place) {
        case Place::kInput:
          data = inputs[slot.index];
          break;
        case Place::kOutput:
          data = outputs[slot.index];
          break;
        case Place::kResident:
          data = program_.resident[id];
          break;
        case Place::kHost:
          data = schedule_.host_data.data() + slot.index;
          break;
        case Place::kArena:
          data = memory_ + slot.index;
          break;
        case Place::kNone:
        case Place::kView:
          break;
      }
      values_[id] = schedule_.size_bytes[id] == 0 ? kNothing : data;
    }
    for (size_t id = 0; id < n; ++id) {
      const Slot& slot = schedule_.slots[id];
      if (slot.place == Place::kView) values_[id] = values_[slot.index];
    }
  }

  void run_step(const ScheduledStep& step) {
    const ir::Op& op = network_.ops[step.op];
    for (size_t i = 0; i < op.inputs.size(); ++i) src_[i] = values_[op.inputs[i]];
    void** dst = const_cast<void**>(src_ + op.inputs.size());
    for (size_t i = 0; i < op.outputs.size(); ++i)
      dst[i] = const_cast<std::byte*>(values_[op.outputs[i]]);
    std::byte* scratch = memory_ + (schedule_.arena_bytes + 63) / 64 * 64;
    if (step.control)
      run_control(*step.control, src_, dst, scratch, stop_);
    else
      step.step->run(step.state.get(), src_, dst, scratch);
  }

  const ir::Network& network_;
  const Program& program_;
  const Schedule& schedule_;
  const std::byte** values_;  // per value of the body
  const void** src_;          // of the step that runs; behind them its dst
  std::byte* memory_;
  const std::stop_token& stop_;
};

void run_loop(const ControlPlan& plan, const void* const* src, void* const* dst, std::byte* scratch,
              const std::stop_token& stop) {
  const size_t n = plan.bodies[1].program->network.inputs.size(), carried = plan.carries.size();
  const auto** now = reinterpret_cast<const std::byte**>(scratch + plan.pointers_offset);
  auto** next = reinterpret_cast<std::byte**>(scratch + plan.pointers_offset + n * sizeof(void*));
  for (size_t i = 0; i < n; ++i) now[i] = static_cast<const std::byte*>(src[i]);
  for (size_t i = 0; i < carried; ++i) {
    next[i] = static_cast<std::byte*>(dst[i]);
    if (!plan.carries[i].in_place) continue;
    std::memcpy(next[i], now[i], plan.carries[i].size_bytes);
    now[i] = next[i];
  }
  BodyRun cond(plan, 0, scratch, stop), body(plan, 1, scratch, stop);
  std::byte* flag = scratch + plan.flag_offset;
  for (;;) {
    if (stop.stop_requested()) throw backends::StepFailure(cancelled("stopped within a loop"));
    cond.run(now, &flag);
    if (*flag == std::byte{0}) break;
    body.run(now, next);
    for (size_t i = 0; i < carried; ++i) {
      if (plan.carries[i].in_place) continue;
      now[i] = next[i];
      next[i] = now[i] == dst[i] ? scratch + plan.carries[i].buffer_offset
                                 : static_cast<std::byte*>(dst[i]);
    }
  }
  for (size_t i = 0; i < carried; ++i)
    if (now[i] != dst[i]) std::memcpy(dst[i], now[i], plan.carries[i].size_bytes);
}

void run_branch(const ControlPlan& plan, const void* const* src, void* const* dst,
                std::byte* scratch, const std::stop_token& stop) {
  int32_t index;
  std::memcpy(&index, src[0], sizeof index);
  const auto last = static_cast<int32_t>(plan.bodies.size()) - 1;
  if (index < 0 || index > last) index = last;
  BodyRun(plan, static_cast<size_t>(index), scratch, stop)
      .run(reinterpret_cast<const std::byte* const*>(src + 1),
           reinterpret_cast<std::byte* const*>(dst));
}

}  // namespace

void run_control(const ControlPlan& plan, const void* const* src, void* const* dst,
                 std::byte* scratch, const std::stop_token& stop) {
  (plan.is_loop ? run_loop : run_branch)(plan, src, dst, scratch, stop);
}

}  // namespace graft::engine
