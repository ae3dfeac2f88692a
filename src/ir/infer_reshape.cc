// Ops that keep the elements and their order: reshape, expand_dims, squeeze; and shape.
#include <algorithm>

#include "ir/infer_context.h"

namespace graft::ir {

namespace {

// Product of the constant extents, or nullopt when a dim is symbolic.
std::optional<int64_t> constant_product(InferContext& c, const std::vector<Dim>& shape) {
  int64_t r = 1;
  for (Dim d : shape) {
    if (!d.is_const()) return std::nullopt;
    if (__builtin_mul_overflow(r, d.value(), &r)) {
      c.overflow = true;
      return 0;
    }
  }
  return r;
}

}  // namespace

Status infer_reshape(InferContext& c) {
  GRAFT_ASSIGN_OR_RETURN(const std::vector<Dim>* to, c.need_host(1, 1, "shape"));
  const std::vector<Dim>& from = c.shape(0);
  std::vector<Dim> out = *to;
  size_t rest = out.size();
  for (size_t i = 0; i < out.size(); ++i) {
    if (!out[i].is_const() || out[i].value() >= 0) continue;
    if (out[i].value() != -1) return c.fail("shape " + c.text(*to) + " has a negative extent");
    if (rest != out.size()) return c.fail("shape " + c.text(*to) + " has more than one -1");
    rest = i;
  }
  const bool infers = rest != out.size();
  if (infers) out[rest] = 1;
  const auto known = constant_product(c, out), total = constant_product(c, from);
  if (c.overflow) return ok_status();
  if (infers && known && *known == 0)
    return c.fail("cannot infer the -1 of shape " + c.text(*to) + " beside an extent of 0");
  if (known && total) {
    if (infers) {
      if (*total % *known != 0)
        return c.fail("src " + c.text(0) + " does not fit shape " + c.text(*to));
      out[rest] = *total / *known;
    } else if (*known != *total) {
      return c.fail("src " + c.text(0) + " has " + std::to_string(*total) + " elements, shape " +
                    c.text(*to) + " has " + std::to_string(*known));
    }
  } else if (infers) {
    out[rest] = c.dims.floor_div(c.dims.product(from), c.dims.product(out));
  }
  c.add_output(c.dtype(0), std::move(out));
  if (c.host(0) != nullptr) c.set_host(*c.host(0));
  return ok_status();
}

Status infer_expand_dims(InferContext& c) {
  const int64_t axis = c.op.as<ExpandDimsAttrs>().axis;
  GRAFT_RETURN_IF_ERROR(c.want_axis(axis, 0, c.rank(0) + 1, "axis"));
  std::vector<Dim> out = c.shape(0);
  out.insert(out.begin() + axis, Dim(1));
  c.add_output(c.dtype(0), std::move(out));
  if (c.host(0) != nullptr) c.set_host(*c.host(0));
  return ok_status();
}

Status infer_squeeze(InferContext& c) {
  const auto& axes = c.op.as<SqueezeAttrs>().axes;
  if (axes.empty()) return c.fail("has no axes");
  const std::vector<Dim>& in = c.shape(0);
  bool drop[kMaxRank] = {};
  for (int64_t axis : axes) {
    GRAFT_RETURN_IF_ERROR(c.want_axis(axis, 0, c.rank(0), "axis"));
    const auto i = static_cast<size_t>(axis);
    if (drop[i]) return c.fail("axis " + std::to_string(axis) + " is listed twice");
    if (in[i].is_const() && in[i] != Dim(1))
      return c.fail("axis " + std::to_string(axis) + " of " + c.text(0) + " is not 1");
    drop[i] = true;
  }
  std::vector<Dim> out;
  for (size_t i = 0; i < in.size(); ++i)
    if (!drop[i]) out.push_back(in[i]);
  c.add_output(c.dtype(0), std::move(out));
  if (c.host(0) != nullptr) c.set_host(*c.host(0));
  return ok_status();
}

Status infer_shape(InferContext& c) {
  const DType to = c.op.as<ShapeAttrs>().to;
  if (to != DType::kInt32 && to != DType::kInt64)
    return c.fail("result is " + dtype_name(to) + ", expected int32 or int64");
  for (Dim d : c.shape(0)) {
    if (to == DType::kInt32 && d.is_const() && d.value() > INT32_MAX)
      return c.fail("extent " + c.dims.text(d) + " does not fit int32");
  }
  c.add_output(to, {Dim(c.rank(0))});
  c.set_host(c.shape(0));
  return ok_status();
}

Status infer_transpose(InferContext& c) {
  const auto& perm = c.op.as<TransposeAttrs>().perm;
  if (static_cast<int>(perm.size()) != c.rank(0)) {
    return c.fail("perm has " + std::to_string(perm.size()) + " entries, src " + c.text(0) +
                  " has rank " + std::to_string(c.rank(0)));
  }
  bool seen[kMaxRank] = {};
  std::vector<Dim> out;
  out.reserve(perm.size());
  for (int64_t p : perm) {
    GRAFT_RETURN_IF_ERROR(c.want_axis(p, 0, c.rank(0), "perm entry"));
    if (seen[p]) return c.fail("perm names axis " + std::to_string(p) + " twice");
    seen[p] = true;
    out.push_back(c.shape(0)[static_cast<size_t>(p)]);
  }
  c.add_output(c.dtype(0), std::move(out));
  if (c.host(0) != nullptr && c.rank(0) <= 1) c.set_host(*c.host(0));
  return ok_status();
}

}  // namespace graft::ir
