// The driver of the import: one walk over the graph in topological order, one table lookup a node.
#include "frontend/import.h"

#include <algorithm>
#include <unordered_map>

#include "base/check.h"
#include "base/dtype.h"
#include "base/log.h"
#include "frontend/complex_values.h"
#include "frontend/converters.h"
#include "frontend/function_import.h"
#include "frontend/node_import.h"
#include "frontend/symbol_map.h"

namespace graft::frontend {

namespace {

// Nodes that all functions together may have, one function once for every node that runs it.
constexpr int64_t kMaxFunctionWork = int64_t{1} << 20;

using Table = std::unordered_map<std::string_view, const OpEntry*>;

constexpr std::span<const OpEntry> (*kFamilies[])() = {
    structure_ops,      unary_ops,
    binary_ops,         convolution_ops,
    pooling_ops,        matmul_ops,
    einsum_ops,         normalization_ops,
    reduction_ops,      reshaping_ops,
    joining_ops,        slicing_ops,
    generating_ops,     image_ops,
    quantization_ops,   transposed_conv_ops,
    batch_space_ops,    rearranging_ops,
    matrix_part_ops,    composed_math_ops,
    indexed_ops,        control_flow_ops,
    tensor_list_ops,    volume_conv_ops,
    volume_pooling_ops, volume_transposed_conv_ops,
    segment_ops,        patch_ops,
    data_format_ops,    counting_ops,
    quantized_type_ops, detection_ops,
    recurrent_ops,      spectral_ops,
    complex_ops};

const Table& table() {
  static const Table rows = [] {
    Table t;
    for (const auto family : kFamilies) {
      for (const OpEntry& row : family()) t.emplace(row.op, &row);
    }
    return t;
  }();
  return rows;
}

// Rows of ops over complex inputs.
const Table& complex_table() {
  static const Table rows = [] {
    Table t;
    for (const OpEntry& row : complex_rows()) t.emplace(row.op, &row);
    return t;
  }();
  return rows;
}

// The row of every op that has a user's converter.
constexpr OpEntry kOwn{.op = "", .fn = nullptr, .min_inputs = 0, .max_inputs = -1};
// Imports that are given up for what a converter made; then none is run.
constexpr int kMaxConverterRounds = 8;

// Undoes what a refused importer has added.
struct Mark {
  size_t values, ops, inputs;
  void roll_back(Imported& imported) const {
    imported.network.values.resize(values);
    imported.network.ops.resize(ops);
    imported.network.inputs.resize(inputs);  // outputs of native nodes of a function
    const auto is_new = [&](const auto& entry) {
      return static_cast<size_t>(entry.first) >= values;
    };
    std::erase_if(imported.lists, is_new);
    std::erase_if(imported.foreign, is_new);
  }
};

class Importer {
 public:
  // `start`: what is there before the first node.
  Importer(const graphdef::Graph& graph, const Limits& limits, const ImportOptions& options,
           ImportScope& scope, Imported start = {})
      : graph_(graph), limits_(limits), options_(options), scope_(scope), out_(std::move(start)) {
    out_.support.resize(graph.nodes.size());
    out_.values.resize(graph.nodes.size());
    out_.ops.resize(graph.nodes.size());
  }

  Status add(int32_t index) {
    const graphdef::Node& node = graph_.nodes[static_cast<size_t>(index)];
    const Mark mark = here();
    const UserConverter* const own = converter_of(node.op);
    const OpEntry* const row = row_of(node);
    if (const auto reason = rejected_.find(index); reason != rejected_.end()) {
      keep_native(index, {false, "converter", reason->second, "", false},
                  native_output_types(graph_, index, out_));
    } else if (own) {
      GRAFT_RETURN_IF_ERROR(run(index, kOwn, own));
    } else if (!row) {
      keep_native(index, refusal_of_unknown_op(node), native_output_types(graph_, index, out_));
    } else {
      GRAFT_RETURN_IF_ERROR(run(index, *row));
    }
    if (scope_.depth == 0 && options_.fed.contains(node.name)) forget(index, mark);
    return ok_status();
  }

