// Reductions of float32, as plain C types.
#pragma once

#include <stddef.h>

namespace graft::cpu {

enum class ReduceOp : int { kSum, kMax, kMin, kProd, kCount };

// Inner: dst[i] = reduction of src[i * row_step + k] over k < n, for i < rows; columns is unused.
// Outer: dst[j] = reduction of src[k * row_step + j] over k < n, for j < columns; rows is unused.
// The result is divided by `divisor`.
struct ReduceArgs {
  float* dst;
  const float* src;
  ptrdiff_t rows, n, columns, row_step;
  float divisor;
};

struct ReduceTable {
  void (*inner[static_cast<int>(ReduceOp::kCount)])(const ReduceArgs*);
  void (*outer[static_cast<int>(ReduceOp::kCount)])(const ReduceArgs*);
};

inline namespace isa_baseline {
const ReduceTable* reduce_table();
}
inline namespace isa_avx2 {
const ReduceTable* reduce_table();
}
inline namespace isa_avx512 {
const ReduceTable* reduce_table();
}

}  // namespace graft::cpu
