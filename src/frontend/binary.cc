// Elementwise ops of two or more inputs, with broadcasting.
#include "base/dtype.h"
#include "frontend/node_import.h"

namespace graft::frontend {

namespace {

using ir::BinaryFn;

Status import_binary(NodeImport& n) {
  GRAFT_RETURN_IF_ERROR(n.check_type("T", {0, 1}));
  const auto fn = static_cast<BinaryFn>(n.arg());
  if (n.dtype(0) == DType::kBool)
    return n.refuse("dtype", "attribute 'T' is bool, expected numbers");
  const bool floating_only = fn == BinaryFn::kDivNoNan || fn == BinaryFn::kAtan2;
  if (floating_only) GRAFT_RETURN_IF_ERROR(n.require_floating(0));
  return n.finish(ir::BinaryAttrs{fn}, {n.in(0), n.in(1)});
}

// Div and RealDiv: the quotient; on integers Div truncates.
Status import_div(NodeImport& n) {
  GRAFT_RETURN_IF_ERROR(n.check_type("T", {0, 1}));
  if (n.dtype(0) == DType::kBool)
    return n.refuse("dtype", "attribute 'T' is bool, expected numbers");
  return n.finish(ir::BinaryAttrs{is_integer(n.dtype(0)) ? BinaryFn::kTruncDiv : BinaryFn::kDiv},
                  {n.in(0), n.in(1)});
}

// Whether two shapes broadcast whatever their symbols stand for.
bool broadcasts_surely(const std::vector<ir::Dim>& a, const std::vector<ir::Dim>& b) {
  for (size_t i = 1; i <= std::min(a.size(), b.size()); ++i) {
    const ir::Dim x = a[a.size() - i], y = b[b.size() - i];
    if (x != y && x != ir::Dim(1) && y != ir::Dim(1)) return false;
  }
  return true;
}

Status import_comparison(NodeImport& n) {
  GRAFT_RETURN_IF_ERROR(n.check_type("T", {0, 1}));
  const auto fn = static_cast<BinaryFn>(n.arg());
  if (fn == BinaryFn::kEqual || fn == BinaryFn::kNotEqual) {
    GRAFT_ASSIGN_OR_RETURN(const bool strict, n.attr_bool("incompatible_shape_error", true));
    if (!strict && !broadcasts_surely(n.type(0).dims, n.type(1).dims))
      return n.refuse("shape",
                      "attribute 'incompatible_shape_error' is false, and the shapes of the inputs "
                      "are not known to broadcast");
  }
  return n.finish(ir::BinaryAttrs{fn}, {n.in(0), n.in(1)});
}

// Whether |x - y| is at most the tolerance; the shapes must be equal.
Status import_approximate_equal(NodeImport& n) {
  GRAFT_RETURN_IF_ERROR(n.check_type("T", {0, 1}));
  GRAFT_RETURN_IF_ERROR(n.require_floating(0));
  GRAFT_ASSIGN_OR_RETURN(const float tolerance, n.attr_float("tolerance", 1e-5f));
  if (n.type(0).dims != n.type(1).dims)
    return n.refuse("shape", "inputs 0 and 1 are not known to have the same shape");
  GRAFT_ASSIGN_OR_RETURN(ir::ValueId y,
                         n.emit(ir::BinaryAttrs{BinaryFn::kSub}, {n.in(0), n.in(1)}));
  GRAFT_ASSIGN_OR_RETURN(y, n.emit(ir::UnaryAttrs{{ir::UnaryFn::kAbs}}, {y}));
  return n.finish(ir::BinaryAttrs{BinaryFn::kLessEqual},
                  {y, n.constant_scalar(tolerance, n.dtype(0))});
}

Status import_logical(NodeImport& n) {
  for (size_t i = 0; i < 2; ++i) {
    if (n.dtype(i) != DType::kBool)
      return n.invalid("input " + std::to_string(i) + " is " + dtype_name(n.dtype(i)) +
                       ", expected bool");
  }
  return n.finish(ir::BinaryAttrs{static_cast<BinaryFn>(n.arg())}, {n.in(0), n.in(1)});
}

Status import_bits(NodeImport& n) {
  GRAFT_RETURN_IF_ERROR(n.check_type("T", {0, 1}));
  if (!is_integer(n.dtype(0)))
    return n.invalid("the inputs are " + dtype_name(n.dtype(0)) + ", expected an integer dtype");
  return n.finish(ir::BinaryAttrs{static_cast<BinaryFn>(n.arg())}, {n.in(0), n.in(1)});
}

// Sum from the left, as TensorFlow's CPU kernel adds.
Status import_add_n(NodeImport& n) {
  GRAFT_ASSIGN_OR_RETURN(const int64_t count, n.attr_int("N"));
  if (count != static_cast<int64_t>(n.inputs()))
    return n.invalid("attribute 'N' is " + std::to_string(count) + ", the node has " +
                     std::to_string(n.inputs()) + " inputs");
  GRAFT_RETURN_IF_ERROR(n.check_types("T", 0, n.inputs()));
  if (n.node().op == "AccumulateNV2") n.ignore({"shape"});
  ir::ValueId sum = n.in(0);
  for (size_t i = 1; i < n.inputs(); ++i) {
    if (n.type(i).dims != n.type(0).dims)
      return n.refuse(
          "shape", "inputs 0 and " + std::to_string(i) + " are not known to have the same shape");
    GRAFT_ASSIGN_OR_RETURN(sum, n.emit(ir::BinaryAttrs{BinaryFn::kAdd}, {sum, n.in(i)}));
  }
  n.output(sum);
  return ok_status();
}

Status check_condition(NodeImport& n) {
  if (n.dtype(0) != DType::kBool)
    return n.invalid("input 0 is " + dtype_name(n.dtype(0)) + ", expected bool");
  return n.check_type("T", {1, 2});
}

Status import_select_v2(NodeImport& n) {
  GRAFT_RETURN_IF_ERROR(check_condition(n));
  return n.finish(ir::SelectAttrs{}, {n.in(0), n.in(1), n.in(2)});
}

// The first version: no broadcasting, but a vector condition chooses rows.
Status import_select(NodeImport& n) {
  GRAFT_RETURN_IF_ERROR(check_condition(n));
  if (n.type(1).dims != n.type(2).dims)
    return n.refuse("shape", "inputs 1 and 2 are not known to have the same shape");
  ir::ValueId condition = n.in(0);
  const int rank = n.rank(1);
  if (n.rank(0) != 0 && n.rank(0) != rank && n.rank(0) != 1)
    return n.invalid("the condition has rank " + std::to_string(n.rank(0)) + ", expected 0, 1 or " +
                     std::to_string(rank));
  if (n.rank(0) == 1) {
    for (int axis = 1; axis < rank; ++axis) {
      GRAFT_ASSIGN_OR_RETURN(condition, n.emit(ir::ExpandDimsAttrs{axis}, {condition}));
    }
  }
  return n.finish(ir::SelectAttrs{}, {condition, n.in(1), n.in(2)});
}

constexpr OpEntry row(std::string_view op, BinaryFn fn) {
  return {op, import_binary, 2, 2, static_cast<int>(fn)};
}
constexpr OpEntry comparison(std::string_view op, BinaryFn fn) {
  return {op, import_comparison, 2, 2, static_cast<int>(fn)};
}

constexpr OpEntry bits(std::string_view op, BinaryFn fn) {
  return {op, import_bits, 2, 2, static_cast<int>(fn)};
}

constexpr OpEntry kRows[] = {
    row("Add", BinaryFn::kAdd),
    row("AddV2", BinaryFn::kAdd),
    row("Sub", BinaryFn::kSub),
    row("Mul", BinaryFn::kMul),
    row("DivNoNan", BinaryFn::kDivNoNan),
    row("FloorDiv", BinaryFn::kFloorDiv),
    row("FloorMod", BinaryFn::kFloorMod),
    row("TruncateDiv", BinaryFn::kTruncDiv),
    row("TruncateMod", BinaryFn::kTruncMod),
    row("Mod", BinaryFn::kTruncMod),
    row("Maximum", BinaryFn::kMax),
    row("Minimum", BinaryFn::kMin),
    row("Pow", BinaryFn::kPow),
    row("SquaredDifference", BinaryFn::kSquaredDifference),
    row("Atan2", BinaryFn::kAtan2),
    comparison("Less", BinaryFn::kLess),
    comparison("LessEqual", BinaryFn::kLessEqual),
    comparison("Greater", BinaryFn::kGreater),
    comparison("GreaterEqual", BinaryFn::kGreaterEqual),
    comparison("Equal", BinaryFn::kEqual),
    comparison("NotEqual", BinaryFn::kNotEqual),
    bits("BitwiseAnd", BinaryFn::kBitwiseAnd),
    bits("BitwiseOr", BinaryFn::kBitwiseOr),
    bits("BitwiseXor", BinaryFn::kBitwiseXor),
    bits("LeftShift", BinaryFn::kLeftShift),
    bits("RightShift", BinaryFn::kRightShift),
    {"ApproximateEqual", import_approximate_equal, 2, 2},
    {"RealDiv", import_div, 2, 2},
    {"Div", import_div, 2, 2},
    {"LogicalAnd", import_logical, 2, 2, static_cast<int>(BinaryFn::kLogicalAnd)},
    {"LogicalOr", import_logical, 2, 2, static_cast<int>(BinaryFn::kLogicalOr)},
    {"AddN", import_add_n, 1, -1},
    {"AccumulateNV2", import_add_n, 1, -1},
    {"SelectV2", import_select_v2, 3, 3},
    {"Select", import_select, 3, 3},
};

}  // namespace

std::span<const OpEntry> binary_ops() { return kRows; }

}  // namespace graft::frontend
