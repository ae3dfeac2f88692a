// Segmenter: graph topology + verdicts -> convex segments, in a stable order, in linear time.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "graphdef/graph.h"

namespace graft::partition {

struct NodeClass {
  bool supported = false;
  bool free = false;  // constants: never alone; joined to the segments that use them
  // Counts for min_segment_size (not Const, Identity, StopGradient, Snapshot): 0 or 1, of a call
  // what its function has.
  int64_t effective = 1;
  std::string_view device;  // nodes of different devices do not share a segment
  double value = 1;         // for the cap: FLOPs or node count
  // Supported nodes of one number >= 0 share a segment, or are in none.
  int32_t bond = -1;
};

struct SegmentOptions {
  int64_t min_segment_size = 3;  // effective nodes
  int64_t max_segments = 0;      // 0: no cap; keeps the most valuable
};

struct Segment {
  std::vector<int32_t> nodes;   // topological order; without free nodes that come from outside
  std::vector<int32_t> consts;  // free nodes that the segment uses
  std::vector<graphdef::InputRef> inputs;  // distinct, in order of first use; no constants
  std::vector<graphdef::InputRef>
      outputs;  // distinct tensors that native nodes, other segments or fetches use
  std::vector<int32_t> control_inputs;  // native nodes or nodes of other segments
  int64_t effective_nodes = 0;
};

struct Segmentation {
  std::vector<Segment> segments;
  std::vector<int32_t> segment_of;          // per node, -1: native
  std::vector<std::string> dropped_reason;  // per node: "" or why a supported node is in no segment
  int64_t edge_visits = 0;                  // for the complexity test: at most 20 (V + E)
};

// `fetched`: tensors that must stay reachable under their own names.
Segmentation segment(const graphdef::Graph& graph, std::span<const NodeClass> classes,
                     std::span<const graphdef::InputRef> fetched, const SegmentOptions& options);

}  // namespace graft::partition
