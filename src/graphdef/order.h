// Depth-first order of a graph, and a cycle when there is one.
#pragma once

#include <vector>

#include "graphdef/graph.h"

namespace graft::graphdef {

struct GraphOrder {
  std::vector<int32_t> nodes;  // producers first; a graph that is sorted already keeps its order
  std::vector<int32_t>
      cycle;  // empty, or nodes of which each feeds the next and the last the first
};

GraphOrder order_graph(const Graph& graph);

}  // namespace graft::graphdef
