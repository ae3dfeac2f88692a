// fold_pad: a border of zeros in front of a convolution becomes its explicit padding.
//
//   before   y = conv(pad(x, {0,0},{3,3},{3,3},{0,0}), w, VALID)      after   y = conv(x, w,
//   EXPLICIT {3,3,3,3})
//
// A max pooling takes a border of -inf, or of zeros where its source cannot be negative; the border
// must be narrower than the window, so that no window lies outside the image.
#include <cmath>
#include <limits>

#include "ir/infer.h"
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

// Padding SAME of a window over known extents, as explicit pads.
bool make_explicit(Editor& edit, const ir::TensorType& src, const std::vector<int64_t>& ksize,
                   const std::vector<int64_t>& strides, const std::vector<int64_t>& dilations,
                   std::vector<int64_t>& pads) {
  for (size_t k = 0; k < 2; ++k) {
    if (!src.dims[k + 1].is_const()) return false;
    const auto w = ir::window(src.dims[k + 1], ksize[k], strides[k], dilations[k],
                              ir::Padding::kSame, 0, 0, edit.network().dims);
    if (!w.ok() || !w->pad_before.is_const() || !w->pad_after.is_const()) return false;
    pads[2 * k] = w->pad_before.value();
    pads[2 * k + 1] = w->pad_after.value();
  }
  return true;
}

// Window attributes with the border added. `src`: the padded tensor.
template <class A>
bool add_border(Editor& edit, A& attrs, const ir::TensorType& src,
                const std::vector<int64_t>& ksize, const std::vector<int64_t>& dilations,
                const Border& border) {
  if (attrs.padding == ir::Padding::kValid) attrs.pads = {0, 0, 0, 0};
  if (attrs.padding == ir::Padding::kSame) {
    attrs.pads = {0, 0, 0, 0};
    if (!make_explicit(edit, src, ksize, attrs.strides, dilations, attrs.pads)) return false;
  }
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
    const auto& weights = edit.type(op.inputs[1]).dims;
    if (border->value != 0 || !weights[0].is_const() || !weights[1].is_const()) return;
    const std::vector<int64_t> ksize{weights[0].value(), weights[1].value()};
    if (!add_border(edit, *conv, edit.type(op.inputs[0]), ksize, conv->dilations, *border)) return;
  } else {
    auto& pool = std::get<ir::PoolAttrs>(attrs);
    if (pool.fn != ir::PoolFn::kMax ||
        !add_border(edit, pool, edit.type(op.inputs[0]), pool.ksize, {1, 1}, *border))
      return;
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
