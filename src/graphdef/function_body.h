// A function's body as a GraphDef, and such a GraphDef as the function's new body.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "graphdef/attr.h"
#include "graphdef/function_graph.h"

namespace graft::graphdef {

// The GraphDef of `function`'s body: its arguments are Placeholders in front, of the given shapes
// (absent: none is written); `library` gives the functions and the versions.
Result<std::vector<std::byte>> body_graph(const FunctionGraph& function,
                                          const std::vector<std::optional<ShapeView>>& shapes,
                                          const Graph& library);

// `function_def` with the nodes of `body` but its Placeholders of the arguments' names. `returns`:
// tensors of `body`; nodes that are control outputs keep their names.
Result<std::vector<std::byte>> with_body(Bytes function_def, const FunctionGraph& function,
                                         const Graph& body,
                                         const std::vector<std::string>& returns);
// The returns by the names that they have in `function`.
std::vector<std::string> return_tensors(const FunctionGraph& function);

// What the node names in its attributes as functions, and its op, which may be one.
Result<std::vector<std::string_view>> functions_of(const Node& node);
// ... all nodes of a FunctionDef.
Result<std::vector<std::string_view>> functions_in(Bytes function_def);
// Old -> new names of functions.
using FunctionNames = std::map<std::string, std::string, std::less<>>;
// A NodeDef whose attributes name functions by their new names; all else byte for byte.
Result<std::string> rename_functions(Bytes node_def, const FunctionNames& names);
// The same of every node of a FunctionDef, which gets a name of its own and, where `original` is
// not empty, tells what it was called (original_name).
Result<std::string> rename_function(Bytes function_def, std::string_view name,
                                    std::string_view original, const FunctionNames& names);
// The name that rename_function wrote down; empty: none.
std::string_view original_name(Bytes function_def);

// Whether a boolean attribute of a FunctionDef is set.
bool function_flag(Bytes function_def, std::string_view name);

}  // namespace graft::graphdef
