// Assembles the table of one ISA level.
#pragma once

#include "backends/cpu/pointwise/binary_vec.h"
#include "backends/cpu/pointwise/half_vec.h"
#include "backends/cpu/pointwise/unary_vec.h"

namespace graft::cpu {
inline namespace GRAFT_ISA_NAMESPACE {

static constexpr PointwiseTable make_pointwise_table() {
  PointwiseTable t = {};
  fill_unary<static_cast<int>(UnaryOp::kCount) - 1>(t);
  fill_binary<static_cast<int>(BinaryOp::kCount) - 1>(t);
  t.affine = &affine_rows;
#if !defined(GRAFT_ISA_BASELINE)
  t.to_half = &to_half;
  t.from_half = &from_half;
#endif
  return t;
}

}  // namespace GRAFT_ISA_NAMESPACE
}  // namespace graft::cpu
