#include "backends/cpu/gemm/matmul_shape.h"

namespace graft::cpu {
namespace {

// The matrix of an operand that belongs to matrix `i` of dst, with batch dims broadcast from the
// right.
int64_t matrix_index(int64_t i, std::span<const int64_t> dst, std::span<const int64_t> src) {
  int64_t index = 0, step = 1;
  for (size_t back = 3; back <= dst.size(); ++back) {
    const int64_t extent = dst[dst.size() - back], at = i % extent;
    i /= extent;
    if (back > src.size()) continue;
    const int64_t own = src[src.size() - back];
    if (own != 1) index += at * step;
    step *= own;
  }
  return index;
}

}  // namespace

MatMulShape matmul_shape(const ir::MatMulAttrs& attrs, std::span<const int64_t> a,
                         std::span<const int64_t> b, std::span<const int64_t> d) {
  MatMulShape s;
  s.m = d[d.size() - 2];
  s.n = d[d.size() - 1];
  const int64_t a_columns = a[a.size() - 1], b_columns = b[b.size() - 1];
  s.k = attrs.transpose_a ? a[a.size() - 2] : a_columns;
  s.a_row_step = attrs.transpose_a ? 1 : a_columns;
  s.a_k_step = attrs.transpose_a ? a_columns : 1;
  s.b_k_step = attrs.transpose_b ? 1 : b_columns;
  s.b_column_step = attrs.transpose_b ? b_columns : 1;
  s.ldd = s.ldr = s.n;
  if (s.m == 0 || s.n == 0) return s;  // of any number of matrices
  int64_t batch = 1;
  for (size_t i = 0; i + 2 < d.size(); ++i) batch *= d[i];
  const int64_t a_size = a[a.size() - 2] * a_columns, b_size = b[b.size() - 2] * b_columns;
  for (int64_t i = 0; i < batch; ++i) {
    s.a_offset.push_back(matrix_index(i, d, a) * a_size);
    s.b_offset.push_back(matrix_index(i, d, b) * b_size);
    s.dst_offset.push_back(i * s.m * s.n);
  }
  return s;
}

}  // namespace graft::cpu
