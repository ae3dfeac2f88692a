// Extents and steps of a matrix product whose operands are both known only while running.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "ir/attrs.h"

namespace graft::cpu {

struct MatMulShape {
  int64_t m = 0, n = 0, k = 0;
  int64_t a_row_step = 0, a_k_step = 1;  // elements between rows and between k of a
  int64_t b_k_step = 0, b_column_step = 1;
  int64_t ldd = 0, ldr = 0;
  // Offset of each matrix of the batch, in elements; none where dst has no elements.
  std::vector<int64_t> a_offset, b_offset, dst_offset;
};

// Batch dims of a and b broadcast from the right to those of dst.
MatMulShape matmul_shape(const ir::MatMulAttrs& attrs, std::span<const int64_t> a,
                         std::span<const int64_t> b, std::span<const int64_t> dst);

}  // namespace graft::cpu
