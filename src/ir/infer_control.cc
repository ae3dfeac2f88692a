// while, branch: the op's types against those of its bodies. Bodies were verified on their own.
#include "ir/infer_context.h"

namespace graft::ir {

namespace {

const Value* body_value(const Network& body, ValueId id) {
  return id >= 0 && static_cast<size_t>(id) < body.values.size()
             ? &body.values[static_cast<size_t>(id)]
             : nullptr;
}

// Whether a tensor may be both; extents that are not constant are compared when they are.
bool fits(const TensorType& a, const TensorType& b) {
  if (a.dtype != b.dtype || a.scale != b.scale || a.rank() != b.rank()) return false;
  for (size_t i = 0; i < a.dims.size(); ++i) {
    if (a.dims[i].is_const() && b.dims[i].is_const() && a.dims[i] != b.dims[i]) return false;
  }
  return true;
}

// Inputs of `body` against the op's, from `first` on.
Status check_body_inputs(const InferContext& c, const Network& body, size_t first) {
  if (body.inputs.size() + first != c.inputs.size())
    return c.fail("a body has " + std::to_string(body.inputs.size()) + " inputs, expected " +
                  std::to_string(c.inputs.size() - first));
  for (size_t i = 0; i < body.inputs.size(); ++i) {
    const Value* v = body_value(body, body.inputs[i]);
    if (!v || !fits(v->type, c.type(i + first)))
      return c.fail("input " + std::to_string(i + first) + " " + c.text(i + first) +
                    " is not what a body takes");
  }
  return ok_status();
}

Status need_bodies(const InferContext& c) {
  for (const auto& body : c.op.bodies)
    if (!body) return c.fail("a body is missing");
  return ok_status();
}

}  // namespace

Status infer_while(InferContext& c) {
  GRAFT_RETURN_IF_ERROR(need_bodies(c));
  if (c.op.bodies.size() != 2)
    return c.fail("has " + std::to_string(c.op.bodies.size()) + " bodies, expected 2");
  const Network &cond = *c.op.bodies[0], &body = *c.op.bodies[1];
  for (const Network* each : {&cond, &body}) GRAFT_RETURN_IF_ERROR(check_body_inputs(c, *each, 0));
  const Value* go_on = cond.outputs.size() == 1 ? body_value(cond, cond.outputs[0]) : nullptr;
  if (!go_on || go_on->type.dtype != DType::kBool || go_on->type.rank() != 0)
    return c.fail("the condition does not make one bool scalar");
  if (c.outputs > c.inputs.size() || body.outputs.size() != c.outputs)
    return c.fail("the body makes " + std::to_string(body.outputs.size()) + " tensors for " +
                  std::to_string(c.outputs) + " outputs and " + std::to_string(c.inputs.size()) +
                  " inputs");
  for (size_t i = 0; i < c.outputs; ++i) {
    const Value* next = body_value(body, body.outputs[i]);
    if (!next || !fits(next->type, c.type(i)))
      return c.fail("the body changes the type of carried tensor " + std::to_string(i) + " " +
                    c.text(i));
    c.add_output(c.dtype(i), c.shape(i));
  }
  return ok_status();
}

// Extents of dst are those of the first body's where they are constant, else what its inputs say:
// a symbol of a body that is an input's extent is the extent of the op's input.
Status infer_branch(InferContext& c) {
  GRAFT_RETURN_IF_ERROR(need_bodies(c));
  if (c.op.bodies.empty()) return c.fail("has no bodies");
  if (c.dtype(0) != DType::kInt32 || c.rank(0) != 0) return c.fail("index is no int32 scalar");
  for (const auto& body : c.op.bodies) {
    GRAFT_RETURN_IF_ERROR(check_body_inputs(c, *body, 1));
    if (body->outputs.size() != c.outputs)
      return c.fail("a body makes " + std::to_string(body->outputs.size()) + " tensors for " +
                    std::to_string(c.outputs) + " outputs");
  }
  const Network& model = *c.op.bodies[0];
  for (size_t i = 0; i < c.outputs; ++i) {
    const Value* first = body_value(model, model.outputs[i]);
    if (!first) return c.fail("a body has no output " + std::to_string(i));
    for (const auto& body : c.op.bodies) {
      const Value* v = body_value(*body, body->outputs[i]);
      if (!v || !fits(v->type, first->type))
        return c.fail("the bodies make output " + std::to_string(i) + " of different types");
    }
    std::vector<Dim> dims;
    for (Dim d : first->type.dims) {
      if (!d.is_const()) {
        if (d.id() >= model.dims.size()) return c.fail("a body has an unknown extent");
        const DimTable::Expr& e = model.dims.expr(d);
        if (e.op != DimOp::kInput)
          return c.refuse("the extents of output " + std::to_string(i) +
                          " are computed within a body");
        const auto input = static_cast<size_t>(e.a.value()) + 1;
        if (input >= c.inputs.size() || e.b.value() >= c.rank(input))
          return c.fail("a body has an unknown extent");
        d = c.shape(input)[static_cast<size_t>(e.b.value())];
      }
      dims.push_back(d);
    }
    c.add_output(first->type.dtype, std::move(dims));
  }
  return ok_status();
}

}  // namespace graft::ir
