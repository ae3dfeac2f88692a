// Whether what a caller feeds is what the engine takes.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/status.h"
#include "graft/types.h"
#include "ir/network.h"

namespace graft::engine {

// What the borders look like from outside.
std::vector<TensorSpec> border_specs(const ir::Network& network,
                                     const std::vector<ir::ValueId>& values);

// InvalidArgument names the input, what it got and what it expected: count, dtype, rank, a fixed
// dim, two dims that must be equal, the size in bytes.
Status check_inputs(const ir::Network& network, std::span<const TensorSpec> specs,
                    std::span<const TensorRef> inputs);

}  // namespace graft::engine
