// Recognises one step of a recurrent layer in the network that a loop runs.
#pragma once

#include <optional>
#include <vector>

#include "ir/network.h"

namespace graft::passes {

// Values of the body: what a step reads and what it makes.
struct CellPorts {
  ir::ValueId x = ir::kNoValue, h = ir::kNoValue, h_next = ir::kNoValue;
  ir::ValueId c = ir::kNoValue, c_next = ir::kNoValue;  // kNoValue: the layer has one state
};

// Weights in the order of ir::RecurrentFn's gates.
struct RecurrentCell {
  ir::RecurrentAttrs attrs;
  int64_t features = 0, units = 0;
  std::vector<double> input;      // [features, gates * units]
  std::vector<double> recurrent;  // [units, gates * units]
  std::vector<double> gates;      // biases [gates * units]
  std::vector<double> bias;       // [units] if attrs.has_bias
};

// What h_next (and c_next) are of x and h (and c), if that is a cell of recurrent.
std::optional<RecurrentCell> match_cell(const ir::Network& body, const CellPorts& ports);

}  // namespace graft::passes
