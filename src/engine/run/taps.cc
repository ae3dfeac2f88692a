#include "engine/run/taps.h"

#include <map>
#include <string_view>

#include "ir/quantized.h"

namespace graft::engine {

Taps find_taps(const Program& program) {
  const ir::Network& network = program.network;
  Taps taps;
  taps.of_value.assign(network.values.size(), -1);
  std::map<std::string_view, int32_t> tap_of_name;
  const auto add = [&](ir::ValueId id) {
    const ir::Value& value = network.values[id];
    if (value.type.dtype != DType::kFloat || value.name.empty()) return;
    const auto [it, is_new] =
        tap_of_name.try_emplace(value.name, static_cast<int32_t>(taps.names.size()));
    if (is_new) taps.names.push_back(value.name);
    taps.of_value[id] = it->second;
  };
  for (ir::ValueId id : network.inputs) add(id);
  for (size_t i = 0; i < network.ops.size(); ++i) {
    if (!program.ops[i].step && program.ops[i].bodies.empty()) continue;
    for (ir::ValueId id : network.ops[i].outputs) add(id);
  }
  return taps;
}

Taps find_real_taps(const Program& program) {
  const ir::Network& network = program.network;
  Taps taps;
  taps.of_value.assign(network.values.size(), -1);
  std::map<std::string_view, int32_t> tap_of_name;
  const auto is_float = [](const ir::Value& v) { return v.type.dtype == DType::kFloat; };
  const auto add = [&](ir::ValueId id, const std::string& name) {
    const ir::Value& value = network.values[id];
    if ((!is_float(value) && !ir::is_quantized(value.type)) || name.empty()) return;
    const auto tap = static_cast<int32_t>(taps.names.size());
    if (!tap_of_name.try_emplace(name, tap).second) return;
    taps.names.push_back(name);
    taps.scales.push_back(value.type.scale);
    taps.of_value[id] = tap;
  };
  const auto add_quantize = [&](const ir::Op& op) {
    const ir::ValueId src = op.inputs[0], dst = op.outputs[0];
    const ir::Value& value = network.values[src];
    if (!is_float(value) || value.is_const() || value.name.empty()) return;
    const int32_t tap = taps.of_value[src];
    if (tap < 0) return add(dst, value.name);  // src is a view, or quantized elsewhere already
    taps.of_value[src] = -1;
    taps.of_value[dst] = tap;
    taps.scales[tap] = network.values[dst].type.scale;
  };
  for (ir::ValueId id : network.inputs) add(id, network.values[id].name);
  for (size_t i = 0; i < network.ops.size(); ++i) {
    const ir::Op& op = network.ops[i];
    if (!program.ops[i].step && program.ops[i].bodies.empty()) continue;
    if (op.kind() == ir::OpKind::kQuantize) {
      add_quantize(op);
      continue;
    }
    for (ir::ValueId id : op.outputs) add(id, network.values[id].name);
  }
  return taps;
}

}  // namespace graft::engine
