// gather_nd, scatter_nd, scan, top_k.
#include "ir/infer_context.h"

namespace graft::ir {

namespace {

// Number K of the axes that indices [..., K] name in a tensor of `rank`.
Result<size_t> index_depth(const InferContext& c, size_t indices, int rank) {
  const DType t = c.dtype(indices);
  if (t != DType::kInt32 && t != DType::kInt64)
    return c.fail("indices are " + dtype_name(t) + ", expected int32 or int64");
  if (c.rank(indices) < 1) return c.fail("indices are a scalar");
  const Dim k = c.shape(indices).back();
  if (!k.is_const()) return c.refuse("the last extent of indices is not known");
  if (k.value() > rank)
    return c.fail("indices " + c.text(indices) + " name more axes than rank " +
                  std::to_string(rank));
  return static_cast<size_t>(k.value());
}

}  // namespace

Status infer_gather_nd(InferContext& c) {
  GRAFT_ASSIGN_OR_RETURN(const size_t k, index_depth(c, 1, c.rank(0)));
  std::vector<Dim> out(c.shape(1).begin(), c.shape(1).end() - 1);
  out.insert(out.end(), c.shape(0).begin() + static_cast<std::ptrdiff_t>(k), c.shape(0).end());
  c.add_output(c.dtype(0), std::move(out));
  return ok_status();
}

Status infer_scatter_nd(InferContext& c) {
  const ScatterFn fn = c.op.as<ScatterNdAttrs>().fn;
  if (fn < ScatterFn::kReplace || fn >= ScatterFn::kCount) return c.fail("unknown function");
  GRAFT_RETURN_IF_ERROR(c.same_dtype(0, 2));
  if (fn != ScatterFn::kReplace && !is_floating(c.dtype(0)) && !is_integer(c.dtype(0)))
    return c.fail(std::string(name_of(fn)) + " does not take " + dtype_name(c.dtype(0)));
  GRAFT_ASSIGN_OR_RETURN(const size_t k, index_depth(c, 1, c.rank(0)));
  std::vector<Dim> want(c.shape(1).begin(), c.shape(1).end() - 1);
  want.insert(want.end(), c.shape(0).begin() + static_cast<std::ptrdiff_t>(k), c.shape(0).end());
  GRAFT_RETURN_IF_ERROR(c.want_rank(2, static_cast<int>(want.size()), "updates"));
  for (size_t i = 0; i < want.size(); ++i) {
    if (Dim merged; !c.merge(want[i], c.shape(2)[i], &merged))
      return c.fail("updates " + c.text(2) + " do not fit src " + c.text(0) + " and indices " +
                    c.text(1));
  }
  c.add_output(c.dtype(0), c.shape(0));
  return ok_status();
}

Status infer_scan(InferContext& c) {
  const auto& a = c.op.as<ScanAttrs>();
  if (a.fn != ReduceFn::kSum && a.fn != ReduceFn::kProd)
    return c.fail("its function is neither sum nor prod");
  if (!is_floating(c.dtype(0)) && !is_integer(c.dtype(0)))
    return c.fail(std::string(name_of(a.fn)) + " does not take " + dtype_name(c.dtype(0)));
  GRAFT_RETURN_IF_ERROR(c.want_axis(a.axis, 0, c.rank(0), "axis"));
  c.add_output(c.dtype(0), c.shape(0));
  return ok_status();
}

Status infer_top_k(InferContext& c) {
  const DType to = c.op.as<TopKAttrs>().to;
  if (to != DType::kInt32 && to != DType::kInt64)
    return c.fail("indices are " + dtype_name(to) + ", expected int32 or int64");
  if (!is_floating(c.dtype(0)) && !is_integer(c.dtype(0)))
    return c.fail("does not take " + dtype_name(c.dtype(0)));
  if (c.rank(0) < 1) return c.fail("src is a scalar");
  GRAFT_ASSIGN_OR_RETURN(const std::vector<Dim>* k, c.need_host(1, 0, "k"));
  std::vector<Dim> out = c.shape(0);
  const Dim n = out.back();
  if (k->front().is_const() &&
      (k->front().value() < 0 || (n.is_const() && k->front().value() > n.value())))
    return c.fail("k is " + std::to_string(k->front().value()) + ", src is " + c.text(0));
  if (const Dim rest = c.sub(n, k->front()); rest.is_const() && rest.value() < 0)
    return c.fail("k is larger than the last extent of src " + c.text(0));
  out.back() = k->front();
  c.add_output(c.dtype(0), out);
  c.add_output(to, std::move(out));
  return ok_status();
}

}  // namespace graft::ir
