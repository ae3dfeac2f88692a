// Type and host-value inference: one function for conversion (symbolic dims) and for scheduling
// (all dims constant).
#pragma once

#include <optional>
#include <vector>

#include "base/status.h"
#include "ir/network.h"

namespace graft::ir {

// What is known of one input: its type and, for small integer tensors, its elements.
struct InferInput {
  const TensorType* type = nullptr;
  const std::vector<Dim>* host = nullptr;  // nullptr: not known
};

struct InferOutput {
  TensorType type;
  std::optional<std::vector<Dim>> host;
};

// Types (and host values) of the op's outputs. Split/Unpack: `outputs` gives how many. InvalidGraph
// with the rule that is broken: got, expected ("conv: weights [3,3,64,128] have 64 input channels,
// src has 32"); Unsupported when a shape depends on data. Never divides by zero; sizes checked for
// overflow. All-constant inputs leave `dims` untouched.
Result<std::vector<InferOutput>> infer(const Op& op, std::span<const InferInput> inputs,
                                       size_t outputs, DimTable& dims);

// Padding before/after of one spatial axis for a window op, and its output extent (TensorFlow's
// formulas; 0 when the window does not fit).
struct Window {
  Dim out;
  Dim pad_before, pad_after;  // constants for constant `in`
};
Result<Window> window(Dim in, int64_t ksize, int64_t stride, int64_t dilation, Padding padding,
                      int64_t explicit_before, int64_t explicit_after, DimTable& dims);

}  // namespace graft::ir
