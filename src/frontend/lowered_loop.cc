// A loop as TensorFlow lowers it. Each variable is Enter -> Merge -> Switch -> ... -> NextIteration
// -> Merge; all Switches ask the frame's LoopCond. What stays is an Enter with is_constant.
#include <algorithm>

#include "base/log.h"
#include "frontend/lowered_edit.h"

namespace graft::frontend {
namespace {

using graphdef::InputRef;
using graphdef::Node;

class Loop {
 public:
  Loop(LoweredEdit& edit, int32_t f, const std::vector<int32_t>& nodes,
       const std::vector<int32_t>& exits)
      : edit_(edit), f_(f), nodes_(nodes), exits_(exits) {}

  Status rebuild() {
    for (int32_t v : nodes_) GRAFT_RETURN_IF_ERROR(check_apart(v));
    GRAFT_RETURN_IF_ERROR(find_condition());
    for (int32_t v : nodes_) GRAFT_RETURN_IF_ERROR(find_variable(v));
    for (int32_t v : nodes_) GRAFT_RETURN_IF_ERROR(find_invariant(v));
    GRAFT_RETURN_IF_ERROR(check_enters());
    if (arguments_.empty()) return unsupported("it has no loop variable");
    GRAFT_RETURN_IF_ERROR(find_exits());
    return make();
  }

 private:
  struct Argument {
    int32_t source = -1;  // the Merge, or the Enter of what stays
    int32_t enter = -1, next = -1;
    DType dtype = DType::kInvalid;
  };

  const Node& node(int32_t v) const { return edit_.node(v); }

  Status check_apart(int32_t v) const {
    if (edit_.is_fed(v)) return unsupported("node " + edit_.named(v) + " is fed");
    if (static_cast<size_t>(v) < edit_.is_fetched.size() &&
        edit_.is_fetched[static_cast<size_t>(v)])
      return unsupported("node " + edit_.named(v) + " is fetched");
    return ok_status();
  }

  Status count_inputs(int32_t v, size_t count) const {
    if (node(v).inputs.size() == count) return ok_status();
    return unsupported("node " + edit_.named(v) + " has " + std::to_string(node(v).inputs.size()) +
                       " inputs, expected " + std::to_string(count));
  }

  Status find_condition() {
    for (int32_t v : nodes_) {
      if (node(v).op != "LoopCond") continue;
      if (condition_ >= 0)
        return unsupported("it has two LoopConds, '" + printable(node(condition_).name) +
                           "' and '" + printable(node(v).name) + "'");
      GRAFT_RETURN_IF_ERROR(count_inputs(v, 1));
      condition_ = v;
    }
    return condition_ >= 0 ? ok_status() : unsupported("it has no LoopCond");
  }

  Status find_variable(int32_t v) {
    if (node(v).op != "Merge") return ok_status();
    const auto is_next = [&](InputRef ref) { return node(ref.node).op == "NextIteration"; };
    if (std::none_of(node(v).inputs.begin(), node(v).inputs.end(), is_next))
      return unsupported("Merge '" + printable(node(v).name) + "': " +
                         (edit_.left[static_cast<size_t>(v)].empty()
                              ? "its conditional stays native"
                              : edit_.left[static_cast<size_t>(v)]));
    GRAFT_RETURN_IF_ERROR(count_inputs(v, 2));
    InputRef enter = node(v).inputs[0], next = node(v).inputs[1];
    if (is_next(enter)) std::swap(enter, next);
    if (!is_next(next) || node(enter.node).op != "Enter" || edit_.frame_of(enter.node) != f_ ||
        enter.port != 0 || next.port != 0)
      return unsupported("Merge '" + printable(node(v).name) +
                         "' does not join an Enter and a NextIteration of its frame");
    GRAFT_ASSIGN_OR_RETURN(const bool constant, is_constant(enter.node));
    if (constant)
      return unsupported("Enter '" + printable(node(enter.node).name) +
                         "' of a Merge has is_constant");
    GRAFT_RETURN_IF_ERROR(count_inputs(next.node, 1));
    for (int32_t source : node(v).control_inputs)
      if (!is_frame_op(node(source).op))
        return unsupported("Merge '" + printable(node(v).name) + "' has the control input " +
                           edit_.named(source));
    return add_argument({v, enter.node, next.node, DType::kInvalid});
  }

