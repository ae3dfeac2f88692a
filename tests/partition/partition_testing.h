// Small graphs for the tests of the segmenter and the splicer, and what must hold of every
// segmentation.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "graphdef/writer.h"
#include "partition/segment.h"

namespace graft::partition {

using graphdef::Graph;
using graphdef::InputRef;
using graphdef::NodeSpec;

struct TestGraph {
  Graph graph;
  std::vector<NodeClass> classes;
  int32_t at(std::string_view name) const {
    const int32_t v = graph.find(name);
    EXPECT_GE(v, 0) << name;
    return v;
  }
};

// By op: "Const" is free, Identity does not count, "Native..." and Placeholder are not supported,
// the rest is.
inline NodeClass class_of(const graphdef::Node& node) {
  NodeClass c;
  c.supported = node.op != "Placeholder" && !node.op.starts_with("Native") &&
                node.op != "NextIteration" && node.op != "Enter" && node.op != "Exit" &&
                node.op != "Switch" && node.op != "Merge" && node.op != "TRTEngineOp";
  c.free = node.op == "Const";
  c.effective = !c.free && node.op != "Identity";
  c.device = node.device;
  return c;
}

inline TestGraph parse_graph(std::vector<std::byte> bytes) {
  auto owner = std::make_shared<std::vector<std::byte>>(std::move(bytes));
  auto graph = graphdef::parse(*owner, owner);
  TestGraph result;
  EXPECT_TRUE(graph.ok()) << graph.status().message();
  if (graph.ok()) result.graph = std::move(*graph);
  for (const auto& node : result.graph.nodes) result.classes.push_back(class_of(node));
  return result;
}

inline TestGraph make_graph(const std::vector<NodeSpec>& nodes) {
  graphdef::GraphWriter writer;
  for (const auto& node : nodes) writer.add(node);
  return parse_graph(writer.finish().value());
}

inline NodeSpec node(std::string name, std::string op, std::vector<std::string> inputs = {},
                     std::string device = "") {
  NodeSpec spec;
  spec.name = std::move(name), spec.op = std::move(op), spec.device = std::move(device);
  spec.inputs = std::move(inputs);
  return spec;
}

inline Segmentation segment_all(const TestGraph& g, const std::vector<InputRef>& fetched = {},
                                int64_t min_size = 1) {
  SegmentOptions options;
  options.min_segment_size = min_size;
  return segment(g.graph, g.classes, fetched, options);
}

// Group number per node: its segment, or a number of its own.
inline std::vector<int32_t> groups_of(const Segmentation& s) {
  std::vector<int32_t> group = s.segment_of;
  for (size_t v = 0; v < group.size(); ++v)
    if (group[v] < 0) group[v] = static_cast<int32_t>(s.segments.size() + v);
  return group;
}

// Whether the graph with each group as one node has no cycle; constants are copied and do not
// count.
inline bool contraction_is_acyclic(const Graph& graph, const std::vector<NodeClass>& classes,
                                   const std::vector<int32_t>& group) {
  const size_t n = 2 * group.size() + 1;
  std::vector<std::vector<int32_t>> next(n);
  std::vector<int32_t> indegree(n, 0), ready;
  for (size_t v = 0; v < graph.nodes.size(); ++v) {
    const auto edge = [&](int32_t u) {
      if (classes[static_cast<size_t>(u)].free ||
          graph.nodes[static_cast<size_t>(u)].op == "NextIteration")
        return;
      const int32_t a = group[static_cast<size_t>(u)], b = group[v];
      if (a == b) return;
      next[static_cast<size_t>(a)].push_back(b);
      ++indegree[static_cast<size_t>(b)];
    };
    for (InputRef ref : graph.nodes[v].inputs) edge(ref.node);
    for (int32_t u : graph.nodes[v].control_inputs) edge(u);
  }
  for (size_t g = 0; g < n; ++g)
    if (indegree[g] == 0) ready.push_back(static_cast<int32_t>(g));
  size_t done = 0;
  for (; done < ready.size(); ++done)
    for (int32_t b : next[static_cast<size_t>(ready[done])])
      if (--indegree[static_cast<size_t>(b)] == 0) ready.push_back(b);
  return done == n;
}

inline int64_t edges_of(const Graph& graph) {
  int64_t edges = 0;
  for (const auto& n : graph.nodes)
    edges += static_cast<int64_t>(n.inputs.size() + n.control_inputs.size());
  return edges;
}

inline void expect_sound(const Graph& graph, const std::vector<NodeClass>& classes,
                         const Segmentation& s, const std::string& what) {
  ASSERT_TRUE(contraction_is_acyclic(graph, classes, groups_of(s))) << what;
  std::vector<int> times(graph.nodes.size(), 0);
  for (size_t i = 0; i < s.segments.size(); ++i)
    for (int32_t v : s.segments[i].nodes) {
      ++times[static_cast<size_t>(v)];
      ASSERT_EQ(s.segment_of[static_cast<size_t>(v)], static_cast<int32_t>(i)) << what;
      ASSERT_EQ(classes[static_cast<size_t>(v)].device,
                classes[static_cast<size_t>(s.segments[i].nodes[0])].device)
          << what;
    }
  for (size_t v = 0; v < times.size(); ++v) {
    const NodeClass& c = classes[v];
    if (!c.supported) {
      ASSERT_EQ(times[v], 0) << what << " node " << v;
    } else if (!c.free) {
      ASSERT_EQ(times[v] + !s.dropped_reason[v].empty(), 1)
          << what << " node " << v << s.dropped_reason[v];
    }
  }
  ASSERT_LE(s.edge_visits, 20 * (static_cast<int64_t>(graph.nodes.size()) + edges_of(graph)))
      << what;
}

}  // namespace graft::partition
