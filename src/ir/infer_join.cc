// Ops that join or split tensors: concat, pack, split, unpack.
#include "ir/infer_context.h"

namespace graft::ir {

namespace {

Status same_dtypes(const InferContext& c) {
  for (size_t i = 1; i < c.inputs.size(); ++i) GRAFT_RETURN_IF_ERROR(c.same_dtype(0, i));
  return ok_status();
}

// Host elements of all inputs one after the other, as joining along the first axis puts them.
void join_hosts(InferContext& c) {
  std::vector<Dim> all;
  for (const InferInput& in : c.inputs) {
    if (in.host == nullptr || all.size() + in.host->size() > kMaxHostElems) return;
    all.insert(all.end(), in.host->begin(), in.host->end());
  }
  c.set_host(std::move(all));
}

}  // namespace

Status infer_concat(InferContext& c) {
  const int64_t axis = c.op.as<ConcatAttrs>().axis;
  GRAFT_RETURN_IF_ERROR(same_dtypes(c));
  GRAFT_RETURN_IF_ERROR(c.want_axis(axis, 0, c.rank(0), "axis"));
  const auto a = static_cast<size_t>(axis);
  std::vector<Dim> out = c.shape(0);
  for (size_t k = 1; k < c.inputs.size(); ++k) {
    GRAFT_RETURN_IF_ERROR(c.want_rank(k, c.rank(0), "input"));
    for (size_t i = 0; i < out.size(); ++i) {
      if (i == a) {
        out[i] = c.add(out[i], c.shape(k)[i]);
      } else if (!c.merge(out[i], c.shape(k)[i], &out[i])) {
        return c.fail("input " + std::to_string(k) + " " + c.text(k) + " does not fit input 0 " +
                      c.text(0) + " along axis " + std::to_string(axis));
      }
    }
  }
  c.add_output(c.dtype(0), std::move(out));
  if (axis == 0) join_hosts(c);
  return ok_status();
}

Status infer_pack(InferContext& c) {
  const int64_t axis = c.op.as<PackAttrs>().axis;
  GRAFT_RETURN_IF_ERROR(same_dtypes(c));
  GRAFT_RETURN_IF_ERROR(c.want_axis(axis, 0, c.rank(0) + 1, "axis"));
  std::vector<Dim> out = c.shape(0);
  for (size_t k = 1; k < c.inputs.size(); ++k) {
    GRAFT_RETURN_IF_ERROR(c.want_rank(k, c.rank(0), "input"));
    for (size_t i = 0; i < out.size(); ++i) {
      if (!c.merge(out[i], c.shape(k)[i], &out[i]))
        return c.fail("input " + std::to_string(k) + " " + c.text(k) + " differs from input 0 " +
                      c.text(0));
    }
  }
  out.insert(out.begin() + axis, Dim(static_cast<int64_t>(c.inputs.size())));
  c.add_output(c.dtype(0), std::move(out));
  if (axis == 0) join_hosts(c);
  return ok_status();
}

Status infer_split(InferContext& c) {
  const auto& a = c.op.as<SplitAttrs>();
  const auto n = static_cast<int64_t>(c.outputs);
  GRAFT_RETURN_IF_ERROR(c.want_axis(a.axis, 0, c.rank(0), "axis"));
  const auto axis = static_cast<size_t>(a.axis);
  const Dim whole = c.shape(0)[axis];
  if (!a.sizes.empty() && static_cast<int64_t>(a.sizes.size()) != n)
    return c.fail("has " + std::to_string(a.sizes.size()) + " sizes and " + std::to_string(n) +
                  " outputs");
  if (a.sizes.empty() && whole.is_const() && whole.value() % n != 0)
    return c.fail("axis " + std::to_string(a.axis) + " of " + c.text(0) + " is no multiple of " +
                  std::to_string(n));
  Dim rest = whole;
  int64_t unknown = 0;
  for (int64_t s : a.sizes) {
    if (s < -1) return c.fail("size " + std::to_string(s) + " is negative");
    if (s == -1)
      ++unknown;
    else
      rest = c.sub(rest, s);
  }
  if (unknown > 1) return c.fail("has more than one size -1");
  if (!a.sizes.empty() && rest.is_const() && (unknown == 0 ? rest.value() != 0 : rest.value() < 0))
    return c.fail("sizes do not add up to axis " + std::to_string(a.axis) + " of " + c.text(0));
  const std::vector<Dim>* host = c.rank(0) == 1 ? c.host(0) : nullptr;
  size_t at = 0;
  for (size_t i = 0; i < c.outputs; ++i) {
    std::vector<Dim> out = c.shape(0);
    out[axis] = a.sizes.empty()    ? c.dims.floor_div(whole, n)
                : a.sizes[i] == -1 ? rest
                                   : Dim(a.sizes[i]);
    const Dim extent = out[axis];
    c.add_output(c.dtype(0), std::move(out));
    if (host == nullptr || !extent.is_const() || c.overflow) continue;
    const auto len = static_cast<size_t>(extent.value());
    if (len <= host->size() && at <= host->size() - len) {
      c.set_host({host->begin() + static_cast<std::ptrdiff_t>(at),
                  host->begin() + static_cast<std::ptrdiff_t>(at + len)});
      at += len;
    } else {
      host = nullptr;
    }
  }
  return ok_status();
}

Status infer_unpack(InferContext& c) {
  const int64_t axis = c.op.as<UnpackAttrs>().axis;
  GRAFT_RETURN_IF_ERROR(c.want_axis(axis, 0, c.rank(0), "axis"));
  std::vector<Dim> out = c.shape(0);
  const Dim n = out[static_cast<size_t>(axis)];
  if (n.is_const() && n != Dim(static_cast<int64_t>(c.outputs))) {
    return c.fail("axis " + std::to_string(axis) + " of " + c.text(0) + " does not give " +
                  std::to_string(c.outputs) + " outputs");
  }
  out.erase(out.begin() + axis);
  for (size_t i = 0; i < c.outputs; ++i) {
    c.add_output(c.dtype(0), out);
    if (c.host(0) != nullptr && c.rank(0) == 1 && i < c.host(0)->size())
      c.set_host({(*c.host(0))[i]});
  }
  return ok_status();
}

}  // namespace graft::ir
