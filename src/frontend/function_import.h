// Functions that a node runs: their bodies as networks of their own.
#pragma once

#include <string>
#include <vector>

#include "frontend/node_import.h"
#include "graphdef/function_graph.h"

namespace graft::frontend {

// One argument of a function: a value of the caller.
struct FunctionArg {
  ir::ValueId outer = ir::kNoValue;
  bool is_input = false;  // of the function's network; else a constant of it, or an open list
  bool stays = false;     // inputs that stay come behind those that do not
  bool fixed = false;     // the function never sees another value than the caller's
};
// An argument is an input unless it is an open list, or a value that is known and fixed.
FunctionArg function_arg(const NodeImport& n, ir::ValueId outer, bool stays, bool fixed);
// The caller's values for the inputs of the function's network.
std::vector<ir::ValueId> inputs_of(const std::vector<FunctionArg>& args);

// A function that was imported for the given arguments. Its network has no outputs yet.
struct ImportedFunction {
  ir::Network network;
  std::vector<ir::ValueId> returns;
  std::unordered_map<ir::ValueId, TensorList> lists;
};

// The function of that name, with as many arguments and returns as given and of these dtypes; else
// the node is refused.
Result<graphdef::FunctionGraph> find_function(NodeImport& n, std::string_view name,
                                              const std::vector<DType>& args,
                                              const std::vector<DType>& returns);

// Index of the argument that return `i` is, passed on unchanged; -1: it is none.
int32_t passed_argument(const graphdef::FunctionGraph& function, size_t i);

// Imports the function's body. A refusal of one of its nodes refuses the caller. Where that is
// because the elements of open lists among the arguments were not known, `learned` is what is known
// now: argument -> extents, in the caller's terms.
Result<ImportedFunction> import_function(NodeImport& n, const graphdef::FunctionGraph& function,
                                         const std::vector<FunctionArg>& args,
                                         std::map<int32_t, std::vector<ir::Dim>>& learned);
// The same, with every such list closed in `args`.
Result<ImportedFunction> import_closing(NodeImport& n, const graphdef::FunctionGraph& function,
                                        std::vector<FunctionArg>& args);

// A function whose nodes were imported into the caller's network.
struct InlinedFunction {
  std::vector<ir::ValueId> returns;
  std::vector<InlinedNode> nodes;  // those of functions that it calls included
};

// Imports the function's body where it is called; its nodes are named "caller/node". A refusal of
// one of its nodes refuses the caller. Arguments are no tensor lists.
Result<InlinedFunction> inline_function(NodeImport& n, graphdef::FunctionGraph function,
                                        const std::vector<ir::ValueId>& args);

// The list as one whose elements have the given extents: zeros, if it was open. When it is an open
// argument of a function, the caller learns them and the import of the function is refused.
Result<ir::ValueId> close_list(NodeImport& n, ir::ValueId list, const std::vector<ir::Dim>& dims);

}  // namespace graft::frontend