  Status find_invariant(int32_t v) {
    if (node(v).op != "Enter") return ok_status();
    GRAFT_ASSIGN_OR_RETURN(const bool constant, is_constant(v));
    return constant ? add_argument({v, v, -1, DType::kInvalid}) : ok_status();
  }

  Status add_argument(Argument argument) {
    GRAFT_RETURN_IF_ERROR(count_inputs(argument.enter, 1));
    GRAFT_ASSIGN_OR_RETURN(argument.dtype, graphdef::attr_type(node(argument.source), "T"));
    GRAFT_ASSIGN_OR_RETURN(const DType entered, graphdef::attr_type(node(argument.enter), "T"));
    if (entered != argument.dtype)
      return unsupported("node " + edit_.named(argument.source) + " and node " +
                         edit_.named(argument.enter) + " have different attributes 'T'");
    if (argument.next >= 0) entered_.push_back(argument.enter);
    index_.emplace(argument.source, arguments_.size());
    arguments_.push_back(argument);
    return ok_status();
  }

  Result<bool> is_constant(int32_t enter) const {
    const graphdef::AttrView* attr = node(enter).find_attr("is_constant");
    if (!attr) return false;
    GRAFT_ASSIGN_OR_RETURN(const graphdef::AttrValue value, graphdef::decode_attr(attr->value));
    return value.b;
  }

  // Each Enter that is not constant is that of one variable.
  Status check_enters() {
    std::sort(entered_.begin(), entered_.end());
    const auto twice = std::adjacent_find(entered_.begin(), entered_.end());
    if (twice != entered_.end())
      return unsupported("Enter '" + printable(node(*twice).name) + "' is read by two Merges");
    for (int32_t v : nodes_) {
      const bool enters = node(v).op == "Enter" || node(v).op == "RefEnter";
      if (enters && !index_.contains(v) && !std::binary_search(entered_.begin(), entered_.end(), v))
        return unsupported("node " + edit_.named(v) + " is read by no Merge");
    }
    return ok_status();
  }

  // The argument that a Switch of the loop passes on.
  const size_t* switched(int32_t v) const {
    const Node& n = node(v);
    if (n.op != "Switch" || n.inputs.size() != 2 || n.inputs[0].port != 0 ||
        n.inputs[1] != InputRef{condition_, 0})
      return nullptr;
    const auto found = index_.find(n.inputs[0].node);
    return found == index_.end() ? nullptr : &found->second;
  }

  Status find_exits() {
    for (int32_t v : exits_) {
      GRAFT_RETURN_IF_ERROR(count_inputs(v, 1));
      const InputRef ref = node(v).inputs[0];
      const size_t* argument = switched(ref.node);
      if (node(v).op != "Exit" || ref.port != 0 || !argument)
        return unsupported("node " + edit_.named(v) +
                           " does not read what a Switch of a loop variable gives at the end");
      if (edit_.is_fed(v)) return unsupported("node " + edit_.named(v) + " is fed");
      for (int32_t source : node(v).control_inputs)
        if (edit_.frame_of(source) == f_)
          return unsupported("node " + edit_.named(v) + " has the control input " +
                             edit_.named(source));
      exited_.emplace_back(v, *argument);
    }
    return ok_status();
  }

  Result<std::optional<size_t>> read(InputRef ref, bool in_body) const {
    const auto found = index_.find(ref.node);
    if (found != index_.end() && ref.port == 0) return std::optional(found->second);
    if (in_body && ref.port == 1)
      if (const size_t* argument = switched(ref.node)) return std::optional(*argument);
    if (edit_.frame_of(ref.node) != f_)
      return unsupported("node " + edit_.named(ref.node) + " is read from another frame");
    if (is_frame_op(node(ref.node).op))
      return unsupported("output " + std::to_string(ref.port) + " of node " +
                         edit_.named(ref.node) + " is read in the " +
                         (in_body ? "body" : "condition"));
    return std::optional<size_t>();
  }

  BodyCopy body_copy(bool in_body) {
    return BodyCopy(
        edit_, [this, in_body](InputRef ref) { return read(ref, in_body); },
        [this](int32_t v) { return edit_.frame_of(v) == f_ && !is_frame_op(node(v).op); });
  }

