// Conditionals: a Merge of tensors that are alive on either side of one predicate. What a node
// needs to be alive is a set of (predicate, side): the Switches that its inputs passed since their
// Merges.
#include <algorithm>
#include <map>
#include <optional>
#include <tuple>

#include "base/log.h"
#include "frontend/lowered_edit.h"
#include "ir/network.h"

namespace graft::frontend {
namespace {

using graphdef::InputRef;
using graphdef::Node;

struct Literal {
  int32_t node = -1, port = 0;  // the predicate
  int32_t side = 0;
  auto operator<=>(const Literal&) const = default;
  bool same_predicate(const Literal& other) const {
    return node == other.node && port == other.port;
  }
};

struct Alive {
  std::vector<Literal> needs;  // sorted
  bool known = true;           // else it needs what is not understood
};

constexpr size_t kMaxNeeds = ir::kMaxBodyDepth;

Alive both(const Alive& a, const Alive& b) {
  Alive r;
  r.known = a.known && b.known;
  std::set_union(a.needs.begin(), a.needs.end(), b.needs.begin(), b.needs.end(),
                 std::back_inserter(r.needs));
  for (size_t i = 1; i < r.needs.size(); ++i)
    if (r.needs[i].same_predicate(r.needs[i - 1])) r.known = false;  // never alive
  if (r.needs.size() > kMaxNeeds) {
    r.known = false;
    r.needs.clear();
  }
  return r;
}

// Merges that one StatelessIf computes.
struct Group {
  std::vector<Literal> needs;  // of the Merges themselves
  Literal predicate;           // side: none
  struct Output {
    int32_t merge;
    InputRef sides[2];
    DType dtype;
  };
  std::vector<Output> outputs;
};

// Frame, needs of the Merges, predicate, and a number that keeps a Merge from those before it.
using GroupKey = std::tuple<int32_t, std::vector<Literal>, Literal, int32_t>;

class Conditionals {
 public:
  Conditionals(LoweredEdit& edit, int depth) : edit_(edit), depth_(depth) {}

  // Deepest first: those lie within no other, and no other's side holds them any more.
  Status rebuild() {
    for (;;) {
      find_alive();
      std::vector<int32_t> deepest;
      for (int32_t v : order_) {
        if (!is_open_merge(v)) continue;
        const size_t size = alive(v).needs.size();
        if (!deepest.empty() && alive(deepest[0]).needs.size() > size) continue;
        if (!deepest.empty() && alive(deepest[0]).needs.size() < size) deepest.clear();
        deepest.push_back(v);
      }
      if (deepest.empty()) return ok_status();
      std::map<GroupKey, Group> groups;
      for (int32_t v : deepest) add_to_group(v, groups);
      for (auto& [key, group] : groups) {
        const Status status = make(group);
        if (status.ok()) continue;
        if (status.code() == Code::kCancelled || status.code() == Code::kResourceExhausted)
          return status;
        for (const Group::Output& output : group.outputs) fail(output.merge, status.message());
      }
    }
  }

 private:
  const Node& node(int32_t v) const { return edit_.node(v); }
  const Alive& alive(int32_t v) const { return alive_[static_cast<size_t>(v)]; }
  bool is_inside(int32_t v, const Literal& side) const {
    return static_cast<size_t>(v) < alive_.size() &&
           std::binary_search(alive(v).needs.begin(), alive(v).needs.end(), side);
  }
  bool in_depth(int32_t v) const {
    return edit_.frames.all[static_cast<size_t>(edit_.frame_of(v))].depth == depth_;
  }
  void fail(int32_t merge, const std::string& why) {
    edit_.left[static_cast<size_t>(merge)] = "its conditional is not rebuilt: " + why;
  }

  bool is_conditional_merge(int32_t v) const {
    const auto is_next = [&](InputRef ref) {
      return node(ref.node).op == "NextIteration" || node(ref.node).op == "RefNextIteration";
    };
    return node(v).op == "Merge" && in_depth(v) &&
           std::none_of(node(v).inputs.begin(), node(v).inputs.end(), is_next);
  }
  bool is_open_merge(int32_t v) const {
    return is_conditional_merge(v) && edit_.left[static_cast<size_t>(v)].empty() &&
           !edit_.request.excluded.contains(std::string(node(v).name));
  }

  // The tensor that the Identities of a predicate stand for.
  InputRef predicate_of(InputRef ref) const {
    while (node(ref.node).op == "Identity" && node(ref.node).inputs.size() == 1 && ref.port == 0 &&
           !edit_.renamed[static_cast<size_t>(ref.node)] && !edit_.is_fed(ref.node))
      ref = node(ref.node).inputs[0];
    return ref;
  }

  // The predicate of a Switch that is none of a loop.
  std::optional<Literal> switch_literal(InputRef ref) const {
    const Node& n = node(ref.node);
    if (n.op != "Switch" || n.inputs.size() != 2) return std::nullopt;
    const InputRef pred = predicate_of(n.inputs[1]);
    if (node(pred.node).op == "LoopCond") return std::nullopt;
    return Literal{pred.node, pred.port, ref.port};
  }

