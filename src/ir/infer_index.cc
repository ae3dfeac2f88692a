// gather, one_hot, and ops that make or repeat elements: tile, broadcast_to, fill, range.
#include "ir/infer_context.h"

namespace graft::ir {

namespace {

// Number of elements of a constant shape, or more than any host value has.
size_t small_elems(const std::vector<Dim>& shape) {
  size_t n = 1;
  for (Dim d : shape) {
    if (!d.is_const() || d.value() < 0 || d.value() > static_cast<int64_t>(kMaxHostElems))
      return kMaxHostElems + 1;
    n *= static_cast<size_t>(d.value());
    if (n > kMaxHostElems) return n;
  }
  return n;
}

// A shape operand whose extents may not be negative.
Result<std::vector<Dim>> shape_operand(InferContext& c, size_t i) {
  GRAFT_ASSIGN_OR_RETURN(const std::vector<Dim>* shape, c.need_host(i, 1, "shape"));
  for (Dim d : *shape)
    if (d.is_const() && d.value() < 0)
      return c.fail("shape " + c.text(*shape) + " has a negative extent");
  return *shape;
}

}  // namespace

Status infer_gather(InferContext& c) {
  const auto& a = c.op.as<GatherAttrs>();
  const DType t = c.dtype(1);
  if (t != DType::kInt16 && t != DType::kInt32 && t != DType::kInt64)
    return c.fail("indices are " + dtype_name(t) + ", expected int16, int32 or int64");
  const std::vector<Dim>&params = c.shape(0), &indices = c.shape(1);
  GRAFT_RETURN_IF_ERROR(c.want_axis(a.axis, 0, c.rank(0), "axis"));
  GRAFT_RETURN_IF_ERROR(
      c.want_axis(a.batch_dims, 0, std::min<int64_t>(a.axis, c.rank(1)) + 1, "batch_dims"));
  const auto axis = static_cast<size_t>(a.axis), batch = static_cast<size_t>(a.batch_dims);
  std::vector<Dim> out(params.begin(), params.begin() + a.axis);
  for (size_t i = 0; i < batch; ++i) {
    if (!c.merge(params[i], indices[i], &out[i]))
      return c.fail("batch dims of params " + c.text(0) + " and indices " + c.text(1) + " differ");
  }
  out.insert(out.end(), indices.begin() + a.batch_dims, indices.end());
  out.insert(out.end(), params.begin() + a.axis + 1, params.end());
  c.add_output(c.dtype(0), std::move(out));
  const std::vector<Dim>*from = c.host(0), *at = c.host(1);
  if (from == nullptr || at == nullptr || axis != 0 || c.rank(0) != 1 || batch != 0)
    return ok_status();
  std::vector<Dim> r;
  for (Dim i : *at) {
    if (!i.is_const()) return ok_status();
    if (i.value() < 0 || i.value() >= static_cast<int64_t>(from->size()))
      return c.fail("index " + std::to_string(i.value()) + " is out of bounds for params " +
                    c.text(0));
    r.push_back((*from)[static_cast<size_t>(i.value())]);
  }
  c.set_host(std::move(r));
  return ok_status();
}

Status infer_tile(InferContext& c) {
  GRAFT_ASSIGN_OR_RETURN(const std::vector<Dim>* multiples, c.need_host(1, 1, "multiples"));
  std::vector<Dim> out = c.shape(0);
  if (multiples->size() != out.size())
    return c.fail("multiples " + c.text(1) + " do not fit src " + c.text(0));
  for (size_t i = 0; i < out.size(); ++i) {
    const Dim m = (*multiples)[i];
    if (m.is_const() && m.value() < 0)
      return c.fail("multiple " + std::to_string(m.value()) + " is negative");
    out[i] = c.mul(out[i], m);
  }
  c.add_output(c.dtype(0), std::move(out));
  const std::vector<Dim>* host = c.host(0);
  if (host == nullptr || c.overflow) return ok_status();
  if (c.rank(0) == 0) c.set_host(*host);
  if (c.rank(0) == 1 && small_elems(c.out[0].type.dims) <= kMaxHostElems &&
      (*multiples)[0].is_const()) {
    std::vector<Dim> r;
    for (int64_t k = 0; !host->empty() && k < (*multiples)[0].value(); ++k)
      r.insert(r.end(), host->begin(), host->end());
    c.set_host(std::move(r));
  }
  return ok_status();
}

Status infer_broadcast_to(InferContext& c) {
  GRAFT_ASSIGN_OR_RETURN(auto shape, shape_operand(c, 1));
  const std::vector<Dim>& in = c.shape(0);
  if (in.size() > shape.size())
    return c.fail("src " + c.text(0) + " has a higher rank than shape " + c.text(shape));
  for (size_t i = 0; i < in.size(); ++i) {
    const Dim from = in[i], to = shape[shape.size() - in.size() + i];
    if (from.is_const() && to.is_const() && from != to && from != Dim(1))
      return c.fail("src " + c.text(0) + " does not broadcast to " + c.text(shape));
  }
  const size_t n = small_elems(shape);
  c.add_output(c.dtype(0), std::move(shape));
  if (c.host(0) != nullptr && n <= kMaxHostElems) {
    if (c.host(0)->size() == 1)
      c.set_host(std::vector<Dim>(n, c.host(0)->front()));
    else if (c.host(0)->size() == n)
      c.set_host(*c.host(0));
  }
  return ok_status();
}

Status infer_fill(InferContext& c) {
  GRAFT_ASSIGN_OR_RETURN(auto shape, shape_operand(c, 0));
  GRAFT_RETURN_IF_ERROR(c.want_rank(1, 0, "value"));
  const size_t n = small_elems(shape);
  c.add_output(c.dtype(1), std::move(shape));
  if (c.host(1) != nullptr && c.host(1)->size() == 1 && n <= kMaxHostElems)
    c.set_host(std::vector<Dim>(n, c.host(1)->front()));
  return ok_status();
}

Status infer_range(InferContext& c) {
  for (size_t i : {1, 2}) GRAFT_RETURN_IF_ERROR(c.same_dtype(0, i));
  if (is_floating(c.dtype(0)))
    return c.refuse("the extent of a range of " + dtype_name(c.dtype(0)) + " depends on data");
  Dim v[3];
  const char* const names[] = {"start", "limit", "delta"};
  for (size_t i = 0; i < 3; ++i) {
    GRAFT_ASSIGN_OR_RETURN(const std::vector<Dim>* elems, c.need_host(i, 0, names[i]));
    v[i] = elems->front();
  }
  if (!v[2].is_const()) return c.refuse("delta depends on the input shape");
  const int64_t delta = v[2].value();
  if (delta == 0) return c.fail("delta is 0");
  if (delta == INT64_MIN) return c.fail("delta is out of range");
  const Dim span = delta > 0 ? c.sub(v[1], v[0]) : c.sub(v[0], v[1]);
  if (span.is_const() && span.value() < 0) {
    return c.fail("start " + c.dims.text(v[0]) + " and limit " + c.dims.text(v[1]) +
                  " do not fit delta " + std::to_string(delta));
  }
  const Dim extent = c.dims.ceil_div(span, delta > 0 ? delta : -delta);
  c.add_output(c.dtype(0), {extent});
  if (v[0].is_const() && extent.is_const() &&
      extent.value() <= static_cast<int64_t>(kMaxHostElems)) {
    std::vector<Dim> r;
    for (int64_t i = 0; i < extent.value(); ++i) r.push_back(c.add(v[0], c.mul(i, delta)));
    c.set_host(std::move(r));
  }
  return ok_status();
}

Status infer_one_hot(InferContext& c) {
  const int64_t axis = c.op.as<OneHotAttrs>().axis;
  const DType t = c.dtype(0);
  if (t != DType::kUint8 && t != DType::kInt8 && t != DType::kInt32 && t != DType::kInt64)
    return c.fail("indices are " + dtype_name(t) + ", expected uint8, int8, int32 or int64");
  GRAFT_RETURN_IF_ERROR(c.want_axis(axis, 0, c.rank(0) + 1, "axis"));
  GRAFT_ASSIGN_OR_RETURN(const std::vector<Dim>* depth, c.need_host(1, 0, "depth"));
  if (depth->front().is_const() && depth->front().value() < 0)
    return c.fail("depth is " + std::to_string(depth->front().value()));
  GRAFT_RETURN_IF_ERROR(c.same_dtype(2, 3));
  for (size_t i : {2, 3}) GRAFT_RETURN_IF_ERROR(c.want_rank(i, 0, i == 2 ? "on" : "off"));
  std::vector<Dim> out = c.shape(0);
  out.insert(out.begin() + axis, depth->front());
  c.add_output(c.dtype(2), std::move(out));
  return ok_status();
}

}  // namespace graft::ir
