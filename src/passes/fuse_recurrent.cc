// fuse_recurrent: a loop that runs one cell over all steps of a sequence becomes one op, and the
// products with the input, which no step waits for, one product before it.
//
//   before   while (i < T) { h, c = cell(x[i], h, c); y[i] = h; ++i }
//   after    y, h, c = recurrent(x * W + bias, U, h, c)
//
// The list y may have one element that every step overwrites. Whatever else a loop does (a mask, a
// second cell, another condition, a counter that is read) leaves it as it is.
#include <algorithm>

#include "passes/editor.h"
#include "passes/passes.h"
#include "passes/recurrent_cell.h"
#include "passes/retype.h"

namespace graft::passes {

namespace {

using ir::ValueId;

class Loop {
 public:
  Loop(Editor& edit, size_t index)
      : edit_(edit),
        op_(edit.op(index)),
        cond_(*op_.bodies[0]),
        body_(*op_.bodies[1]),
        cond_uses_(ir::compute_uses(cond_)),
        body_uses_(ir::compute_uses(body_)),
        counter_(op_.outputs.size(), false) {}

  // Finds the cell; false when the loop is another.
  bool match() {
    find_counters();
    return find_steps() && sort_outputs() && find_cell();
  }

  // The loop as recurrent; its outputs are those of the loop.
  Status rewrite() {
    const std::string name = op_.name;
    const int64_t columns = ir::gates_of(cell_->attrs.fn) * cell_->units;
    const ValueId w =
        edit_.add_floats(name + "/input_weights", {cell_->features, columns}, cell_->input);
    const ValueId b = edit_.add_floats(name + "/input_bias", {columns}, cell_->gates);
    ir::MatMulAttrs product;
    product.has_bias = true;
    GRAFT_ASSIGN_OR_RETURN(const ValueId gates, edit_.add(product, {x_, w, b}, name + "/input"));
    std::vector<ValueId> inputs{
        gates, edit_.add_floats(name + "/weights", {cell_->units, columns}, cell_->recurrent)};
    for (size_t k : states_) inputs.push_back(op_.inputs[k]);
    if (cell_->attrs.has_bias)
      inputs.push_back(edit_.add_floats(name + "/bias", {cell_->units}, cell_->bias));
    cell_->attrs.sequence = sequence_;
    // op_ is not to be used from here on: new ops move the list that it is in.
    const std::vector<ValueId> from = op_.outputs;
    GRAFT_ASSIGN_OR_RETURN(const std::vector<ValueId> made,
                           edit_.add_multi(cell_->attrs, inputs, 1 + states_.size(), name));
    if (list_) edit_.replace(from[*list_], made[0]);
    for (size_t i = 0; i < states_.size(); ++i) edit_.replace(from[states_[i]], made[i + 1]);
    return ok_status();
  }

 private:
  static const ir::Op* producer(const ir::Network& net, const ir::Uses& uses, ValueId id) {
    const int32_t p = uses.producer[static_cast<size_t>(id)];
    return p < 0 ? nullptr : &net.ops[static_cast<size_t>(p)];
  }
  const ir::Op* producer(ValueId id) const { return producer(body_, body_uses_, id); }
  static const ir::Value& value(const ir::Network& net, ValueId id) {
    return net.values[static_cast<size_t>(id)];
  }
  // Which input of the loop a value is; -1: none.
  static int64_t input_of(const ir::Network& net, ValueId id) {
    const auto at = std::find(net.inputs.begin(), net.inputs.end(), id);
    return at == net.inputs.end() ? -1 : at - net.inputs.begin();
  }
  static std::optional<int64_t> integer(const ir::Value& value) {
    const auto ints = ir::constant_ints(value, 1);
    if (!ints || ints->size() != 1) return std::nullopt;
    return (*ints)[0];
  }
  bool is_counter(int64_t input) const {
    return input >= 0 && input < static_cast<int64_t>(counter_.size()) &&
           counter_[static_cast<size_t>(input)];
  }