  // The node is argument `index` of a function.
  void give(int32_t index, ir::ValueId value) {
    out_.support[static_cast<size_t>(index)].yes = true;
    out_.values[static_cast<size_t>(index)] = {value};
  }

  // Nodes that stay native, and why: the rest of the graph can't take what converters made there.
  void reject(const std::unordered_map<int32_t, std::string>& nodes) { rejected_ = nodes; }
  // Nodes at or above `index` that users' converters made.
  std::vector<int32_t> converted_above(int32_t index) const {
    std::vector<bool> seen(graph_.nodes.size(), false);
    std::vector<int32_t> result, stack{index};
    seen[static_cast<size_t>(index)] = true;
    while (!stack.empty() && !out_.converters.empty()) {
      const int32_t node = stack.back();
      stack.pop_back();
      if (out_.converters.contains(node)) result.push_back(node);
      for (graphdef::InputRef ref : graph_.nodes[static_cast<size_t>(node)].inputs) {
        if (seen[static_cast<size_t>(ref.node)]) continue;
        seen[static_cast<size_t>(ref.node)] = true;
        stack.push_back(ref.node);
      }
    }
    return result;
  }

  const Imported& imported() const { return out_; }
  Imported take() { return std::move(out_); }

 private:
  const OpEntry* row_of(const graphdef::Node& node) const {
    if (const auto row = complex_table().find(node.op);
        row != complex_table().end() && has_complex_input(node))
      return row->second;
    const auto row = table().find(node.op);
    return row == table().end() ? nullptr : row->second;
  }

  bool has_complex_input(const graphdef::Node& node) const {
    for (const graphdef::InputRef ref : node.inputs) {
      const auto& ports = out_.values[static_cast<size_t>(ref.node)];
      if (static_cast<size_t>(ref.port) >= ports.size()) continue;
      const auto it = out_.foreign.find(ports[static_cast<size_t>(ref.port)]);
      if (it != out_.foreign.end() && part_of(it->second) != DType::kInvalid) return true;
    }
    return false;
  }

  Mark here() const {
    return {out_.network.values.size(), out_.network.ops.size(), out_.network.inputs.size()};
  }

  // Makes the outputs of a fed node inputs of the network: they may hold other values, and have
  // other extents where these are not constants.
  void forget(int32_t index, const Mark& mark) {
    const auto i = static_cast<size_t>(index);
    std::vector<ir::TensorType> types;
    for (ir::ValueId id : out_.values[i]) {
      ir::TensorType type;
      type.dtype = DType::kVariant;  // nothing that an engine may take
      if (id != ir::kNoValue && !out_.lists.contains(id))
        type = out_.network.values[static_cast<size_t>(id)].type;
      for (ir::Dim& dim : type.dims)
        if (!dim.is_const()) dim = ir::Dim(-1);
      types.push_back(std::move(type));
    }
    mark.roll_back(out_);
    out_.values[i].clear();
    out_.ops[i].clear();
    out_.inlined.erase(index);
    out_.converters.erase(index);
    keep_native(index, {false, "input_node", "named in inputs: it is fed", "", false}, types);
  }

  const UserConverter* converter_of(std::string_view op) const {
    if (!scope_.converters) return nullptr;
    const auto it = scope_.converters->find(op);
    return it == scope_.converters->end() ? nullptr : it->second.get();
  }