  // What a read of the tensor needs.
  Alive needs_of(InputRef ref) const {
    Alive r = alive(ref.node);
    if (const auto literal = switch_literal(ref)) {
      if (literal->side > 1) r.known = false;
      r = both(r, Alive{{*literal}, true});
    }
    return r;
  }

  void find_alive() {
    order_ = graphdef::topological_order(edit_.graph);
    alive_.assign(edit_.graph.nodes.size(), Alive());
    level_.assign(edit_.graph.nodes.size(), 0);
    value_index_read_.assign(edit_.graph.nodes.size(), false);
    has_native_loops_ = false;
    for (InputRef ref : edit_.request.fetched)
      if (ref.port > 0) value_index_read_[static_cast<size_t>(ref.node)] = true;
    for (int32_t v : order_) {
      const auto i = static_cast<size_t>(v);
      const Node& n = node(v);
      for (InputRef ref : n.inputs)
        if (ref.port > 0) value_index_read_[static_cast<size_t>(ref.node)] = true;
      if (!in_depth(v)) continue;
      const bool is_merge = n.op == "Merge";
      Alive& a = alive_[i];
      if (const auto made = made_.find(v); made != made_.end()) a.needs = made->second;
      if (n.op == "Exit" || n.op == "RefExit") {
        a.known = false;
        has_native_loops_ = true;
      }
      const auto reach = [&](int32_t source) {
        level_[i] = std::max(level_[i], level_[static_cast<size_t>(source)] +
                                            (is_conditional_merge(source) ? 1 : 0));
        return edit_.frame_of(source) == edit_.frame_of(v);
      };
      for (InputRef ref : n.inputs)
        if (node(ref.node).op != "NextIteration" && reach(ref.node) && !is_merge)
          a = both(a, needs_of(ref));
      if (is_merge) a = merged(n);
      for (int32_t source : n.control_inputs)
        if (node(source).op != "NextIteration" && reach(source)) a = both(a, alive(source));
    }
  }

  // What both inputs of a Merge need.
  Alive merged(const Node& n) const {
    Alive r;
    if (n.inputs.size() != 2) return {{}, false};
    for (InputRef ref : n.inputs)
      if (node(ref.node).op == "NextIteration") return r;  // of a loop
    const Alive a = needs_of(n.inputs[0]), b = needs_of(n.inputs[1]);
    r.known = a.known && b.known;
    std::set_intersection(a.needs.begin(), a.needs.end(), b.needs.begin(), b.needs.end(),
                          std::back_inserter(r.needs));
    return r;
  }

  void add_to_group(int32_t v, std::map<GroupKey, Group>& groups) {
    const Node& n = node(v);
    if (n.inputs.size() != 2)
      return fail(v, "it has " + std::to_string(n.inputs.size()) + " inputs, expected 2");
    if (edit_.is_fed(v)) return fail(v, "it is fed");
    if (value_index_read_[static_cast<size_t>(v)]) return fail(v, "its output value_index is read");
    const Alive sides[2] = {needs_of(n.inputs[0]), needs_of(n.inputs[1])};
    const std::vector<Literal>& common = alive(v).needs;
    const Literal* extra[2] = {nullptr, nullptr};
    bool fits = sides[0].known && sides[1].known && alive(v).known;
    for (int i = 0; i < 2 && fits; ++i) {
      fits = sides[i].needs.size() == common.size() + 1;
      for (const Literal& l : sides[i].needs) {
        if (std::binary_search(common.begin(), common.end(), l)) continue;
        fits = fits && !extra[i];
        extra[i] = &l;
      }
      fits = fits && extra[i];
    }
    if (!fits || !extra[0]->same_predicate(*extra[1]) || extra[0]->side + extra[1]->side != 1)
      return fail(v, "its inputs are not what one predicate lets through on its two sides");
    const auto dtype = graphdef::attr_type(n, "T");
    if (!dtype.ok()) return fail(v, dtype.status().message());
    const Literal predicate{extra[0]->node, extra[0]->port, 0};
    // What a native loop hands on may depend on Merges that no path shows: its back edges.
    const int32_t level = has_native_loops_ ? v : level_[static_cast<size_t>(v)];
    Group& group = groups[{edit_.frame_of(v), common, predicate, level}];
    group.needs = common;
    group.predicate = predicate;
    Group::Output output{v, {}, *dtype};
    for (int i = 0; i < 2; ++i) output.sides[extra[i]->side] = n.inputs[static_cast<size_t>(i)];
    group.outputs.push_back(output);
  }

  // The tensors that come in from outside, and what the conditional waits for.
  struct Captured {
    std::vector<InputRef> tensors;
    std::vector<DType> dtypes;
    std::map<std::pair<int32_t, int32_t>, size_t> index;
    std::vector<int32_t> controls, switches;
  };

