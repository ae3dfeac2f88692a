// The driver of the import: one walk over the graph in topological order, one table lookup a node.
#include "frontend/import.h"

#include <algorithm>
#include <unordered_map>

#include "base/check.h"
#include "base/dtype.h"
#include "base/log.h"
#include "frontend/node_import.h"

namespace graft::frontend {

namespace {

using Table = std::unordered_map<std::string_view, const OpEntry*>;

const Table& table() {
  static const Table rows = [] {
    Table t;
    for (auto family :
         {structure_ops(),   unary_ops(),       binary_ops(),       convolution_ops(),
          pooling_ops(),     matmul_ops(),      einsum_ops(),       normalization_ops(),
          reduction_ops(),   reshaping_ops(),   joining_ops(),      slicing_ops(),
          generating_ops(),  image_ops(),       quantization_ops(), transposed_conv_ops(),
          batch_space_ops(), rearranging_ops(), matrix_part_ops(),  composed_math_ops(),
          indexed_ops()})
      for (const OpEntry& row : family) t.emplace(row.op, &row);
    return t;
  }();
  return rows;
}

// Undoes what a refused importer has added.
struct Mark {
  size_t values, ops;
  void roll_back(ir::Network& net) const {
    net.values.resize(values);
    net.ops.resize(ops);
  }
};

class Importer {
 public:
  Importer(const graphdef::Graph& graph, const Limits& limits, const ImportOptions& options)
      : graph_(graph), limits_(limits), options_(options) {
    out_.support.resize(graph.nodes.size());
    out_.values.resize(graph.nodes.size());
    out_.ops.resize(graph.nodes.size());
  }

  Status add(int32_t index) {
    const graphdef::Node& node = graph_.nodes[static_cast<size_t>(index)];
    auto row = table().find(node.op);
    if (row == table().end()) {
      keep_native(index, refusal_of_unknown_op(node), native_output_types(graph_, index, out_));
      return ok_status();
    }
    return run(index, *row->second);
  }

  Imported take() { return std::move(out_); }

 private:
  Status run(int32_t index, const OpEntry& entry) {
    NodeImport n(graph_, index, entry, out_, limits_, options_);
    GRAFT_RETURN_IF_ERROR(check_input_count(n, entry));
    GRAFT_RETURN_IF_ERROR(check_ports(n));
    const Mark mark{out_.network.values.size(), out_.network.ops.size()};
    Status status = check_input_types(n);
    if (status.ok()) status = entry.fn(n);
    if (status.ok()) {
      if (const auto attr = n.unhandled_attr(); !attr.empty())
        status = n.refuse("unsupported_attr", "attribute '" + printable(attr) + "' is not handled");
    }
    if (status.ok()) status = check_outputs(n);
    if (status.ok()) {
      accept(index, n, mark);
      return ok_status();
    }
    if (status.code() != Code::kUnsupported) return in_node(n, status);
    mark.roll_back(out_.network);
    Support support = n.refusal();
    if (support.code.empty()) support = {false, "unsupported_value", status.message(), "", false};
    auto types = std::move(n.native_outputs());
    if (types.empty()) types = native_output_types(graph_, index, out_);
    keep_native(index, std::move(support), types);
    return ok_status();
  }

  // Errors of attribute access already name the node; the others get its name here.
  static Status in_node(const NodeImport& n, const Status& status) {
    if (status.message().find(n.node().name) != std::string::npos) return status;
    return status.with_context("node \"" + printable(n.node().name) + "\" (" +
                               printable(n.node().op) + ")");
  }

  static Status check_input_count(const NodeImport& n, const OpEntry& entry) {
    const auto got = static_cast<int64_t>(n.inputs());
    if (got >= entry.min_inputs && (entry.max_inputs < 0 || got <= entry.max_inputs))
      return ok_status();
    std::string expected = std::to_string(entry.min_inputs);
    if (entry.max_inputs < 0)
      expected += " or more";
    else if (entry.max_inputs != entry.min_inputs)
      expected += " to " + std::to_string(entry.max_inputs);
    return n.invalid("has " + std::to_string(got) + " inputs, expected " + expected);
  }

