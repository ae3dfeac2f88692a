#include "partition/splice.h"

#include <functional>
#include <map>
#include <random>
#include <set>

#include "graphdef/output_names.h"
#include "graphdef/wire.h"
#include "partition_testing.h"

namespace graft::partition {
namespace {

using namespace graphdef;

// One engine per segment, as the converter makes them; dtypes and shapes are arbitrary here.
std::vector<EngineNode> engines_for(const Segmentation& s, bool known_shapes) {
  std::vector<EngineNode> engines;
  for (const Segment& segment : s.segments) {
    EngineNode e;
    e.segment = &segment;
    e.name = "TRTEngineOp_000_" + std::to_string(engines.size());
    e.op = "TRTEngineOp";
    e.input_dtypes.assign(segment.inputs.size(), DType::kFloat);
    e.output_dtypes.assign(segment.outputs.size(), DType::kFloat);
    ShapeView shape;
    shape.unknown_rank = !known_shapes;
    if (known_shapes) shape.dims = {-1, 8};
    e.output_shapes.assign(segment.outputs.size(), shape);
    engines.push_back(std::move(e));
  }
  return engines;
}

TestGraph splice_all(const TestGraph& g, const std::vector<InputRef>& fetched,
                     bool known_shapes = true) {
  const Segmentation s = segment_all(g, fetched);
  std::vector<std::string> names;
  auto bytes = splice(g.graph, engines_for(s, known_shapes), fetched, names);
  EXPECT_TRUE(bytes.ok()) << bytes.status().message();
  return parse_graph(bytes.ok() ? bytes->flatten() : std::vector<std::byte>());
}

struct Body {  // of a function, by name
  std::vector<std::string> args;
  std::map<std::string, Bytes> nodes;
  std::vector<std::string> returns;
};

Body read_function(Bytes raw) {
  Body body;
  std::map<std::string, std::string> ret;
  std::vector<std::string> outputs;
  FieldReader f(raw);
  while (f.next()) {
    if (f.key() == bytes_key(1)) {
      for (FieldReader sig(f.bytes()); sig.next();)
        if (sig.key() == bytes_key(2) || sig.key() == bytes_key(3))
          for (FieldReader arg(sig.bytes()); arg.next();)
            if (arg.key() == bytes_key(1))
              (sig.key() == bytes_key(2) ? body.args : outputs).emplace_back(arg.text());
    } else if (f.key() == bytes_key(3)) {
      std::string name;
      for (FieldReader n(f.bytes()); n.next();)
        if (n.key() == bytes_key(1)) name = n.text();
      EXPECT_TRUE(body.nodes.emplace(name, f.bytes()).second) << "twice in a function: " << name;
    } else if (f.key() == bytes_key(4)) {
      std::string key, value;
      for (FieldReader e(f.bytes()); e.next();) (e.key() == bytes_key(1) ? key : value) = e.text();
      ret[key] = value;
    }
  }
  for (const std::string& name : outputs) body.returns.push_back(ret.at(name));
  for (const std::string& arg : body.args) EXPECT_FALSE(body.nodes.contains(arg)) << arg;
  return body;
}

// The value of a tensor as a text of everything that it is computed from; names do not enter,
// except of Placeholders.
class Symbolic {
 public:
  explicit Symbolic(const Graph& graph) : graph_(graph) {}

  size_t tensor(InputRef ref) {
    const auto key = std::pair{ref.node, ref.port};
    if (auto it = values_.find(key); it != values_.end()) return it->second;
    const Node& node = graph_.nodes[static_cast<size_t>(ref.node)];
    std::vector<size_t> inputs;
    for (InputRef input : node.inputs) inputs.push_back(tensor(input));
    size_t value;
    if (node.op == "TRTEngineOp") {
      value = call(node, inputs).at(static_cast<size_t>(ref.port));
    } else {
      value = apply(node, inputs, graphdef::output_name(node, ref.port).value());
    }
    return values_[key] = value;
  }

 private:
  static size_t apply(const Node& node, const std::vector<size_t>& inputs,
                      const std::string& output) {
    if (node.op == "Identity" || node.op == "EnsureShape") return inputs.at(0);
    if (node.op == "IdentityN")
      return inputs.at(static_cast<size_t>(std::stoi(output.substr(output.find(':') + 1))));
    std::string text(node.op);
    if (node.op == "Placeholder") text += node.name;
    for (const auto& attr : node.attrs)
      text += "|" + std::string(attr.name) + "=" + std::string(as_text(attr.value));
    for (size_t input : inputs) text += "," + std::to_string(input);
    return std::hash<std::string>()(text + ">" + output);
  }

