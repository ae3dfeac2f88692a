// Which dtypes TensorFlow's ops take, per elementwise function.
#include "ir/infer_context.h"

namespace graft::ir {

namespace {

bool is_signed_integer(DType t) {
  return t == DType::kInt8 || t == DType::kInt16 || t == DType::kInt32 || t == DType::kInt64;
}
bool is_number(DType t) { return is_floating(t) || is_integer(t); }

}  // namespace

bool unary_takes(UnaryFn fn, DType t) {
  switch (fn) {
    case UnaryFn::kIdentity:
      return is_plan_dtype(t);
    case UnaryFn::kNeg:
    case UnaryFn::kAbs:
    case UnaryFn::kRint:
    case UnaryFn::kSign:
      return is_floating(t) || is_signed_integer(t);
    case UnaryFn::kSquare:
    case UnaryFn::kRelu:
    case UnaryFn::kRelu6:
    case UnaryFn::kClip:
      return is_number(t);
    case UnaryFn::kLogicalNot:
      return t == DType::kBool;
    case UnaryFn::kInvert:
    case UnaryFn::kPopulationCount:
      return is_integer(t);
    default:
      return fn >= UnaryFn::kIdentity && fn < UnaryFn::kCount && is_floating(t);
  }
}

DType unary_result(UnaryFn fn, DType t) {
  switch (fn) {
    case UnaryFn::kIsNan:
    case UnaryFn::kIsInf:
    case UnaryFn::kIsFinite:
      return DType::kBool;
    case UnaryFn::kPopulationCount:
      return DType::kUint8;
    default:
      return t;
  }
}

bool binary_takes(BinaryFn fn, DType t) {
  switch (fn) {
    case BinaryFn::kAdd:
    case BinaryFn::kSub:
    case BinaryFn::kMul:
    case BinaryFn::kDiv:  // of integers: as kTruncDiv
    case BinaryFn::kFloorDiv:
    case BinaryFn::kFloorMod:
    case BinaryFn::kTruncDiv:
    case BinaryFn::kTruncMod:
    case BinaryFn::kMax:
    case BinaryFn::kMin:
    case BinaryFn::kSquaredDifference:
    case BinaryFn::kLess:
    case BinaryFn::kLessEqual:
    case BinaryFn::kGreater:
    case BinaryFn::kGreaterEqual:
      return is_number(t);
    case BinaryFn::kPow:
      return is_floating(t) || is_signed_integer(t);
    case BinaryFn::kDivNoNan:
    case BinaryFn::kAtan2:
      return is_floating(t);
    case BinaryFn::kEqual:
    case BinaryFn::kNotEqual:
      return is_plan_dtype(t);
    case BinaryFn::kLogicalAnd:
    case BinaryFn::kLogicalOr:
      return t == DType::kBool;
    case BinaryFn::kBitwiseAnd:
    case BinaryFn::kBitwiseOr:
    case BinaryFn::kBitwiseXor:
    case BinaryFn::kLeftShift:
    case BinaryFn::kRightShift:
      return is_integer(t);
    default:
      return false;
  }
}

Status check_activation(const InferContext& c, const Activation& act, DType dtype) {
  if (!unary_takes(act.fn, dtype) || unary_result(act.fn, dtype) != dtype)
    return c.fail(std::string("activation ") + name_of(act.fn) + " does not take " +
                  dtype_name(dtype));
  if (act.alpha != act.alpha || act.beta != act.beta)
    return c.fail("activation with a NaN parameter");
  return ok_status();
}

}  // namespace graft::ir