  Status check_ports(const NodeImport& n) const {
    for (size_t i = 0; i < n.inputs(); ++i) {
      const graphdef::InputRef ref = n.node().inputs[i];
      const auto& producer = out_.support[static_cast<size_t>(ref.node)];
      const size_t ports = out_.values[static_cast<size_t>(ref.node)].size();
      if (producer.yes && static_cast<size_t>(ref.port) >= ports)
        return n.invalid("input " + std::to_string(i) + " is output " + std::to_string(ref.port) +
                         " of '" + printable(graph_.nodes[static_cast<size_t>(ref.node)].name) +
                         "', which has " + std::to_string(ports));
    }
    return ok_status();
  }

  Status check_input_types(NodeImport& n) {
    for (size_t i = 0; i < n.inputs(); ++i) {
      const graphdef::InputRef ref = n.node().inputs[i];
      const auto& ports = out_.values[static_cast<size_t>(ref.node)];
      const std::string what =
          "input " + std::to_string(i) + " '" + printable(graphdef::tensor_name(graph_, ref)) + "'";
      if (static_cast<size_t>(ref.port) >= ports.size() ||
          ports[static_cast<size_t>(ref.port)] == ir::kNoValue)
        return n.refuse("rank", what + " has no known dtype and rank",
                        "give the placeholder a shape, or add shapes to the graph "
                        "(as_graph_def(add_shapes=True))");
      if (!is_plan_dtype(n.dtype(i)))
        return n.refuse("dtype", what + " is " + dtype_name(n.dtype(i)));
    }
    return ok_status();
  }

  Status check_outputs(NodeImport& n) const {
    for (ir::ValueId id : n.outputs()) {
      if (id != ir::kNoValue && n.at(id).type.rank() > limits_.max_rank)
        return n.refuse("rank", "output has rank " + std::to_string(n.at(id).type.rank()) +
                                    ", at most " + std::to_string(limits_.max_rank) +
                                    " is supported");
    }
    return ok_status();
  }

  void accept(int32_t index, const NodeImport& n, const Mark& mark) {
    const auto i = static_cast<size_t>(index);
    out_.support[i].yes = true;
    out_.support[i].free = n.is_free();
    out_.values[i] = n.outputs();
    for (size_t op = mark.ops; op < out_.network.ops.size(); ++op)
      out_.ops[i].push_back(static_cast<int32_t>(op));
  }

  void keep_native(int32_t index, Support support, const std::vector<ir::TensorType>& types) {
    const auto i = static_cast<size_t>(index);
    out_.support[i] = std::move(support);
    for (size_t port = 0; port < types.size(); ++port) {
      if (!is_plan_dtype(types[port].dtype) || types[port].rank() > limits_.max_rank) {
        out_.values[i].push_back(ir::kNoValue);
        continue;
      }
      out_.values[i].push_back(add_input(
          graphdef::tensor_name(graph_, {index, static_cast<int32_t>(port)}), types[port]));
    }
  }

  ir::ValueId add_input(std::string name, ir::TensorType type) {
    ir::Network& net = out_.network;
    const auto number = static_cast<int64_t>(net.inputs.size());
    for (int axis = 0; axis < type.rank(); ++axis) {
      ir::Dim& dim = type.dims[static_cast<size_t>(axis)];
      if (dim.is_const() && dim.value() < 0) dim = net.dims.input(number, axis);
    }
    const ir::ValueId id = net.add_value(std::move(name), std::move(type));
    net.inputs.push_back(id);
    return id;
  }

  const graphdef::Graph& graph_;
  const Limits& limits_;
  const ImportOptions& options_;
  Imported out_;
};

}  // namespace

Result<Imported> import_all(const graphdef::Graph& graph, WorkContext& work, const Limits& limits,
                            const ImportOptions& options) {
  Importer importer(graph, limits, options);
  for (int32_t index : graphdef::topological_order(graph)) {
    GRAFT_RETURN_IF_ERROR(work.spend(1, "importing nodes"));
    GRAFT_RETURN_IF_ERROR(importer.add(index));
  }
  return importer.take();
}

std::vector<std::string> supported_ops() {
  std::vector<std::string> names;
  for (const auto& [name, row] : table()) names.emplace_back(name);
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace graft::frontend
