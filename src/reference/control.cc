// while and branch: bodies evaluated op by op, every tensor in memory of its own.
#include <cstring>
#include <optional>

#include "base/checked.h"
#include "base/limits.h"
#include "ir/infer.h"
#include "reference/values.h"

namespace graft::reference {

namespace {

// A loop that does not end is an error here: nothing could stop it.
constexpr int64_t kMaxIterations = int64_t{1} << 20;
constexpr int64_t kMaxHostElems = 64;

struct Tensor {
  ir::TensorType type;
  std::vector<int64_t> dims;
  std::vector<std::byte> bytes;
  std::optional<std::vector<ir::Dim>> host;

  ConstTensor view() const { return {type.dtype, dims, bytes.data(), type.scale}; }
};

Result<Tensor> tensor_of(ir::TensorType type) {
  Tensor t;
  for (ir::Dim d : type.dims) {
    if (!d.is_const()) return unsupported("an extent depends on data");
    t.dims.push_back(d.value());
  }
  const auto elems = checked_product(t.dims);
  const auto bytes =
      elems ? checked_mul(*elems, static_cast<int64_t>(dtype_size(type.dtype))) : std::nullopt;
  if (!bytes || *elems > Limits{}.max_tensor_elems)
    return resource_exhausted("a tensor has too many elements");
  t.type = std::move(type);
  t.bytes.resize(static_cast<size_t>(*bytes));
  return t;
}

// Small integers as host elements, for ops whose shapes they decide.
void note_host(Tensor& t) {
  if ((t.type.dtype != DType::kInt32 && t.type.dtype != DType::kInt64) ||
      elems(t.dims) > kMaxHostElems)
    return;
  const std::vector<int64_t> values = ints(t.view());
  t.host.emplace(values.begin(), values.end());
}

Result<Tensor> copy_of(const ConstTensor& src) {
  ir::TensorType type{src.dtype, {src.dims.begin(), src.dims.end()}, src.scale};
  GRAFT_ASSIGN_OR_RETURN(Tensor t, tensor_of(std::move(type)));
  if (!t.bytes.empty()) std::memcpy(t.bytes.data(), src.data, t.bytes.size());
  note_host(t);
  return t;
}

Status run_op(const ir::Op& op, std::vector<Tensor>& values) {
  std::vector<ir::InferInput> known;
  std::vector<ConstTensor> in;
  for (ir::ValueId id : op.inputs) {
    const Tensor& t = values[static_cast<size_t>(id)];
    known.push_back({&t.type, t.host ? &*t.host : nullptr});
    in.push_back(t.view());
  }
  ir::DimTable unused;
  GRAFT_ASSIGN_OR_RETURN(auto made, ir::infer(op, known, op.outputs.size(), unused));
  std::vector<MutTensor> out;
  for (size_t i = 0; i < made.size(); ++i) {
    Tensor& t = values[static_cast<size_t>(op.outputs[i])];
    GRAFT_ASSIGN_OR_RETURN(t, tensor_of(std::move(made[i].type)));
  }
  for (ir::ValueId id : op.outputs) {
    Tensor& t = values[static_cast<size_t>(id)];
    out.push_back({t.type.dtype, t.dims, t.bytes.data(), t.type.scale});
  }
  GRAFT_RETURN_IF_ERROR(evaluate(op, in, out));
  for (ir::ValueId id : op.outputs) note_host(values[static_cast<size_t>(id)]);
  return ok_status();
}

Result<std::vector<Tensor>> run_body(const ir::Network& body, std::span<const Tensor> inputs) {
  std::vector<Tensor> values(body.values.size());
  for (size_t id = 0; id < values.size(); ++id) {
    const ir::Value& v = body.values[id];
    if (!v.is_const()) continue;
    GRAFT_ASSIGN_OR_RETURN(values[id], tensor_of(v.type));
    values[id].bytes = ir::materialize(v);
    note_host(values[id]);
  }
  for (size_t i = 0; i < inputs.size(); ++i)
    values[static_cast<size_t>(body.inputs[i])] = inputs[i];
  for (const ir::Op& op : body.ops) GRAFT_RETURN_IF_ERROR(run_op(op, values));
  std::vector<Tensor> outputs;
  for (ir::ValueId id : body.outputs) outputs.push_back(values[static_cast<size_t>(id)]);
  return outputs;
}

Result<std::vector<Tensor>> copies_of(std::span<const ConstTensor> inputs) {
  std::vector<Tensor> copies;
  for (const ConstTensor& input : inputs) {
    GRAFT_ASSIGN_OR_RETURN(Tensor copy, copy_of(input));
    copies.push_back(std::move(copy));
  }
  return copies;
}

Status give(const Call& c, std::span<const Tensor> results) {
  for (size_t i = 0; i < c.out.size(); ++i) {
    const Tensor& t = results[i];
    if (!std::equal(t.dims.begin(), t.dims.end(), c.out[i].dims.begin(), c.out[i].dims.end()))
      return c.fail("output " + std::to_string(i) + " has other extents than expected");
    if (!t.bytes.empty()) std::memcpy(c.out[i].data, t.bytes.data(), t.bytes.size());
  }
  return ok_status();
}

}  // namespace

Status evaluate_while(const Call& c) {
  GRAFT_ASSIGN_OR_RETURN(std::vector<Tensor> state, copies_of(c.in));
  for (int64_t i = 0;; ++i) {
    GRAFT_ASSIGN_OR_RETURN(const auto go_on, run_body(*c.op.bodies[0], state));
    if (go_on[0].bytes.empty() || go_on[0].bytes[0] == std::byte{0}) break;
    if (i == kMaxIterations) return c.fail("runs for more than 2^20 iterations");
    GRAFT_ASSIGN_OR_RETURN(std::vector<Tensor> next, run_body(*c.op.bodies[1], state));
    for (size_t k = 0; k < next.size(); ++k) {
      if (next[k].dims != state[k].dims)
        return c.fail("the body changes the extents of carried tensor " + std::to_string(k));
      state[k] = std::move(next[k]);
    }
  }
  return give(c, state);
}

Status evaluate_branch(const Call& c) {
  const int64_t index = ints(c.in[0])[0], last = static_cast<int64_t>(c.op.bodies.size()) - 1;
  const auto chosen = static_cast<size_t>(index >= 0 && index < last ? index : last);
  GRAFT_ASSIGN_OR_RETURN(const std::vector<Tensor> inputs, copies_of(c.in.subspan(1)));
  GRAFT_ASSIGN_OR_RETURN(const auto outputs, run_body(*c.op.bodies[chosen], inputs));
  return give(c, outputs);
}

}  // namespace graft::reference
