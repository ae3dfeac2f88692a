// Layer normalization of rows, as plain C types.
#pragma once

#include <stddef.h>

namespace graft::cpu {

// dst[r, i] = (src[r, i] - mean) * rsqrt(var + epsilon) * gamma[i] + beta[i] over dense rows of n
// elements; dst may be src.
struct LayerNormArgs {
  float* dst;
  const float* src;
  const float* gamma;
  const float* beta;
  ptrdiff_t rows, n;
  float epsilon;
};

struct LayerNormTable {
  void (*rows)(const LayerNormArgs*);
};

inline namespace isa_baseline {
const LayerNormTable* layer_norm_table();
}
inline namespace isa_avx2 {
const LayerNormTable* layer_norm_table();
}
inline namespace isa_avx512 {
const LayerNormTable* layer_norm_table();
}

}  // namespace graft::cpu
