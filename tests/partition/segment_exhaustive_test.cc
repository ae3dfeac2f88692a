// Every graph of up to five nodes (GRAFT_EXHAUSTIVE_NODES) with every support mask, and big graphs
// for the bound on edge visits.
#include <cstdlib>
#include <random>

#include "partition_testing.h"

namespace graft::partition {
namespace {

// Node 0 feeds every node without inputs. Edge sets are bit masks over the pairs a < b.
TestGraph small_graph(int n, uint32_t edges, uint32_t control, uint32_t mask) {
  TestGraph g;
  g.graph.nodes.resize(static_cast<size_t>(n) + 1);
  g.graph.nodes[0].op = "Placeholder";
  int bit = 0;
  for (int b = 1; b < n; ++b)
    for (int a = 0; a < b; ++a, ++bit) {
      if (!(edges >> bit & 1)) continue;
      auto& node = g.graph.nodes[static_cast<size_t>(b) + 1];
      if (control >> bit & 1) {
        node.control_inputs.push_back(a + 1);
      } else {
        node.inputs.push_back({a + 1, 0});
      }
    }
  for (int v = 1; v <= n; ++v) {
    auto& node = g.graph.nodes[static_cast<size_t>(v)];
    node.op = mask >> (v - 1) & 1 ? "Relu" : "Native";
    if (node.inputs.empty() && node.control_inputs.empty()) node.inputs.push_back({0, 0});
  }
  for (const auto& node : g.graph.nodes) g.classes.push_back(class_of(node));
  return g;
}

// No two segments that an edge joins could be one without closing a cycle.
void expect_maximal(const TestGraph& g, const Segmentation& s, const std::string& what) {
  const auto group = groups_of(s);
  for (size_t v = 0; v < group.size(); ++v) {
    std::vector<int32_t> sources = g.graph.nodes[v].control_inputs;
    for (InputRef ref : g.graph.nodes[v].inputs) sources.push_back(ref.node);
    for (int32_t u : sources) {
      const int32_t a = s.segment_of[static_cast<size_t>(u)], b = s.segment_of[v];
      if (a < 0 || b < 0 || a == b) continue;
      auto joined = group;
      for (int32_t& x : joined)
        if (x == a) x = b;
      ASSERT_FALSE(contraction_is_acyclic(g.graph, g.classes, joined))
          << what << ": " << a << " and " << b;
    }
  }
}

// Why a supported node may be in no segment.
bool is_rule(const std::string& reason) {
  for (const char* rule : {"effective nodes, min_segment_size is", "its segment has no inputs",
                           "most valuable, max_engines is the limit"})
    if (reason.find(rule) != std::string::npos) return true;
  return reason.empty();
}

TEST(SegmentExhaustive, S13_all_graphs_of_up_to_five_nodes) {
  const char* given = std::getenv("GRAFT_EXHAUSTIVE_NODES");
  const int most = given ? std::atoi(given) : 5;
  ASSERT_TRUE(most >= 1 && most <= 6) << given;
  std::mt19937 random(1);
  int64_t segments = 0, dropped = 0, graphs = 0;
  SegmentOptions options[3];
  options[0].min_segment_size = 1;
  options[1].min_segment_size = 3;
  options[2].min_segment_size = 1, options[2].max_segments = 1;
  for (int n = 1; n <= most; ++n) {
    const int pairs = n * (n - 1) / 2;
    for (uint32_t edges = 0; edges < 1u << pairs; ++edges)
      for (uint32_t mask = 0; mask < 1u << n; ++mask)
        for (uint32_t control : {0u, static_cast<uint32_t>(random())}) {
          const TestGraph g = small_graph(n, edges, control, mask);
          const std::string what = "n=" + std::to_string(n) + " edges=" + std::to_string(edges) +
                                   " control=" + std::to_string(control) +
                                   " mask=" + std::to_string(mask);
          ++graphs;
          for (const SegmentOptions& o : options) {
            const auto s = segment(g.graph, g.classes, {}, o);
            ASSERT_NO_FATAL_FAILURE(expect_sound(g.graph, g.classes, s, what));
            for (const std::string& reason : s.dropped_reason) {
              ASSERT_TRUE(is_rule(reason)) << what << ": " << reason;
              dropped += !reason.empty();
            }
            for (const Segment& each : s.segments)
              ASSERT_GE(each.effective_nodes, o.min_segment_size) << what;
            if (&o == &options[0]) {
              ASSERT_NO_FATAL_FAILURE(expect_maximal(g, s, what));
            }
            ASSERT_TRUE(o.max_segments == 0 || s.segments.size() <= 1) << what;
            segments += static_cast<int64_t>(s.segments.size());
          }
        }
  }
  RecordProperty("graphs", std::to_string(graphs));
  EXPECT_GT(segments, 10'000);
  EXPECT_GT(dropped, 10'000);
}

enum class Form { kChain, kResidual, kWide, kRandom };

TestGraph big_graph(Form form, int n, int percent_native, uint32_t seed) {
  std::mt19937 random(seed);
  TestGraph g;
  g.graph.nodes.resize(static_cast<size_t>(n));
  for (int v = 0; v < n; ++v) {
    auto& node = g.graph.nodes[static_cast<size_t>(v)];
    node.op = v == 0                                              ? "Placeholder"
              : static_cast<int>(random() % 100) < percent_native ? "Native"
                                                                  : "Relu";
    if (v == 0) continue;
    switch (form) {
      case Form::kChain:
        node.inputs = {{v - 1, 0}};
        break;
      case Form::kResidual:
        node.inputs = {{v - 1, 0}};
        if (v % 4 == 0) node.inputs.push_back({v - 4, 0});
        break;
      case Form::kWide:
        node.inputs = {{v < 100 ? 0 : v - 100, 0}};
        if (v % 1000 < 5 && v > 200) node.inputs.push_back({v - 101, 0});
        break;
      case Form::kRandom:
        for (int k = 0; k < 3; ++k)
          node.inputs.push_back({static_cast<int32_t>(random() % static_cast<uint32_t>(v)), 0});
        if (random() % 10 == 0)
          node.control_inputs.push_back(static_cast<int32_t>(random() % static_cast<uint32_t>(v)));
        break;
    }
  }
  for (const auto& node : g.graph.nodes) g.classes.push_back(class_of(node));
  return g;
}

TEST(SegmentComplexity, S18_edge_visits_stay_linear) {
  for (Form form : {Form::kChain, Form::kResidual, Form::kWide, Form::kRandom})
    for (int n : {1'000, 10'000, 100'000})
      for (int percent : {0, 1, 10, 50}) {
        const TestGraph g = big_graph(form, n, percent, 7);
        const std::string what = "form " + std::to_string(static_cast<int>(form)) +
                                 " n=" + std::to_string(n) + " native " + std::to_string(percent) +
                                 "%";
        const auto s = segment_all(g);
        ASSERT_NO_FATAL_FAILURE(expect_sound(g.graph, g.classes, s, what));
        EXPECT_TRUE(percent > 0 || form == Form::kWide || s.segments.size() == 1) << what;
        RecordProperty(what, std::to_string(s.segments.size()) + " segments, " +
                                 std::to_string(static_cast<double>(s.edge_visits) /
                                                static_cast<double>(n + edges_of(g.graph))) +
                                 " visits per node and edge");
      }
}

TEST(SegmentComplexity, S18_fan_out_and_dense_graphs) {
  TestGraph fan;
  fan.graph.nodes.resize(100'002);
  fan.graph.nodes[0].op = "Placeholder";
  fan.graph.nodes[1].op = "Relu";
  fan.graph.nodes[1].inputs = {{0, 0}};
  for (size_t v = 2; v < fan.graph.nodes.size(); ++v) {
    fan.graph.nodes[v].op = v % 2 ? "Relu" : "Native";
    fan.graph.nodes[v].inputs = {{1, 0}};
  }
  for (const auto& node : fan.graph.nodes) fan.classes.push_back(class_of(node));
  expect_sound(fan.graph, fan.classes, segment_all(fan), "fan-out");

  TestGraph dense;
  dense.graph.nodes.resize(500);
  for (size_t v = 0; v < dense.graph.nodes.size(); ++v) {
    dense.graph.nodes[v].op = v == 0 ? "Placeholder" : v % 7 ? "Relu" : "Native";
    for (size_t u = 0; u < v; ++u)
      dense.graph.nodes[v].inputs.push_back({static_cast<int32_t>(u), 0});
  }
  for (const auto& node : dense.graph.nodes) dense.classes.push_back(class_of(node));
  expect_sound(dense.graph, dense.classes, segment_all(dense), "dense");
}

}  // namespace
}  // namespace graft::partition
