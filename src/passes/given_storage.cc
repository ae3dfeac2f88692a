#include "passes/given_storage.h"

#include <algorithm>

#include "passes/fake_quant_range.h"
#include "passes/quantize_choice.h"

namespace graft::passes {

namespace {

using ir::Op;
using ir::OpKind;
using ir::ValueId;

bool keeps_grid(const Op& op) { return keeps_scale(op) && !joins(op); }

bool is_relu(const Op& op) {
  const auto* unary = op.get_if<ir::UnaryAttrs>();
  return unary && unary->fn.fn == ir::UnaryFn::kRelu;
}

class Taker {
 public:
  Taker(const ir::Network& network, const ir::Uses& uses, const std::vector<bool>& never_negative,
        std::vector<ir::DstQuant>& storage)
      : net_(network), uses_(uses), unsigned_(never_negative), storage_(storage) {
    result_.given.assign(network.values.size(), false);
  }

  GivenStorages run() {
    for (size_t i = 0; i < net_.ops.size(); ++i) take_grid(static_cast<int32_t>(i));
    for (size_t i = net_.ops.size(); i-- > 0;) to_maker(net_.ops[i]);
    for (const Op& op : net_.ops) to_readers(op);
    return std::move(result_);
  }

 private:
  bool given(ValueId id) const { return result_.given[static_cast<size_t>(id)]; }
  ir::DstQuant at(ValueId id) const { return storage_[static_cast<size_t>(id)]; }
  void give(ValueId id, ir::DstQuant storage) {
    storage_[static_cast<size_t>(id)] = storage;
    result_.given[static_cast<size_t>(id)] = true;
  }

  void take_grid(int32_t i) {
    const Op& op = net_.ops[static_cast<size_t>(i)];
    const auto grid = ir::tensor_grid(net_, op);
    if (!grid) return;
    const auto given = given_storage(*grid, unsigned_[static_cast<size_t>(op.inputs[0])]);
    if (!given) return;
    give(op.outputs[0], given->storage);
    if (!given->loss.empty()) result_.losses[i] = given->loss;
  }

  // Rounding to a grid commutes with what only moves or compares; a tensor that others read too
  // keeps its numbers.
  void to_maker(const Op& op) {
    if (op.outputs.size() != 1 || !given(op.outputs[0])) return;
    if (op.kind() != OpKind::kFakeQuant && !keeps_grid(op)) return;
    const auto src = static_cast<size_t>(op.inputs[0]);
    const ir::Value& value = net_.values[src];
    if (given(op.inputs[0]) || uses_.count[src] != 1 || value.is_const() ||
        value.type.dtype != DType::kFloat)
      return;
    give(op.inputs[0], at(op.outputs[0]));
  }

  void to_readers(const Op& op) {
    if (op.outputs.empty() ||
        net_.values[static_cast<size_t>(op.outputs[0])].type.dtype != DType::kFloat)
      return;
    if (keeps_grid(op) && given(op.inputs[0])) {
      for (ValueId id : op.outputs) give(id, at(op.inputs[0]));
    } else if (is_relu(op) && given(op.inputs[0]) && !at(op.outputs[0])) {
      give(op.outputs[0], {DType::kUint8, at(op.inputs[0]).scale});
    } else if (joins(op) && !at(op.outputs[0])) {
      join(op);
    }
  }

  // The coarsest of the scales: what is finer is requantized.
  void join(const Op& op) {
    ir::DstQuant joined{DType::kUint8, 0};
    for (ValueId id : op.inputs) {
      if (!given(id)) return;
      if (at(id).dtype == DType::kInt8) joined.dtype = DType::kInt8;
      joined.scale = std::max(joined.scale, at(id).scale);
    }
    give(op.outputs[0], joined);
  }

  const ir::Network& net_;
  const ir::Uses& uses_;
  const std::vector<bool>& unsigned_;
  std::vector<ir::DstQuant>& storage_;
  GivenStorages result_;
};

}  // namespace

GivenStorages take_given_storage(const ir::Network& network, const ir::Uses& uses,
                                 const std::vector<bool>& never_negative,
                                 std::vector<ir::DstQuant>& storage) {
  return Taker(network, uses, never_negative, storage).run();
}

}  // namespace graft::passes
