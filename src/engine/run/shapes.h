// Concrete types and host values of every value of a network, from its inputs.
#pragma once

#include <optional>
#include <vector>

#include "engine/run/schedule.h"

namespace graft::engine {

struct ConcreteShapes {
  std::vector<std::vector<int64_t>> dims;                 // per value
  std::vector<size_t> size_bytes;                         // per value
  std::vector<std::optional<std::vector<int64_t>>> host;  // per value: known elements
};

Result<ConcreteShapes> infer_shapes(const Program& program, const ScheduleInputs& inputs,
                                    const Limits& limits);

}  // namespace graft::engine