  // Carried integers that start at 0 and grow by 1.
  void find_counters() {
    for (size_t k = 0; k < counter_.size(); ++k) {
      const ir::Op* op = producer(body_.outputs[k]);
      const auto* add = op ? op->get_if<ir::BinaryAttrs>() : nullptr;
      if (!add || add->fn != ir::BinaryFn::kAdd || integer(edit_.value(op_.inputs[k])) != 0)
        continue;
      for (size_t i = 0; i < 2; ++i)
        counter_[k] = counter_[k] || (op->inputs[i] == body_.inputs[k] &&
                                      integer(value(body_, op->inputs[1 - i])) == 1);
    }
  }

  // The condition's bounds of counters; false when it asks anything else.
  bool bounds_of(ValueId id, std::vector<ir::Dim>& bounds) const {
    const ir::Op* op = producer(cond_, cond_uses_, id);
    const auto* binary = op ? op->get_if<ir::BinaryAttrs>() : nullptr;
    if (!binary || bounds.size() > 8) return false;
    if (binary->fn == ir::BinaryFn::kLogicalAnd)
      return bounds_of(op->inputs[0], bounds) && bounds_of(op->inputs[1], bounds);
    const bool less = binary->fn == ir::BinaryFn::kLess;
    if (!less && binary->fn != ir::BinaryFn::kGreater) return false;
    if (!is_counter(input_of(cond_, op->inputs[less ? 0 : 1]))) return false;
    const ValueId bound = op->inputs[less ? 1 : 0];
    const int64_t input = input_of(cond_, bound);
    if (input >= 0 && input < static_cast<int64_t>(counter_.size())) return false;
    const ir::Value& known =
        input < 0 ? value(cond_, bound) : edit_.value(op_.inputs[static_cast<size_t>(input)]);
    if (const auto number = integer(known)) {
      bounds.push_back(*number);
      return true;
    }
    if (!known.host || known.host->size() != 1) return false;
    const auto extent = input < 0 ? outside((*known.host)[0]) : (*known.host)[0];
    if (extent) bounds.push_back(*extent);
    return extent.has_value();
  }

  // What an extent of the condition's inputs is where the loop stands.
  std::optional<ir::Dim> outside(ir::Dim extent) const {
    for (size_t i = 0; i < cond_.inputs.size(); ++i) {
      const std::vector<ir::Dim>& dims = value(cond_, cond_.inputs[i]).type.dims;
      const auto at = std::find(dims.begin(), dims.end(), extent);
      if (at != dims.end())
        return edit_.type(op_.inputs[i]).dims[static_cast<size_t>(at - dims.begin())];
    }
    return std::nullopt;
  }

  // The sequence that the body reads a step of, and that the loop runs over all of it.
  bool find_steps() {
    for (const ir::Op& op : body_.ops) {
      const auto* gather = op.get_if<ir::GatherAttrs>();
      if (!gather) continue;
      const int64_t input = input_of(body_, op.inputs[0]);
      if (ports_.x != ir::kNoValue || gather->axis != 0 || gather->batch_dims != 0 ||
          !is_counter(input_of(body_, op.inputs[1])) ||
          input < static_cast<int64_t>(counter_.size()))
        return false;
      ports_.x = op.outputs[0];
      x_ = op_.inputs[static_cast<size_t>(input)];
    }
    if (ports_.x == ir::kNoValue || edit_.type(x_).rank() != 3) return false;
    steps_ = edit_.type(x_).dims[0];
    std::vector<ir::Dim> bounds;
    if (!bounds_of(cond_.outputs[0], bounds)) return false;
    // All are at least the number of steps, one is it.
    return std::find(bounds.begin(), bounds.end(), steps_) != bounds.end() &&
           std::all_of(bounds.begin(), bounds.end(), [&](ir::Dim d) {
             return d == steps_ ||
                    (d.is_const() && steps_.is_const() && d.value() > steps_.value());
           });
  }

