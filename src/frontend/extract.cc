// extract: a segment's ops, inferred anew over the segment's own inputs.
#include <algorithm>
#include <unordered_map>

#include "base/check.h"
#include "base/log.h"
#include "frontend/import.h"
#include "ir/infer.h"
#include "ir/verify.h"

namespace graft::frontend {

namespace {

class Extractor {
 public:
  Extractor(const graphdef::Graph& graph, const Imported& imported)
      : graph_(graph), imported_(imported) {}

  Status add_input(graphdef::InputRef ref) {
    const ir::ValueId old = value_of(ref);
    GRAFT_CHECK(old != ir::kNoValue,
                "segment input '" + graphdef::tensor_name(graph_, ref) + "' has no type");
    ir::TensorType type = source(old).type;
    const auto number = static_cast<int64_t>(net_.inputs.size());
    for (int axis = 0; axis < type.rank(); ++axis) {
      ir::Dim& dim = type.dims[static_cast<size_t>(axis)];
      if (dim.is_const()) continue;
      // Dims that were equal in the whole graph stay equal: they share the symbol of the first
      // input that has them.
      auto [known, fresh] = symbols_.try_emplace(dim.id(), ir::Dim());
      if (fresh) known->second = net_.dims.input(number, axis);
      dim = known->second;
    }
    const ir::ValueId id = net_.add_value(graphdef::tensor_name(graph_, ref), std::move(type));
    net_.inputs.push_back(id);
    ids_.try_emplace(old, id);
    return ok_status();
  }

  Status add_op(const ir::Op& old) {
    ir::Op op = old;
    for (ir::ValueId& id : op.inputs) {
      GRAFT_ASSIGN_OR_RETURN(const ir::ValueId mapped, map(id));
      id = mapped;
    }
    std::vector<ir::InferInput> known;
    for (ir::ValueId id : op.inputs) {
      const ir::Value& value = net_.values[static_cast<size_t>(id)];
      known.push_back({&value.type, value.host ? &*value.host : nullptr});
    }
    auto inferred = ir::infer(op, known, op.outputs.size(), net_.dims);
    if (!inferred.ok())
      return inferred.status().with_context("node \"" + printable(op.name) + "\"");
    for (size_t i = 0; i < op.outputs.size(); ++i) {
      ir::InferOutput& out = (*inferred)[i];
      const ir::ValueId id = net_.add_value(source(op.outputs[i]).name, std::move(out.type));
      net_.values[static_cast<size_t>(id)].host = std::move(out.host);
      ids_[op.outputs[i]] = id;
      op.outputs[i] = id;
    }
    net_.ops.push_back(std::move(op));
    return ok_status();
  }

  Status add_output(graphdef::InputRef ref) {
    const ir::ValueId old = value_of(ref);
    GRAFT_CHECK(old != ir::kNoValue,
                "segment output '" + graphdef::tensor_name(graph_, ref) + "' has no type");
    GRAFT_ASSIGN_OR_RETURN(const ir::ValueId id, map(old));
    net_.outputs.push_back(id);
    return ok_status();
  }

  ir::Network& network() { return net_; }

 private:
  ir::ValueId value_of(graphdef::InputRef ref) const {
    const auto& ports = imported_.values[static_cast<size_t>(ref.node)];
    return static_cast<size_t>(ref.port) < ports.size() ? ports[static_cast<size_t>(ref.port)]
                                                        : ir::kNoValue;
  }
  const ir::Value& source(ir::ValueId id) const {
    return imported_.network.values[static_cast<size_t>(id)];
  }

  Result<ir::ValueId> map(ir::ValueId old) {
    if (auto it = ids_.find(old); it != ids_.end()) return it->second;
    const ir::Value& value = source(old);
    GRAFT_CHECK(value.is_const(),
                "'" + value.name + "' is neither an input, a constant nor computed in the segment");
    const ir::ValueId id = net_.add_constant(value.name, value.type, *value.constant);
    ids_.emplace(old, id);
    return id;
  }

  const graphdef::Graph& graph_;
  const Imported& imported_;
  ir::Network net_;
  std::unordered_map<ir::ValueId, ir::ValueId> ids_;
  std::unordered_map<int32_t, ir::Dim> symbols_;
};

}  // namespace

Result<ir::Network> extract(const graphdef::Graph& graph, const Imported& imported,
                            std::span<const int32_t> nodes,
                            std::span<const graphdef::InputRef> inputs,
                            std::span<const graphdef::InputRef> outputs) {
  Extractor extractor(graph, imported);
  for (graphdef::InputRef ref : inputs) GRAFT_RETURN_IF_ERROR(extractor.add_input(ref));
  std::vector<int32_t> ops;
  for (int32_t node : nodes) {
    const auto& of_node = imported.ops[static_cast<size_t>(node)];
    ops.insert(ops.end(), of_node.begin(), of_node.end());
  }
  std::sort(ops.begin(), ops.end());  // import order is topological
  for (int32_t op : ops)
    GRAFT_RETURN_IF_ERROR(extractor.add_op(imported.network.ops[static_cast<size_t>(op)]));
  for (graphdef::InputRef ref : outputs) GRAFT_RETURN_IF_ERROR(extractor.add_output(ref));
  GRAFT_RETURN_IF_ERROR(ir::verify(extractor.network()));
  return std::move(extractor.network());
}

}  // namespace graft::frontend
