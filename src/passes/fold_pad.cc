// fold_pad: a border of zeros in front of a convolution becomes its explicit padding.
//
//   before   y = conv(pad(x, {0,0},{3,3},{3,3},{0,0}), w, VALID)      after   y = conv(x, w,
//   EXPLICIT {3,3,3,3})
//
// A max pooling takes a border of -inf, or of zeros where its source cannot be negative; the border
// must be narrower than the window, so that no window lies outside the image.
#include <cmath>
#include <limits>

#include "passes/editor.h"
#include "passes/passes.h"

namespace graft::passes {

namespace {

bool cannot_be_negative(Editor& edit, ir::ValueId id) {
  const ir::Op* op = edit.producer_of<ir::UnaryAttrs>(id);
  if (!op) return false;
  const auto fn = op->as<ir::UnaryAttrs>().fn.fn;
  return fn == ir::UnaryFn::kRelu || fn == ir::UnaryFn::kRelu6 || fn == ir::UnaryFn::kSigmoid ||
         fn == ir::UnaryFn::kExp || fn == ir::UnaryFn::kAbs || fn == ir::UnaryFn::kSquare;
}

struct Border {
  std::vector<int64_t> pads;  // top, bottom, left, right
  double value = 0;
};

std::optional<Border> read_border(Editor& edit, const ir::Op& pad) {
  if (pad.as<ir::PadAttrs>().mode != ir::PadMode::kConstant) return std::nullopt;
  const auto rows = ir::constant_ints(edit.value(pad.inputs[1]));
  if (!rows || rows->size() != 8) return std::nullopt;
  for (size_t i : {0, 1, 6, 7}) {
    if ((*rows)[i] != 0) return std::nullopt;
  }
  Border border{{rows->begin() + 2, rows->begin() + 6}, 0};
  if (pad.inputs.size() == 3) {
    const auto value = scalar_constant(edit.value(pad.inputs[2]));
    if (!value) return std::nullopt;
    border.value = *value;
  }
  return border;
}

// Window attributes with the border added; false when the op pads in another way.
template <class A>
bool add_border(A& attrs, const Border& border) {
  if (attrs.padding == ir::Padding::kSame) return false;
  if (attrs.padding == ir::Padding::kValid) attrs.pads = {0, 0, 0, 0};
  for (size_t i = 0; i < 4; ++i) {
    if (__builtin_add_overflow(attrs.pads[i], border.pads[i], &attrs.pads[i])) return false;
  }
  attrs.padding = ir::Padding::kExplicit;
  return true;
}

void fold(Editor& edit, size_t i) {
  const ir::Op& op = edit.op(i);
  if (!op.get_if<ir::ConvAttrs>() && !op.get_if<ir::PoolAttrs>()) return;
  const ir::Op* pad = edit.producer_of<ir::PadAttrs>(op.inputs[0]);
  if (!pad) return;
  const auto border = read_border(edit, *pad);
  if (!border) return;
  ir::Attrs attrs = op.attrs;
  if (auto* conv = std::get_if<ir::ConvAttrs>(&attrs)) {
    if (border->value != 0 || !add_border(*conv, *border)) return;
  } else {
    auto& pool = std::get<ir::PoolAttrs>(attrs);
    if (pool.fn != ir::PoolFn::kMax || !add_border(pool, *border)) return;
    const bool lowest = border->value == -std::numeric_limits<double>::infinity();
    if (!lowest && !(border->value == 0 && cannot_be_negative(edit, pad->inputs[0]))) return;
    for (size_t k = 0; k < 4; ++k) {
      if (pool.pads[k] >= pool.ksize[k / 2]) return;
    }
  }
  std::vector<ir::ValueId> inputs = op.inputs;
  const auto old = static_cast<size_t>(edit.producer(inputs[0]));
  inputs[0] = pad->inputs[0];
  edit.rewrite(i, std::move(attrs), std::move(inputs));
  edit.kill_if_unused(old);
}

}  // namespace

Result<bool> fold_pad(ir::Network& network, PassContext&) {
  Editor edit(network);
  for (size_t i = 0; i < edit.ops(); ++i) {
    if (edit.alive(i)) fold(edit, i);
  }
  edit.finish();
  return edit.changed();
}

}  // namespace graft::passes
