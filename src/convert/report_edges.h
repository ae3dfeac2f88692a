// The edges of the graph, for the report.
#pragma once

#include <vector>

#include "graft/report.h"
#include "graphdef/graph.h"

namespace graft::convert_detail {

// `nodes` holds one verdict per node of `graph`, in its order.
void add_edges(const graphdef::Graph& graph, std::vector<NodeVerdict>& nodes);

}  // namespace graft::convert_detail
