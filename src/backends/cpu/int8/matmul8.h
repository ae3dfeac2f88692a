// The kernel of matrix products whose b is no constant, for the list of MatMul kernels.
#pragma once

#include <memory>
#include <string>

#include "backends/cpu/kernel_list.h"

namespace graft::cpu {

std::string supports_int8_batched_matmul(const Problem& problem);
Result<std::unique_ptr<Step>> create_int8_batched_matmul(const Problem& problem);

}  // namespace graft::cpu
