#include "partition/splice.h"

#include <random>

#include "splice_testing.h"

namespace graft::partition {
namespace {

NodeSpec split(const std::string& name, const std::string& axis, const std::string& value) {
  NodeSpec spec = node(name, "Split", {axis, value});
  spec.attrs.emplace_back("num_split", attr_of_int(3));
  return spec;
}

TEST(Splice, outputs_of_every_kind_are_rewired) {
  const TestGraph g =
      make_graph({node("x", "Placeholder"), node("k", "Const"), split("s", "k", "x"),
                  node("a", "Relu", {"s:1"}), node("n", "NativeOp", {"a", "s:2"}),
                  node("b", "AddV2", {"n", "a"}), node("out", "NativeOut", {"b", "k"})});
  const std::vector<InputRef> fetched = {{g.at("out"), 0}, {g.at("a"), 0}};
  for (bool known : {false, true}) {
    const TestGraph mixed = splice_all(g, fetched, known);
    expect_same(g, mixed, fetched, known ? "known" : "unknown");
    EXPECT_EQ(mixed.graph.nodes[static_cast<size_t>(mixed.at("a"))].op,
              known ? "EnsureShape" : "Identity");
    EXPECT_GE(mixed.graph.find("k"), 0) << "a native node reads it";
    EXPECT_LT(mixed.graph.find("s"), 0);
    EXPECT_GE(mixed.graph.find("TRTEngineOp_000_0"), 0);
  }
}

TEST(Splice, S11_fetched_second_output_keeps_its_name) {
  const TestGraph g = make_graph({node("x", "Placeholder"), node("k", "Const"),
                                  split("s", "k", "x"), node("a", "Relu", {"s"})});
  const std::vector<InputRef> fetched = {{g.at("s"), 2}, {g.at("a"), 0}};
  const TestGraph mixed = splice_all(g, fetched);
  expect_same(g, mixed, fetched, "s:2");
  EXPECT_EQ(mixed.graph.nodes[static_cast<size_t>(mixed.at("s"))].op, "IdentityN");
}

TEST(Splice, S14_one_tensor_for_two_engines) {
  const TestGraph g =
      make_graph({node("x", "Placeholder"), node("a", "Relu", {"x"}), node("n", "NativeOp", {"a"}),
                  node("b", "AddV2", {"a", "n"}), node("c", "AddV2", {"b", "a"}),
                  node("out", "NativeOut", {"c", "a"})});
  const std::vector<InputRef> fetched = {{g.at("out"), 0}};
  expect_same(g, splice_all(g, fetched), fetched, "two engines");
}

TEST(Splice, S15_C6_taken_names_are_left_alone) {
  GraphWriter writer;
  for (const auto& spec : {node("x", "Placeholder"), node("TRTEngineOp_000_0", "NativeOp", {"x"}),
                           node("TensorRTInputPH_0", "Relu", {"TRTEngineOp_000_0"}),
                           node("y", "Relu", {"TensorRTInputPH_0"})})
    writer.add(spec);
  FunctionSpec function;
  function.name = "TRTEngineOp_000_0_1_native_segment";
  writer.add_function(function);
  const TestGraph g = parse_graph(writer.finish().value());
  const std::vector<InputRef> fetched = {{g.at("y"), 0}};
  const TestGraph mixed = splice_all(g, fetched);
  expect_same(g, mixed, fetched, "names");
  EXPECT_GE(mixed.graph.find("TRTEngineOp_000_0_2"), 0);
  EXPECT_EQ(mixed.graph.functions.size(), 2u);
  EXPECT_EQ(mixed.graph.functions[1].name, "TRTEngineOp_000_0_2_native_segment");
}

TEST(Splice, S16_nothing_to_convert_gives_the_same_bytes) {
  GraphWriter writer;
  NodeSpec odd = node("x", "Placeholder");
  odd.attrs.emplace_back("_private", attr_of_string("kept"));
  writer.add(odd);
  writer.add(node("e", "TRTEngineOp", {"x"}));
  auto bytes = writer.finish().value();
  const TestGraph g = parse_graph(bytes);
  std::vector<std::string> names;
  EXPECT_EQ(splice(g.graph, {}, {}, names).value().flatten(), bytes);
}

TEST(Splice, S20_colocation_with_absorbed_nodes_goes) {
  NodeSpec native = node("n", "NativeOp", {"b"});
  native.attrs.emplace_back("_class", attr_of_strings({"loc:@a", "loc:@x", "other"}));
  native.attrs.emplace_back("_output_shapes", attr_of_ints({1, 2}));
  NodeSpec inner = node("b", "Relu", {"a"});
  inner.attrs.emplace_back("_class", attr_of_strings({"loc:@n"}));
  const TestGraph g =
      make_graph({node("x", "Placeholder"), node("a", "Relu", {"x"}), inner, native});
  const TestGraph mixed = splice_all(g, {{g.at("n"), 0}});
  const Node& n = mixed.graph.nodes[static_cast<size_t>(mixed.at("n"))];
  EXPECT_EQ(decode_attr(n.find_attr("_class")->value).value().list_s,
            (std::vector<std::string_view>{"loc:@x", "other"}));
  EXPECT_EQ(attr_int_list(n, "_output_shapes").value(), (std::vector<int64_t>{1, 2}));
  EXPECT_EQ(as_text(mixed.graph.functions[0].raw).find("loc:@n"), std::string_view::npos);
}

TEST(Splice, S23_control_edges_are_kept) {
  const TestGraph g = make_graph({node("x", "Placeholder"), node("n", "NativeOp", {"x"}),
                                  node("a", "Relu", {"x", "^n"}), node("b", "Relu", {"a"}),
                                  node("m", "NativeOp", {"^b"}), node("c", "Relu", {"x", "^m"})});
  const std::vector<InputRef> fetched = {{g.at("m"), 0}, {g.at("c"), 0}};
  const TestGraph mixed = splice_all(g, fetched);
  const auto pairs = happens_before(mixed.graph);
  EXPECT_TRUE(pairs.contains({"n", "m"}));
  EXPECT_TRUE(pairs.contains({"n", "c"}));
  EXPECT_TRUE(pairs.contains({"m", "c"}));
}

TEST(Splice, versions_library_and_unknown_fields_survive) {
  GraphWriter writer;
  for (const auto& spec : {node("x", "Placeholder"), node("a", "Relu", {"x"})}) writer.add(spec);
  FunctionSpec function;
  function.name = "user";
  writer.add_function(function);
  const std::string gradient("\x12\x03\x0a\x01g", 5), versions("\x22\x02\x08\x1b", 4),
      unknown("\x92\x3e\x01z", 4);
  writer.add_library_rest(as_bytes(gradient));
  writer.add_rest(as_bytes(versions + unknown));
  const TestGraph g = parse_graph(writer.finish().value());
  const TestGraph mixed = splice_all(g, {{g.at("a"), 0}});
  EXPECT_EQ(mixed.graph.producer, 27);
  EXPECT_EQ(as_text(mixed.graph.rest), versions + unknown);
  EXPECT_EQ(as_text(mixed.graph.library_rest), gradient);
  EXPECT_EQ(mixed.graph.functions[0].name, "user");
}

TEST(Splice, random_graphs_compute_the_same) {
  std::mt19937 random(3);
  int engines = 0;
  for (int round = 0; round < 400; ++round) {
    std::vector<NodeSpec> nodes = {node("p0", "Placeholder"), node("p1", "Placeholder"),
                                   node("k", "Const")};
    std::vector<std::string> tensors = {"p0", "p1"}, made = {"p0", "p1"};
    const auto any = [&](const std::vector<std::string>& list) {
      return list[random() % list.size()];
    };
    for (int i = 0; i < 25; ++i) {
      const std::string name = "n" + std::to_string(i);
      NodeSpec spec;
      switch (random() % 6) {
        case 0:
          spec = node(name, "NativeOp", {any(tensors), any(tensors)});
          break;
        case 1:
          spec = split(name, "k", any(tensors));
          break;
        case 2:
          spec = node(name, "AddV2", {any(tensors), "k"});
          break;
        case 3:
          spec = node(name, "Relu", {any(tensors)});
          break;
        default:
          spec = node(name, "AddV2", {any(tensors), any(tensors)});
          break;
      }
      if (random() % 5 == 0) spec.inputs.push_back("^" + any(made));
      tensors.push_back(name);
      if (spec.op == "Split") tensors.push_back(name + ":2");
      made.push_back(name);
      nodes.push_back(spec);
    }
    const TestGraph g = make_graph(nodes);
    std::vector<InputRef> fetched;
    for (int i = 0; i < 4; ++i) fetched.push_back(find_tensor(g.graph, any(tensors)).value());
    const Segmentation s = segment_all(g, fetched);
    engines += static_cast<int>(s.segments.size());
    const TestGraph mixed = splice_all(g, fetched, round % 2);
    const std::string what = "round " + std::to_string(round);
    ASSERT_NO_FATAL_FAILURE(expect_same_program(g, s, mixed, fetched, what));
  }
  EXPECT_GT(engines, 400);
}

TEST(OutputNames, follow_the_op_registry) {
  const TestGraph g =
      make_graph({node("k", "Const"), node("x", "Placeholder"), split("s", "k", "x"),
                  node("t", "TopKV2", {"x", "k"}), node("c", "Conv2D", {"x", "k"})});
  const auto name = [&](const char* n, int32_t port) {
    return graphdef::output_name(g.graph.nodes[static_cast<size_t>(g.at(n))], port);
  };
  EXPECT_EQ(name("s", 2).value(), "output:2");
  EXPECT_EQ(name("t", 0).value(), "values:0");
  EXPECT_EQ(name("t", 1).value(), "indices:0");
  EXPECT_EQ(name("c", 0).value(), "output:0");
  EXPECT_EQ(name("s", 3).status().code(), Code::kInvalidGraph);
  EXPECT_EQ(name("t", 2).status().code(), Code::kInvalidGraph);
}

}  // namespace
}  // namespace graft::partition
