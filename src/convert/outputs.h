// Which tensors are fetched, and the part of the graph that they need.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "graft/convert.h"
#include "graphdef/graph.h"

namespace graft::convert_detail {

// The tensors named by options.outputs; without any, port 0 of every node that no other node uses
// (NoOps and placeholders apart). InvalidArgument: unknown names (with the nearest), control
// inputs, duplicates are merged.
Result<std::vector<graphdef::InputRef>> resolve_outputs(const graphdef::Graph& graph,
                                                        const ConvertOptions& options);

// The graph without the nodes that no fetched tensor needs, data and control edges followed;
// placeholders stay, since users import them by name. Identical to extracting the subgraph as
// TF-TRT's grappler pruning did.
Result<graphdef::Graph> prune(const graphdef::Graph& graph,
                              const std::vector<graphdef::InputRef>& fetched,
                              int64_t* pruned_nodes);

bool is_placeholder(std::string_view op);

// InvalidGraph naming the first variable: the graph is not frozen.
Status check_frozen(const graphdef::Graph& graph);

}  // namespace graft::convert_detail
