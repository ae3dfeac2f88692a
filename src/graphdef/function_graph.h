// The body of a library function as a Graph.
#pragma once

#include <string_view>
#include <vector>

#include "graphdef/graph.h"

namespace graft::graphdef {

struct FunctionGraph {
  // A Placeholder named as the argument stands for each argument, in front; constants view the
  // graph's own copy of the function. Its library is empty.
  Graph graph;
  std::vector<DType> arg_dtypes;  // of node 0, 1, ...
  std::vector<InputRef> returns;  // in the signature's order
  std::vector<DType> return_dtypes;
  std::vector<std::string> return_names;
  std::vector<int32_t> control_returns;  // nodes that run although nothing reads them
};

// The function of that name, InvalidGraph when `library` has none or two, or when its body is
// malformed. Unsupported for arguments that are lists or of a dtype that an attribute gives.
Result<FunctionGraph> function_graph(const Graph& library, std::string_view name,
                                     const Limits& limits = {});

// Names in a serialized AttrValue that lists functions.
Result<std::vector<std::string_view>> function_names(Bytes attr_value);

}  // namespace graft::graphdef
