// Unary ops whose result is exact: of integers, of bool, and float32's tests for NaN and infinity.
#pragma once

#include <memory>
#include <string>

#include "backends/cpu/kernel_list.h"

namespace graft::cpu {

std::string supports_generic_unary(const Problem& problem);
Result<std::unique_ptr<Step>> create_generic_unary(const Problem& problem);

}  // namespace graft::cpu
