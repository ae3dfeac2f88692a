// Arithmetic work and traffic of an op: for reports, the cap on engines and the reference share.
#pragma once

#include <span>

#include "ir/network.h"

namespace graft::ir {

// Multiply and add counted apart; one an element for elementwise ops, 0 for views and data
// movement.
double flops(const Op& op, std::span<const std::span<const int64_t>> src_dims,
             std::span<const std::span<const int64_t>> dst_dims);

}  // namespace graft::ir
