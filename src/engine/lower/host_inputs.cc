#include "engine/lower/host_inputs.h"

namespace graft::engine {

bool is_host_slot(ir::OpKind kind, size_t input) {
  switch (kind) {
    case ir::OpKind::kReshape:
    case ir::OpKind::kPad:
    case ir::OpKind::kTile:
    case ir::OpKind::kBroadcastTo:
    case ir::OpKind::kResize:
    case ir::OpKind::kOneHot:
    case ir::OpKind::kTopK:
    case ir::OpKind::kFft:
      return input == 1;
    case ir::OpKind::kNonMaxSuppression:
      return input == 2;
    case ir::OpKind::kCombinedNonMaxSuppression:
      return input == 2 || input == 3;
    case ir::OpKind::kCropAndResize:
      return input == 3;
    case ir::OpKind::kSlice:
    case ir::OpKind::kStridedSlice:
      return input >= 1;
    case ir::OpKind::kFill:
      return input == 0;
    case ir::OpKind::kRange:
      return true;
    default:
      return false;
  }
}

std::vector<int32_t> find_host_inputs(const ir::Network& network) {
  std::vector<bool> needed(network.values.size(), false);
  for (auto op = network.ops.rbegin(); op != network.ops.rend(); ++op) {
    bool all = false;
    for (ir::ValueId id : op->outputs) all |= needed[id];
    for (size_t i = 0; i < op->inputs.size(); ++i) {
      if (all || (is_host_slot(op->kind(), i) && !network.values[op->inputs[i]].host))
        needed[op->inputs[i]] = true;
    }
  }
  std::vector<int32_t> result;
  for (size_t i = 0; i < network.inputs.size(); ++i) {
    const DType dtype = network.values[network.inputs[i]].type.dtype;
    if (needed[network.inputs[i]] && (dtype == DType::kInt32 || dtype == DType::kInt64))
      result.push_back(static_cast<int32_t>(i));
  }
  return result;
}

}  // namespace graft::engine
