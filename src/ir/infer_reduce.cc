// Reductions.
#include "ir/host_arith.h"
#include "ir/infer_context.h"

namespace graft::ir {

Status infer_reduce(InferContext& c) {
  const auto& a = c.op.as<ReduceAttrs>();
  const DType t = c.dtype(0);
  const bool logical = a.fn == ReduceFn::kAll || a.fn == ReduceFn::kAny;
  if (a.fn < ReduceFn::kSum || a.fn >= ReduceFn::kCount) return c.fail("unknown reduction");
  if (logical != (t == DType::kBool))
    return c.fail(std::string(name_of(a.fn)) + " does not take " + dtype_name(t));
  std::vector<Dim> out;
  const std::vector<Dim>& in = c.shape(0);
  out.reserve(in.size());
  size_t next = 0;
  for (size_t i = 0; i < a.axes.size(); ++i) {
    GRAFT_RETURN_IF_ERROR(c.want_axis(a.axes[i], 0, c.rank(0), "axis"));
    if (i > 0 && a.axes[i] <= a.axes[i - 1]) return c.fail("axes are not sorted or not unique");
  }
  for (size_t i = 0; i < in.size(); ++i) {
    if (next < a.axes.size() && a.axes[next] == static_cast<int64_t>(i)) {
      ++next;
      if (a.keep_dims) out.push_back(1);
    } else {
      out.push_back(in[i]);
    }
  }
  c.add_output(t, std::move(out));
  if (c.host(0) != nullptr && c.rank(0) <= 1) {
    if (a.axes.empty())
      c.set_host(*c.host(0));
    else if (auto r = host_reduce(c, a.fn, *c.host(0)))
      c.set_host({*r});
  }
  return ok_status();
}

Status infer_arg_reduce(InferContext& c) {
  const auto& a = c.op.as<ArgReduceAttrs>();
  GRAFT_RETURN_IF_ERROR(c.want_axis(a.axis, 0, c.rank(0), "axis"));
  if (a.to != DType::kInt32 && a.to != DType::kInt64)
    return c.fail("result is " + dtype_name(a.to) + ", expected int32 or int64");
  std::vector<Dim> out = c.shape(0);
  if (out[static_cast<size_t>(a.axis)] == Dim(0))
    return c.fail("axis " + std::to_string(a.axis) + " of " + c.text(0) + " is empty");
  out.erase(out.begin() + a.axis);
  c.add_output(a.to, std::move(out));
  return ok_status();
}

}  // namespace graft::ir
