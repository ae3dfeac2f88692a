#include "partition/topology.h"

#include <algorithm>
#include <unordered_map>

namespace graft::partition {
namespace {

using graphdef::Graph;
using graphdef::Node;

template <typename Fn>
void for_each_source(const Graph& graph, const Node& node, Fn&& fn) {
  const auto visit = [&](int32_t source) {
    const std::string_view op = graph.nodes[static_cast<size_t>(source)].op;
    if (op != "NextIteration" && op != "RefNextIteration") fn(source);
  };
  for (const auto& input : node.inputs) visit(input.node);
  for (int32_t source : node.control_inputs) visit(source);
}

// Nodes whose inputs may be dead (between Switch and Merge) or that run in or after a loop frame.
// What leaves a v1 loop depends on its body through the ignored NextIteration edges, so everything
// behind an Enter stays native.
void mark_control_flow(const Graph& graph, Topology& topology) {
  std::vector<int32_t> depth(graph.nodes.size(), 0);
  std::vector<bool> behind_loop(graph.nodes.size(), false);
  for (int32_t id : topology.order) {
    const auto i = static_cast<size_t>(id);
    const Node& node = graph.nodes[i];
    for_each_source(graph, node, [&](int32_t source) {
      depth[i] = std::max(depth[i], depth[static_cast<size_t>(source)]);
      if (behind_loop[static_cast<size_t>(source)]) behind_loop[i] = true;
    });
    topology.visits += 1 + static_cast<int64_t>(node.inputs.size() + node.control_inputs.size());
    if (node.op == "Enter" || node.op == "RefEnter") behind_loop[i] = true;
    if (node.op == "Switch" || node.op == "RefSwitch" || node.op == "_SwitchN") ++depth[i];
    if ((node.op == "Merge" || node.op == "RefMerge") && depth[i] > 0) --depth[i];
    if (topology.kind[i] < 0) continue;
    if (behind_loop[i]) {
      topology.reason[i] = "it is in or behind a loop of Enter, Exit and NextIteration";
    } else if (depth[i] > 0) {
      topology.reason[i] = "it is in a branch of Switch and Merge, where tensors may be dead";
    } else {
      continue;
    }
    topology.kind[i] = -1;
  }
}

// Counting sort of the edges by one end.
void fill_edges(const std::vector<std::pair<int32_t, int32_t>>& edges, size_t nodes, bool by_source,
                std::vector<int32_t>& begin, std::vector<int32_t>& ends) {
  begin.assign(nodes + 1, 0);
  for (const auto& [source, dest] : edges)
    ++begin[static_cast<size_t>(by_source ? source : dest) + 1];
  for (size_t i = 0; i < nodes; ++i) begin[i + 1] += begin[i];
  ends.resize(edges.size());
  std::vector<int32_t> next(begin.begin(), begin.end() - 1);
  for (const auto& [source, dest] : edges) {
    const auto key = static_cast<size_t>(by_source ? source : dest);
    ends[static_cast<size_t>(next[key]++)] = by_source ? dest : source;
  }
}

}  // namespace

bool is_free(const Graph& graph, std::span<const NodeClass> classes, int32_t node) {
  const NodeClass& c = classes[static_cast<size_t>(node)];
  return c.free && c.supported && graph.nodes[static_cast<size_t>(node)].inputs.empty();
}

Topology make_topology(const Graph& graph, std::span<const NodeClass> classes) {
  const size_t count = graph.nodes.size();
  Topology topology;
  topology.order = graphdef::topological_order(graph);
  topology.kind.assign(count, -1);
  topology.reason.resize(count);
  std::unordered_map<std::string_view, int32_t> devices;
  std::vector<bool> free(count);
  for (size_t i = 0; i < count; ++i) {
    free[i] = is_free(graph, classes, static_cast<int32_t>(i));
    if (classes[i].supported && !free[i])
      topology.kind[i] =
          devices.emplace(classes[i].device, static_cast<int32_t>(devices.size())).first->second;
  }
  mark_control_flow(graph, topology);
  std::vector<std::pair<int32_t, int32_t>> edges;
  for (size_t i = 0; i < count; ++i) {
    const Node& node = graph.nodes[i];
    topology.visits += 1 + static_cast<int64_t>(node.inputs.size() + node.control_inputs.size());
    if (free[i]) continue;
    for_each_source(graph, node, [&](int32_t source) {
      if (!free[static_cast<size_t>(source)]) edges.emplace_back(source, static_cast<int32_t>(i));
    });
  }
  fill_edges(edges, count, true, topology.out_begin, topology.out);
  fill_edges(edges, count, false, topology.in_begin, topology.in);
  topology.visits += 2 * static_cast<int64_t>(edges.size());
  return topology;
}

}  // namespace graft::partition