  Result<std::optional<size_t>> read(const Literal& side, int32_t frame, InputRef ref,
                                     Captured& captured) {
    if (const auto literal = switch_literal(ref); literal && *literal == side) {
      if (edit_.is_fed(ref.node))
        return unsupported("Switch '" + printable(node(ref.node).name) + "' is fed");
      return capture(ref.node, captured);
    }
    if (edit_.frame_of(ref.node) != frame || is_frame_op(node(ref.node).op))
      return unsupported("node " + edit_.named(ref.node) +
                         " within it is not rebuilt, or of another conditional");
    if (!is_inside(ref.node, side) && node(ref.node).op != "Const")
      return unsupported("node " + edit_.named(ref.node) + " is read without a Switch");
    return std::optional<size_t>();
  }

  Result<std::optional<size_t>> capture(int32_t v, Captured& captured) {
    const Node& n = node(v);
    const InputRef source = n.inputs[0];
    const auto [it, fresh] =
        captured.index.try_emplace({source.node, source.port}, captured.tensors.size());
    captured.switches.push_back(v);
    if (fresh) {
      GRAFT_ASSIGN_OR_RETURN(const DType dtype, graphdef::attr_type(n, "T"));
      captured.tensors.push_back(source);
      captured.dtypes.push_back(dtype);
    }
    for (int32_t control : n.control_inputs) wait_for(control, captured);
    return std::optional(it->second);
  }

  void wait_for(int32_t v, Captured& captured) {
    if (!is_frame_op(node(v).op)) captured.controls.push_back(v);
  }

  Status make(const Group& group) {
    const int32_t frame = edit_.frame_of(group.outputs[0].merge);
    Captured captured;
    graphdef::FunctionSpec functions[2];
    std::vector<int32_t> members;
    for (int32_t side = 0; side < 2; ++side) {
      Literal literal = group.predicate;
      literal.side = side;
      BodyCopy copy(
          edit_, [&](InputRef ref) { return read(literal, frame, ref, captured); },
          [&](int32_t v) {
            const bool inside = is_inside(v, literal);
            if (!inside) wait_for(v, captured);
            return inside && edit_.frame_of(v) == frame && !is_frame_op(node(v).op);
          });
      for (const Group::Output& output : group.outputs)
        GRAFT_RETURN_IF_ERROR(copy.returns(output.sides[side], output.dtype));
      GRAFT_ASSIGN_OR_RETURN(functions[side], copy.finish());
      functions[side].name =
          std::string(node(group.outputs[0].merge).name) + (side ? "_then" : "_else");
      members.insert(members.end(), copy.copied().begin(), copy.copied().end());
    }
    GRAFT_ASSIGN_OR_RETURN(captured.controls, edit_.plain_controls(std::move(captured.controls)));
    std::string names[2];
    for (int side = 0; side < 2; ++side) {
      for (size_t i = 0; i < captured.tensors.size(); ++i)
        functions[side].inputs.push_back({edit_.argument(i), captured.dtypes[i]});
      GRAFT_ASSIGN_OR_RETURN(names[side], edit_.add_function(std::move(functions[side])));
    }
    add_node(group, captured, names, std::move(members));
    return ok_status();
  }

  void add_node(const Group& group, const Captured& captured, const std::string (&names)[2],
                std::vector<int32_t> members) {
    const int32_t first = group.outputs[0].merge;
    const std::string first_name(node(first).name);
    std::vector<DType> types;
    LoweredOp op{-1, "the conditional of '" + printable(first_name) + "'", {}};
    for (const Group::Output& output : group.outputs) {
      types.push_back(output.dtype);
      op.anchors.emplace_back(node(output.merge).name);
    }
    graphdef::NodeSpec spec{edit_.free_name(first_name + "/if"),
                            "StatelessIf",
                            std::string(node(first).device),
                            {},
                            {}};
    spec.attrs = {{"Tcond", graphdef::attr_of_type(DType::kBool)},
                  {"Tin", graphdef::attr_of_types(captured.dtypes)},
                  {"Tout", graphdef::attr_of_types(types)},
                  {"then_branch", graphdef::attr_of_func(names[1])},
                  {"else_branch", graphdef::attr_of_func(names[0])}};
    std::vector<InputRef> inputs{{group.predicate.node, group.predicate.port}};
    inputs.insert(inputs.end(), captured.tensors.begin(), captured.tensors.end());
    op.node = edit_.add(std::move(spec), inputs, captured.controls, edit_.frame_of(first));
    made_.emplace(op.node, group.needs);
    for (size_t i = 0; i < group.outputs.size(); ++i) {
      const Group::Output& output = group.outputs[i];
      edit_.make_identity(output.merge, {op.node, static_cast<int32_t>(i)}, output.dtype);
    }
    members.insert(members.end(), captured.switches.begin(), captured.switches.end());
    record_op(edit_, std::move(op), members);
  }

  LoweredEdit& edit_;
  const int depth_;
  std::vector<int32_t> order_;
  std::vector<Alive> alive_;    // per node, as of the last find_alive()
  std::vector<int32_t> level_;  // per node: Merges of conditionals on the longest way to it
  std::vector<bool> value_index_read_;
  bool has_native_loops_ = false;
  std::map<int32_t, std::vector<Literal>> made_;  // what the nodes made here need
};

}  // namespace

Status rebuild_conditionals(LoweredEdit& edit, int depth) {
  return Conditionals(edit, depth).rebuild();
}

}  // namespace graft::frontend
