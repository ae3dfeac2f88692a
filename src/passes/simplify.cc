// simplify: ops that change nothing, and chains of views.
//
//   before   y = reshape(reshape(x, a), b)        after   y = reshape(x, b), or x
//   before   y = reshape(mean(x, {1,2}), [n,1,1,c])       y = mean(x, {1,2}, keep_dims)
//   before   y = x * 1, x + 0, cast to its own dtype      x
#include <algorithm>
#include <memory>

#include "base/dtype.h"
#include "passes/editor.h"
#include "passes/passes.h"

namespace graft::passes {

namespace {

bool is_view(const ir::Op& op) {
  return op.get_if<ir::ReshapeAttrs>() || op.get_if<ir::ExpandDimsAttrs>() ||
         op.get_if<ir::SqueezeAttrs>();
}

bool all_ints(const ir::Value& value, int64_t expected) {
  const auto elems = ir::constant_ints(value);
  return elems &&
         std::all_of(elems->begin(), elems->end(), [&](int64_t e) { return e == expected; });
}

// The input that the op merely passes on, or kNoValue.
ir::ValueId passed_on(Editor& edit, const ir::Op& op) {
  if (op.outputs.size() != 1 || op.inputs.empty()) return ir::kNoValue;
  const ir::ValueId src = op.inputs[0];
  const ir::TensorType& type = edit.type(op.outputs[0]);
  const bool same = edit.type(src) == type;
  if (const auto* b = op.get_if<ir::BinaryAttrs>()) {
    const auto right = scalar_constant(edit.value(op.inputs[1])),
               left = scalar_constant(edit.value(src));
    using ir::BinaryFn;
    if (same && right) {
      if ((b->fn == BinaryFn::kAdd || b->fn == BinaryFn::kSub) && *right == 0) return src;
      if ((b->fn == BinaryFn::kMul || b->fn == BinaryFn::kDiv) && *right == 1) return src;
    }
    if (edit.type(op.inputs[1]) == type && left) {
      if ((b->fn == BinaryFn::kAdd && *left == 0) || (b->fn == BinaryFn::kMul && *left == 1))
        return op.inputs[1];
    }
    return ir::kNoValue;
  }
  if (!same) return ir::kNoValue;
  if (const auto* u = op.get_if<ir::UnaryAttrs>())
    return u->fn.fn == ir::UnaryFn::kIdentity ? src : ir::kNoValue;
  if (is_view(op) || op.get_if<ir::CastAttrs>() || op.get_if<ir::BroadcastToAttrs>() ||
      op.get_if<ir::SliceAttrs>())
    return src;
  if (const auto* t = op.get_if<ir::TransposeAttrs>())
    return std::is_sorted(t->perm.begin(), t->perm.end()) ? src : ir::kNoValue;
  if (const auto* p = op.get_if<ir::PadAttrs>()) {
    if (p->mode == ir::PadMode::kReflect) return ir::kNoValue;  // an error on an empty axis
    return all_ints(edit.value(op.inputs[1]), 0) ? src : ir::kNoValue;
  }
  if (op.get_if<ir::TileAttrs>()) return all_ints(edit.value(op.inputs[1]), 1) ? src : ir::kNoValue;
  if (const auto* s = op.get_if<ir::StridedSliceAttrs>()) {
    if (s->new_axis_mask || s->shrink_axis_mask) return ir::kNoValue;
    return all_ints(edit.value(op.inputs[3]), 1) ? src : ir::kNoValue;
  }
  if (op.get_if<ir::ConcatAttrs>()) return op.inputs.size() == 1 ? src : ir::kNoValue;
  return ir::kNoValue;
}

// Dims for a reshape operand: at most one -1, and none beside a zero.
std::optional<std::vector<int64_t>> operand_of(const ir::TensorType& type) {
  std::vector<int64_t> dims;
  int open = 0;
  bool zero = false;
  for (ir::Dim d : type.dims) {
    open += !d.is_const();
    zero = zero || d == ir::Dim(0);
    dims.push_back(d.is_const() ? d.value() : -1);
  }
  if (open > 1 || (open == 1 && zero)) return std::nullopt;
  return dims;
}

ir::ValueId add_shape(Editor& edit, const std::string& name, const std::vector<int64_t>& dims) {
  auto bytes = std::make_shared<std::vector<int64_t>>(dims);
  ir::Constant constant;
  constant.bytes = std::as_bytes(std::span<const int64_t>(*bytes));
  constant.owner = bytes;
  return edit.add_constant(name + "/shape",
                           {DType::kInt64, {ir::Dim(static_cast<int64_t>(dims.size()))}}, constant);
}

// View of a view: one reshape from the first source.
bool join_views(Editor& edit, size_t i) {
  const ir::ValueId middle = edit.op(i).inputs[0];
  const ir::Op* inner = edit.producer_op(middle);
  if (!inner || !is_view(*inner)) return false;
  const ir::ValueId src = inner->inputs[0];
  const ir::ValueId out = edit.op(i).outputs[0];
  const auto first = static_cast<size_t>(edit.producer(middle));
  if (edit.type(src) == edit.type(out)) {
    edit.replace(out, src);
    edit.kill_if_unused(i);
    return true;
  }
  const auto dims = operand_of(edit.type(out));
  if (!dims) return false;
  const ir::ValueId shape = add_shape(edit, edit.op(i).name, *dims);
  edit.rewrite(i, ir::ReshapeAttrs{}, {src, shape});
  edit.kill_if_unused(first);
  return true;
}

// View behind a reduction that only adds or drops the reduced dims.
bool join_reduce(Editor& edit, size_t i) {
  const ir::ValueId middle = edit.op(i).inputs[0];
  const ir::Op* reduce = edit.producer_of<ir::ReduceAttrs>(middle);
  if (!reduce || !edit.single_use(middle)) return false;
  ir::ReduceAttrs attrs = reduce->as<ir::ReduceAttrs>();
  const ir::ValueId src = reduce->inputs[0];
  std::vector<ir::Dim> dims;
  for (int64_t axis = 0; axis < edit.type(src).rank(); ++axis) {
    const bool reduced = std::find(attrs.axes.begin(), attrs.axes.end(), axis) != attrs.axes.end();
    if (!reduced)
      dims.push_back(edit.type(src).dims[static_cast<size_t>(axis)]);
    else if (!attrs.keep_dims)
      dims.push_back(1);
  }
  if (edit.type(edit.op(i).outputs[0]).dims != dims) return false;
  attrs.keep_dims = !attrs.keep_dims;
  const auto first = static_cast<size_t>(edit.producer(middle));
  edit.rewrite(i, attrs, {src});
  edit.kill_if_unused(first);
  return true;
}

}  // namespace

Result<bool> simplify(ir::Network& network, PassContext&) {
  Editor edit(network);
  for (size_t i = 0; i < edit.ops(); ++i) {
    if (!edit.alive(i)) continue;
    if (const ir::ValueId src = passed_on(edit, edit.op(i)); src != ir::kNoValue) {
      edit.replace(edit.op(i).outputs[0], src);
      edit.kill_if_unused(i);
      continue;
    }
    if (is_view(edit.op(i))) {
      if (join_views(edit, i) || join_reduce(edit, i)) continue;
    }
    // x * x is the square.
    const auto* b = edit.op(i).get_if<ir::BinaryAttrs>();
    if (b && b->fn == ir::BinaryFn::kMul && edit.op(i).inputs[0] == edit.op(i).inputs[1])
      edit.rewrite(i, ir::UnaryAttrs{{ir::UnaryFn::kSquare}}, {edit.op(i).inputs[0]});
  }
  edit.finish();
  return edit.changed();
}

}  // namespace graft::passes
