#include "convert/memory.h"

#include <algorithm>
#include <numeric>

#include "backends/winograd_rule.h"
#include "base/checked.h"
#include "base/dtype.h"

namespace graft::convert_detail {
namespace {

int64_t sum(int64_t a, int64_t b) { return checked_add(a, b).value_or(INT64_MAX); }

bool is_view(const ir::Op& op) {
  switch (op.kind()) {
    case ir::OpKind::kReshape:
    case ir::OpKind::kExpandDims:
    case ir::OpKind::kSqueeze:
      return true;
    case ir::OpKind::kUnary:
      return op.as<ir::UnaryAttrs>().fn.fn == ir::UnaryFn::kIdentity;
    default:
      return false;
  }
}

bool packs_operands(ir::OpKind kind) {
  return kind == ir::OpKind::kConv || kind == ir::OpKind::kMatMul || kind == ir::OpKind::kAttention;
}

// Most bytes of activations that are alive at one op.
int64_t peak_activations(const ir::Network& network, const TuningShapes& shapes) {
  const size_t n = network.values.size();
  std::vector<ir::ValueId> root(n);  // the value that has the elements
  std::iota(root.begin(), root.end(), 0);
  std::vector<int32_t> last_use(n, -1);
  for (size_t i = 0; i < network.ops.size(); ++i) {
    const ir::Op& op = network.ops[i];
    if (is_view(op)) {
      root[op.outputs[0]] = root[op.inputs[0]];
      continue;
    }
    for (ir::ValueId id : op.inputs) last_use[root[id]] = static_cast<int32_t>(i);
  }
  std::vector<bool> counted(n, true);
  for (size_t id = 0; id < n; ++id) counted[id] = !network.values[id].is_const();
  for (const auto* border : {&network.inputs, &network.outputs})
    for (ir::ValueId id : *border) counted[root[id]] = false;
  int64_t alive = 0, peak = 0;
  for (size_t i = 0; i < network.ops.size(); ++i) {
    const ir::Op& op = network.ops[i];
    if (is_view(op)) continue;
    const auto now = static_cast<int32_t>(i);
    std::vector<ir::ValueId> freed;
    for (ir::ValueId id : op.outputs) {
      if (!counted[id]) continue;
      alive = sum(alive, shapes.bytes_of(id));
      if (last_use[id] < 0) freed.push_back(id);
    }
    peak = std::max(peak, alive);
    if (peak == INT64_MAX) break;  // what stays alive can't be told any more
    for (ir::ValueId id : op.inputs)
      if (counted[root[id]] && last_use[root[id]] == now) freed.push_back(root[id]);
    std::sort(freed.begin(), freed.end());
    freed.erase(std::unique(freed.begin(), freed.end()), freed.end());
    for (ir::ValueId id : freed) alive -= shapes.bytes_of(id);
  }
  return peak;
}

// Of the networks that the op runs; their activations are small beside what the loop carries.
int64_t body_weights(const ir::Op& op) {
  int64_t bytes = 0;
  for (const auto& body : op.bodies) {
    for (const ir::Value& value : body->values)
      if (value.is_const())
        bytes = sum(bytes, ir::const_elems(value.type) *
                               static_cast<int64_t>(dtype_size(value.type.dtype)));
    for (const ir::Op& inner : body->ops) bytes = sum(bytes, body_weights(inner));
  }
  return bytes;
}

}  // namespace

void estimate_memory(const ir::Network& network, const TuningShapes& shapes,
                     int64_t max_workspace_bytes, EngineReport& report) {
  int64_t weights = 0;
  for (size_t id = 0; id < network.values.size(); ++id)
    if (network.values[id].is_const())
      weights = sum(weights, shapes.bytes_of(static_cast<ir::ValueId>(id)));
  for (const ir::Op& op : network.ops) weights = sum(weights, body_weights(op));
  for (size_t i = 0; i < network.ops.size(); ++i) {
    if (!report.layers[i].winograd_allowed) continue;
    const ir::ValueId id = network.ops[i].inputs[1];
    const std::vector<int64_t> dims = shapes.extents(network.values[id].type);
    const std::vector<int64_t> dst = shapes.extents(network.values[network.ops[i].outputs[0]].type);
    const int form = backends::winograd_form(dims[0], dims[1], dims[2], dims[3], dst[1], dst[2]);
    const int64_t taps = dims[0] * dims[1];
    weights =
        sum(weights, shapes.bytes_of(id) / taps * (cpu::kWinogradForm[form].positions() - taps));
  }
  report.weights_memory_bytes = weights;
  report.activations_bytes = peak_activations(network, shapes);
  for (const ir::Op& op : network.ops) {
    if (!packs_operands(op.kind())) continue;
    int64_t traffic = 0;
    for (const auto* ids : {&op.inputs, &op.outputs})
      for (ir::ValueId id : *ids)
        if (!network.values[id].is_const()) traffic = sum(traffic, shapes.bytes_of(id));
    report.scratch_bytes = std::max(report.scratch_bytes, traffic);
  }
  report.scratch_bytes = std::min(report.scratch_bytes, max_workspace_bytes);
  report.memory_bytes = sum(sum(weights, report.activations_bytes), report.scratch_bytes);
}

std::vector<bool> keep_within(std::span<const EngineCost> engines, int64_t limit_bytes) {
  std::vector<size_t> order(engines.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return engines[a].flops > engines[b].flops; });
  std::vector<bool> kept(engines.size());
  int64_t left = limit_bytes;
  for (size_t e : order) {
    if (engines[e].memory_bytes > left) continue;
    left -= engines[e].memory_bytes;
    kept[e] = true;
  }
  return kept;
}

}  // namespace graft::convert_detail
