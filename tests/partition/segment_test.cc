#include "partition/segment.h"

#include "partition_testing.h"

namespace graft::partition {
namespace {

std::vector<std::string> names(const TestGraph& g, const std::vector<int32_t>& nodes) {
  std::vector<std::string> out;
  for (int32_t v : nodes) out.emplace_back(g.graph.nodes[static_cast<size_t>(v)].name);
  return out;
}
using Names = std::vector<std::string>;

TEST(Segment, whole_network_is_one_segment) {
  const TestGraph g =
      make_graph({node("x", "Placeholder"), node("w", "Const"), node("c1", "Conv2D", {"x", "w"}),
                  node("r1", "Relu", {"c1"}), node("c2", "Conv2D", {"r1", "w"}),
                  node("add", "AddV2", {"c2", "r1"}), node("out", "NativeIdentity", {"add"})});
  const auto s = segment_all(g);
  ASSERT_EQ(s.segments.size(), 1u);
  EXPECT_EQ(names(g, s.segments[0].nodes), (Names{"c1", "r1", "c2", "add"}));
  EXPECT_EQ(names(g, s.segments[0].consts), (Names{"w"}));
  EXPECT_EQ(s.segments[0].inputs, (std::vector<InputRef>{{g.at("x"), 0}}));
  EXPECT_EQ(s.segments[0].outputs, (std::vector<InputRef>{{g.at("add"), 0}}));
  EXPECT_EQ(s.segments[0].effective_nodes, 4);
}

TEST(Segment, parallel_branches_that_join_are_one_segment) {
  const TestGraph g = make_graph({node("x", "Placeholder"), node("a", "Relu", {"x"}),
                                  node("b", "Tanh", {"x"}), node("join", "ConcatV2", {"a", "b"})});
  EXPECT_EQ(segment_all(g).segments.size(), 1u);
}

TEST(Segment, branches_of_unequal_native_depth_are_merged) {
  // The label pass gives a and join different labels; no path runs from a to join but the edge
  // itself.
  const TestGraph g = make_graph({node("x", "Placeholder"), node("a", "Relu", {"x"}),
                                  node("b", "Relu", {"x"}), node("n", "NativeOp", {"b"}),
                                  node("c", "Relu", {"n"}), node("join", "AddV2", {"a", "c"})});
  const auto s = segment_all(g);
  EXPECT_EQ(s.segment_of[static_cast<size_t>(g.at("a"))],
            s.segment_of[static_cast<size_t>(g.at("join"))]);
  expect_sound(g.graph, g.classes, s, "unequal depth");
  EXPECT_EQ(s.segments.size(), 2u);
}

TEST(Segment, S13_diamond_through_a_native_node_is_split) {
  for (const std::string edge : {"n", "^n"}) {
    TestGraph g = make_graph(
        {node("x", "Placeholder"), node("a", "Relu", {"x"}), node("n", "NativeOp", {"a"}),
         edge == "n" ? node("b", "AddV2", {"a", "n"}) : node("b", "Relu", {"a", "^n"})});
    const auto s = segment_all(g);
    ASSERT_EQ(s.segments.size(), 2u) << edge;
    expect_sound(g.graph, g.classes, s, edge);
  }
}

TEST(Segment, S14_one_tensor_for_two_segments_and_a_native_node) {
  const TestGraph g =
      make_graph({node("x", "Placeholder"), node("a", "Relu", {"x"}), node("n", "NativeOp", {"a"}),
                  node("m", "NativeOp", {"a"}), node("b", "AddV2", {"a", "n"}),
                  node("c", "AddV2", {"a", "a"}), node("k", "NativeOp", {"c"})});
  const auto s = segment_all(g);
  expect_sound(g.graph, g.classes, s, "fan-out");
  const auto& first = s.segments[static_cast<size_t>(s.segment_of[static_cast<size_t>(g.at("a"))])];
  EXPECT_EQ(std::count(first.outputs.begin(), first.outputs.end(), InputRef{g.at("a"), 0}), 1);
  EXPECT_EQ(first.inputs.size(), 1u);
}

TEST(Segment, S11_fetched_tensors_are_outputs) {
  const TestGraph g =
      make_graph({node("x", "Placeholder"), node("a", "Split", {"x"}), node("b", "Relu", {"a:1"})});
  const auto s = segment_all(g, {{g.at("a"), 2}, {g.at("b"), 0}, {g.at("b"), 0}, {g.at("x"), 0}});
  ASSERT_EQ(s.segments.size(), 1u);
  EXPECT_EQ(
      s.segments[0].outputs,
      (std::vector<InputRef>{{g.at("a"), 0}, {g.at("a"), 1}, {g.at("a"), 2}, {g.at("b"), 0}}));
}

TEST(Segment, S16_engine_nodes_stay_native) {
  const TestGraph g = make_graph(
      {node("x", "Placeholder"), node("e", "TRTEngineOp", {"x"}), node("r", "Relu", {"e"})});
  const auto s = segment_all(g);
  EXPECT_EQ(s.segment_of[static_cast<size_t>(g.at("e"))], -1);
}

TEST(Segment, S18_islands_stay_apart_and_are_capped) {
  std::vector<NodeSpec> nodes;
  for (int i = 0; i < 10'000; ++i) {
    const std::string id = std::to_string(i);
    nodes.push_back(node("x" + id, "Placeholder"));
    nodes.push_back(node("a" + id, "Relu", {"x" + id}));
    if (i == 7777) nodes.push_back(node("b" + id, "Relu", {"a" + id}));
  }
  const TestGraph g = make_graph(nodes);
  EXPECT_EQ(segment_all(g).segments.size(), 10'000u);
  SegmentOptions options;
  options.min_segment_size = 1;
  options.max_segments = 3;
  const auto s = segment(g.graph, g.classes, {}, options);
  ASSERT_EQ(s.segments.size(), 3u);
  EXPECT_EQ(s.segment_of[static_cast<size_t>(g.at("a7777"))], 2)
      << "the most valuable, in graph order";
  EXPECT_NE(s.dropped_reason[static_cast<size_t>(g.at("a9000"))].find("most valuable"),
            std::string::npos);
}

TEST(Segment, S20_devices_do_not_mix) {
  const TestGraph g =
      make_graph({node("x", "Placeholder"), node("a", "Relu", {"x"}, "/CPU:0"),
                  node("b", "Relu", {"a"}, "/GPU:0"), node("c", "Relu", {"b"}, "/CPU:0")});
  const auto s = segment_all(g);
  EXPECT_EQ(s.segments.size(), 3u);
  expect_sound(g.graph, g.classes, s, "devices");
}

TEST(Segment, S23_control_edges_at_the_border) {
  const TestGraph g =
      make_graph({node("x", "Placeholder"), node("n", "NativeOp", {"x"}), node("k", "Const"),
                  node("a", "Relu", {"x", "^n", "^k"}), node("b", "Relu", {"a", "^n", "^a"}),
                  node("m", "NativeOp", {"^b"})});
  const auto s = segment_all(g);
  ASSERT_EQ(s.segments.size(), 1u);
  EXPECT_EQ(names(g, s.segments[0].control_inputs), (Names{"n"}));
  EXPECT_TRUE(s.segments[0].outputs.empty());
}

TEST(Segment, S25_segments_of_constants_only_are_dropped) {
  const TestGraph g = make_graph({node("k", "Const"), node("a", "Relu", {"k"}),
                                  node("b", "Relu", {"a"}), node("n", "NativeOp", {"b"})});
  const auto s = segment_all(g);
  EXPECT_TRUE(s.segments.empty());
  EXPECT_NE(s.dropped_reason[static_cast<size_t>(g.at("a"))].find("constant"), std::string::npos);
}

TEST(Segment, S6_S8_control_flow_stays_native) {
  const TestGraph g = make_graph(
      {node("x", "Placeholder"), node("a", "Relu", {"x"}), node("e", "Enter", {"a"}),
       node("m", "Merge", {"e", "ni"}), node("body", "Relu", {"m"}),
       node("ni", "NextIteration", {"body"}), node("exit", "Exit", {"m"}),
       node("b", "AddV2", {"a", "exit"}), node("p", "Placeholder"), node("s", "Switch", {"x", "p"}),
       node("t", "Relu", {"s:1"}), node("f", "Relu", {"s"}), node("j", "Merge", {"t", "f"}),
       node("z", "Relu", {"j"})});
  const auto s = segment_all(g);
  expect_sound(g.graph, g.classes, s, "control flow");
  for (const char* name : {"body", "b", "t", "f"}) {
    EXPECT_EQ(s.segment_of[static_cast<size_t>(g.at(name))], -1) << name;
    EXPECT_FALSE(s.dropped_reason[static_cast<size_t>(g.at(name))].empty()) << name;
  }
  EXPECT_GE(s.segment_of[static_cast<size_t>(g.at("a"))], 0);
  EXPECT_GE(s.segment_of[static_cast<size_t>(g.at("z"))], 0);
}

// a and d hand each other what no border can pass; n, between them, makes them two segments.
TEST(Segment, bonded_nodes_share_a_segment_or_are_in_none) {
  for (bool split : {false, true}) {
    TestGraph g =
        make_graph({node("x", "Placeholder"), node("a", "Relu", {"x"}),
                    node("n", split ? "NativeOp" : "Relu", {"a"}), node("d", "AddV2", {"a", "n"}),
                    node("e", "Relu", {"d"}), node("f", "Relu", {"x"})});
    for (const char* name : {"a", "d"}) g.classes[static_cast<size_t>(g.at(name))].bond = g.at("a");
    const auto s = segment_all(g);
    expect_sound(g.graph, g.classes, s, "bonds");
    const int32_t a = s.segment_of[static_cast<size_t>(g.at("a"))];
    EXPECT_EQ(a, s.segment_of[static_cast<size_t>(g.at("d"))]);
    EXPECT_EQ(a < 0, split);
    if (split) {
      EXPECT_NE(s.dropped_reason[static_cast<size_t>(g.at("d"))].find("tensor list"),
                std::string::npos);
    }
    EXPECT_GE(s.segment_of[static_cast<size_t>(g.at("e"))], 0);
  }
}

TEST(Segment, min_size_counts_effective_nodes) {
  const TestGraph g = make_graph({node("x", "Placeholder"), node("a", "Relu", {"x"}),
                                  node("i", "Identity", {"a"}), node("b", "Relu", {"i"})});
  EXPECT_EQ(segment_all(g, {}, 2).segments.size(), 1u);
  const auto s = segment_all(g, {}, 3);
  EXPECT_TRUE(s.segments.empty());
  EXPECT_NE(s.dropped_reason[static_cast<size_t>(g.at("a"))].find("2 effective nodes"),
            std::string::npos);
}

TEST(Segment, same_result_for_any_order_of_construction) {
  std::vector<NodeSpec> nodes = {node("x", "Placeholder"), node("a", "Relu", {"x"}),
                                 node("n", "NativeOp", {"a"}), node("b", "AddV2", {"a", "n"}),
                                 node("c", "Relu", {"b"})};
  const TestGraph forward = make_graph(nodes);
  std::reverse(nodes.begin(), nodes.end());
  const TestGraph backward = make_graph(nodes);
  const auto s = segment_all(forward), t = segment_all(backward);
  ASSERT_EQ(s.segments.size(), t.segments.size());
  for (size_t i = 0; i < s.segments.size(); ++i)
    EXPECT_EQ(names(forward, s.segments[i].nodes), names(backward, t.segments[i].nodes));
}

}  // namespace
}  // namespace graft::partition
