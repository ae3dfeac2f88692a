// NonMaxSuppressionV4 and V5, CombinedNonMaxSuppression, CropAndResize.
#include <cmath>

#include "base/log.h"
#include "frontend/node_import.h"

namespace graft::frontend {

namespace {

Status want_rank(NodeImport& n, size_t input, int rank, const char* what) {
  if (n.rank(input) == rank) return ok_status();
  return n.invalid(std::string(what) + " (input " + std::to_string(input) + ") has rank " +
                   std::to_string(n.rank(input)) + ", expected " + std::to_string(rank));
}
Status want_dtype(NodeImport& n, size_t input, DType want, const char* what) {
  if (n.dtype(input) == want) return ok_status();
  return n.invalid(std::string(what) + " (input " + std::to_string(input) + ") is " +
                   dtype_name(n.dtype(input)) + ", expected " + dtype_name(want));
}
Status want_size(NodeImport& n, size_t input, const char* what) {
  GRAFT_RETURN_IF_ERROR(want_dtype(n, input, DType::kInt32, what));
  return want_rank(n, input, 0, what);
}

// arg: version 4 or 5.
Status import_nms(NodeImport& n) {
  const bool soft = n.arg() == 5;
  GRAFT_RETURN_IF_ERROR(n.check_type("T", {0, 1}, DType::kFloat));
  GRAFT_ASSIGN_OR_RETURN(const bool pad, n.attr_bool("pad_to_max_output_size", false));
  DType thresholds = n.dtype(0);
  if (soft) {
    GRAFT_RETURN_IF_ERROR(n.check_type("T", {3, 4, 5}, DType::kFloat));
  } else {
    GRAFT_ASSIGN_OR_RETURN(thresholds, n.attr_type("T_threshold", DType::kFloat));
    if (n.dtype(3) != thresholds || n.dtype(4) != thresholds)
      return n.invalid("attribute 'T_threshold' is " + dtype_name(thresholds) +
                       ", the thresholds (inputs 3 and 4) are " + dtype_name(n.dtype(3)) + " and " +
                       dtype_name(n.dtype(4)));
  }
  if (n.dtype(0) != DType::kFloat && n.dtype(0) != DType::kHalf)
    return n.invalid("attribute 'T' is " + dtype_name(n.dtype(0)) +
                     ", expected float32 or float16");
  GRAFT_RETURN_IF_ERROR(want_rank(n, 0, 2, "the boxes"));
  GRAFT_RETURN_IF_ERROR(want_rank(n, 1, 1, "the scores"));
  GRAFT_RETURN_IF_ERROR(want_size(n, 2, "max_output_size"));
  for (size_t i = 3; i < n.inputs(); ++i)
    GRAFT_RETURN_IF_ERROR(want_rank(n, i, 0, "a threshold or sigma"));
  if (!pad)
    return n.refuse("data_dependent_shape",
                    "the output shape of " + printable(n.node().op) +
                        " depends on data: attribute 'pad_to_max_output_size' is false",
                    "set pad_to_max_output_size=true");
  // TensorFlow's kernel reads them as T.
  if (thresholds != n.dtype(0))
    return n.refuse("dtype", "attribute 'T_threshold' is " + dtype_name(thresholds) +
                                 ", expected " + dtype_name(n.dtype(0)) + " as 'T'");
  const ir::ValueId sigma = soft ? n.in(5) : n.constant_scalar(0, n.dtype(0));
  GRAFT_ASSIGN_OR_RETURN(const auto ids,
                         n.emit_many(ir::NonMaxSuppressionAttrs{},
                                     {n.in(0), n.in(1), n.in(2), n.in(3), n.in(4), sigma}, 3));
  n.output(ids[0]);
  if (soft) n.output(ids[1]);
  n.output(ids[2]);
  return ok_status();
}

Status import_combined_nms(NodeImport& n) {
  ir::CombinedNonMaxSuppressionAttrs attrs;
  GRAFT_ASSIGN_OR_RETURN(attrs.pad_per_class, n.attr_bool("pad_per_class", false));
  GRAFT_ASSIGN_OR_RETURN(attrs.clip_boxes, n.attr_bool("clip_boxes", true));
  GRAFT_RETURN_IF_ERROR(want_dtype(n, 0, DType::kFloat, "the boxes"));
  GRAFT_RETURN_IF_ERROR(want_dtype(n, 1, DType::kFloat, "the scores"));
  GRAFT_RETURN_IF_ERROR(want_rank(n, 0, 4, "the boxes"));
  GRAFT_RETURN_IF_ERROR(want_rank(n, 1, 3, "the scores"));
  GRAFT_RETURN_IF_ERROR(want_size(n, 2, "max_output_size_per_class"));
  GRAFT_RETURN_IF_ERROR(want_size(n, 3, "max_total_size"));
  for (size_t i : {size_t{4}, size_t{5}}) {
    GRAFT_RETURN_IF_ERROR(want_dtype(n, i, DType::kFloat, "a threshold"));
    GRAFT_RETURN_IF_ERROR(want_rank(n, i, 0, "a threshold"));
  }
  GRAFT_ASSIGN_OR_RETURN(
      const auto ids,
      n.emit_many(attrs, {n.in(0), n.in(1), n.in(2), n.in(3), n.in(4), n.in(5)}, 4));
  for (ir::ValueId id : ids) n.output(id);
  return ok_status();
}

Status import_crop_and_resize(NodeImport& n) {
  GRAFT_RETURN_IF_ERROR(n.check_type("T", {0}));
  ir::CropAndResizeAttrs attrs;
  GRAFT_ASSIGN_OR_RETURN(const std::string_view method, n.attr_string("method", "bilinear"));
  if (method != "bilinear" && method != "nearest")
    return n.invalid("attribute 'method' is '" + printable(method) +
                     "', expected bilinear or nearest");
  attrs.bilinear = method == "bilinear";
  GRAFT_ASSIGN_OR_RETURN(attrs.extrapolation, n.attr_float("extrapolation_value", 0));
  switch (n.dtype(0)) {
    case DType::kBool:
    case DType::kBfloat16:
    case DType::kUint32:
    case DType::kUint64:
      return n.invalid("attribute 'T' is " + dtype_name(n.dtype(0)) +
                       ", which TensorFlow's CropAndResize does not have");
    default:
      break;
  }
  GRAFT_RETURN_IF_ERROR(want_rank(n, 0, 4, "the image"));
  GRAFT_RETURN_IF_ERROR(want_dtype(n, 1, DType::kFloat, "the boxes"));
  GRAFT_RETURN_IF_ERROR(want_rank(n, 1, 2, "the boxes"));
  GRAFT_RETURN_IF_ERROR(want_dtype(n, 2, DType::kInt32, "box_ind"));
  GRAFT_RETURN_IF_ERROR(want_rank(n, 2, 1, "box_ind"));
  GRAFT_RETURN_IF_ERROR(want_dtype(n, 3, DType::kInt32, "crop_size"));
  GRAFT_RETURN_IF_ERROR(want_rank(n, 3, 1, "crop_size"));
  if (std::isnan(attrs.extrapolation))
    return n.refuse("unsupported_attr", "attribute 'extrapolation_value' is NaN");
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId image, n.cast(n.in(0), DType::kFloat));
  return n.finish(attrs, {image, n.in(1), n.in(2), n.in(3)});
}

constexpr OpEntry kRows[] = {
    {"NonMaxSuppressionV4", import_nms, 5, 5, 4},
    {"NonMaxSuppressionV5", import_nms, 6, 6, 5},
    {"CombinedNonMaxSuppression", import_combined_nms, 6, 6},
    {"CropAndResize", import_crop_and_resize, 4, 4},
};

}  // namespace

std::span<const OpEntry> detection_ops() { return kRows; }

}  // namespace graft::frontend
