// Making steps and the state of steps that need no more than a few numbers.
#pragma once

#include <memory>

#include "backends/cpu/kernel_list.h"

namespace graft::cpu {

// A KernelEntry's create function for a step class that is made from the problem alone.
template <typename S>
Result<std::unique_ptr<Step>> make_step(const Problem& problem) {
  return std::unique_ptr<Step>(std::make_unique<S>(problem));
}

// A plain value as the state of a schedule.
template <typename T>
struct StateOf final : backends::StepState {
  explicit StateOf(T v) : value(std::move(v)) {}
  T value;
};

template <typename T>
backends::StepPlan plan_of(T value, size_t scratch_bytes = 0) {
  return {std::make_unique<StateOf<T>>(std::move(value)), scratch_bytes};
}

template <typename T>
const T& state_as(const backends::StepState* state) {
  return static_cast<const StateOf<T>*>(state)->value;
}

}  // namespace graft::cpu