  Result<graphdef::FunctionSpec> finish(BodyCopy& copy, const char* part) {
    GRAFT_ASSIGN_OR_RETURN(graphdef::FunctionSpec function, copy.finish());
    function.name = edit_.frames.all[static_cast<size_t>(f_)].name + "_" + part;
    for (size_t i = 0; i < arguments_.size(); ++i)
      function.inputs.push_back({edit_.argument(i), arguments_[i].dtype});
    members_.insert(members_.end(), copy.copied().begin(), copy.copied().end());
    return function;
  }

  Status make() {
    BodyCopy test = body_copy(false), body = body_copy(true);
    GRAFT_RETURN_IF_ERROR(test.returns(node(condition_).inputs[0], DType::kBool));
    for (int32_t source : node(condition_).control_inputs) test.runs(source);
    for (const Argument& argument : arguments_) {
      const InputRef stays{argument.source, 0};
      GRAFT_RETURN_IF_ERROR(
          body.returns(argument.next < 0 ? stays : node(argument.next).inputs[0], argument.dtype));
      if (argument.next < 0) continue;
      for (int32_t source : node(argument.next).control_inputs) body.runs(source);
    }
    for (int32_t v : nodes_) {
      if (!switched(v)) continue;
      for (int32_t source : node(v).control_inputs) body.runs(source);
    }
    std::vector<int32_t> controls;
    for (const Argument& argument : arguments_) {
      const auto& waits = node(argument.enter).control_inputs;
      controls.insert(controls.end(), waits.begin(), waits.end());
    }
    GRAFT_ASSIGN_OR_RETURN(controls, edit_.plain_controls(std::move(controls)));
    GRAFT_ASSIGN_OR_RETURN(graphdef::FunctionSpec condition, finish(test, "cond"));
    GRAFT_ASSIGN_OR_RETURN(graphdef::FunctionSpec step, finish(body, "body"));
    GRAFT_ASSIGN_OR_RETURN(const std::string condition_name,
                           edit_.add_function(std::move(condition)));
    GRAFT_ASSIGN_OR_RETURN(const std::string step_name, edit_.add_function(std::move(step)));
    add_node(condition_name, step_name, controls);
    return ok_status();
  }

  void add_node(const std::string& condition, const std::string& step,
                const std::vector<int32_t>& controls) {
    const std::string& name = edit_.frames.all[static_cast<size_t>(f_)].name;
    graphdef::NodeSpec spec{
        edit_.free_name(name), "StatelessWhile", std::string(node(condition_).device), {}, {}};
    std::vector<DType> types;
    std::vector<InputRef> inputs;
    for (const Argument& argument : arguments_) {
      types.push_back(argument.dtype);
      inputs.push_back(node(argument.enter).inputs[0]);
    }
    spec.attrs = {{"T", graphdef::attr_of_types(types)},
                  {"cond", graphdef::attr_of_func(condition)},
                  {"body", graphdef::attr_of_func(step)}};
    const int32_t parent = edit_.frames.all[static_cast<size_t>(f_)].parent;
    const std::string anchor(node(condition_).name);
    for (int32_t v : nodes_)
      if (is_frame_op(node(v).op)) members_.push_back(v);
    const int32_t made = edit_.add(std::move(spec), inputs, controls, parent);
    for (const auto& [v, argument] : exited_)
      edit_.make_identity(v, {made, static_cast<int32_t>(argument)}, arguments_[argument].dtype);
    record_op(edit_, {made, "the loop '" + printable(name) + "'", {anchor}}, members_);
  }

  LoweredEdit& edit_;
  const int32_t f_;
  const std::vector<int32_t>&nodes_, &exits_;
  int32_t condition_ = -1;
  std::vector<Argument> arguments_;            // variables, then what stays
  std::unordered_map<int32_t, size_t> index_;  // Argument::source -> argument
  std::vector<int32_t> entered_;
  std::vector<std::pair<int32_t, size_t>> exited_;  // Exit -> argument
  std::vector<int32_t> members_;
};

}  // namespace

Status rebuild_loop(LoweredEdit& edit, int32_t f, const std::vector<int32_t>& nodes,
                    const std::vector<int32_t>& exits) {
  return Loop(edit, f, nodes, exits).rebuild();
}

}  // namespace graft::frontend
