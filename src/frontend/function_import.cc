#include "frontend/function_import.h"

#include <algorithm>

#include "base/check.h"
#include "base/dtype.h"
#include "base/log.h"
#include "frontend/compose.h"

namespace graft::frontend {

namespace {

Status check_signature(NodeImport& n, std::string_view function, const char* what,
                       const std::vector<DType>& got, const std::vector<DType>& want) {
  const std::string name = "function '" + printable(function) + "' ";
  if (got.size() != want.size())
    return n.refuse("function", name + "has " + std::to_string(got.size()) + " " + what +
                                    "s, the node expects " + std::to_string(want.size()));
  for (size_t i = 0; i < got.size(); ++i) {
    if (got[i] != want[i])
      return n.refuse("function", name + what + " " + std::to_string(i) + " is " +
                                      dtype_name(got[i]) + ", the node expects " +
                                      dtype_name(want[i]));
  }
  return ok_status();
}

}  // namespace

Result<graphdef::FunctionGraph> find_function(NodeImport& n, std::string_view name,
                                              const std::vector<DType>& args,
                                              const std::vector<DType>& returns) {
  ImportScope& scope = n.scope();
  if (scope.depth >= ir::kMaxBodyDepth)
    return n.refuse("function", "functions call each other more than " +
                                    std::to_string(ir::kMaxBodyDepth) + " deep");
  for (const graphdef::Function& f : scope.library.functions)
    if (f.name == name) scope.functions_left -= static_cast<int64_t>(f.raw.size()) / 64 + 1;
  if (scope.functions_left < 0)
    return n.refuse("function", "the functions that it runs are too large in all");
  auto function = graphdef::function_graph(scope.library, name, n.limits());
  if (!function.ok()) return n.refuse("function", function.status().message());
  GRAFT_RETURN_IF_ERROR(check_signature(n, name, "argument", function->arg_dtypes, args));
  GRAFT_RETURN_IF_ERROR(check_signature(n, name, "return", function->return_dtypes, returns));
  return function;
}

int32_t passed_argument(const graphdef::FunctionGraph& function, size_t i) {
  graphdef::InputRef ref = function.returns[i];
  for (;;) {
    if (ref.port != 0) return -1;
    if (static_cast<size_t>(ref.node) < function.arg_dtypes.size()) return ref.node;
    const graphdef::Node& node = function.graph.nodes[static_cast<size_t>(ref.node)];
    if (node.op != "Identity" || node.inputs.empty()) return -1;
    ref = node.inputs[0];
  }
}

FunctionArg function_arg(const NodeImport& n, ir::ValueId outer, bool stays, bool fixed) {
  const TensorList* list = n.list(outer);
  const ir::Value& value = n.at(outer);
  bool known = value.is_const();
  if (!known && value.host && value.type.dtype != DType::kBool)
    known =
        std::all_of(value.host->begin(), value.host->end(), [](ir::Dim d) { return d.is_const(); });
  return {outer, !(list && list->open) && !(fixed && known), stays, fixed};
}

std::vector<ir::ValueId> inputs_of(const std::vector<FunctionArg>& args) {
  std::vector<ir::ValueId> inputs;
  for (bool stays : {false, true}) {
    for (const FunctionArg& arg : args)
      if (arg.is_input && arg.stays == stays) inputs.push_back(arg.outer);
  }
  return inputs;
}

Result<ImportedFunction> import_closing(NodeImport& n, const graphdef::FunctionGraph& function,
                                        std::vector<FunctionArg>& args) {
  for (;;) {
    std::map<int32_t, std::vector<ir::Dim>> learned;
    auto imported = import_function(n, function, args, learned);
    if (imported.ok() || learned.empty()) return imported;
    for (const auto& [index, dims] : learned) {  // each closes a list, so that this ends
      FunctionArg& arg = args[static_cast<size_t>(index)];
      GRAFT_ASSIGN_OR_RETURN(arg.outer, close_list(n, arg.outer, dims));
      arg.is_input = true;
    }
  }
}

Result<ir::ValueId> close_list(NodeImport& n, ir::ValueId list, const std::vector<ir::Dim>& dims) {
  const TensorList info = *n.list(list);
  if (!info.open) return list;
  if (info.declared) {
    bool fits = info.declared->size() == dims.size();
    for (size_t i = 0; fits && i < dims.size(); ++i) {
      const ir::Dim d = (*info.declared)[i];
      fits = !d.is_const() || d.value() < 0 || !dims[i].is_const() || d == dims[i];
    }
    if (!fits) return n.refuse("list_shape", "its elements do not have the list's shape");
  }
  if (info.arg >= 0) {
    n.scope().learned.emplace(info.arg, dims);
    return n.refuse("list_shape", "the list's element shape was not known");
  }
  std::vector<ir::ValueId> extents{list};
  for (ir::Dim d : dims) {
    ir::ValueId extent = ir::kNoValue;
    if (d.is_const()) {
      extent = n.constant_ints({d.value()}, DType::kInt32);
    } else {
      // An input of the node that has the extent along one of its axes.
      for (size_t i = 0; i < n.inputs() && extent == ir::kNoValue; ++i) {
        const ir::ValueId src = n.known_in(i);
        if (src == ir::kNoValue) continue;
        const auto found = std::find(n.at(src).type.dims.begin(), n.at(src).type.dims.end(), d);
        if (found == n.at(src).type.dims.end()) continue;
        const auto axis = static_cast<int>(found - n.at(src).type.dims.begin());
        GRAFT_ASSIGN_OR_RETURN(const ir::ValueId scalar,
                               extent_scalar(n, src, axis, DType::kInt32));
        GRAFT_ASSIGN_OR_RETURN(extent, n.reshape(scalar, {1}));
      }
      if (extent == ir::kNoValue)
        return n.refuse("list_shape", "no input has an extent of the list's elements");
    }
    extents.push_back(extent);
  }
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId shape, n.emit(ir::ConcatAttrs{0}, extents));
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId zeros,
                         n.emit(ir::FillAttrs{}, {shape, n.constant_scalar(0, info.dtype)}));
  TensorList closed = info;
  closed.open = false;
  n.mark_list(zeros, std::move(closed));
  return zeros;
}

}  // namespace graft::frontend
