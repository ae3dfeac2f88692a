// What a spliced graph computes, as hashes of (op, attributes, inputs), and what runs before what.
#pragma once

#include <functional>
#include <map>
#include <set>

#include "graphdef/output_names.h"
#include "graphdef/wire.h"
#include "partition/splice.h"
#include "partition_testing.h"

namespace graft::partition {

using namespace graphdef;

// One engine per segment, as the converter makes them; dtypes and shapes are arbitrary here.
inline std::vector<EngineNode> engines_for(const Segmentation& s, bool known_shapes) {
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

inline TestGraph splice_all(const TestGraph& g, const std::vector<InputRef>& fetched,
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

inline Body read_function(Bytes raw) {
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

inline void expect_same(const TestGraph& before, const TestGraph& after,
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
inline std::set<std::pair<std::string, std::string>> happens_before(const Graph& graph) {
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

// The mixed graph computes what `g` does at every fetch, and native nodes keep their order.
inline void expect_same_program(const TestGraph& g, const Segmentation& s, const TestGraph& mixed,
                                const std::vector<InputRef>& fetched, const std::string& what) {
  ASSERT_NO_FATAL_FAILURE(expect_same(g, mixed, fetched, what));
  const auto after = happens_before(mixed.graph);
  for (const auto& [u, v] : happens_before(g.graph)) {
    const bool native = s.segment_of[static_cast<size_t>(g.graph.find(u))] < 0 &&
                        s.segment_of[static_cast<size_t>(g.graph.find(v))] < 0;
    ASSERT_TRUE(!native || after.contains({u, v})) << what << ": " << u << " before " << v;
  }
}

}  // namespace graft::partition
