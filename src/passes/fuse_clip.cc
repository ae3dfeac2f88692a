// fuse_clip: minimum and maximum with constants become one activation.
//
//   before   y = min(max(x, a), b)       after   y = clip(x, a, b); relu6(x) for a = 0, b = 6
//            y = max(min(x, b), a)               the same
//            y = max(x, 0)                       y = relu(x)
#include <cmath>
#include <limits>

#include "passes/editor.h"
#include "passes/passes.h"

namespace graft::passes {

namespace {

struct Bound {
  ir::ValueId x = ir::kNoValue;
  double value = 0;
};

// x and the constant of a maximum or minimum whose result has x's type.
std::optional<Bound> bound(Editor& edit, const ir::Op& op, ir::BinaryFn fn) {
  const auto* b = op.get_if<ir::BinaryAttrs>();
  if (!b || b->fn != fn) return std::nullopt;
  for (size_t side = 0; side < 2; ++side) {
    const auto c = scalar_constant(edit.value(op.inputs[1 - side]));
    if (!c || std::isnan(*c) || edit.value(op.inputs[side]).is_const()) continue;
    if (edit.type(op.inputs[side]) == edit.type(op.outputs[0])) return Bound{op.inputs[side], *c};
  }
  return std::nullopt;
}

ir::Activation clip(double low, double high) {
  if (low == 0 && high == 6) return {ir::UnaryFn::kRelu6};
  return {ir::UnaryFn::kClip, static_cast<float>(low), static_cast<float>(high)};
}

bool match(Editor& edit, size_t i) {
  const ir::Op& op = edit.op(i);
  if (op.outputs.size() != 1 || edit.type(op.outputs[0]).dtype != DType::kFloat) return false;
  if (const auto high = bound(edit, op, ir::BinaryFn::kMin)) {
    const ir::Op* inner = edit.producer_op(high->x);
    if (!inner || !edit.single_use(high->x)) return false;
    if (const auto* u = inner->get_if<ir::UnaryAttrs>();
        u && u->fn.fn == ir::UnaryFn::kRelu && high->value >= 0) {
      edit.become(i, ir::UnaryAttrs{clip(0, high->value)}, {inner->inputs[0]});
      return true;
    }
    const auto low = bound(edit, *inner, ir::BinaryFn::kMax);
    if (!low || low->value > high->value) return false;
    edit.become(i, ir::UnaryAttrs{clip(low->value, high->value)}, {low->x});
    return true;
  }
  const auto low = bound(edit, op, ir::BinaryFn::kMax);
  if (!low) return false;
  const ir::Op* inner = edit.single_use(low->x) ? edit.producer_op(low->x) : nullptr;
  const auto high = inner ? bound(edit, *inner, ir::BinaryFn::kMin) : std::nullopt;
  if (high && low->value <= high->value) {
    edit.become(i, ir::UnaryAttrs{clip(low->value, high->value)}, {high->x});
    return true;
  }
  if (low->value != 0) return false;
  edit.become(i, ir::UnaryAttrs{{ir::UnaryFn::kRelu}}, {low->x});
  return true;
}

}  // namespace

Result<bool> fuse_clip(ir::Network& network, PassContext&) { return match_each_op(network, match); }

}  // namespace graft::passes
