// fold_affine: a per-channel scale and shift behind a convolution or matrix product go into its
// weights and bias.
//
//   before   y = affine(conv(x, w), s, t)        after   y = conv(x, w * s, t)
//            y = matmul(x, w) + b                        y = matmul(x, w, b)
//
// Guarded: constant weights (where s is not 1), no other reader, no residual and no activation
// before. Weights are multiplied in double and rounded once; a scale that makes one infinite is
// left alone.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>

#include "base/fault.h"
#include "passes/affine.h"
#include "passes/passes.h"

namespace graft::passes {

namespace {

bool takes_bias(const ir::Op& op) {
  if (const auto* c = op.get_if<ir::ConvAttrs>())
    return !c->has_residual && c->act.fn == ir::UnaryFn::kIdentity;
  if (const auto* m = op.get_if<ir::MatMulAttrs>())
    return !m->has_residual && m->act.fn == ir::UnaryFn::kIdentity;
  return false;
}
bool has_bias(const ir::Op& op) {
  if (const auto* c = op.get_if<ir::ConvAttrs>()) return c->has_bias;
  return op.as<ir::MatMulAttrs>().has_bias;
}

// weights * scale of the output channel; kNoValue when they can't be scaled.
Result<ir::ValueId> scaled_weights(Editor& edit, const ir::Op& op, const std::vector<double>& scale,
                                   PassContext& context) {
  const ir::Value& weights = edit.value(op.inputs[1]);
  if (!weights.is_const() || weights.type.dtype != DType::kFloat) return ir::kNoValue;
  const bool transposed = op.get_if<ir::MatMulAttrs>() && op.as<ir::MatMulAttrs>().transpose_b;
  if (op.get_if<ir::MatMulAttrs>() && weights.type.rank() != 2) return ir::kNoValue;
  const std::vector<std::byte> src = ir::materialize(weights);
  const size_t elems = src.size() / sizeof(float), channels = scale.size();
  GRAFT_RETURN_IF_ERROR(
      context.work.spend(static_cast<int64_t>(elems / 64) + 1, "folding weights"));
  const size_t inner = transposed ? elems / channels : 1;  // consecutive elements of one channel
  auto dst = std::make_shared<std::vector<std::byte>>(src.size());
  bool finite = true;
  size_t channel = 0, in_channel = 0;
  for (size_t i = 0; i < elems; ++i) {
    float w;
    std::memcpy(&w, src.data() + i * sizeof w, sizeof w);
    const auto r = static_cast<float>(double(w) * scale[channel]);
    finite = finite && (std::isfinite(r) || !std::isfinite(w));
    std::memcpy(dst->data() + i * sizeof r, &r, sizeof r);
    if (++in_channel == inner) {
      in_channel = 0;
      if (++channel == channels) channel = 0;
    }
  }
  if (!finite) return ir::kNoValue;
  ir::Constant constant;
  constant.bytes = std::span<const std::byte>(dst->data(), dst->size());
  constant.owner = dst;
  return edit.add_constant(weights.name, weights.type, std::move(constant));
}

Result<bool> fold(Editor& edit, size_t i, PassContext& context) {
  const auto form = as_affine(edit, edit.op(i));
  if (!form || !edit.single_use(form->x)) return false;
  const ir::Op* producer = edit.producer_op(form->x);
  if (!producer || !takes_bias(*producer)) return false;
  const auto old = static_cast<size_t>(edit.producer(form->x));
  ir::Op op = *producer;
  const size_t channels = form->scale.size();
  if (channels == 0 || edit.type(op.outputs[0]).rank() < 2) return false;
  std::vector<double> bias(channels, 0.0);
  if (has_bias(op)) {
    const auto b = constant_doubles(edit.value(op.inputs[2]));
    if (!b || b->size() != channels) return false;
    bias = *b;
  }
  for (size_t c = 0; c < channels; ++c)
    bias[c] = bias[c] * (GRAFT_FAULT(folded_bias_not_scaled) ? 1 : form->scale[c]) + form->shift[c];
  if (!all_finite(bias)) return false;
  if (std::any_of(form->scale.begin(), form->scale.end(), [](double s) { return s != 1; })) {
    GRAFT_ASSIGN_OR_RETURN(op.inputs[1], scaled_weights(edit, op, form->scale, context));
    if (op.inputs[1] == ir::kNoValue) return false;
  }
  const bool keep =
      has_bias(op) || std::any_of(bias.begin(), bias.end(), [](double b) { return b != 0; });
  op.inputs.resize(2);
  if (keep)
    op.inputs.push_back(
        edit.add_floats(edit.op(i).name + "/bias", {static_cast<int64_t>(channels)}, bias));
  if (op.get_if<ir::ConvAttrs>()) {
    op.as<ir::ConvAttrs>().has_bias = keep;
    op.as<ir::ConvAttrs>().act = form->act;
  } else {
    op.as<ir::MatMulAttrs>().has_bias = keep;
    op.as<ir::MatMulAttrs>().act = form->act;
  }
  edit.rewrite(i, std::move(op.attrs), std::move(op.inputs));
  edit.kill_if_unused(old);
  return true;
}

}  // namespace

Result<bool> fold_affine(ir::Network& network, PassContext& context) {
  Editor edit(network);
  for (size_t i = 0; i < edit.ops(); ++i) {
    if (edit.alive(i)) GRAFT_RETURN_IF_ERROR(fold(edit, i, context).status());
  }
  edit.finish();
  return edit.changed();
}

}  // namespace graft::passes
