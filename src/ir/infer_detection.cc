// non_max_suppression, combined_non_max_suppression, crop_and_resize.
#include <algorithm>

#include "ir/infer_context.h"

namespace graft::ir {

namespace {

Status want_dtype(const InferContext& c, size_t i, DType want, const char* what) {
  if (c.dtype(i) == want) return ok_status();
  return c.fail(std::string(what) + " is " + dtype_name(c.dtype(i)) + ", expected " +
                dtype_name(want));
}

// The extent of boxes along their last axis, and one that two operands share.
Status check_boxes(const InferContext& c, size_t boxes, const char* what) {
  Dim merged;
  if (c.merge(c.shape(boxes).back(), 4, &merged)) return ok_status();
  return c.fail(std::string(what) + " " + c.text(boxes) + " must have 4 numbers each");
}
Result<Dim> shared_extent(const InferContext& c, size_t a, size_t axis_a, size_t b, size_t axis_b) {
  Dim merged;
  if (c.merge(c.shape(a)[axis_a], c.shape(b)[axis_b], &merged)) return merged;
  return c.fail("operand " + std::to_string(b) + " " + c.text(b) + " does not fit operand " +
                std::to_string(a) + " " + c.text(a));
}

// A number of outputs, at least `least`.
Result<Dim> count_of(const InferContext& c, size_t i, int64_t least, const char* what) {
  GRAFT_ASSIGN_OR_RETURN(const std::vector<Dim>* elems, c.need_host(i, 0, what));
  const Dim n = elems->front();
  if (n.is_const() && (n.value() < least || n.value() > INT32_MAX))
    return c.fail(std::string(what) + " is " + std::to_string(n.value()) + ", expected " +
                  std::to_string(least) + " to 2147483647");
  return n;
}

}  // namespace

Status infer_non_max_suppression(InferContext& c) {
  const DType t = c.dtype(1);
  if (t != DType::kFloat && t != DType::kHalf)
    return c.fail("scores are " + dtype_name(t) + ", expected float32 or float16");
  GRAFT_RETURN_IF_ERROR(c.same_dtype(1, 0));
  GRAFT_RETURN_IF_ERROR(c.want_rank(0, 2, "boxes"));
  GRAFT_RETURN_IF_ERROR(c.want_rank(1, 1, "scores"));
  GRAFT_RETURN_IF_ERROR(check_boxes(c, 0, "boxes"));
  GRAFT_RETURN_IF_ERROR(shared_extent(c, 0, 0, 1, 0).status());
  for (size_t i : {size_t{3}, size_t{4}, size_t{5}}) {
    GRAFT_RETURN_IF_ERROR(c.same_dtype(1, i));
    GRAFT_RETURN_IF_ERROR(c.want_rank(i, 0, "a threshold or sigma"));
  }
  GRAFT_ASSIGN_OR_RETURN(const Dim n, count_of(c, 2, 0, "the output size"));
  c.add_output(DType::kInt32, {n});
  c.add_output(t, {n});
  c.add_output(DType::kInt32, {});
  return ok_status();
}

Status infer_combined_non_max_suppression(InferContext& c) {
  for (size_t i : {size_t{0}, size_t{1}, size_t{4}, size_t{5}})
    GRAFT_RETURN_IF_ERROR(want_dtype(c, i, DType::kFloat, "an operand"));
  GRAFT_RETURN_IF_ERROR(c.want_rank(0, 4, "boxes"));
  GRAFT_RETURN_IF_ERROR(c.want_rank(1, 3, "scores"));
  GRAFT_RETURN_IF_ERROR(c.want_rank(4, 0, "the threshold of the overlap"));
  GRAFT_RETURN_IF_ERROR(c.want_rank(5, 0, "the threshold of the score"));
  GRAFT_RETURN_IF_ERROR(check_boxes(c, 0, "boxes"));
  GRAFT_ASSIGN_OR_RETURN(const Dim batch, shared_extent(c, 0, 0, 1, 0));
  GRAFT_RETURN_IF_ERROR(shared_extent(c, 0, 1, 1, 1).status());
  const Dim q = c.shape(0)[2], classes = c.shape(1)[2];
  if (q.is_const() && q.value() != 1 && classes.is_const() && q.value() != classes.value())
    return c.fail("boxes " + c.text(0) + " are neither one for all classes nor one for each of " +
                  std::to_string(classes.value()));
  GRAFT_ASSIGN_OR_RETURN(const Dim per_class, count_of(c, 2, 1, "the output size per class"));
  GRAFT_ASSIGN_OR_RETURN(Dim total, count_of(c, 3, 1, "the total output size"));
  if (c.op.as<CombinedNonMaxSuppressionAttrs>().pad_per_class) {
    const Dim most = c.mul(per_class, classes);
    total = total.is_const() && most.is_const() ? Dim(std::min(total.value(), most.value()))
                                                : c.dims.min(total, most);
  }
  c.add_output(DType::kFloat, {batch, total, 4});
  c.add_output(DType::kFloat, {batch, total});
  c.add_output(DType::kFloat, {batch, total});
  c.add_output(DType::kInt32, {batch});
  return ok_status();
}

Status infer_crop_and_resize(InferContext& c) {
  const float outside = c.op.as<CropAndResizeAttrs>().extrapolation;
  if (outside != outside) return c.fail("extrapolation is NaN");
  GRAFT_RETURN_IF_ERROR(want_dtype(c, 0, DType::kFloat, "src"));
  GRAFT_RETURN_IF_ERROR(want_dtype(c, 1, DType::kFloat, "boxes"));
  GRAFT_RETURN_IF_ERROR(want_dtype(c, 2, DType::kInt32, "box_ind"));
  GRAFT_RETURN_IF_ERROR(c.want_rank(0, 4, "src"));
  GRAFT_RETURN_IF_ERROR(c.want_rank(1, 2, "boxes"));
  GRAFT_RETURN_IF_ERROR(c.want_rank(2, 1, "box_ind"));
  GRAFT_RETURN_IF_ERROR(check_boxes(c, 1, "boxes"));
  GRAFT_ASSIGN_OR_RETURN(const Dim boxes, shared_extent(c, 1, 0, 2, 0));
  // Nobody would look at the boxes.
  if (c.shape(0)[3] == Dim(0)) return c.refuse("src " + c.text(0) + " has no channels");
  GRAFT_ASSIGN_OR_RETURN(const std::vector<Dim>* size, c.need_host(3, 1, "size"));
  if (size->size() != 2) return c.fail("size " + c.text(3) + " must have 2 elements");
  for (size_t i = 0; i < 2; ++i) {
    const Dim in = c.shape(0)[i + 1], to = (*size)[i];
    if ((in.is_const() && in.value() < 1) || (to.is_const() && to.value() < 1))
      return c.fail("crops of " + c.text(0) + " to " + c.text(*size) +
                    ": extents must be positive");
  }
  c.add_output(DType::kFloat, {boxes, (*size)[0], (*size)[1], c.shape(0)[3]});
  return ok_status();
}

}  // namespace graft::ir
