// What TensorFlow's optimizer puts behind a contraction in one node: _FusedConv2D, _FusedMatMul and
// their like hold the names of the ops in attribute 'fused_ops' and their operands in 'args'.
#pragma once

#include "frontend/node_import.h"

namespace graft::frontend {

struct FusedForm {
  size_t args;                  // the first of the inputs that belong to the fused ops
  bool batch_norm = false;      // FusedBatchNorm may be among them
  bool channels_first = false;  // in the graph: what is added lies otherwise than dst
};

// dst, channels last, with the node's fused ops applied.
Result<ir::ValueId> apply_fused_ops(NodeImport& n, ir::ValueId dst, const FusedForm& form);

}  // namespace graft::frontend