  // What makes the element of the list that output k is, and where it goes.
  bool take_list(size_t k) {
    const ir::Op* set = producer(body_.outputs[k]);
    const auto* attrs = set ? set->get_if<ir::ScatterNdAttrs>() : nullptr;
    if (!attrs) return false;
    const ir::TensorType& type = edit_.type(op_.inputs[k]);
    const ir::Op* row = producer(set->inputs[2]);
    if (list_ || attrs->fn != ir::ScatterFn::kReplace || set->inputs[0] != body_.inputs[k] ||
        type.rank() != 3 || !row || !row->get_if<ir::ExpandDimsAttrs>() ||
        row->as<ir::ExpandDimsAttrs>().axis != 0)
      return false;
    const ir::Op* index = producer(set->inputs[1]);
    if (index && index->get_if<ir::ReshapeAttrs>() && is_counter(input_of(body_, index->inputs[0])))
      sequence_ = type.dims[0] == steps_;
    else if (integer(value(body_, set->inputs[1])) == 0 && type.dims[0] == ir::Dim(1) &&
             (has_steps() || is_zero(op_.inputs[k])))
      sequence_ = false;
    else
      return false;
    const bool counted = index != nullptr;
    if (counted && !sequence_) return false;
    list_ = k;
    item_ = row->inputs[0];
    return true;
  }
  bool has_steps() const { return steps_.is_const() && steps_.value() > 0; }
  bool is_zero(ValueId id) {
    const ir::Op* fill = edit_.producer_of<ir::FillAttrs>(id);
    return scalar_constant(edit_.value(fill ? fill->inputs[1] : id)) == 0.0;
  }

  // Every carried tensor is a counter that nobody reads afterwards, the list, or a state.
  bool sort_outputs() {
    for (size_t k = 0; k < counter_.size(); ++k) {
      if (counter_[k]) {
        if (!edit_.consumers(op_.outputs[k]).empty() || edit_.is_output(op_.outputs[k]))
          return false;
      } else if (!take_list(k)) {
        states_.push_back(k);
      }
    }
    return states_.size() == 1 || states_.size() == 2;
  }

  // Of the same rows as the steps, all equally wide.
  bool states_fit() const {
    const ir::TensorType& first = edit_.type(op_.inputs[states_[0]]);
    return first.rank() == 2 && first.dims[0] == edit_.type(x_).dims[1] &&
           std::all_of(states_.begin(), states_.end(),
                       [&](size_t k) { return edit_.type(op_.inputs[k]).dims == first.dims; });
  }

  bool find_cell() {
    if (!states_fit()) return false;
    for (size_t turn = 0; turn < states_.size(); ++turn) {
      ports_.h = body_.inputs[states_[0]];
      ports_.h_next = body_.outputs[states_[0]];
      if (states_.size() == 2) {
        ports_.c = body_.inputs[states_[1]];
        ports_.c_next = body_.outputs[states_[1]];
      }
      if (!list_ || item_ == ports_.h_next) cell_ = match_cell(body_, ports_);
      if (cell_) return true;
      std::reverse(states_.begin(), states_.end());
    }
    return false;
  }

  Editor& edit_;
  const ir::Op op_;
  const ir::Network &cond_, &body_;
  ir::Uses cond_uses_, body_uses_;
  std::vector<bool> counter_;  // of the carried tensors
  ValueId x_ = ir::kNoValue;   // [T, B, features]
  ir::Dim steps_;
  CellPorts ports_;
  std::optional<size_t> list_;
  ValueId item_ = ir::kNoValue;
  bool sequence_ = false;
  std::vector<size_t> states_;  // h, then c
  std::optional<RecurrentCell> cell_;
};

}  // namespace

Result<bool> fuse_recurrent(ir::Network& network, PassContext&) {
  Editor edit(network);
  const size_t count = edit.ops();
  for (size_t i = 0; i < count; ++i) {
    if (!edit.alive(i) || !edit.op(i).get_if<ir::WhileAttrs>()) continue;
    Loop loop(edit, i);
    if (!loop.match()) continue;
    GRAFT_RETURN_IF_ERROR(loop.rewrite());
    edit.kill_if_unused(i);
  }
  edit.finish();
  if (edit.changed()) GRAFT_RETURN_IF_ERROR(retype(network));
  return edit.changed();
}

}  // namespace graft::passes
