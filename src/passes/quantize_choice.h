// Which ops of a calibrated network run in INT8, and how each value is stored.
#pragma once

#include <string>
#include <vector>

#include "passes/pipeline.h"

namespace graft::passes {

struct QuantizeChoice {
  std::vector<bool> int8;             // per op
  std::vector<ir::DstQuant> storage;  // per value: as INT8 ops read and write it; unset: no range
};

// What decides: ranges of the graph's own fake_quant ops before those of the table.
struct ChoiceInput {
  const ir::RangeTable& ranges;
  const QuantizeOptions& options;
  std::vector<KeptLayer>* kept = nullptr;     // gets the layers that stay float, with reasons
  std::vector<std::string>* notes = nullptr;  // gets the grids that int8 changes
};

bool joins(const ir::Op& op);
// Quantized, dst has the scale of src; of what joins tensors, all of src that of dst.
bool keeps_scale(const ir::Op& op);

// Convolutions, matrix products and attention whose ranges are known; what lies between them
// and can follow in integers; ops of one concat share its scale. A fake_quant that integers are
// read from is the storing of them.
QuantizeChoice choose_int8(const ir::Network& network, const ChoiceInput& input);

}  // namespace graft::passes
