// ScatterNd whose indices name single elements.
#pragma once

#include <memory>
#include <string>

#include "backends/cpu/movement/nd_plan.h"

namespace graft::cpu {

std::string supports_scatter_elements(const Problem& problem);
Result<std::unique_ptr<Step>> create_scatter_elements(const Problem& problem);

}  // namespace graft::cpu
