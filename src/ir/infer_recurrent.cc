// recurrent.
#include <cmath>

#include "ir/infer_context.h"

namespace graft::ir {

Status infer_recurrent(InferContext& c) {
  const auto& a = c.op.as<RecurrentAttrs>();
  if (a.fn < RecurrentFn::kLstm || a.fn >= RecurrentFn::kCount) return c.fail("unknown cell");
  const bool lstm = a.fn == RecurrentFn::kLstm;
  const size_t wanted = 3u + lstm + a.has_bias + a.has_peephole;
  if (c.inputs.size() != wanted)
    return c.fail("has " + std::to_string(c.inputs.size()) + " inputs, expected " +
                  std::to_string(wanted));
  if (c.outputs != 2u + lstm)
    return c.fail("has " + std::to_string(c.outputs) + " outputs, expected " +
                  std::to_string(2 + lstm));
  if ((a.has_peephole || a.cells || a.cell_clip != 0) && !lstm)
    return c.fail(std::string(name_of(a.fn)) + " has no cell");
  if (a.has_bias && a.fn != RecurrentFn::kGruResetAfter)
    return c.fail(std::string(name_of(a.fn)) + " has no recurrent bias");
  if (std::isnan(a.cell_clip)) return c.fail("cell_clip is NaN");
  if (!is_floating(c.dtype(0))) return c.fail("gates are " + dtype_name(c.dtype(0)));
  for (size_t i = 1; i < wanted; ++i) GRAFT_RETURN_IF_ERROR(c.same_dtype(0, i));
  GRAFT_RETURN_IF_ERROR(check_activation(c, a.gate, c.dtype(0)));
  GRAFT_RETURN_IF_ERROR(check_activation(c, a.act, c.dtype(0)));

  GRAFT_RETURN_IF_ERROR(c.want_rank(0, 3, "gates"));
  GRAFT_RETURN_IF_ERROR(c.want_rank(1, 2, "weights"));
  const int64_t n = gates_of(a.fn);
  const Dim units = c.shape(1)[0], columns = c.shape(1)[1];
  if (!units.is_const() || !columns.is_const()) return c.refuse("weights of unknown extents");
  const auto expected = checked_mul(units.value(), n);
  if (units.value() < 1 || !expected || columns.value() != *expected)
    return c.fail("weights are " + c.text(1) + ", expected [U," + std::to_string(n) + "*U]");
  Dim merged;
  if (!c.merge(c.shape(0)[2], columns, &merged))
    return c.fail("gates " + c.text(0) + " do not fit weights " + c.text(1));
  Dim batch = c.shape(0)[1];
  for (size_t i = 2; i < 3u + lstm; ++i) {
    GRAFT_RETURN_IF_ERROR(c.want_rank(i, 2, "a state"));
    if (!c.merge(c.shape(i)[0], batch, &batch) || !c.merge(c.shape(i)[1], units, &merged))
      return c.fail("state " + c.text(i) + " does not fit gates " + c.text(0) + " and weights " +
                    c.text(1));
  }
  for (size_t i = 3u + lstm; i < wanted; ++i) {
    const Dim extent = a.has_bias ? units : Dim(units.value() * 3);
    GRAFT_RETURN_IF_ERROR(c.want_rank(i, 1, a.has_bias ? "bias" : "peephole"));
    if (!c.merge(c.shape(i)[0], extent, &merged))
      return c.fail((a.has_bias ? "bias " : "peephole ") + c.text(i) + " does not fit weights " +
                    c.text(1));
  }
  const DType t = c.dtype(0);
  const Dim steps = c.shape(0)[0];
  c.add_output(t, {a.sequence ? steps : Dim(1), batch, units});
  c.add_output(t, {batch, units});
  if (lstm && a.cells)
    c.add_output(t, {steps, batch, units});
  else if (lstm)
    c.add_output(t, {batch, units});
  return ok_status();
}

}  // namespace graft::ir
