// InferContext: what one inference rule sees and the helpers that all rules share. Private to
// src/ir.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/checked.h"
#include "base/dtype.h"
#include "base/limits.h"
#include "ir/infer.h"

namespace graft::ir {

constexpr size_t kMaxHostElems = 64;
constexpr int kMaxRank = Limits{}.max_rank;

// Rules read inputs, call add_output() once an output and return; infer() then checks the outputs.
// Arithmetic on extents goes through the context: an overflow is remembered and turns into an error
// at the end.
struct InferContext {
  const Op& op;
  std::span<const InferInput> inputs;
  size_t outputs;
  DimTable& dims;
  std::vector<InferOutput> out;
  bool overflow = false;

  const TensorType& type(size_t i) const { return *inputs[i].type; }
  const std::vector<Dim>* host(size_t i) const { return inputs[i].host; }
  DType dtype(size_t i) const { return inputs[i].type->dtype; }
  int rank(size_t i) const { return inputs[i].type->rank(); }
  const std::vector<Dim>& shape(size_t i) const { return inputs[i].type->dims; }

  Status fail(const std::string& what) const;    // InvalidGraph "conv 'name': what"
  Status refuse(const std::string& what) const;  // Unsupported
  std::string text(const std::vector<Dim>& shape) const;
  std::string text(size_t input) const { return text(shape(input)); }

  Status same_dtype(size_t i, size_t j) const;
  Status want_rank(size_t i, int rank, const char* what) const;
  // lo <= axis < hi, else an error that names `what`.
  Status want_axis(int64_t axis, int64_t lo, int64_t hi, const char* what) const;
  // Host elements of an int32/int64 operand of the given rank; Unsupported when they depend on
  // data.
  Result<const std::vector<Dim>*> need_host(size_t i, int rank, const char* what) const;
  // The same, all constants.
  Result<std::vector<int64_t>> need_ints(size_t i, int rank, const char* what) const;

  Dim add(Dim a, Dim b);
  Dim sub(Dim a, Dim b);
  Dim mul(Dim a, Dim b);
  // Two extents that must be equal: false when both are constant and differ. The constant one is
  // the result.
  bool merge(Dim a, Dim b, Dim* merged) const;
  // False when two constants do not broadcast.
  bool broadcast(Dim a, Dim b, Dim* result);
  // NumPy broadcasting of two shapes, aligned at the last axis.
  Result<std::vector<Dim>> broadcast_shapes(const std::vector<Dim>& a, const std::vector<Dim>& b);

  InferOutput& add_output(DType dtype, std::vector<Dim> shape);
  // Sets the host elements of the last output unless there are too many, the dtype does not carry
  // them or one of them does not fit the dtype.
  void set_host(std::vector<Dim> elems);
};

using InferRule = Status (*)(InferContext&);

// Activation of a fused op: float-valued function of one argument.
Status check_activation(const InferContext& c, const Activation& act, DType dtype);
bool unary_takes(UnaryFn fn, DType dtype);
// Dtype of the result.
DType unary_result(UnaryFn fn, DType dtype);
bool binary_takes(BinaryFn fn, DType dtype);

#define GRAFT_OP(Name, text, min_in, max_in) Status infer_##text(InferContext& c);
#include "ir/ops.def"
#undef GRAFT_OP
// Any op with a quantized input or dst; rules in ir/quantized.h.
Status infer_quantized(InferContext& c);

}  // namespace graft::ir
