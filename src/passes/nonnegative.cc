#include "passes/nonnegative.h"

#include <algorithm>

#include "ir/quantized.h"

namespace graft::passes {

namespace {

bool never_negative(const ir::Activation& act) {
  switch (act.fn) {
    case ir::UnaryFn::kRelu:
    case ir::UnaryFn::kRelu6:
    case ir::UnaryFn::kSigmoid:
    case ir::UnaryFn::kHardSigmoid:
    case ir::UnaryFn::kSoftplus:
    case ir::UnaryFn::kExp:
    case ir::UnaryFn::kAbs:
    case ir::UnaryFn::kSquare:
      return true;
    case ir::UnaryFn::kClip:
      return act.alpha >= 0;
    default:
      return false;
  }
}

bool never_negative(const ir::Op& op, const std::vector<bool>& known) {
  const auto input = [&](size_t i) { return bool{known[static_cast<size_t>(op.inputs[i])]}; };
  if (const auto* conv = op.get_if<ir::ConvAttrs>()) return never_negative(conv->act);
  if (const auto* matmul = op.get_if<ir::MatMulAttrs>()) return never_negative(matmul->act);
  if (const auto* affine = op.get_if<ir::AffineAttrs>()) return never_negative(affine->act);
  if (const auto* unary = op.get_if<ir::UnaryAttrs>())
    return never_negative(unary->fn) || (unary->fn.fn == ir::UnaryFn::kIdentity && input(0));
  if (const auto* binary = op.get_if<ir::BinaryAttrs>()) {
    switch (binary->fn) {
      case ir::BinaryFn::kAdd:
      case ir::BinaryFn::kMul:
      case ir::BinaryFn::kMin:
        return input(0) && input(1);
      case ir::BinaryFn::kMax:
        return input(0) || input(1);
      default:
        return false;
    }
  }
  switch (op.kind()) {
    case ir::OpKind::kFakeQuant:  // 0 is one of its levels
      return input(0);
    case ir::OpKind::kSoftmax:
      return !op.as<ir::SoftmaxAttrs>().log;
    case ir::OpKind::kAttention:  // a weighted mean of v
      return input(2);
    case ir::OpKind::kPool:
      return input(0);
    case ir::OpKind::kReduce:
      return op.as<ir::ReduceAttrs>().fn == ir::ReduceFn::kMean && input(0);
    case ir::OpKind::kConcat:
    case ir::OpKind::kPack:
      for (size_t i = 0; i < op.inputs.size(); ++i) {
        if (!input(i)) return false;
      }
      return true;
    case ir::OpKind::kPad:
      return input(0) && op.as<ir::PadAttrs>().mode != ir::PadMode::kConstant;
    default:
      return ir::moves_quantized(op.kind()) && input(0);
  }
}

}  // namespace

std::vector<bool> never_negative(const ir::Network& network) {
  std::vector<bool> known(network.values.size(), false);
  for (const ir::Op& op : network.ops) {
    const bool value = never_negative(op, known);
    for (ir::ValueId id : op.outputs) known[static_cast<size_t>(id)] = value;
  }
  return known;
}

}  // namespace graft::passes
