#include "graphdef_testing.h"

namespace graft::graphdef {
namespace {

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}
std::string with_input(const std::string& input) {
  return node_field("n", "Op") + node_field("m", "Op", {input});
}

TEST(Structure, names_ports_and_control_inputs_are_resolved) {
  auto graph = parse_text(node_field("b", "Op", {"a:1", "scope/c.d-e_f", "^a"}) +
                          node_field("a", "Op") + node_field("scope/c.d-e_f", "Op") +
                          node_field("x>y", "Op") + node_field("_arg", "Op"));
  ASSERT_TRUE(graph.ok()) << graph.status().message();
  EXPECT_EQ(graph->nodes[0].inputs, (std::vector<InputRef>{{1, 1}, {2, 0}}));
  EXPECT_EQ(graph->nodes[0].control_inputs, (std::vector<int32_t>{1}));
  EXPECT_EQ(tensor_name(*graph, {1, 1}), "a:1");
  EXPECT_EQ(tensor_name(*graph, {2, 0}), "scope/c.d-e_f");
}

TEST(Structure, S1_names) {
  const std::string twice =
      refusal(node_field("n", "Op") + node_field("m", "Op") + node_field("n", "Op"));
  EXPECT_TRUE(contains(twice, "nodes 0 and 2")) << twice;
  EXPECT_TRUE(contains(refusal(node_field("", "Operation")), "no name"));
  for (const char* name : {"a:0", "^a", "a b", "-a", "/a", "a>", ">a", "a\\b"})
    EXPECT_TRUE(contains(refusal(node_field(name, "Op")), "illegal name")) << name;
}

TEST(Structure, S2_missing_node) {
  const std::string what = refusal(node_field("n", "Op", {"n2", "gone"}) + node_field("n2", "Op"));
  EXPECT_TRUE(contains(what, "node \"n\" input 1 refers to \"gone\"")) << what;
  EXPECT_TRUE(contains(refusal(with_input("^gone")), "gone"));
}

TEST(Structure, S3_malformed_inputs) {
  EXPECT_EQ(refusal(with_input("n:7")), "");
  for (const char* input : {"n:-1", "n:99999999999999999999", "n:2147483648", ":0", "^", "^n:0",
                            "n:b:0", "n:", "", "n:1x", "n:+1", "n: 1"})
    EXPECT_TRUE(contains(refusal(with_input(input)), "node \"m\" input 0"))
        << input << ": " << refusal(with_input(input));
}

TEST(Structure, S4_data_after_control) {
  EXPECT_TRUE(contains(refusal(node_field("n", "Op") + node_field("m", "Op", {"^n", "n"})),
                       "after a control input"));
}

TEST(Structure, S5_cycles) {
  EXPECT_TRUE(contains(refusal(node_field("n", "Op", {"n"})), "\"n\" -> \"n\""));
  EXPECT_TRUE(
      contains(refusal(node_field("a", "Op", {"b"}) + node_field("b", "Op", {"^a"})), "cycle"));
  std::string ring;
  constexpr int kNodes = 100'000;
  for (int i = 0; i < kNodes; ++i)
    ring += node_field("n" + std::to_string(i), "Op", {"n" + std::to_string((i + 1) % kNodes)});
  const std::string what = refusal(ring);
  EXPECT_TRUE(contains(what, "100000 nodes")) << what;
  EXPECT_LT(what.size(), 400u);
}

TEST(Structure, S6_S7_loops_through_next_iteration_parse) {
  const auto loop = [](const char* back) {
    return node_field("x", "Placeholder") + node_field("e", "Enter", {"x"}) +
           node_field("m", "Merge", {"e", "n"}) + node_field("n", back, {"m"}) +
           node_field("out", "Exit", {"m"});
  };
  EXPECT_EQ(refusal(loop("NextIteration")), "");
  EXPECT_TRUE(contains(refusal(loop("Identity")), "cycle"));
  EXPECT_EQ(refusal(node_field("x", "Placeholder") + node_field("out", "Exit", {"x"})), "");
}

TEST(Structure, S17_chain_of_a_million_nodes) {
  std::string chain;
  constexpr int kNodes = 1'000'000;
  for (int i = kNodes - 1; i > 0; --i)  // consumers first, the worst case for a depth-first order
    chain += node_field("n" + std::to_string(i), "Op", {"n" + std::to_string(i - 1)});
  chain += node_field("n0", "Op");
  auto graph = parse_text(chain);
  ASSERT_TRUE(graph.ok()) << graph.status().message();
  const auto order = topological_order(*graph);
  ASSERT_EQ(order.size(), static_cast<size_t>(kNodes));
  EXPECT_EQ(order.front(), kNodes - 1);
  EXPECT_EQ(order.back(), 0);
}

TEST(Structure, topological_order_keeps_a_sorted_graph) {
  auto graph = parse_text(node_field("a", "Op") + node_field("b", "Op") +
                          node_field("c", "Op", {"b"}) + node_field("d", "Op", {"a", "^c"}));
  ASSERT_TRUE(graph.ok());
  EXPECT_EQ(topological_order(*graph), (std::vector<int32_t>{0, 1, 2, 3}));
}

TEST(Structure, S11_find_tensor_gives_the_nearest_names) {
  auto graph = parse_text(node_field("resnet/logits", "Op") + node_field("resnet/pool", "Op") +
                          node_field("x", "Op"));
  ASSERT_TRUE(graph.ok());
  EXPECT_EQ(find_tensor(*graph, "x").value(), (InputRef{2, 0}));
  EXPECT_EQ(find_tensor(*graph, "x:3").value(), (InputRef{2, 3}));
  const auto missing = find_tensor(*graph, "resnet/logit:0");
  EXPECT_EQ(missing.status().code(), Code::kInvalidArgument);
  EXPECT_TRUE(contains(missing.status().message(), "nearest names: \"resnet/logits\""))
      << missing.status().message();
  for (const char* name : {"^x", "", "x:", "x:-1", "a:b:c"})
    EXPECT_EQ(find_tensor(*graph, name).status().code(), Code::kInvalidArgument) << name;
}

TEST(Structure, functions_and_unnamed_functions) {
  EXPECT_TRUE(
      contains(refusal(node_field("x", "Op") + field(2, field(1, std::string()))), "function"));
}

}  // namespace
}  // namespace graft::graphdef
