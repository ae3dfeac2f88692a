// Reductions that no network spends time in: any axes, float32 and integers and bool.
#pragma once

#include <string>

#include "backends/cpu/kernel_list.h"

namespace graft::cpu {

// float: all but all/any (sums in double); int32, int64: sum, max, min, prod with wraparound; bool:
// all, any.
std::string supports_generic_reduce(const Problem& problem);
Result<std::unique_ptr<Step>> create_generic_reduce(const Problem& problem);

}  // namespace graft::cpu
