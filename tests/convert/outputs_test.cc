// Which tensors are fetched and what is kept for them.
#include "convert/outputs.h"

#include "convert/convert_testing.h"

namespace graft::convert_detail {
namespace {

using convert_testing::float_t;
using convert_testing::GraphBuilder;
using convert_testing::mlp;
using convert_testing::to;

std::vector<std::string> names(const graphdef::Graph& graph,
                               const std::vector<graphdef::InputRef>& refs) {
  std::vector<std::string> list;
  for (graphdef::InputRef ref : refs) list.push_back(graphdef::tensor_name(graph, ref));
  return list;
}

TEST(Outputs, names_with_and_without_port_and_twice_the_same) {
  const graphdef::Graph graph = mlp().graph();
  auto fetched = resolve_outputs(graph, to({"out", "out:0", "0/act", "0/act:1"}));
  ASSERT_TRUE(fetched.ok()) << fetched.status().message();
  EXPECT_EQ(names(graph, *fetched), (std::vector<std::string>{"out", "0/act", "0/act:1"}));
}

TEST(Outputs, none_given_takes_the_sinks) {
  GraphBuilder b = mlp();
  b.placeholder("unused", DType::kFloat, {1});
  b.add("NoOp", "group", {"^out"}, {});
  b.add("Relu", "side", {"0/act"}, float_t());
  const graphdef::Graph graph = b.graph();
  auto fetched = resolve_outputs(graph, {});
  ASSERT_TRUE(fetched.ok()) << fetched.status().message();
  // `out` is used by the group's control edge.
  EXPECT_EQ(names(graph, *fetched), std::vector<std::string>{"side"});
}

TEST(Outputs, S11_wrong_names_are_named) {
  const graphdef::Graph graph = mlp().graph();
  const auto text = [&](const std::string& name) {
    const Status status = resolve_outputs(graph, to({name})).status();
    EXPECT_EQ(status.code(), Code::kInvalidArgument) << name;
    return status.message();
  };
  EXPECT_NE(text("").find("outputs"), std::string::npos);
  EXPECT_NE(text("^out").find("control input"), std::string::npos);
  EXPECT_NE(text("0/akt").find("0/act"), std::string::npos) << text("0/akt");
  text("out:x");
  text("out:-1");
  GraphBuilder only_inputs;
  only_inputs.placeholder("x", DType::kFloat, {1});
  const graphdef::Graph inputs = only_inputs.graph();
  EXPECT_EQ(resolve_outputs(inputs, {}).status().code(), Code::kInvalidArgument);
}

TEST(Prune, keeps_what_outputs_need_with_control_edges_and_placeholders) {
  GraphBuilder b = mlp();
  b.placeholder("unused", DType::kFloat, {1});
  b.add("NoOp", "before", {"^1/b"}, {});
  b.add("Relu", "kept", {"0/act", "^before"}, float_t());
  const graphdef::Graph graph = b.graph();
  const std::vector<graphdef::InputRef> fetched{{graph.find("kept"), 0}};
  int64_t dropped = 0;
  auto pruned = prune(graph, fetched, &dropped);
  ASSERT_TRUE(pruned.ok());
  for (const char* kept : {"x", "unused", "before", "1/b", "0/mul", "kept"})
    EXPECT_GE(pruned->find(kept), 0) << kept;
  for (const char* gone : {"1/w", "1/mul", "1/add", "1/act", "out"})
    EXPECT_EQ(pruned->find(gone), -1) << gone;
  EXPECT_EQ(dropped, 5);
  const graphdef::Node& node = pruned->nodes[pruned->find("kept")];
  EXPECT_EQ(pruned->nodes[node.inputs[0].node].name, "0/act");
  EXPECT_EQ(pruned->nodes[node.control_inputs[0]].name, "before");
}

TEST(Frozen, S24_variables_are_named) {
  for (const char* op : {"VariableV2", "VarHandleOp", "Variable"}) {
    GraphBuilder b;
    b.add(op, "weights", {}, {});
    const Status status = check_frozen(b.graph());
    EXPECT_EQ(status.code(), Code::kInvalidGraph);
    EXPECT_NE(status.message().find("'weights'"), std::string::npos) << status.message();
    EXPECT_NE(status.message().find("frozen"), std::string::npos);
  }
  EXPECT_TRUE(check_frozen(mlp().graph()).ok());
}

}  // namespace
}  // namespace graft::convert_detail