  // Outputs that consumers and fetches read must have been made.
  Status check_reads(NodeImport& n, int32_t index, const UserConverter& own) {
    if (reads_.empty()) {
      reads_.resize(graph_.nodes.size(), 0);
      const auto read = [&](graphdef::InputRef ref) {
        int32_t& ports = reads_[static_cast<size_t>(ref.node)];
        ports = std::max(ports, ref.port + 1);
      };
      for (const graphdef::Node& node : graph_.nodes)
        for (graphdef::InputRef ref : node.inputs) read(ref);
      if (scope_.depth == 0)
        for (graphdef::InputRef ref : options_.fetched) read(ref);
    }
    const int32_t ports = reads_[static_cast<size_t>(index)];
    if (n.outputs().size() >= static_cast<size_t>(ports)) return ok_status();
    return n.refuse("converter", own.title() + "it set " + std::to_string(n.outputs().size()) +
                                     " outputs, the graph reads output " +
                                     std::to_string(ports - 1));
  }

  // `own`: the user's converter that stands for the entry's importer.
  Status run(int32_t index, const OpEntry& entry, const UserConverter* own = nullptr) {
    NodeImport n(graph_, index, entry, out_, limits_, options_, scope_);
    GRAFT_RETURN_IF_ERROR(check_input_count(n, entry));
    GRAFT_RETURN_IF_ERROR(check_ports(n));
    const Mark mark = here();
    Status status = entry.any_inputs ? ok_status() : check_input_types(n, entry);
    if (status.ok()) status = own ? run_converter(n, *own) : entry.fn(n);
    if (status.ok() && own) status = check_reads(n, index, *own);
    if (status.ok()) {
      if (const auto attr = n.unhandled_attr(); !attr.empty())
        status = n.refuse("unsupported_attr", "attribute '" + printable(attr) + "' is not handled");
    }
    if (status.ok()) status = check_outputs(n);
    if (status.ok()) {
      accept(index, n, mark);
      if (own) out_.converters[index] = {own->name};
      return ok_status();
    }
    if (status.code() != Code::kUnsupported) return in_node(n, status);
    mark.roll_back(out_);
    out_.converters.erase(index);
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

  Status check_input_types(NodeImport& n, const OpEntry& entry) {
    for (size_t i = 0; i < n.inputs(); ++i) {
      const graphdef::InputRef ref = n.node().inputs[i];
      const auto& ports = out_.values[static_cast<size_t>(ref.node)];
      const std::string what =
          "input " + std::to_string(i) + " '" + printable(graphdef::tensor_name(graph_, ref)) + "'";
      if (static_cast<size_t>(ref.port) >= ports.size() ||
          ports[static_cast<size_t>(ref.port)] == ir::kNoValue)
        return n.refuse("rank",
                        what + " has no known dtype and rank" +
                            (entry.complex_inputs
                                 ? ", or is complex, which no engine takes from other nodes than "
                                   "its own"
                                 : ""),
                        "give the placeholder a shape, or add shapes to the graph "
                        "(as_graph_def(add_shapes=True))");
      if (!n.is_plain(n.in(i)) && n.node().op == "Identity") continue;  // passes them on, too
      if (n.list(n.in(i))) return n.refuse("resource", what + " is a tensor list");
      const DType foreign = n.foreign(n.in(i));
      if (entry.complex_inputs && part_of(foreign) != DType::kInvalid) continue;
      const DType dtype = foreign == DType::kInvalid ? n.dtype(i) : foreign;
      if (!is_plan_dtype(dtype)) return n.refuse("dtype", what + " is " + dtype_name(dtype));
    }
    return ok_status();
  }

  Status check_outputs(NodeImport& n) const {
    for (ir::ValueId id : n.outputs()) {
      if (id != ir::kNoValue && n.at(id).type.rank() > limits_.max_rank)
        return n.refuse("rank", "an output has rank " + std::to_string(n.at(id).type.rank()) +
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
    for (size_t op = mark.ops; op < out_.network.ops.size(); ++op) {
      out_.network.ops[op].source = index;  // that of a function's node means nothing here
      out_.ops[i].push_back(static_cast<int32_t>(op));
    }
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
  ImportScope& scope_;
  Imported out_;
  std::unordered_map<int32_t, std::string> rejected_;
  std::vector<int32_t> reads_;  // per node: one more than the last output that is read
};

// Nodes that the function's returns and side effects need, in order.
std::vector<int32_t> needed_nodes(const graphdef::FunctionGraph& function) {
  const graphdef::Graph& graph = function.graph;
  std::vector<bool> needed(graph.nodes.size(), false);
  std::vector<int32_t> stack;
  const auto need = [&](int32_t node) {
    if (needed[static_cast<size_t>(node)]) return;
    needed[static_cast<size_t>(node)] = true;
    stack.push_back(node);
  };
  for (graphdef::InputRef ref : function.returns) need(ref.node);
  for (int32_t node : function.control_returns) need(node);
  while (!stack.empty()) {
    const graphdef::Node& node = graph.nodes[static_cast<size_t>(stack.back())];
    stack.pop_back();
    for (graphdef::InputRef ref : node.inputs) need(ref.node);
    for (int32_t control : node.control_inputs) need(control);
  }
  std::vector<int32_t> result;
  for (int32_t node : graphdef::topological_order(graph))
    if (needed[static_cast<size_t>(node)]) result.push_back(node);
  return result;
}

// A constant of the elements that the host knows.
ir::ValueId host_constant(const ir::Value& value, ir::Network& network) {
  std::vector<int64_t> dims, elems;
  for (ir::Dim d : value.type.dims) dims.push_back(d.value());
  for (ir::Dim d : *value.host) elems.push_back(d.value());
  if (value.type.dtype == DType::kInt64)
    return network.add_constant_of<int64_t>(value.name, dims, elems);
  const std::vector<int32_t> narrow(elems.begin(), elems.end());
  return network.add_constant_of<int32_t>(value.name, dims, narrow);
}

// The arguments in the function's network: its inputs, constants, and values that stand for open
// lists.
std::vector<ir::ValueId> make_arguments(NodeImport& n, const std::vector<FunctionArg>& args,
                                        Imported& start) {
  ir::Network& network = start.network;
  std::vector<ir::ValueId> values(args.size());
  size_t input = 0;
  for (bool stays : {false, true}) {
    for (size_t i = 0; i < args.size(); ++i)
      if (args[i].is_input && args[i].stays == stays) values[i] = network.inputs[input++];
  }
  for (size_t i = 0; i < args.size(); ++i) {
    const ir::Value& outer = n.at(args[i].outer);
    const TensorList* list = n.list(args[i].outer);
    if (args[i].is_input) {
    } else if (list && list->open) {
      values[i] = network.add_value(outer.name, {DType::kInt32, {ir::Dim(1)}});
    } else if (outer.is_const()) {
      values[i] = network.add_constant(outer.name, outer.type, *outer.constant);
    } else {
      values[i] = host_constant(outer, network);
    }
    if (!list) continue;
    TensorList inner = *list;
    if (inner.open) inner.arg = static_cast<int32_t>(i);
    // Extents of the caller mean nothing here.
    for (size_t d = 0; inner.declared && d < inner.declared->size(); ++d)
      if (!(*inner.declared)[d].is_const()) (*inner.declared)[d] = ir::Dim(-1);
    start.lists[values[i]] = std::move(inner);
  }
  return values;
}

// Imports what the function's returns and side effects need. A refusal of one of its nodes
// refuses the caller.
Status import_body(NodeImport& n, const graphdef::FunctionGraph& function,
                   const std::vector<ir::ValueId>& args, ImportScope& scope, Importer& importer) {
  for (size_t i = 0; i < args.size(); ++i) importer.give(static_cast<int32_t>(i), args[i]);
  for (int32_t index : needed_nodes(function)) {
    if (static_cast<size_t>(index) < args.size()) continue;
    GRAFT_RETURN_IF_ERROR(scope.work.spend(1, "importing functions"));
    --scope.functions_left;
    const graphdef::Node& node = function.graph.nodes[static_cast<size_t>(index)];
    const Status status = importer.add(index);
    const Support& support = importer.imported().support[static_cast<size_t>(index)];
    if (status.ok() && (support.yes || node.op == "NoOp")) continue;
    if (!status.ok() && status.code() != Code::kInvalidGraph) return status;
    return n.refuse(
        status.ok() ? support.code : "function",
        "node '" + printable(node.name) + "' (" + printable(node.op) +
            ") of a function that it runs: " + (status.ok() ? support.reason : status.message()),
        support.hint);
  }
  return ok_status();
}

Result<std::vector<ir::ValueId>> returns_of(NodeImport& n, const graphdef::FunctionGraph& function,
                                            const Imported& imported) {
  std::vector<ir::ValueId> returns;
  for (size_t i = 0; i < function.returns.size(); ++i) {
    const graphdef::InputRef ref = function.returns[i];
    const auto& ports = imported.values[static_cast<size_t>(ref.node)];
    const ir::ValueId id = static_cast<size_t>(ref.port) < ports.size()
                               ? ports[static_cast<size_t>(ref.port)]
                               : ir::kNoValue;
    const bool is_list = id != ir::kNoValue && imported.lists.contains(id);
    if (id == ir::kNoValue || imported.foreign.contains(id) ||
        is_list != (function.return_dtypes[i] == DType::kVariant) ||
        (!is_list &&
         imported.network.values[static_cast<size_t>(id)].type.dtype != function.return_dtypes[i]))
      return n.refuse("function", "return " + std::to_string(i) +
                                      " of a function that it runs is not of its dtype");
    returns.push_back(id);
  }
  return returns;
}

// Names its nodes as if they stood where they are called: "caller/node".
void prefix_names(std::string_view caller, graphdef::Graph& graph) {
  auto names = std::make_shared<std::vector<std::string>>();
  names->reserve(graph.nodes.size());
  for (graphdef::Node& node : graph.nodes) {
    names->push_back(std::string(caller) + "/" + std::string(node.name));
    node.name = names->back();
  }
  graph.owners.push_back(std::move(names));
}

// Gives the network back to the caller, whatever comes of the import.
class LentNetwork {
 public:
  LentNetwork(ir::Network& network, Importer& importer) : network_(network), importer_(importer) {}
  ~LentNetwork() { network_ = importer_.take().network; }
  LentNetwork(const LentNetwork&) = delete;
  LentNetwork& operator=(const LentNetwork&) = delete;

 private:
  ir::Network& network_;
  Importer& importer_;
};

}  // namespace

Result<ImportedFunction> import_function(NodeImport& n, const graphdef::FunctionGraph& function,
                                         const std::vector<FunctionArg>& args,
                                         std::map<int32_t, std::vector<ir::Dim>>& learned) {
  const ImportScope& outer = n.scope();
  ImportScope scope{outer.library, outer.work, outer.depth + 1, outer.functions_left,
                    outer.converters};
  Imported start;
  SymbolMap symbols(n, args, start.network);
  std::vector<ir::ValueId> values = make_arguments(n, args, start);
  for (size_t i = 0; i < args.size(); ++i) {  // what is shape arithmetic outside is so within
    if (!args[i].fixed || !args[i].is_input || n.list(args[i].outer)) continue;
    GRAFT_ASSIGN_OR_RETURN(const ir::ValueId known,
                           symbols.from_extents(n.at(args[i].outer), start.network));
    if (known != ir::kNoValue) values[i] = known;
  }
  Importer importer(function.graph, n.limits(), n.options(), scope, std::move(start));
  const Status status = import_body(n, function, values, scope, importer);
  n.mark_converted(importer.imported().converters);
  for (const auto& [arg, dims] : scope.learned) {
    std::vector<ir::Dim> translated;
    for (ir::Dim d : dims)
      if (const auto mapped = symbols.outward(importer.imported().network, d))
        translated.push_back(*mapped);
    if (translated.size() == dims.size()) learned.emplace(arg, std::move(translated));
  }
  GRAFT_RETURN_IF_ERROR(status);
  ImportedFunction result;
  GRAFT_ASSIGN_OR_RETURN(result.returns, returns_of(n, function, importer.imported()));
  Imported imported = importer.take();
  result.network = std::move(imported.network);
  result.lists = std::move(imported.lists);
  return result;
}

Result<InlinedFunction> inline_function(NodeImport& n, graphdef::FunctionGraph function,
                                        const std::vector<ir::ValueId>& args) {
  const ImportScope& outer = n.scope();
  ImportScope scope{outer.library, outer.work, outer.depth + 1, outer.functions_left,
                    outer.converters};
  prefix_names(n.node().name, function.graph);
  Imported start;
  start.network = std::move(n.network());
  Importer importer(function.graph, n.limits(), n.options(), scope, std::move(start));
  const LentNetwork lent(n.network(), importer);
  GRAFT_RETURN_IF_ERROR(import_body(n, function, args, scope, importer));
  InlinedFunction result;
  const Imported& imported = importer.imported();
  GRAFT_ASSIGN_OR_RETURN(result.returns, returns_of(n, function, imported));
  n.mark_converted(imported.converters);
  for (size_t i = args.size(); i < function.graph.nodes.size(); ++i) {
    if (!imported.support[i].yes) continue;
    const graphdef::Node& node = function.graph.nodes[i];
    const auto inner = imported.inlined.find(static_cast<int32_t>(i));
    if (inner == imported.inlined.end()) {
      result.nodes.push_back({std::string(node.name), std::string(node.op)});
    } else {
      result.nodes.insert(result.nodes.end(), inner->second.begin(), inner->second.end());
    }
  }
  return result;
}

const OpEntry* importer_of(std::string_view op) {
  const auto it = table().find(op);
  return it == table().end() ? nullptr : it->second;
}

Result<Imported> import_all(const graphdef::Graph& graph, WorkContext& work, const Limits& limits,
                            const ImportOptions& options) {
  const std::shared_ptr<const ConverterMap> converters = registered_converters();
  std::unordered_map<int32_t, std::string> rejected;
  for (int round = 0;; ++round) {
    int64_t functions_left = kMaxFunctionWork;
    const bool last = converters && round >= kMaxConverterRounds;
    for (size_t i = 0; last && i < graph.nodes.size(); ++i)
      if (converters->contains(graph.nodes[i].op))
        rejected.emplace(static_cast<int32_t>(i),
                         "no converter is run: the graph could not take what they made of " +
                             std::to_string(rejected.size()) + " other nodes");
    ImportScope scope{graph, work, 0, functions_left, last ? nullptr : converters.get()};
    Importer importer(graph, limits, options, scope);
    importer.reject(rejected);
    Status status;
    std::vector<int32_t> blamed;
    for (int32_t index : graphdef::topological_order(graph)) {
      GRAFT_RETURN_IF_ERROR(work.spend(1, "importing nodes"));
      status = importer.add(index);
      if (status.ok()) continue;
      if (status.code() == Code::kInvalidGraph) blamed = importer.converted_above(index);
      break;
    }
    if (status.ok()) return importer.take();
    if (blamed.empty()) return status;
    for (int32_t node : blamed) {
      std::string names;
      for (const std::string& name : importer.imported().converters.at(node))
        names += (names.empty() ? "'" : ", '") + printable(name) + "'";
      rejected[node] =
          "converter " + names + ": the graph can't take what it made here: " + status.message();
    }
  }
}

std::vector<std::string> supported_ops() {
  std::vector<std::string> names;
  for (const auto& [name, row] : table())
    if (row->always_refused.empty()) names.emplace_back(name);
  std::sort(names.begin(), names.end());
  return names;
}

std::map<std::string, std::vector<std::string>> native_ops() {
  std::map<std::string, std::vector<std::string>> ops = native_classes();
  for (const auto& [name, row] : table())
    if (!row->always_refused.empty()) ops[std::string(row->always_refused)].emplace_back(name);
  for (auto& [code, names] : ops) std::sort(names.begin(), names.end());
  return ops;
}

}  // namespace graft::frontend
