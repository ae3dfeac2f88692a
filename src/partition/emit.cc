#include "partition/emit.h"

#include <algorithm>
#include <unordered_set>

#include "partition/topology.h"

namespace graft::partition {
namespace {

using graphdef::InputRef;

constexpr int32_t kMaxFetchedPort =
    4096;  // far above any op's outputs; bounds what a hostile name may cost

uint64_t key_of(InputRef ref) {
  return static_cast<uint64_t>(ref.node) << 32 | static_cast<uint32_t>(ref.port);
}

void fill_inputs(const graphdef::Graph& graph, std::span<const NodeClass> classes, int32_t number,
                 Segmentation& segmentation) {
  Segment& segment = segmentation.segments[static_cast<size_t>(number)];
  std::unordered_set<uint64_t> seen, seen_control;
  const auto inside = [&](int32_t node) {
    return segmentation.segment_of[static_cast<size_t>(node)] == number;
  };
  for (int32_t v : segment.nodes) {
    const auto& node = graph.nodes[static_cast<size_t>(v)];
    segmentation.edge_visits +=
        static_cast<int64_t>(1 + node.inputs.size() + node.control_inputs.size());
    for (const InputRef& input : node.inputs) {
      if (inside(input.node)) continue;
      const bool free = is_free(graph, classes, input.node);
      if (!seen.insert(key_of(free ? InputRef{input.node, 0} : input)).second) continue;
      if (free) {
        segment.consts.push_back(input.node);
      } else {
        segment.inputs.push_back(input);
      }
    }
    // A constant needs no waiting for.
    for (int32_t source : node.control_inputs)
      if (!inside(source) && !is_free(graph, classes, source) &&
          seen_control.insert(static_cast<uint64_t>(source)).second)
        segment.control_inputs.push_back(source);
  }
}

}  // namespace

void fill_borders(const graphdef::Graph& graph, std::span<const NodeClass> classes,
                  std::span<const InputRef> fetched, Segmentation& segmentation) {
  const auto& segment_of = segmentation.segment_of;
  for (size_t s = 0; s < segmentation.segments.size(); ++s)
    fill_inputs(graph, classes, static_cast<int32_t>(s), segmentation);

  std::unordered_set<uint64_t> tensors;
  const auto use = [&](InputRef ref, int32_t by) {
    const int32_t s = segment_of[static_cast<size_t>(ref.node)];
    if (s < 0 || s == by || !tensors.insert(key_of(ref)).second) return;
    segmentation.segments[static_cast<size_t>(s)].outputs.push_back(ref);
  };
  for (size_t v = 0; v < graph.nodes.size(); ++v) {
    for (const InputRef& input : graph.nodes[v].inputs) use(input, segment_of[v]);
    segmentation.edge_visits += static_cast<int64_t>(1 + graph.nodes[v].inputs.size());
  }
  // A re-export of output 2 under the node's name has outputs 0 and 1 too.
  for (const InputRef& ref : fetched)
    for (int32_t port = 0; port <= std::min(ref.port, kMaxFetchedPort); ++port)
      use({ref.node, port}, -1);

  std::vector<int32_t> rank(graph.nodes.size(), 0);
  std::vector<bool> const_used(graph.nodes.size(), false);
  for (Segment& segment : segmentation.segments) {
    for (size_t i = 0; i < segment.nodes.size(); ++i)
      rank[static_cast<size_t>(segment.nodes[i])] = static_cast<int32_t>(i);
    std::sort(segment.outputs.begin(), segment.outputs.end(), [&](InputRef a, InputRef b) {
      const int32_t ra = rank[static_cast<size_t>(a.node)], rb = rank[static_cast<size_t>(b.node)];
      return ra != rb ? ra < rb : a.port < b.port;
    });
    for (int32_t c : segment.consts) const_used[static_cast<size_t>(c)] = true;
  }
  for (size_t v = 0; v < graph.nodes.size(); ++v)
    if (is_free(graph, classes, static_cast<int32_t>(v)) && !const_used[v])
      segmentation.dropped_reason[v] = "no segment uses this constant";
}

}  // namespace graft::partition
