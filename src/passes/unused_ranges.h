// Ranges that the user gave and that no integer follows.
#pragma once

#include <string>
#include <vector>

#include "ir/range_table.h"
#include "passes/quantize_choice.h"

namespace graft::passes {

// One text for each range of the user of a tensor of `network` that `choice` does not store by:
// which tensor, why, and whose range would count. Calibrated ranges are there for every tensor,
// needed or not, so nothing is said of them.
std::vector<std::string> unused_ranges(const ir::Network& network, const ir::RangeTable& ranges,
                                       const QuantizeChoice& choice);

}  // namespace graft::passes
