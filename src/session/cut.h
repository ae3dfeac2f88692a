// The part of a graph that some fetches need, with a Placeholder for every fed tensor.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "graphdef/graph.h"

namespace graft::session {

struct Fed {
  graphdef::InputRef tensor;  // of the whole graph
  DType dtype = DType::kInvalid;
  std::vector<int64_t> dims;  // -1: any
};

struct Cut {
  graphdef::Graph graph;                    // views the whole graph's bytes
  std::vector<graphdef::InputRef> feeds;    // in `graph`, as the Fed list
  std::vector<graphdef::InputRef> fetches;  // in `graph`
  std::vector<bool>
      effects_only;  // per node: reached by control edges alone, so no value of it is needed
};

Cut cut_graph(const graphdef::Graph& whole, std::span<const graphdef::InputRef> fetches,
              std::span<const Fed> feeds);

}  // namespace graft::session
