#include "passes/retype.h"

#include <vector>

#include "ir/infer.h"

namespace graft::passes {

Status retype(ir::Network& network) {
  for (const ir::Op& op : network.ops) {
    std::vector<ir::InferInput> inputs;
    for (ir::ValueId id : op.inputs) {
      const ir::Value& value = network.values[static_cast<size_t>(id)];
      inputs.push_back({&value.type, value.host ? &*value.host : nullptr});
    }
    GRAFT_ASSIGN_OR_RETURN(auto outputs, ir::infer(op, inputs, op.outputs.size(), network.dims));
    for (size_t i = 0; i < outputs.size(); ++i) {
      ir::Value& value = network.values[static_cast<size_t>(op.outputs[i])];
      value.type = std::move(outputs[i].type);
      value.host = std::move(outputs[i].host);
    }
  }
  return ok_status();
}

}  // namespace graft::passes
