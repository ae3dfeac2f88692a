#include "passes/affine.h"

#include <cmath>

namespace graft::passes {

namespace {

// Constant operand as C elements; `other` is the tensor operand, whose type the result must have.
std::optional<std::vector<double>> operand(Editor& edit, const ir::Op& op, size_t constant) {
  const ir::ValueId x = op.inputs[1 - constant];
  const ir::TensorType& type = edit.type(x);
  if (edit.value(x).is_const() || type != edit.type(op.outputs[0])) return std::nullopt;
  return per_channel_constant(edit.value(op.inputs[constant]), type.rank(),
                              type.dims.back().value());
}

std::optional<AffineForm> binary(Editor& edit, const ir::Op& op, ir::BinaryFn fn) {
  using ir::BinaryFn;
  if (fn != BinaryFn::kAdd && fn != BinaryFn::kSub && fn != BinaryFn::kMul && fn != BinaryFn::kDiv)
    return std::nullopt;
  for (size_t side : {size_t{1}, size_t{0}}) {
    auto c = operand(edit, op, side);
    if (!c) continue;
    AffineForm form;
    form.x = op.inputs[1 - side];
    form.scale.assign(c->size(), 1);
    form.shift.assign(c->size(), 0);
    if (fn == BinaryFn::kAdd) {
      form.shift = std::move(*c);
    } else if (fn == BinaryFn::kMul) {
      form.scale = std::move(*c);
    } else if (fn == BinaryFn::kSub) {
      for (size_t i = 0; i < c->size(); ++i) {
        form.shift[i] = side == 1 ? -(*c)[i] : (*c)[i];
        form.scale[i] = side == 1 ? 1 : -1;
      }
    } else {
      if (side == 0) return std::nullopt;
      for (size_t i = 0; i < c->size(); ++i) form.scale[i] = 1 / (*c)[i];
    }
    if (!all_finite(form.scale) || !all_finite(form.shift)) return std::nullopt;
    return form;
  }
  return std::nullopt;
}

}  // namespace

bool all_finite(const std::vector<double>& elems) {
  for (double e : elems) {
    if (!std::isfinite(static_cast<float>(e))) return false;
  }
  return true;
}

std::optional<AffineForm> as_affine(Editor& edit, const ir::Op& op) {
  if (op.outputs.size() != 1) return std::nullopt;
  const ir::TensorType& type = edit.type(op.outputs[0]);
  if (type.dtype != DType::kFloat || type.rank() < 1 || !type.dims.back().is_const())
    return std::nullopt;
  if (const auto* b = op.get_if<ir::BinaryAttrs>()) return binary(edit, op, b->fn);
  const auto* a = op.get_if<ir::AffineAttrs>();
  if (!a) return std::nullopt;
  auto scale = constant_doubles(edit.value(op.inputs[1])),
       shift = constant_doubles(edit.value(op.inputs[2]));
  if (!scale || !shift || !all_finite(*scale) || !all_finite(*shift)) return std::nullopt;
  return AffineForm{op.inputs[0], std::move(*scale), std::move(*shift), a->act};
}

}  // namespace graft::passes
