// Topology: what the segmenter needs of a graph, as flat arrays. Free nodes (constants) are not
// vertices: each segment that uses one gets a copy, so they can close no cycle. Control edges are
// edges.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "graphdef/graph.h"
#include "partition/segment.h"

namespace graft::partition {

struct Topology {
  std::vector<int32_t> order;  // all nodes, producers first
  std::vector<int32_t> out_begin,
      out;  // edges between vertices: out[out_begin[v] .. out_begin[v + 1])
  std::vector<int32_t> in_begin, in;
  std::vector<int32_t> kind;  // per node: device class of nodes that may be in a segment, else -1
  std::vector<std::string> reason;  // per node: why a supported node may be in no segment
  int64_t visits = 0;               // edges and nodes looked at

  std::span<const int32_t> outs(int32_t v) const { return slice(out, out_begin, v); }
  std::span<const int32_t> ins(int32_t v) const { return slice(in, in_begin, v); }

 private:
  static std::span<const int32_t> slice(const std::vector<int32_t>& all,
                                        const std::vector<int32_t>& begin, int32_t v) {
    const auto i = static_cast<size_t>(v);
    return {all.data() + begin[i], static_cast<size_t>(begin[i + 1] - begin[i])};
  }
};

bool is_free(const graphdef::Graph& graph, std::span<const NodeClass> classes, int32_t node);
Topology make_topology(const graphdef::Graph& graph, std::span<const NodeClass> classes);

}  // namespace graft::partition
