// Editor: a Network with its producers and consumers kept up to date while a pass rewrites it. Op
// indices stay valid until finish(); new ops go to the end and are put in order there.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "ir/network.h"

namespace graft::passes {

class Editor {
 public:
  explicit Editor(ir::Network& network);

  ir::Network& network() { return net_; }
  size_t ops() const { return net_.ops.size(); }
  bool alive(size_t op) const { return !dead_[op]; }
  ir::Op& op(size_t index) { return net_.ops[index]; }
  const ir::Value& value(ir::ValueId id) const { return net_.values[static_cast<size_t>(id)]; }
  const ir::TensorType& type(ir::ValueId id) const { return value(id).type; }

  // The op that makes a value; -1 or nullptr for inputs and constants.
  int32_t producer(ir::ValueId id) const { return producer_[static_cast<size_t>(id)]; }
  ir::Op* producer_op(ir::ValueId id);
  // The producer if it is of kind A, else nullptr.
  template <class A>
  ir::Op* producer_of(ir::ValueId id) {
    ir::Op* p = producer_op(id);
    return p && p->get_if<A>() ? p : nullptr;
  }
  // Live ops that read the value, one entry a use; network outputs are not among them.
  const std::vector<int32_t>& consumers(ir::ValueId id) const {
    return consumers_[static_cast<size_t>(id)];
  }
  bool is_output(ir::ValueId id) const { return output_uses_[static_cast<size_t>(id)] > 0; }
  // Exactly one op reads it, once, and it is not an output.
  bool single_use(ir::ValueId id) const { return consumers(id).size() == 1 && !is_output(id); }

  // A new op with one output of the inferred type.
  Result<ir::ValueId> add(ir::Attrs attrs, std::vector<ir::ValueId> inputs, std::string name);
  Result<std::vector<ir::ValueId>> add_multi(ir::Attrs attrs, std::vector<ir::ValueId> inputs,
                                             size_t outputs, std::string name);
  ir::ValueId add_constant(std::string name, ir::TensorType type, ir::Constant constant);
  // A float32 constant, each element rounded once.
  ir::ValueId add_floats(std::string name, const std::vector<int64_t>& dims,
                         const std::vector<double>& elems);
  // What an existing op does; its outputs stay.
  void rewrite(size_t op, ir::Attrs attrs, std::vector<ir::ValueId> inputs);
  // The same, and removes the producers of its old inputs that nobody reads any more.
  void become(size_t op, ir::Attrs attrs, std::vector<ir::ValueId> inputs);
  void set_input(size_t op, size_t input, ir::ValueId value);
  // Every reader of `from` (and every network output that is `from`) reads `to`; an output hands
  // its name on.
  void replace(ir::ValueId from, ir::ValueId to);
  void kill(size_t op);
  // Removes the op if nobody reads its outputs, then its producers by the same rule.
  void kill_if_unused(size_t op);

  bool changed() const { return changed_; }
  // Drops what is dead and puts ops in topological order. InternalError when a rewrite has made a
  // cycle.
  void finish();

 private:
  void grow();
  void unlink(size_t op);
  void link(size_t op);

  ir::Network& net_;
  std::vector<int32_t> producer_;
  std::vector<std::vector<int32_t>> consumers_;
  std::vector<int32_t> output_uses_;
  std::vector<bool> dead_;
  bool changed_ = false;
};

// Calls `match(edit, op index)` for every op that is alive when its turn comes, not for those that
// it adds; whether the network changed.
template <typename Match>
bool match_each_op(ir::Network& network, Match match) {
  Editor edit(network);
  const size_t count = edit.ops();
  for (size_t i = 0; i < count; ++i) {
    if (edit.alive(i)) match(edit, i);
  }
  edit.finish();
  return edit.changed();
}

// Readings of constants.
// The only element of a floating or integer constant (one element, or all the same); nullopt
// otherwise.
std::optional<double> scalar_constant(const ir::Value& value);
// All elements as double; nullopt when not a floating constant or more than max_elems.
std::optional<std::vector<double>> constant_doubles(const ir::Value& value,
                                                    int64_t max_elems = int64_t{1} << 32);
// A constant that varies along the last axis only, for a tensor of rank `rank` with `channels`
// there: [C], [1,1,C], a scalar, ... -> C elements.
std::optional<std::vector<double>> per_channel_constant(const ir::Value& value, int rank,
                                                        int64_t channels);

}  // namespace graft::passes
