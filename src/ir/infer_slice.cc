// strided_slice, slice, pad.
#include "ir/infer_context.h"
#include "ir/slice_spec.h"

namespace graft::ir {

namespace {

// Host elements of a slice of a rank-1 tensor, when its range is constant.
void slice_host(InferContext& c, Dim begin, int64_t stride, Dim extent) {
  const std::vector<Dim>* host = c.host(0);
  if (host == nullptr || c.rank(0) != 1 || !begin.is_const() || !extent.is_const()) return;
  std::vector<Dim> r;
  int64_t at = begin.value();
  for (int64_t i = 0; i < extent.value(); ++i) {
    if (at < 0 || at >= static_cast<int64_t>(host->size())) return;
    r.push_back((*host)[static_cast<size_t>(at)]);
    if (__builtin_add_overflow(at, stride, &at)) at = -1;
  }
  c.set_host(std::move(r));
}

}  // namespace

Status infer_strided_slice(InferContext& c) {
  for (size_t i : {2, 3}) GRAFT_RETURN_IF_ERROR(c.same_dtype(1, i));
  GRAFT_ASSIGN_OR_RETURN(const std::vector<Dim>* begin, c.need_host(1, 1, "begin"));
  GRAFT_ASSIGN_OR_RETURN(const std::vector<Dim>* end, c.need_host(2, 1, "end"));
  GRAFT_ASSIGN_OR_RETURN(const std::vector<Dim>* strides, c.need_host(3, 1, "strides"));
  auto spec = resolve_strided_slice(c.op.as<StridedSliceAttrs>(), c.shape(0), *begin, *end,
                                    *strides, c.dims);
  if (!spec.ok()) return c.fail(spec.status().message() + " (src " + c.text(0) + ")");
  c.add_output(c.dtype(0), std::move(spec->dst_shape));
  if (c.rank(0) == 1)
    slice_host(c, spec->axes[0].begin, spec->axes[0].stride, spec->axes[0].extent);
  if (c.rank(0) == 0 && c.host(0) != nullptr) c.set_host(*c.host(0));
  return ok_status();
}

Status infer_slice(InferContext& c) {
  GRAFT_RETURN_IF_ERROR(c.same_dtype(1, 2));
  GRAFT_ASSIGN_OR_RETURN(const std::vector<Dim>* begin, c.need_host(1, 1, "begin"));
  GRAFT_ASSIGN_OR_RETURN(const std::vector<Dim>* size, c.need_host(2, 1, "size"));
  const std::vector<Dim>& in = c.shape(0);
  if (begin->size() != in.size() || size->size() != in.size())
    return c.fail("begin " + c.text(1) + " and size " + c.text(2) + " do not fit src " + c.text(0));
  std::vector<Dim> out(in.size());
  for (size_t i = 0; i < in.size(); ++i) {
    const Dim b = (*begin)[i], s = (*size)[i];
    out[i] = s == Dim(-1) ? c.sub(in[i], b) : s;
    const auto bad = [](Dim d) { return d.is_const() && d.value() < 0; };
    const Dim end = c.add(b, out[i]);
    if (bad(b) || bad(out[i]) || bad(c.sub(in[i], end))) {
      return c.fail("begin " + c.text(*begin) + ", size " + c.text(*size) +
                    " is out of bounds for src " + c.text(0));
    }
  }
  c.add_output(c.dtype(0), std::move(out));
  if (c.rank(0) == 1 && !c.overflow) slice_host(c, (*begin)[0], 1, c.out[0].type.dims[0]);
  return ok_status();
}

Status infer_pad(InferContext& c) {
  const PadMode mode = c.op.as<PadAttrs>().mode;
  if (mode < PadMode::kConstant || mode >= PadMode::kCount) return c.fail("unknown mode");
  GRAFT_ASSIGN_OR_RETURN(const std::vector<Dim>* pads, c.need_host(1, 2, "paddings"));
  std::vector<Dim> out = c.shape(0);
  if (c.shape(1)[0] != Dim(c.rank(0)) || c.shape(1)[1] != Dim(2))
    return c.fail("paddings " + c.text(1) + " do not fit src " + c.text(0) + ", expected [rank,2]");
  for (size_t i = 0; i < out.size(); ++i) {
    for (Dim p : {(*pads)[2 * i], (*pads)[2 * i + 1]}) {
      if (!p.is_const()) continue;
      if (p.value() < 0) return c.fail("padding " + std::to_string(p.value()) + " is negative");
      const int64_t less = mode == PadMode::kReflect ? 1 : 0;
      const Dim in = c.shape(0)[i];
      if (mode != PadMode::kConstant && in.is_const() && p.value() > in.value() - less) {
        return c.fail("padding " + std::to_string(p.value()) + " is too large to mirror axis " +
                      std::to_string(i) + " of " + c.text(0));
      }
    }
    out[i] = c.add(c.add(out[i], (*pads)[2 * i]), (*pads)[2 * i + 1]);
  }
  if (c.inputs.size() == 3) {
    if (mode != PadMode::kConstant) return c.fail("has a value that its mode does not use");
    GRAFT_RETURN_IF_ERROR(c.same_dtype(0, 2));
    GRAFT_RETURN_IF_ERROR(c.want_rank(2, 0, "value"));
  }
  c.add_output(c.dtype(0), std::move(out));
  return ok_status();
}

}  // namespace graft::ir
