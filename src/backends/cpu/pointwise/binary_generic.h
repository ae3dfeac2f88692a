// Binary ops that no network spends time in: integers (wrapping), comparisons, logic.
#pragma once

#include <string>

#include "backends/cpu/kernel_list.h"

namespace graft::cpu {

// int32, int64: add, sub, mul, max, min, squared difference, quotients and remainders (0 as a
// divisor is an error); float: remainders, atan2; float, int32, int64: comparisons; bool: and, or,
// equality.
std::string supports_generic_binary(const Problem& problem);
Result<std::unique_ptr<Step>> create_generic_binary(const Problem& problem);

}  // namespace graft::cpu
