// Arithmetic on host values: small integer tensors whose elements are dims. Private to src/ir.
#pragma once

#include <optional>

#include "ir/infer_context.h"

namespace graft::ir {

// nullopt: not known (division by zero, overflow, a function that symbols do not have).
std::optional<Dim> host_binary(InferContext& c, BinaryFn fn, Dim a, Dim b);
std::optional<Dim> host_reduce(InferContext& c, ReduceFn fn, const std::vector<Dim>& elems);

}  // namespace graft::ir
