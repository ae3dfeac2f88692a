// Elementwise ops of one input.
#include <cmath>

#include "base/dtype.h"
#include "frontend/complex_values.h"

namespace graft::frontend {

namespace {

using ir::UnaryFn;

// Rows that TensorFlow defines for integers too.
bool allows_integers(UnaryFn fn) {
  return fn == UnaryFn::kNeg || fn == UnaryFn::kAbs || fn == UnaryFn::kSquare ||
         fn == UnaryFn::kSign || fn == UnaryFn::kRelu || fn == UnaryFn::kRelu6;
}

Status import_unary(NodeImport& n) {
  GRAFT_RETURN_IF_ERROR(n.check_type("T", {0}));
  const auto fn = static_cast<UnaryFn>(n.arg());
  if (!allows_integers(fn) || n.dtype(0) == DType::kBool)
    GRAFT_RETURN_IF_ERROR(n.require_floating(0));
  return n.finish(ir::UnaryAttrs{{fn}}, {n.in(0)});
}

Status import_bessel(NodeImport& n) {
  if (n.dtype(0) == DType::kBfloat16)
    return n.refuse("dtype", "input 0 is bfloat16, which TensorFlow's kernel does not take");
  return import_unary(n);
}

Status import_elu(NodeImport& n) {
  GRAFT_RETURN_IF_ERROR(n.check_type("T", {0}));
  GRAFT_RETURN_IF_ERROR(n.require_floating(0));
  return n.finish(ir::UnaryAttrs{{UnaryFn::kElu, 1.0f}}, {n.in(0)});
}

Status import_leaky_relu(NodeImport& n) {
  GRAFT_RETURN_IF_ERROR(n.check_type("T", {0}, DType::kFloat));
  GRAFT_RETURN_IF_ERROR(n.require_floating(0));
  GRAFT_ASSIGN_OR_RETURN(const float alpha, n.attr_float("alpha", 0.2f));
  if (!std::isfinite(alpha)) return n.refuse("unsupported_attr", "attribute 'alpha' is not finite");
  return n.finish(ir::UnaryAttrs{{UnaryFn::kLeakyRelu, alpha}}, {n.in(0)});
}

Status import_invert(NodeImport& n) {
  GRAFT_RETURN_IF_ERROR(n.check_type("T", {0}));
  if (!is_integer(n.dtype(0)))
    return n.invalid("input 0 is " + dtype_name(n.dtype(0)) + ", expected an integer dtype");
  return n.finish(ir::UnaryAttrs{{UnaryFn::kInvert}}, {n.in(0)});
}

Status import_population_count(NodeImport& n) {
  GRAFT_RETURN_IF_ERROR(n.check_type("T", {0}));
  if (!is_integer(n.dtype(0)))
    return n.invalid("input 0 is " + dtype_name(n.dtype(0)) + ", expected an integer dtype");
  return n.finish(ir::UnaryAttrs{{UnaryFn::kPopulationCount}}, {n.in(0)});
}

Status import_bitcast(NodeImport& n) {
  GRAFT_RETURN_IF_ERROR(n.check_type("T", {0}));
  GRAFT_ASSIGN_OR_RETURN(const DType to, n.attr_type("type"));
  const auto has_bits = [](DType t) { return is_floating(t) || is_integer(t); };
  if (!has_bits(n.dtype(0)))
    return n.invalid("input 0 is " + dtype_name(n.dtype(0)) + ", expected a number");
  if (!has_bits(to)) return n.refuse("dtype", "attribute 'type' is " + dtype_name(to));
  return n.finish(ir::BitcastAttrs{to}, {n.in(0)});
}

Status import_logical_not(NodeImport& n) {
  if (n.dtype(0) != DType::kBool)
    return n.invalid("input 0 is " + dtype_name(n.dtype(0)) + ", expected bool");
  return n.finish(ir::UnaryAttrs{{UnaryFn::kLogicalNot}}, {n.in(0)});
}

Status import_cast(NodeImport& n) {
  GRAFT_RETURN_IF_ERROR(n.check_type("SrcT", {0}));
  GRAFT_ASSIGN_OR_RETURN(const DType to, n.attr_type("DstT"));
  GRAFT_ASSIGN_OR_RETURN(const bool truncate, n.attr_bool("Truncate", false));
  if (const DType part = part_of(to); part != DType::kInvalid) {
    GRAFT_ASSIGN_OR_RETURN(ir::ValueId y, n.cast(n.in(0), part));
    GRAFT_ASSIGN_OR_RETURN(y, complex_from_real(n, y));
    output_complex(n, y, to);
    return ok_status();
  }
  if (!is_plan_dtype(to)) return n.refuse("dtype", "attribute 'DstT' is " + dtype_name(to));
  if (truncate && (to == DType::kHalf || to == DType::kBfloat16 || to == DType::kFloat))
    return n.refuse("unsupported_attr", "attribute 'Truncate' is true, expected false");
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId id, n.cast(n.in(0), to));
  n.output(id);
  return ok_status();
}

// max(min(x, high), low): the lower bound wins where the bounds cross. Each is a scalar or of x's
// shape.
Status import_clip_by_value(NodeImport& n) {
  GRAFT_RETURN_IF_ERROR(n.check_type("T", {0, 1, 2}));
  if (n.dtype(0) == DType::kBool) return n.refuse("dtype", "input 0 is bool");
  for (size_t i = 1; i < 3; ++i) {
    if (n.rank(i) != 0 && n.type(i).dims != n.type(0).dims)
      return n.refuse("shape", "input " + std::to_string(i) +
                                   " is not known to be a scalar or to have the shape of input 0");
  }
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId below,
                         n.emit(ir::BinaryAttrs{ir::BinaryFn::kMin}, {n.in(0), n.in(2)}));
  return n.finish(ir::BinaryAttrs{ir::BinaryFn::kMax}, {below, n.in(1)});
}

