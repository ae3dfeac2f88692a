// While, If and Case: the functions that they run become bodies of while and branch ops. Calls: the
// function's nodes are imported in their place.
//
// Inputs that a loop hands on unchanged are no carried tensors: constants among them are constants
// of its bodies, the others are inputs that stay. An open tensor list among the inputs gets its
// element extents from what the body puts into it, so that a body may be imported several times.
#include <algorithm>

#include "base/dtype.h"
#include "base/log.h"
#include "frontend/function_import.h"

namespace graft::frontend {

namespace {

Result<std::string_view> function_attr(NodeImport& n, std::string_view name) {
  n.ignore({name});
  const graphdef::AttrView* attr = n.node().find_attr(name);
  if (!attr) return n.invalid("attribute '" + std::string(name) + "' is missing");
  GRAFT_ASSIGN_OR_RETURN(const graphdef::AttrValue value, graphdef::decode_attr(attr->value));
  if (value.kind != graphdef::AttrValue::Kind::kFunc)
    return n.invalid("attribute '" + std::string(name) + "' is no function");
  return value.func.name;
}

Result<std::vector<DType>> types_attr(NodeImport& n, std::string_view name) {
  n.ignore({name});
  return graphdef::attr_type_list(n.node(), name);
}

// Inputs from `first` on as arguments of type `types`.
Status check_arguments(NodeImport& n, size_t first, const std::vector<DType>& types) {
  if (types.size() + first != n.inputs())
    return n.invalid("lists " + std::to_string(types.size()) + " dtypes for " +
                     std::to_string(n.inputs() - first) + " inputs");
  for (size_t i = 0; i < types.size(); ++i) {
    const ir::ValueId id = n.known_in(i + first);
    const std::string what =
        "input " + std::to_string(i + first) + " '" +
        printable(graphdef::tensor_name(n.graph(), n.node().inputs[i + first])) + "'";
    if (id == ir::kNoValue)
      return n.refuse("control_flow", what + " (" + dtype_name(types[i]) +
                                          ") is no tensor of known dtype and rank, nor a tensor "
                                          "list of known length");
    if (n.foreign(id) != DType::kInvalid)
      return n.refuse("dtype", what + " is " + dtype_name(n.foreign(id)) +
                                   ", which stays within an engine and outside of functions");
    const DType got = n.list(id) ? DType::kVariant : n.at(id).type.dtype;
    if (got != types[i])
      return n.invalid(what + " is " + dtype_name(got) + ", expected " + dtype_name(types[i]));
  }
  return ok_status();
}

std::shared_ptr<const ir::Network> finish_body(ir::Network network) {
  ir::compact(network);
  return std::make_shared<const ir::Network>(std::move(network));
}

Status import_while(NodeImport& n) {
  n.ignore({"parallel_iterations", "output_shapes"});
  GRAFT_ASSIGN_OR_RETURN(const std::vector<DType> types, types_attr(n, "T"));
  GRAFT_ASSIGN_OR_RETURN(const std::string_view cond_name, function_attr(n, "cond"));
  GRAFT_ASSIGN_OR_RETURN(const std::string_view body_name, function_attr(n, "body"));
  GRAFT_RETURN_IF_ERROR(check_arguments(n, 0, types));
  GRAFT_ASSIGN_OR_RETURN(const auto body, find_function(n, body_name, types, types));
  GRAFT_ASSIGN_OR_RETURN(const auto cond, find_function(n, cond_name, types, {DType::kBool}));

  std::vector<FunctionArg> args;
  for (size_t i = 0; i < types.size(); ++i) {
    const bool stays = passed_argument(body, i) == static_cast<int32_t>(i);
    args.push_back(function_arg(n, n.known_in(i), stays, stays));
  }
  GRAFT_ASSIGN_OR_RETURN(ImportedFunction step, import_closing(n, body, args));
  GRAFT_ASSIGN_OR_RETURN(ImportedFunction test, import_closing(n, cond, args));
  if (inputs_of(args).size() != step.network.inputs.size()) {  // the condition told of a list
    GRAFT_ASSIGN_OR_RETURN(step, import_closing(n, body, args));
  }
  const ir::Network& net = step.network;
  std::vector<ir::ValueId> next;
  for (size_t i = 0; i < args.size(); ++i) {
    if (args[i].stays) continue;
    const ir::ValueId id = step.returns[i];
    const auto list = step.lists.find(id);
    if (!args[i].is_input || (list != step.lists.end() && list->second.open))
      return n.refuse("list_shape",
                      "nothing tells the element shape of tensor list " + std::to_string(i));
    const ir::TensorType& now = net.values[static_cast<size_t>(net.inputs[next.size()])].type;
    if (!(net.values[static_cast<size_t>(id)].type == now))
      return n.refuse("control_flow", "the shape of loop variable " + std::to_string(i) +
                                          " changes from iteration to iteration, or may");
    next.push_back(id);
  }
  if (next.empty()) return n.refuse("control_flow", "attribute 'T' is empty: it carries nothing");
  if (test.network.values[static_cast<size_t>(test.returns[0])].type.rank() != 0)
    return n.refuse("control_flow", "the result of attribute 'cond' is no scalar");
  test.network.outputs = {test.returns[0]};
  step.network.outputs = next;
  GRAFT_ASSIGN_OR_RETURN(
      const auto outputs,
      n.emit_many(ir::WhileAttrs{}, inputs_of(args), next.size(),
                  {finish_body(std::move(test.network)), finish_body(std::move(step.network))}));
  size_t at = 0;
  for (size_t i = 0; i < args.size(); ++i) {
    if (args[i].stays) {
      n.output(n.known_in(i));
      continue;
    }
    const ir::ValueId id = outputs[at++];
    // The node's port, not the op's output.
    n.network().values[static_cast<size_t>(id)].name =
        std::string(n.node().name) + (i > 0 ? ":" + std::to_string(i) : "");
    if (const TensorList* list = n.list(args[i].outer)) n.mark_list(id, TensorList(*list));
    n.output(id);
  }
  return ok_status();
}

bool same_extent(const ir::Network& a, ir::Dim x, const ir::Network& b, ir::Dim y) {
  if (x.is_const() || y.is_const()) return x == y;
  const ir::DimTable::Expr &p = a.dims.expr(x), &q = b.dims.expr(y);
  return p.op == ir::DimOp::kInput && p == q;
}

bool same_type(const ir::Network& a, ir::ValueId x, const ir::Network& b, ir::ValueId y) {
  const ir::TensorType &p = a.values[static_cast<size_t>(x)].type,
                       &q = b.values[static_cast<size_t>(y)].type;
  if (p.dtype != q.dtype || p.rank() != q.rank()) return false;
  for (size_t i = 0; i < p.dims.size(); ++i)
    if (!same_extent(a, p.dims[i], b, q.dims[i])) return false;
  return true;
}

// Runs function `index` of `names`; the inputs behind input 0 are the arguments.
Status import_branches(NodeImport& n, ir::ValueId index,
                       const std::vector<std::string_view>& names) {
  n.ignore({"output_shapes"});
  GRAFT_ASSIGN_OR_RETURN(const std::vector<DType> takes, types_attr(n, "Tin"));
  GRAFT_ASSIGN_OR_RETURN(const std::vector<DType> gives, types_attr(n, "Tout"));
  GRAFT_RETURN_IF_ERROR(check_arguments(n, 1, takes));
  if (gives.empty())
    return n.refuse("control_flow", "attribute 'Tout' is empty: it has no outputs");
  std::vector<graphdef::FunctionGraph> functions;
  for (std::string_view name : names) {
    GRAFT_ASSIGN_OR_RETURN(auto function, find_function(n, name, takes, gives));
    functions.push_back(std::move(function));
  }
  std::vector<FunctionArg> args;
  for (size_t i = 0; i < takes.size(); ++i)
    args.push_back(function_arg(n, n.known_in(i + 1), false, true));
  std::vector<ImportedFunction> branches;
  for (size_t i = 0; i < functions.size();) {
    const size_t inputs = inputs_of(args).size();
    GRAFT_ASSIGN_OR_RETURN(ImportedFunction branch, import_closing(n, functions[i], args));
    branches.push_back(std::move(branch));
    ++i;
    if (inputs_of(args).size() == inputs) continue;
    branches.clear();  // the functions before were imported without the list
    i = 0;
  }
  std::vector<std::shared_ptr<const ir::Network>> bodies;
  std::vector<bool> is_list(gives.size());
  for (size_t k = 0; k < gives.size(); ++k) {
    const ImportedFunction& first = branches[0];
    for (const ImportedFunction& branch : branches) {
      const auto list = branch.lists.find(branch.returns[k]);
      is_list[k] = list != branch.lists.end();
      if (is_list[k] && list->second.open)
        return n.refuse("list_shape", "nothing tells the element shape of tensor list " +
                                          std::to_string(k) + " that it returns");
      if (!same_type(first.network, first.returns[k], branch.network, branch.returns[k]))
        return n.refuse("control_flow", "output " + std::to_string(k) +
                                            " is not of one dtype and shape in all branches");
    }
  }
  std::vector<TensorList> lists(gives.size());
  for (size_t k = 0; k < gives.size(); ++k) {
    if (!is_list[k]) continue;
    lists[k] = branches[0].lists.at(branches[0].returns[k]);
    lists[k].declared.reset();
  }
  for (ImportedFunction& branch : branches) {
    branch.network.outputs = branch.returns;
    bodies.push_back(finish_body(std::move(branch.network)));
  }
  std::vector<ir::ValueId> inputs = inputs_of(args);
  inputs.insert(inputs.begin(), index);
  GRAFT_ASSIGN_OR_RETURN(const auto outputs,
                         n.emit_many(ir::BranchAttrs{}, inputs, gives.size(), std::move(bodies)));
  for (size_t k = 0; k < gives.size(); ++k) {
    if (is_list[k]) n.mark_list(outputs[k], lists[k]);
    n.output(outputs[k]);
  }
  return ok_status();
}

// Input 0 as a scalar of a plan dtype.
Status check_selector(NodeImport& n) {
  const ir::ValueId id = n.known_in(0);
  if (!n.is_plain(id))
    return n.refuse("control_flow", "input 0 is no tensor of known dtype and rank");
  if (!is_plan_dtype(n.dtype(0))) return n.refuse("dtype", "input 0 is " + dtype_name(n.dtype(0)));
  if (n.rank(0) != 0) return n.refuse("control_flow", "input 0 is no scalar");
  return ok_status();
}

Status import_if(NodeImport& n) {
  GRAFT_RETURN_IF_ERROR(check_selector(n));
  GRAFT_RETURN_IF_ERROR(n.check_type("Tcond", {0}));
  GRAFT_ASSIGN_OR_RETURN(const std::string_view yes, function_attr(n, "then_branch"));
  GRAFT_ASSIGN_OR_RETURN(const std::string_view no, function_attr(n, "else_branch"));
  ir::ValueId cond = n.in(0);
  if (n.dtype(0) != DType::kBool) {
    GRAFT_ASSIGN_OR_RETURN(cond, n.emit(ir::BinaryAttrs{ir::BinaryFn::kNotEqual},
                                        {cond, n.constant_scalar(0, n.dtype(0))}));
  }
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId index, n.cast(cond, DType::kInt32));
  return import_branches(n, index, {no, yes});
}

Status import_case(NodeImport& n) {
  GRAFT_RETURN_IF_ERROR(check_selector(n));
  if (n.dtype(0) != DType::kInt32)
    return n.invalid("input 0 is " + dtype_name(n.dtype(0)) + ", expected int32");
  n.ignore({"branches"});
  const graphdef::AttrView* attr = n.node().find_attr("branches");
  if (!attr) return n.invalid("attribute 'branches' is missing");
  GRAFT_ASSIGN_OR_RETURN(const auto names, graphdef::function_names(attr->value));
  if (names.empty()) return n.invalid("attribute 'branches' lists no functions");
  return import_branches(n, n.in(0), names);
}

Status import_call(NodeImport& n) {
  n.ignore({"config", "config_proto", "executor_type"});
  GRAFT_ASSIGN_OR_RETURN(const std::vector<DType> takes, types_attr(n, "Tin"));
  GRAFT_ASSIGN_OR_RETURN(const std::vector<DType> gives, types_attr(n, "Tout"));
  GRAFT_ASSIGN_OR_RETURN(const std::string_view name, function_attr(n, "f"));
  GRAFT_RETURN_IF_ERROR(check_arguments(n, 0, takes));
  std::vector<ir::ValueId> args;
  for (size_t i = 0; i < n.inputs(); ++i) args.push_back(n.known_in(i));
  const bool passes_lists = std::any_of(args.begin(), args.end(),
                                        [&](ir::ValueId id) { return n.list(id) != nullptr; }) ||
                            std::find(gives.begin(), gives.end(), DType::kVariant) != gives.end();
  if (passes_lists)
    return n.refuse("function_call", "an input or output is a tensor list (variant)");
  GRAFT_ASSIGN_OR_RETURN(auto function, find_function(n, name, takes, gives));
  GRAFT_ASSIGN_OR_RETURN(InlinedFunction inlined, inline_function(n, std::move(function), args));
  for (ir::ValueId id : inlined.returns) n.output(id);
  n.mark_inlined(std::move(inlined.nodes));
  return ok_status();
}

constexpr OpEntry kRows[] = {
    {"While", import_while, 0, -1, 0, true},
    {"StatelessWhile", import_while, 0, -1, 0, true},
    {"If", import_if, 1, -1, 0, true},
    {"StatelessIf", import_if, 1, -1, 0, true},
    {"Case", import_case, 1, -1, 0, true},
    {"StatelessCase", import_case, 1, -1, 0, true},
    {"PartitionedCall", import_call, 0, -1, 0, true},
    {"StatefulPartitionedCall", import_call, 0, -1, 0, true},
};

}  // namespace

std::span<const OpEntry> control_flow_ops() { return kRows; }

}  // namespace graft::frontend
