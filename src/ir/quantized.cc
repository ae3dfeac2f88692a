// Inference of quantized ops: the float rule on types made float, then dtype and scale of dst.
#include "ir/quantized.h"

#include <algorithm>
#include <cmath>

#include "ir/infer_context.h"

namespace graft::ir {

namespace {

constexpr InferRule kRules[] = {
#define GRAFT_OP(Name, text, min_in, max_in) infer_##text,
#include "ir/ops.def"
#undef GRAFT_OP
};

bool is_product(OpKind kind) { return kind == OpKind::kConv || kind == OpKind::kMatMul; }

bool has_residual(const Op& op) {
  if (const auto* conv = op.get_if<ConvAttrs>()) return conv->has_residual;
  if (const auto* matmul = op.get_if<MatMulAttrs>()) return matmul->has_residual;
  return false;
}

bool has_bias(const Op& op) {
  if (const auto* conv = op.get_if<ConvAttrs>()) return conv->has_bias;
  if (const auto* matmul = op.get_if<MatMulAttrs>()) return matmul->has_bias;
  return false;
}

const Activation* activation_of(const Op& op) {
  if (const auto* conv = op.get_if<ConvAttrs>()) return &conv->act;
  if (const auto* matmul = op.get_if<MatMulAttrs>()) return &matmul->act;
  return nullptr;
}

Status check_dst(const InferContext& c) {
  const DstQuant& q = c.op.quant;
  if (!q) return ok_status();
  if (q.dtype != DType::kInt8 && q.dtype != DType::kUint8)
    return c.fail("stores quantized " + dtype_name(q.dtype) + ", expected int8 or uint8");
  if (!(q.scale >= 1e-30f && q.scale <= 1e30f))
    return c.fail("has a dst scale of " + std::to_string(q.scale) + ", expected 1e-30 to 1e30");
  return ok_status();
}

Status check_product(const InferContext& c) {
  const size_t plain = 2u + has_bias(c.op) + has_residual(c.op);
  const bool scales = has_weight_scales(c.op, c.inputs.size());
  if (c.inputs.size() != plain + scales)
    return c.fail("has " + std::to_string(c.inputs.size()) + " inputs, which does not fit");
  if (!is_quantized(c.type(0))) return c.fail("has a src that is not quantized");
  const bool weights_quantized = is_quantized(c.type(1));
  if (weights_quantized == scales || (!weights_quantized && c.dtype(1) != DType::kInt8))
    return c.fail("needs int8 weights with their scales, or a quantized tensor without");
  if (c.op.kind() == OpKind::kConv && weights_quantized)
    return c.fail("needs int8 weights with their scales");
  if (scales && (c.dtype(plain) != DType::kFloat || c.rank(plain) != 1))
    return c.fail("has weight scales that are no float32 vector");
  if (has_bias(c.op) && c.dtype(2) != DType::kInt32)
    return c.fail("has a bias of " + dtype_name(c.dtype(2)) + ", expected int32");
  const Activation& act = *activation_of(c.op);
  if (c.op.quant) {
    if (act.fn != UnaryFn::kIdentity && act.fn != UnaryFn::kRelu && act.fn != UnaryFn::kRelu6 &&
        act.fn != UnaryFn::kClip)
      return c.fail(std::string("can't store ") + name_of(act.fn) + " quantized");
    if (has_residual(c.op) && !is_quantized(c.type(plain - 1)))
      return c.fail("needs a quantized residual");
  } else if (has_residual(c.op) && c.dtype(plain - 1) != DType::kFloat) {
    return c.fail("needs a float residual");
  }
  return ok_status();
}

Status check_attention(const InferContext& c) {
  if (c.inputs.size() < 3) return c.fail("inputs do not fit");
  for (size_t i = 0; i < 3; ++i) {
    if (!is_quantized(c.type(i))) return c.fail("mixes quantized and other inputs");
  }
  if (c.inputs.size() > 3 && (is_quantized(c.type(3)) || c.dtype(3) != DType::kFloat))
    return c.fail("needs a float mask");
  if (!std::isfinite(c.op.as<AttentionAttrs>().scale))
    return c.fail("has a scale that is not finite");
  return ok_status();
}

Status check_terms(const InferContext& c) {
  int64_t terms = 1;
  if (c.op.kind() == OpKind::kAttention) {
    for (const Dim d : {c.shape(0)[3], c.shape(2)[1]}) {
      if (d.is_const()) terms = std::max(terms, d.value());
    }
  } else if (c.op.kind() == OpKind::kConv) {
    for (size_t i = 0; i < 3; ++i) {
      if (c.shape(1)[i].is_const()) terms *= std::min(c.shape(1)[i].value(), int64_t{1} << 20);
    }
  } else {
    const auto& a = c.op.as<MatMulAttrs>();
    const Dim k = c.shape(0)[c.shape(0).size() - (a.transpose_a ? 2 : 1)];
    if (k.is_const()) terms = k.value();
  }
  if (terms > kMaxQuantizedTerms)
    return c.refuse("sums " + std::to_string(terms) + " products, INT8 takes at most " +
                    std::to_string(kMaxQuantizedTerms));
  return ok_status();
}

Status check_scales_fit(const InferContext& c, const InferOutput& made) {
  if (!is_product(c.op.kind()) || !has_weight_scales(c.op, c.inputs.size())) return ok_status();
  const Dim channels = made.type.dims.back(), scales = c.shape(c.inputs.size() - 1)[0];
  Dim merged;
  if (!c.merge(channels, scales, &merged))
    return c.fail("has " + c.dims.text(scales) + " weight scales for " + c.dims.text(channels) +
                  " channels");
  return ok_status();
}

Status check_kind(const InferContext& c) {
  const OpKind kind = c.op.kind();
  if (is_product(kind)) return check_product(c);
  if (kind == OpKind::kAttention) return check_attention(c);
  if (kind == OpKind::kQuantize) return ok_status();
  for (size_t i = 0; i < (kind == OpKind::kBinary ? 2 : 1); ++i) {
    if (!is_quantized(c.type(i))) return c.fail("mixes quantized and other inputs");
  }
  const bool keeps =
      moves_quantized(kind) || (kind == OpKind::kPool && c.op.as<PoolAttrs>().fn == PoolFn::kMax);
  if (keeps != !c.op.quant)
    return c.fail(keeps ? "keeps the scale of src" : "needs the scale of its dst");
  if (keeps) {
    const bool joins = kind == OpKind::kConcat || kind == OpKind::kPack;
    for (size_t i = 1; joins && i < c.inputs.size(); ++i) {
      if (c.type(i).dtype != c.type(0).dtype || c.type(i).scale != c.type(0).scale)
        return c.fail("joins tensors of different scales");
    }
    return ok_status();
  }
  if (kind == OpKind::kPool) return ok_status();
  if (kind == OpKind::kReduce && c.op.as<ReduceAttrs>().fn == ReduceFn::kMean) return ok_status();
  if (kind == OpKind::kUnary) return ok_status();
  if (kind == OpKind::kBinary) {
    const BinaryFn fn = c.op.as<BinaryAttrs>().fn;
    if (fn == BinaryFn::kAdd || fn == BinaryFn::kSub || fn == BinaryFn::kMul ||
        fn == BinaryFn::kMax || fn == BinaryFn::kMin)
      return ok_status();
  }
  return c.fail("does not take quantized tensors");
}

}  // namespace

bool is_quantized(const TensorType& type) { return type.scale > 0; }

bool is_quantized(const Op& op, std::span<const InferInput> inputs) {
  if (op.quant) return true;
  for (const InferInput& in : inputs) {
    if (is_quantized(*in.type)) return true;
  }
  return false;
}

bool moves_quantized(OpKind kind) {
  switch (kind) {
    case OpKind::kReshape:
    case OpKind::kExpandDims:
    case OpKind::kSqueeze:
    case OpKind::kTranspose:
    case OpKind::kConcat:
    case OpKind::kPack:
    case OpKind::kSplit:
    case OpKind::kUnpack:
    case OpKind::kStridedSlice:
    case OpKind::kSlice:
    case OpKind::kPad:
    case OpKind::kTile:
    case OpKind::kBroadcastTo:
    case OpKind::kDepthToSpace:
      return true;
    default:
      return false;
  }
}

bool has_weight_scales(const Op& op, size_t inputs) {
  return is_product(op.kind()) && inputs > 2u + has_bias(op) + has_residual(op);
}

Status infer_quantize(InferContext& c) {
  if (c.dtype(0) != DType::kFloat && !is_quantized(c.type(0)))
    return c.fail("src is " + dtype_name(c.dtype(0)) + ", expected float32 or a quantized tensor");
  c.add_output(DType::kFloat, c.shape(0));
  return ok_status();
}

Status infer_quantized(InferContext& c) {
  GRAFT_RETURN_IF_ERROR(check_dst(c));
  GRAFT_RETURN_IF_ERROR(check_kind(c));
  const bool moves = moves_quantized(c.op.kind());
  // The op as it would be on real numbers.
  const bool product = is_product(c.op.kind());
  const size_t used = c.inputs.size() - has_weight_scales(c.op, c.inputs.size());
  std::vector<TensorType> types(used);
  std::vector<InferInput> inputs(c.inputs.begin(), c.inputs.begin() + static_cast<ptrdiff_t>(used));
  const bool has_value = c.op.kind() == OpKind::kPad && used == 3;
  for (size_t i = 0; i < used; ++i) {
    types[i] = *c.inputs[i].type;
    if (product || is_quantized(types[i]) || (has_value && i == 2)) types[i].dtype = DType::kFloat;
    inputs[i].type = &types[i];
  }
  if (has_value && c.dtype(2) != c.dtype(0)) return c.fail("has a value of another dtype");
  InferContext real{c.op, inputs, c.outputs, c.dims, {}, false};
  GRAFT_RETURN_IF_ERROR(kRules[static_cast<size_t>(c.op.kind())](real));
  c.overflow = real.overflow;
  c.out = std::move(real.out);
  if (product || c.op.kind() == OpKind::kAttention) GRAFT_RETURN_IF_ERROR(check_terms(c));
  GRAFT_RETURN_IF_ERROR(check_scales_fit(c, c.out[0]));
  const bool keeps = moves || (c.op.kind() == OpKind::kPool && !c.op.quant);
  for (InferOutput& o : c.out) {
    if (c.op.quant && o.type.dtype != DType::kFloat)
      return c.fail("has a dst of " + dtype_name(o.type.dtype) + ", which is never quantized");
    if (keeps) {
      o.type.dtype = c.dtype(0);
      o.type.scale = c.type(0).scale;
    } else if (c.op.quant) {
      o.type.dtype = c.op.quant.dtype;
      o.type.scale = c.op.quant.scale;
    }
  }
  return ok_status();
}

}  // namespace graft::ir
