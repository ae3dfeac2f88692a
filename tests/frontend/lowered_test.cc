// Loops and conditionals of the lowered form: what is rebuilt, and what is said of what is not.
#include "frontend/lowered.h"

#include <algorithm>
#include <functional>

#include "graph_builder.h"

namespace graft::frontend {
namespace {

using graphdef::attr_of_bool;
using graphdef::attr_of_string;

const std::string kFloatAttr = type_attr(DType::kFloat), kBoolAttr = type_attr(DType::kBool),
                  kIntAttr = type_attr(DType::kInt32);

AttrList of(const std::string& type) { return {{"T", type}}; }
AttrList enter(const std::string& type, const std::string& frame, bool constant = false) {
  return {
      {"T", type}, {"frame_name", attr_of_string(frame)}, {"is_constant", attr_of_bool(constant)}};
}

// while (i < n) y = y + x, as TensorFlow 1 writes it; nodes are named "<at>..."; the result is
// "<at>out".
void add_loop(GraphBuilder& b, const std::string& at, const std::string& x,
              const std::string& frame) {
  b.add("Enter", at + "ei", {"zero"}, enter(kIntAttr, frame));
  b.add("Enter", at + "ey", {x}, enter(kFloatAttr, frame));
  b.add("Enter", at + "ex", {x}, enter(kFloatAttr, frame, true));
  b.add("Enter", at + "en", {"n"}, enter(kIntAttr, frame, true));
  b.add("Merge", at + "mi", {at + "ei", at + "ni"}, of(kIntAttr));
  b.add("Merge", at + "my", {at + "ey", at + "ny"}, of(kFloatAttr));
  b.add("Less", at + "less", {at + "mi", at + "en"}, of(kIntAttr));
  b.add("LoopCond", at + "cond", {at + "less"}, {});
  b.add("Switch", at + "si", {at + "mi", at + "cond"}, of(kIntAttr));
  b.add("Switch", at + "sy", {at + "my", at + "cond"}, of(kFloatAttr));
  b.add("Identity", at + "pivot", {at + "si:1"}, of(kIntAttr));
  b.constant<int32_t>(at + "one", DType::kInt32, {}, {1}).last().inputs = {"^" + at + "pivot"};
  b.add("AddV2", at + "next_i", {at + "pivot", at + "one"}, of(kIntAttr));
  b.add("AddV2", at + "next_y", {at + "sy:1", at + "ex"}, of(kFloatAttr));
  b.add("NextIteration", at + "ni", {at + "next_i"}, of(kIntAttr));
  b.add("NextIteration", at + "ny", {at + "next_y"}, of(kFloatAttr));
  b.add("Exit", at + "out", {at + "sy"}, of(kFloatAttr));
}

GraphBuilder inputs() {
  GraphBuilder b;
  b.placeholder("x", DType::kFloat, {-1, 4}).placeholder("n", DType::kInt32, {});
  b.placeholder("p", DType::kBool, {}).ints("zero", {}, {0});
  return b;
}

// p ? x + x : -x, as TensorFlow 1 writes it; the result is "<at>out".
void add_conditional(GraphBuilder& b, const std::string& at, const std::string& x,
                     const std::string& p) {
  b.add("Identity", at + "pred", {p}, of(kBoolAttr));
  b.add("Switch", at + "s0", {x, at + "pred"}, of(kFloatAttr));
  b.add("Switch", at + "s1", {x, at + "pred"}, of(kFloatAttr));
  b.add("Neg", at + "no", {at + "s0"}, of(kFloatAttr));
  b.add("AddV2", at + "yes", {at + "s1:1", at + "s1:1"}, of(kFloatAttr));
  b.add("Merge", at + "out", {at + "no", at + "yes"}, of(kFloatAttr));
}

GraphBuilder loop() {
  GraphBuilder b = inputs();
  add_loop(b, "l/", "x", "frame");
  return b;
}

// The nodes of a builder with one changed.
GraphBuilder changed(const GraphBuilder& b, const std::string& name,
                     const std::function<void(graphdef::NodeSpec&)>& change) {
  GraphBuilder r = b;
  change(r.find(name));
  return r;
}

Rebuilt rebuild(const graphdef::Graph& graph, const std::vector<std::string>& fetched,
                const std::vector<std::string>& fed = {},
                const std::unordered_set<std::string>& excluded = {}) {
  std::vector<graphdef::InputRef> refs;
  for (const std::string& name : fetched) {
    const auto ref = graphdef::find_tensor(graph, name);
    EXPECT_TRUE(ref.ok());
    refs.push_back(*ref);
  }
  std::vector<bool> is_fed(graph.nodes.size(), false);
  for (const std::string& name : fed) is_fed[static_cast<size_t>(graph.find(name))] = true;
  WorkContext work;
  auto rebuilt = rebuild_control_flow(graph, {refs, is_fed, excluded}, work);
  EXPECT_TRUE(rebuilt.ok()) << rebuilt.status().message();
  return std::move(*rebuilt);
}

int64_t count(const graphdef::Graph& graph, std::string_view op) {
  return std::count_if(graph.nodes.begin(), graph.nodes.end(),
                       [&](const graphdef::Node& n) { return n.op == op; });
}

// Nothing is rebuilt, and the reason given for `node` has `part` in it.
void expect_left(const GraphBuilder& b, const std::string& node, const std::string& part,
                 const std::vector<std::string>& fetched = {"l/out"},
                 const std::vector<std::string>& fed = {}) {
  const graphdef::Graph graph = b.graph();
  const Rebuilt r = rebuild(graph, fetched, fed);
  EXPECT_TRUE(r.ops.empty());
  const std::string& why = r.left[static_cast<size_t>(graph.find(node))];
  EXPECT_NE(why.find(part), std::string::npos) << why;
}

void expect_imported(const Rebuilt& r) {
  WorkContext work;
  const auto imported = import_all(r.graph, work);
  ASSERT_TRUE(imported.ok()) << imported.status().message();
  for (const RebuiltOp& op : r.ops) {
    const Support& s = imported->support[static_cast<size_t>(r.graph.find(op.name))];
    EXPECT_TRUE(s.yes) << op.what << ": " << s.reason;
  }
}

TEST(Lowered, a_loop_becomes_one_while) {
  const graphdef::Graph graph = loop().graph();
  const Rebuilt r = rebuild(graph, {"l/out"});
  ASSERT_EQ(r.ops.size(), 1u);
  EXPECT_EQ(r.ops[0].name, "frame");
  EXPECT_EQ(r.ops[0].members.size(), 17u);  // all but x, n, p and zero
  EXPECT_EQ(count(r.graph, "StatelessWhile"), 1);
  EXPECT_EQ(r.graph.nodes[static_cast<size_t>(r.fetched[0].node)].name, "l/out");
  EXPECT_EQ(r.graph.nodes.size(), 6u);
  expect_imported(r);
}

TEST(Lowered, nested_loops) {
  GraphBuilder b = inputs();
  add_loop(b, "l/", "x", "frame");
  GraphBuilder inner = changed(b, "l/next_y", [](graphdef::NodeSpec& n) { n.inputs[1] = "k/out"; });
  // The inner loop starts from the outer's variable.
  inner.add("Enter", "k/n", {"n"}, enter(kIntAttr, "frame", true));
  inner.constant<int32_t>("k/zero", DType::kInt32, {}, {0}).last().inputs = {"^l/pivot"};
  add_loop(inner, "k/", "l/sy:1", "inner");
  inner.find("k/ei").inputs[0] = "k/zero";
  inner.find("k/en").inputs[0] = "k/n";
  const Rebuilt r = rebuild(inner.graph(), {"l/out"});
  ASSERT_EQ(r.ops.size(), 1u);
  EXPECT_EQ(r.ops[0].anchors.size(), 2u);
  EXPECT_EQ(count(r.graph, "Enter"), 0);
  expect_imported(r);
  // Without the inner one the outer stays as well.
  const Rebuilt none = rebuild(inner.graph(), {"l/out"}, {}, {"k/cond"});
  EXPECT_TRUE(none.ops.empty());
}

TEST(Lowered, a_conditional_becomes_one_if) {
  GraphBuilder b = inputs();
  add_conditional(b, "c/", "x", "p");
  const Rebuilt r = rebuild(b.graph(), {"c/out"});
  ASSERT_EQ(r.ops.size(), 1u);
  EXPECT_EQ(r.ops[0].members.size(), 6u);
  EXPECT_EQ(count(r.graph, "Switch") + count(r.graph, "Merge"), 0);
  expect_imported(r);
}

TEST(Lowered, conditionals_of_one_predicate_behind_each_other) {
  GraphBuilder b = inputs();
  add_conditional(b, "c/", "x", "p");
  b.add("Neg", "between", {"c/out"}, of(kFloatAttr));
  add_conditional(b, "d/", "between", "p");
  const Rebuilt r = rebuild(b.graph(), {"d/out"});
  EXPECT_EQ(r.ops.size(), 2u);
  expect_imported(r);
}

TEST(Lowered, a_conditional_within_a_loop) {
  GraphBuilder b = inputs();
  add_loop(b, "l/", "x", "frame");
  b.add("Enter", "c/enter", {"p"}, enter(kBoolAttr, "frame", true));
  add_conditional(b, "c/", "l/sy:1", "c/enter");
  b.find("l/next_y").inputs[1] = "c/out";
  const Rebuilt r = rebuild(b.graph(), {"l/out"});
  ASSERT_EQ(r.ops.size(), 1u);
  EXPECT_EQ(count(r.graph, "StatelessWhile"), 1);
  expect_imported(r);
}

TEST(Lowered, a_fetched_or_fed_node_keeps_the_loop) {
  expect_left(loop(), "l/less", "'l/next_y' (AddV2) is fetched", {"l/out", "l/next_y"});
  expect_left(loop(), "l/less", "'l/pivot' (Identity) is fed", {"l/out"}, {"l/pivot"});
}

TEST(Lowered, bad_frames_are_said_and_left) {
  using Spec = graphdef::NodeSpec;
  const GraphBuilder b = loop();
  expect_left(changed(b, "l/ey", [](Spec& n) { n.attrs.erase(n.attrs.begin() + 1); }), "l/my",
              "frame");
  expect_left(changed(b, "l/my", [](Spec& n) { n.inputs.push_back("l/ey"); }), "l/my",
              "has 3 inputs, expected 2");
  expect_left(changed(b, "l/my",
                      [](Spec& n) {
                        n.inputs = {"l/ey", "l/ex"};
                      }),
              "l/less", "Merge 'l/my'");
  expect_left(changed(b, "l/ni", [](Spec& n) { n.inputs[0] = "zero"; }), "l/less", "'l/mi'");
  expect_left(changed(b, "l/cond",
                      [](Spec& n) {
                        n.op = "Identity";
                        n.attrs = of(kBoolAttr);
                      }),
              "l/less", "has no LoopCond");
  expect_left(changed(b, "l/sy", [](Spec& n) { n.inputs[1] = "l/less"; }), "l/less",
              "'l/out' (Exit)");
  expect_left(changed(b, "l/ey", [](Spec& n) { n.attrs[2].second = attr_of_bool(true); }), "l/less",
              "has is_constant");
  expect_left(changed(b, "l/next_y", [](Spec& n) { n.inputs[1] = "x"; }), "l/less",
              "reads of the frames");
  expect_left(changed(b, "l/next_y", [](Spec& n) { n.inputs[1] = "l/sy"; }), "l/less",
              "output 0 of node 'l/sy' (Switch) is read in the body");
  expect_left(changed(b, "l/next_y", [](Spec& n) { n.inputs[1] = "l/my:1"; }), "l/less",
              "output 1 of node 'l/my'");
  expect_left(changed(b, "l/next_y", [](Spec& n) { n.inputs[1] = "l/ny"; }), "l/less",
              "as only a Merge of its frame may");
  expect_left(changed(b, "l/ey", [](Spec& n) { n.attrs.erase(n.attrs.begin()); }), "l/less",
              "\"T\"");
}

TEST(Lowered, bad_conditionals_are_said_and_left) {
  using Spec = graphdef::NodeSpec;
  GraphBuilder b = inputs();
  add_conditional(b, "c/", "x", "p");
  const auto left = [](const GraphBuilder& g, const std::string& part) {
    expect_left(g, "c/out", part, {"c/out"});
  };
  left(changed(b, "c/out", [](Spec& n) { n.inputs.push_back("c/no"); }), "has 3 inputs");
  left(changed(b, "c/out", [](Spec& n) { n.inputs.pop_back(); }), "has 1 inputs");
  left(changed(b, "c/yes", [](Spec& n) { n.inputs = {"c/s1", "c/s1"}; }), "two sides");
  left(changed(b, "c/yes", [](Spec& n) { n.inputs = {"c/s1:1", "c/s1"}; }), "two sides");
  left(changed(b, "c/yes", [](Spec& n) { n.inputs = {"c/s1:5", "c/s1:5"}; }), "two sides");
  left(changed(b, "c/yes", [](Spec& n) { n.inputs[1] = "x"; }), "read without a Switch");
  left(changed(b, "c/out", [](Spec& n) { n.attrs.clear(); }), "\"T\"");
  expect_left(b, "c/out", "value_index", {"c/out:1"});
  expect_left(b, "c/out", "is fed", {"c/out"}, {"c/yes"});
}

TEST(Lowered, frames_nested_too_deep) {
  GraphBuilder b;
  b.placeholder("x", DType::kFloat, {});
  std::string from = "x";
  for (int i = 0; i < 200; ++i) {
    b.add("Enter", "e" + std::to_string(i), {from}, enter(kFloatAttr, "f"));
    from = "e" + std::to_string(i);
  }
  expect_left(b, from, "nest more than 8 deep", {from});
}

}  // namespace
}  // namespace graft::frontend
