// Ops that compare and count: ApproximateEqual, Bucketize, InTopK.
#include <limits>

#include "base/dtype.h"
#include "frontend/compose.h"

namespace graft::frontend {

namespace {

using ir::BinaryFn;
using ir::UnaryFn;

Result<ir::ValueId> binary(NodeImport& n, BinaryFn fn, ir::ValueId a, ir::ValueId b) {
  return n.emit(ir::BinaryAttrs{fn}, {a, b});
}

Status import_approximate_equal(NodeImport& n) {
  GRAFT_RETURN_IF_ERROR(n.check_type("T", {0, 1}));
  GRAFT_RETURN_IF_ERROR(n.require_floating(0));
  GRAFT_ASSIGN_OR_RETURN(const float tolerance, n.attr_float("tolerance", 1e-5f));
  if (n.type(0).dims != n.type(1).dims)
    return n.refuse("shape", "the inputs are not known to have the same shape");
  GRAFT_ASSIGN_OR_RETURN(ir::ValueId y, binary(n, BinaryFn::kSub, n.in(0), n.in(1)));
  GRAFT_ASSIGN_OR_RETURN(y, n.emit(ir::UnaryAttrs{{UnaryFn::kAbs}}, {y}));
  return n.finish(ir::BinaryAttrs{BinaryFn::kLessEqual},
                  {y, n.constant_scalar(tolerance, n.dtype(0))});
}

constexpr size_t kMaxBoundaries = 256;

// The number of boundaries that the element is not below; of a NaN all.
Status import_bucketize(NodeImport& n) {
  GRAFT_RETURN_IF_ERROR(n.check_type("T", {0}));
  n.ignore({"boundaries"});
  std::vector<float> boundaries;
  if (const graphdef::AttrView* attr = n.node().find_attr("boundaries")) {
    GRAFT_ASSIGN_OR_RETURN(const graphdef::AttrValue value, graphdef::decode_attr(attr->value));
    if (value.kind != graphdef::AttrValue::Kind::kList)
      return n.invalid("attribute 'boundaries' is no list");
    boundaries = value.list_f;
  }
  for (size_t i = 1; i < boundaries.size(); ++i) {
    if (!(boundaries[i - 1] <= boundaries[i]))
      return n.refuse("unsupported_attr", "attribute 'boundaries' does not rise");
  }
  if (boundaries.size() > kMaxBoundaries)
    return n.refuse("unsupported_attr",
                    "attribute 'boundaries' has " + std::to_string(boundaries.size()) +
                        " elements, at most " + std::to_string(kMaxBoundaries) + " are supported");
  const DType t = n.dtype(0);
  if (t != DType::kFloat && t != DType::kDouble && t != DType::kInt32 && t != DType::kInt64)
    return n.refuse("dtype", "input 0 is " + dtype_name(t));
  // TensorFlow compares integers as float32.
  GRAFT_ASSIGN_OR_RETURN(ir::ValueId x, n.cast(n.in(0), is_floating(t) ? t : DType::kFloat));
  GRAFT_ASSIGN_OR_RETURN(x, n.emit(ir::ExpandDimsAttrs{n.rank(0)}, {x}));
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId steps,
                         n.cast(n.constant_floats(boundaries), n.at(x).type.dtype));
  GRAFT_ASSIGN_OR_RETURN(ir::ValueId y, binary(n, BinaryFn::kLess, x, steps));
  GRAFT_ASSIGN_OR_RETURN(y, n.emit(ir::UnaryAttrs{{UnaryFn::kLogicalNot}}, {y}));
  GRAFT_ASSIGN_OR_RETURN(y, n.cast(y, DType::kInt32));
  return n.finish(ir::ReduceAttrs{ir::ReduceFn::kSum, {n.rank(0)}, false}, {y});
}

// Whether fewer than k classes of a row are above its target; false where a class that may count is
// not finite, and for a target that is no class.
Status import_in_top_k(NodeImport& n) {
  GRAFT_RETURN_IF_ERROR(n.check_type("T", {1}));
  if (n.rank(0) != 2 || n.rank(1) != 1)
    return n.invalid("the predictions (input 0) have rank " + std::to_string(n.rank(0)) +
                     " and the targets (input 1) rank " + std::to_string(n.rank(1)) +
                     ", expected 2 and 1");
  if (n.dtype(0) != DType::kFloat)
    return n.invalid("the predictions (input 0) are " + dtype_name(n.dtype(0)) +
                     ", expected float32");
  ir::ValueId k = ir::kNoValue;
  if (n.inputs() == 3) {
    GRAFT_RETURN_IF_ERROR(n.check_type("T", {2}));
    if (n.rank(2) != 0) return n.invalid("k (input 2) is no scalar");
    GRAFT_ASSIGN_OR_RETURN(k, n.cast(n.in(2), DType::kFloat));
  } else {
    GRAFT_ASSIGN_OR_RETURN(const int64_t count, n.attr_int("k"));
    k = n.constant_scalar(double(count), DType::kFloat);
  }
  if (n.type(0).dims[1] == ir::Dim(0))
    return n.refuse("shape", "the predictions (input 0) have no classes");
  const DType t = n.dtype(1);
  const ir::ValueId x = n.in(0), zero = n.constant_int(0, t);
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId classes, extent_scalar(n, x, 1, t));
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId last,
                         binary(n, BinaryFn::kSub, classes, n.constant_int(1, t)));
  GRAFT_ASSIGN_OR_RETURN(ir::ValueId target, binary(n, BinaryFn::kMax, n.in(1), zero));
  GRAFT_ASSIGN_OR_RETURN(target, binary(n, BinaryFn::kMin, target, last));
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId is_class, binary(n, BinaryFn::kEqual, target, n.in(1)));
  GRAFT_ASSIGN_OR_RETURN(target, n.emit(ir::ExpandDimsAttrs{1}, {target}));
  GRAFT_ASSIGN_OR_RETURN(target, n.emit(ir::GatherAttrs{1, 1}, {x, target}));
  GRAFT_ASSIGN_OR_RETURN(ir::ValueId above, binary(n, BinaryFn::kGreater, x, target));
  GRAFT_ASSIGN_OR_RETURN(above, n.cast(above, DType::kFloat));
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId finite,
                         n.emit(ir::UnaryAttrs{{UnaryFn::kIsFinite}}, {x}));
  const ir::ValueId infinite =
      n.constant_scalar(std::numeric_limits<double>::infinity(), DType::kFloat);
  GRAFT_ASSIGN_OR_RETURN(above, n.emit(ir::SelectAttrs{}, {finite, above, infinite}));
  GRAFT_ASSIGN_OR_RETURN(above, n.emit(ir::ReduceAttrs{ir::ReduceFn::kSum, {1}, false}, {above}));
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId few, binary(n, BinaryFn::kLess, above, k));
  return n.finish(ir::BinaryAttrs{BinaryFn::kLogicalAnd}, {few, is_class});
}

constexpr OpEntry kRows[] = {
    {"ApproximateEqual", import_approximate_equal, 2, 2},
    {"Bucketize", import_bucketize, 1, 1},
    {"InTopK", import_in_top_k, 2, 2},
    {"InTopKV2", import_in_top_k, 3, 3},
};

}  // namespace

std::span<const OpEntry> comparing_ops() { return kRows; }

}  // namespace graft::frontend
