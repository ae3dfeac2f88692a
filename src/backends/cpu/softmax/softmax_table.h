// Softmax of rows, as plain C types.
#pragma once

#include <stddef.h>

namespace graft::cpu {

// Rows of n elements, steps between rows. dst may be src.
struct SoftmaxArgs {
  float* dst;
  const float* src;
  ptrdiff_t rows, n, dst_step, src_step;
};

// scores[r, i] = exp(scores[r, i] * scale + mask - max of the row); inverse_sums[r] = 1 / their
// sum. mask (or null): mask_step elements between rows, and one element for the whole row where
// mask_elem_step is 0, else one for each element.
struct ScoreArgs {
  float* scores;
  float* inverse_sums;
  ptrdiff_t rows, n, step;
  float scale;
  const float* mask;
  ptrdiff_t mask_step, mask_elem_step;
};

struct SoftmaxTable {
  void (*softmax)(const SoftmaxArgs*);
  void (*log_softmax)(const SoftmaxArgs*);
  void (*scores)(const ScoreArgs*);
  // x[r, i] *= factors[r].
  void (*scale_rows)(float* x, const float* factors, ptrdiff_t rows, ptrdiff_t n, ptrdiff_t step);
};

inline namespace isa_baseline {
const SoftmaxTable* softmax_table();
}
inline namespace isa_avx2 {
const SoftmaxTable* softmax_table();
}
inline namespace isa_avx512 {
const SoftmaxTable* softmax_table();
}

}  // namespace graft::cpu