constexpr OpEntry row(std::string_view op, UnaryFn fn) {
  return {op, import_unary, 1, 1, static_cast<int>(fn)};
}

constexpr OpEntry kRows[] = {
    row("Neg", UnaryFn::kNeg),
    row("Abs", UnaryFn::kAbs),
    row("Exp", UnaryFn::kExp),
    row("Expm1", UnaryFn::kExpm1),
    row("Log", UnaryFn::kLog),
    row("Log1p", UnaryFn::kLog1p),
    row("Sqrt", UnaryFn::kSqrt),
    row("Rsqrt", UnaryFn::kRsqrt),
    row("Square", UnaryFn::kSquare),
    row("Reciprocal", UnaryFn::kReciprocal),
    row("Inv", UnaryFn::kReciprocal),
    row("Sigmoid", UnaryFn::kSigmoid),
    row("Tanh", UnaryFn::kTanh),
    row("Erf", UnaryFn::kErf),
    row("Erfc", UnaryFn::kErfc),
    row("Relu", UnaryFn::kRelu),
    row("Relu6", UnaryFn::kRelu6),
    row("Selu", UnaryFn::kSelu),
    row("_MklSwish", UnaryFn::kSwish),  // x * sigmoid(x), made by TensorFlow's optimizer
    row("Softplus", UnaryFn::kSoftplus),
    row("Softsign", UnaryFn::kSoftsign),
    row("Floor", UnaryFn::kFloor),
    row("Ceil", UnaryFn::kCeil),
    row("Rint", UnaryFn::kRint),
    row("Round", UnaryFn::kRint),
    row("Sign", UnaryFn::kSign),
    row("Sin", UnaryFn::kSin),
    row("Cos", UnaryFn::kCos),
    row("Tan", UnaryFn::kTan),
    row("Asin", UnaryFn::kAsin),
    row("Acos", UnaryFn::kAcos),
    row("Atan", UnaryFn::kAtan),
    row("Sinh", UnaryFn::kSinh),
    row("Cosh", UnaryFn::kCosh),
    row("Asinh", UnaryFn::kAsinh),
    row("Acosh", UnaryFn::kAcosh),
    row("Atanh", UnaryFn::kAtanh),
    row("IsNan", UnaryFn::kIsNan),
    row("IsInf", UnaryFn::kIsInf),
    row("IsFinite", UnaryFn::kIsFinite),
    {"BesselI0", import_bessel, 1, 1, static_cast<int>(UnaryFn::kBesselI0)},
    {"BesselI0e", import_bessel, 1, 1, static_cast<int>(UnaryFn::kBesselI0e)},
    {"BesselI1", import_bessel, 1, 1, static_cast<int>(UnaryFn::kBesselI1)},
    {"BesselI1e", import_bessel, 1, 1, static_cast<int>(UnaryFn::kBesselI1e)},
    {"Elu", import_elu, 1, 1},
    {"LeakyRelu", import_leaky_relu, 1, 1},
    {"Invert", import_invert, 1, 1},
    {"PopulationCount", import_population_count, 1, 1},
    {"Bitcast", import_bitcast, 1, 1},
    {"LogicalNot", import_logical_not, 1, 1},
    {"Cast", import_cast, 1, 1},
    {"ClipByValue", import_clip_by_value, 3, 3},
};

}  // namespace

std::span<const OpEntry> unary_ops() { return kRows; }

}  // namespace graft::frontend