  std::vector<size_t> call(const Node& engine, const std::vector<size_t>& inputs) {
    const auto func = decode_attr(engine.find_attr("segment_func")->value).value().func;
    for (const auto& function : graph_.functions) {
      if (function.name != func.name) continue;
      const Body body = read_function(function.raw);
      EXPECT_EQ(body.args.size(), inputs.size());
      std::map<std::string, size_t> known;
      for (size_t i = 0; i < inputs.size(); ++i) known[body.args[i]] = inputs[i];
      std::vector<size_t> out;
      for (const std::string& ret : body.returns) out.push_back(inner(body, ret, known));
      return out;
    }
    ADD_FAILURE() << "no function " << func.name;
    return std::vector<size_t>(100);
  }

  size_t inner(const Body& body, const std::string& ref, std::map<std::string, size_t>& known) {
    if (auto it = known.find(ref); it != known.end()) return it->second;
    const size_t colon = ref.find(':');
    EXPECT_NE(colon, std::string::npos) << ref;
    Node node;
    node.raw = body.nodes.at(ref.substr(0, colon));
    std::vector<size_t> inputs;
    std::vector<std::string> input_names;
    for (FieldReader f(node.raw); f.next();) {
      if (f.key() == bytes_key(1)) node.name = f.text();
      if (f.key() == bytes_key(2)) node.op = f.text();
      if (f.key() == bytes_key(3)) input_names.emplace_back(f.text());
      if (f.key() != bytes_key(5)) continue;
      AttrView attr;
      for (FieldReader e(f.bytes()); e.next();) {
        if (e.key() == bytes_key(1)) attr.name = e.text();
        if (e.key() == bytes_key(2)) attr.value = e.bytes();
      }
      node.attrs.push_back(attr);
    }
    for (const std::string& input : input_names)
      if (input.starts_with('^')) {
        EXPECT_TRUE(body.nodes.contains(input.substr(1))) << input;
      } else {
        inputs.push_back(inner(body, input, known));
      }
    return known[ref] = apply(node, inputs, ref.substr(colon + 1));
  }

  const Graph& graph_;
  std::map<std::pair<int32_t, int32_t>, size_t> values_;
};

void expect_same(const TestGraph& before, const TestGraph& after,
                 const std::vector<InputRef>& fetched, const std::string& what) {
  Symbolic original(before.graph), mixed(after.graph);
  for (InputRef ref : fetched) {
    const auto found = find_tensor(after.graph, tensor_name(before.graph, ref));
    ASSERT_TRUE(found.ok()) << what << ": " << found.status().message();
    ASSERT_EQ(original.tensor(ref), mixed.tensor(*found))
        << what << " " << tensor_name(before.graph, ref);
  }
}

// For every pair of surviving nodes: what ran before the other still does.
std::set<std::pair<std::string, std::string>> happens_before(const Graph& graph) {
  std::vector<std::set<std::string>> reach(graph.nodes.size());
  std::set<std::pair<std::string, std::string>> pairs;
  for (int32_t v : topological_order(graph)) {
    const Node& node = graph.nodes[static_cast<size_t>(v)];
    const auto add = [&](int32_t u) {
      const Node& source = graph.nodes[static_cast<size_t>(u)];
      if (source.op == "Const") return;
      reach[static_cast<size_t>(v)].insert(reach[static_cast<size_t>(u)].begin(),
                                           reach[static_cast<size_t>(u)].end());
      reach[static_cast<size_t>(v)].insert(std::string(source.name));
    };
    for (InputRef ref : node.inputs) add(ref.node);
    for (int32_t u : node.control_inputs) add(u);
    for (const auto& u : reach[static_cast<size_t>(v)]) pairs.emplace(u, std::string(node.name));
  }
  return pairs;
}

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
    ASSERT_NO_FATAL_FAILURE(expect_same(g, mixed, fetched, what));
    const auto after = happens_before(mixed.graph);
    for (const auto& [u, v] : happens_before(g.graph)) {
      const bool native = s.segment_of[static_cast<size_t>(g.at(u))] < 0 &&
                          s.segment_of[static_cast<size_t>(g.at(v))] < 0;
      ASSERT_TRUE(!native || after.contains({u, v})) << what << ": " << u << " before " << v;
    }
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
