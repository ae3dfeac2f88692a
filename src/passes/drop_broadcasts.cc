// drop_broadcasts: an operand that is only spread out to the other operand's shape is used as it
// is.
//
//   before   y = x + broadcast_to(b, shape(x))                  after   y = x + b
//            y = x + gather(table, zeros_like(ids))                     y = x + table[0]
#include "base/dtype.h"
#include "passes/editor.h"
#include "passes/passes.h"

namespace graft::passes {

namespace {

// Row `index` of a constant table as a constant; kNoValue when it is not one.
ir::ValueId table_row(Editor& edit, const ir::Op& gather, const ir::Op& fill) {
  const auto& attrs = gather.as<ir::GatherAttrs>();
  const ir::Value& table = edit.value(gather.inputs[0]);
  const auto index = scalar_constant(edit.value(fill.inputs[1]));
  if (!table.is_const() || table.constant->splat || attrs.axis != 0 || attrs.batch_dims != 0 ||
      !index)
    return ir::kNoValue;
  const std::vector<ir::Dim>& dims = table.type.dims;
  const auto row = static_cast<int64_t>(*index);
  if (row < 0 || row >= dims[0].value()) return ir::kNoValue;
  ir::TensorType type{table.type.dtype, {dims.begin() + 1, dims.end()}};
  const auto bytes = static_cast<size_t>(ir::const_elems(type)) * dtype_size(type.dtype);
  ir::Constant constant = *table.constant;
  constant.bytes = constant.bytes.subspan(static_cast<size_t>(row) * bytes, bytes);
  return edit.add_constant(gather.name, std::move(type), std::move(constant));
}

ir::ValueId narrow(Editor& edit, ir::ValueId id) {
  const ir::Op* op = edit.producer_op(id);
  if (!op) return ir::kNoValue;
  if (op->get_if<ir::BroadcastToAttrs>()) return op->inputs[0];
  if (op->get_if<ir::FillAttrs>()) return op->inputs[1];
  if (!op->get_if<ir::GatherAttrs>()) return ir::kNoValue;
  const ir::Op* fill = edit.producer_of<ir::FillAttrs>(op->inputs[1]);
  return fill ? table_row(edit, *op, *fill) : ir::kNoValue;
}

}  // namespace

Result<bool> drop_broadcasts(ir::Network& network, PassContext&) {
  Editor edit(network);
  for (size_t i = 0; i < edit.ops(); ++i) {
    if (!edit.alive(i) || !edit.op(i).get_if<ir::BinaryAttrs>()) continue;
    for (size_t side = 0; side < 2; ++side) {
      const ir::Op& op = edit.op(i);
      const ir::ValueId old = op.inputs[side];
      // The other operand alone must give the result its dims.
      if (edit.type(op.inputs[1 - side]).dims != edit.type(op.outputs[0]).dims) continue;
      const ir::ValueId small = narrow(edit, old);
      if (small == ir::kNoValue) continue;
      edit.set_input(i, side, small);
      edit.kill_if_unused(static_cast<size_t>(edit.producer(old)));
    }
  }
  edit.finish();
  return edit.changed();
}

}  // namespace graft::passes
