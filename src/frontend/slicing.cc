// Ops that take parts of a tensor or put a border around it.
#include "base/dtype.h"
#include "base/log.h"
#include "frontend/data_slices.h"
#include "frontend/node_import.h"

namespace graft::frontend {

namespace {

Status import_strided_slice(NodeImport& n) {
  GRAFT_RETURN_IF_ERROR(n.check_type("T", {0}));
  GRAFT_RETURN_IF_ERROR(n.check_type("Index", {1, 2, 3}));
  if (n.dtype(1) == DType::kInt16)
    return n.refuse("dtype", "attribute 'Index' is int16, expected int32 or int64");
  ir::StridedSliceAttrs attrs;
  GRAFT_ASSIGN_OR_RETURN(attrs.begin_mask, n.attr_int("begin_mask", 0));
  GRAFT_ASSIGN_OR_RETURN(attrs.end_mask, n.attr_int("end_mask", 0));
  GRAFT_ASSIGN_OR_RETURN(attrs.ellipsis_mask, n.attr_int("ellipsis_mask", 0));
  GRAFT_ASSIGN_OR_RETURN(attrs.new_axis_mask, n.attr_int("new_axis_mask", 0));
  GRAFT_ASSIGN_OR_RETURN(attrs.shrink_axis_mask, n.attr_int("shrink_axis_mask", 0));
  return n.value(1).host ? n.finish(attrs, {n.in(0), n.in(1), n.in(2), n.in(3)})
                         : strided_slice_at_data(n, attrs);
}

Status import_slice(NodeImport& n) {
  GRAFT_RETURN_IF_ERROR(n.check_type("T", {0}));
  GRAFT_RETURN_IF_ERROR(n.check_type("Index", {1, 2}));
  return n.value(1).host ? n.finish(ir::SliceAttrs{}, {n.in(0), n.in(1), n.in(2)})
                         : slice_at_data(n);
}

Status import_pad(NodeImport& n) {
  GRAFT_RETURN_IF_ERROR(n.check_type("T", {0}));
  if (n.has_attr("Tpaddings")) GRAFT_RETURN_IF_ERROR(n.check_type("Tpaddings", {1}));
  if (n.inputs() == 2) return n.finish(ir::PadAttrs{}, {n.in(0), n.in(1)});
  GRAFT_RETURN_IF_ERROR(n.check_type("T", {2}));
  if (n.rank(2) != 0)
    return n.invalid("the value (input 2) has rank " + std::to_string(n.rank(2)) +
                     ", expected a scalar");
  return n.finish(ir::PadAttrs{}, {n.in(0), n.in(1), n.in(2)});
}

Status import_mirror_pad(NodeImport& n) {
  GRAFT_RETURN_IF_ERROR(n.check_type("T", {0}));
  if (n.has_attr("Tpaddings")) GRAFT_RETURN_IF_ERROR(n.check_type("Tpaddings", {1}));
  GRAFT_ASSIGN_OR_RETURN(const std::string_view mode, n.attr_string("mode", ""));
  if (mode != "REFLECT" && mode != "SYMMETRIC")
    return n.invalid("attribute 'mode' is '" + printable(mode) +
                     "', expected REFLECT or SYMMETRIC");
  const auto pad = mode == "REFLECT" ? ir::PadMode::kReflect : ir::PadMode::kSymmetric;
  return n.finish(ir::PadAttrs{pad}, {n.in(0), n.in(1)});
}

Status check_indices(NodeImport& n) {
  GRAFT_RETURN_IF_ERROR(n.check_type("Tparams", {0}));
  GRAFT_RETURN_IF_ERROR(n.check_type("Tindices", {1}));
  if (n.dtype(1) == DType::kInt32 || n.dtype(1) == DType::kInt64) return ok_status();
  return n.refuse(
      "dtype", "the indices (input 1) are " + dtype_name(n.dtype(1)) + ", expected int32 or int64");
}

Status import_gather(NodeImport& n) {
  GRAFT_RETURN_IF_ERROR(check_indices(n));
  n.ignore({"validate_indices"});
  if (n.rank(0) < 1) return n.invalid("the params (input 0) are a scalar");
  return n.finish(ir::GatherAttrs{}, {n.in(0), n.in(1)});
}

Status import_gather_v2(NodeImport& n) {
  GRAFT_RETURN_IF_ERROR(check_indices(n));
  GRAFT_RETURN_IF_ERROR(n.check_type("Taxis", {2}));
  ir::GatherAttrs attrs;
  GRAFT_ASSIGN_OR_RETURN(attrs.batch_dims, n.attr_int("batch_dims", 0));
  GRAFT_ASSIGN_OR_RETURN(attrs.axis, n.const_int(2, "axis"));
  GRAFT_ASSIGN_OR_RETURN(attrs.axis, n.axis(attrs.axis, n.rank(0), "the axis"));
  if (attrs.batch_dims < -n.rank(1) || attrs.batch_dims > n.rank(1))
    return n.invalid("attribute 'batch_dims' is " + std::to_string(attrs.batch_dims) +
                     ", the indices have rank " + std::to_string(n.rank(1)));
  if (attrs.batch_dims < 0) attrs.batch_dims += n.rank(1);
  if (attrs.batch_dims > attrs.axis)
    return n.invalid("attribute 'batch_dims' is " + std::to_string(attrs.batch_dims) +
                     ", expected at most the axis, " + std::to_string(attrs.axis));
  return n.finish(attrs, {n.in(0), n.in(1)});
}

Status import_one_hot(NodeImport& n) {
  GRAFT_RETURN_IF_ERROR(n.check_type("T", {2, 3}));
  if (n.has_attr("TI")) GRAFT_RETURN_IF_ERROR(n.check_type("TI", {0}));
  GRAFT_ASSIGN_OR_RETURN(int64_t axis, n.attr_int("axis", -1));
  GRAFT_ASSIGN_OR_RETURN(axis, n.axis(axis, n.rank(0) + 1, "attribute 'axis'"));
  return n.finish(ir::OneHotAttrs{axis}, {n.in(0), n.in(1), n.in(2), n.in(3)});
}

constexpr OpEntry kRows[] = {
    {"StridedSlice", import_strided_slice, 4, 4},
    {"Slice", import_slice, 3, 3},
    {"Pad", import_pad, 2, 2},
    {"PadV2", import_pad, 3, 3},
    {"MirrorPad", import_mirror_pad, 2, 2},
    {"Gather", import_gather, 2, 2},
    {"GatherV2", import_gather_v2, 3, 3},
    {"OneHot", import_one_hot, 4, 4},
};

}  // namespace

std::span<const OpEntry> slicing_ops() { return kRows; }

}  // namespace graft::frontend
