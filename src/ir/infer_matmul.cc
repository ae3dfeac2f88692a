// Matmul, attention, and the ops over the last axis: softmax, layer_norm.
#include "ir/infer_context.h"

namespace graft::ir {

Status infer_matmul(InferContext& c) {
  const auto& a = c.op.as<MatMulAttrs>();
  const DType t = c.dtype(0);
  GRAFT_RETURN_IF_ERROR(c.same_dtype(0, 1));
  if (t == DType::kBool || t == DType::kInt8) return c.fail("does not take " + dtype_name(t));
  if (c.rank(0) < 2 || c.rank(1) < 2)
    return c.fail("operands " + c.text(0) + " and " + c.text(1) + " must have rank 2 or more");
  const std::vector<Dim>&x = c.shape(0), &y = c.shape(1);
  const size_t rx = x.size(), ry = y.size();
  const Dim m = x[rx - (a.transpose_a ? 1 : 2)], ka = x[rx - (a.transpose_a ? 2 : 1)];
  const Dim kb = y[ry - (a.transpose_b ? 1 : 2)], n = y[ry - (a.transpose_b ? 2 : 1)];
  Dim merged;
  if (!c.merge(ka, kb, &merged)) {
    return c.fail("inner extents of " + c.text(0) + (a.transpose_a ? " (transposed)" : "") +
                  " and " + c.text(1) + (a.transpose_b ? " (transposed)" : "") +
                  " differ: " + c.dims.text(ka) + " and " + c.dims.text(kb));
  }
  std::vector<Dim> out;
  if (rx == 2 && ry == 2) {
    out.reserve(2);
  } else {
    const std::vector<Dim> bx(x.begin(), x.end() - 2), by(y.begin(), y.end() - 2);
    GRAFT_ASSIGN_OR_RETURN(out, c.broadcast_shapes(bx, by));
  }
  out.push_back(m);
  out.push_back(n);
  if (c.inputs.size() != 2u + a.has_bias + a.has_residual)
    return c.fail("has " + std::to_string(c.inputs.size()) +
                  " inputs, which does not fit has_bias and has_residual");
  size_t next = 2;
  if (a.has_bias) {
    GRAFT_RETURN_IF_ERROR(c.same_dtype(0, next));
    GRAFT_RETURN_IF_ERROR(c.want_rank(next, 1, "bias"));
    if (!c.merge(out.back(), c.shape(next)[0], &out.back()))
      return c.fail("bias " + c.text(next) + " does not fit dst " + c.text(out));
    ++next;
  }
  if (a.has_residual) {
    GRAFT_RETURN_IF_ERROR(c.same_dtype(0, next));
    GRAFT_RETURN_IF_ERROR(c.want_rank(next, static_cast<int>(out.size()), "residual"));
    for (size_t i = 0; i < out.size(); ++i) {
      if (!c.merge(out[i], c.shape(next)[i], &out[i]))
        return c.fail("residual " + c.text(next) + " does not fit dst " + c.text(out));
    }
  }
  GRAFT_RETURN_IF_ERROR(check_activation(c, a.act, t));
  c.add_output(t, std::move(out));
  return ok_status();
}

Status infer_softmax(InferContext& c) {
  if (!is_floating(c.dtype(0))) return c.fail("does not take " + dtype_name(c.dtype(0)));
  if (c.rank(0) < 1) return c.fail("src is a scalar");
  c.add_output(c.dtype(0), c.shape(0));
  return ok_status();
}

Status infer_layer_norm(InferContext& c) {
  if (!is_floating(c.dtype(0))) return c.fail("does not take " + dtype_name(c.dtype(0)));
  if (c.rank(0) < 1) return c.fail("src is a scalar");
  const float epsilon = c.op.as<LayerNormAttrs>().epsilon;
  if (epsilon != epsilon) return c.fail("epsilon is NaN");
  std::vector<Dim> shape = c.shape(0);
  for (size_t i : {1, 2}) {
    GRAFT_RETURN_IF_ERROR(c.same_dtype(0, i));
    GRAFT_RETURN_IF_ERROR(c.want_rank(i, 1, i == 1 ? "gamma" : "beta"));
    if (!c.merge(shape.back(), c.shape(i)[0], &shape.back()))
      return c.fail((i == 1 ? "gamma " : "beta ") + c.text(i) + " does not fit src " + c.text(0));
  }
  c.add_output(c.dtype(0), std::move(shape));
  return ok_status();
}

Status infer_attention(InferContext& c) {
  const auto& a = c.op.as<AttentionAttrs>();
  if (!is_floating(c.dtype(0))) return c.fail("does not take " + dtype_name(c.dtype(0)));
  if (a.scale != a.scale) return c.fail("scale is NaN");
  if (c.inputs.size() != 3u + a.has_mask) return c.fail("inputs do not fit has_mask");
  for (size_t i = 1; i < c.inputs.size(); ++i) GRAFT_RETURN_IF_ERROR(c.same_dtype(0, i));
  for (size_t i = 0; i < 3; ++i)
    GRAFT_RETURN_IF_ERROR(c.want_rank(i, 4, i == 0 ? "q" : i == 1 ? "k" : "v"));
  const std::vector<Dim>&q = c.shape(0), &k = c.shape(1), &v = c.shape(2);
  Dim batch, heads, depth, keys;
  const bool fits = c.merge(q[0], k[0], &batch) && c.merge(batch, v[0], &batch) &&
                    c.merge(q[2], k[2], &heads) && c.merge(heads, v[2], &heads) &&
                    c.merge(q[3], k[3], &depth) && c.merge(k[1], v[1], &keys);
  if (!fits)
    return c.fail("q " + c.text(0) + ", k " + c.text(1) + " and v " + c.text(2) + " do not fit");
  if (a.has_mask) {
    if (c.rank(3) > 4) return c.fail("mask " + c.text(3) + " has a rank above 4");
    const Dim want[4] = {batch, heads, q[1], keys};
    for (size_t i = 0; i < c.shape(3).size(); ++i) {
      const Dim m = c.shape(3)[i], to = want[4 - c.shape(3).size() + i];
      if (m.is_const() && to.is_const() && m != to && m != Dim(1))
        return c.fail("mask " + c.text(3) + " does not broadcast to [B,H,Sq,Sk] of q " + c.text(0) +
                      " and k " + c.text(1));
    }
  }
  c.add_output(c.dtype(0), {batch, q[1], heads, v[3]});
  return ok_status();
}

}  // namespace graft::ir
