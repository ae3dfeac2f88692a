// Kernels of convolutions and matrix products with constant weights whose operands are rounded to
// bfloat16, where the plan's precision permits it and the machine has such products.
#pragma once

#include "backends/cpu/kernel_list.h"

namespace graft::cpu {

std::string supports_bf16_conv(const Problem& problem);
Result<std::unique_ptr<Step>> create_bf16_conv(const Problem& problem);

std::string supports_bf16_matmul(const Problem& problem);
Result<std::unique_ptr<Step>> create_bf16_matmul(const Problem& problem);

}  // namespace graft::cpu
