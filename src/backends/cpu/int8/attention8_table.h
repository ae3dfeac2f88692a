// What attention over quantized tensors does besides its two products, as plain C types; to the bit
// as ir/quantized.h says.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace graft::cpu {

// dst[r, j] = acc[r, j] * scale + mask. mask (or null): mask_step elements between rows, and one
// element for the whole row where mask_elem_step is 0, else one for each score.
struct Int8ScoreArgs {
  const int32_t* acc;
  ptrdiff_t acc_ld;
  ptrdiff_t rows, columns;
  float scale;
  const float* mask;
  ptrdiff_t mask_step, mask_elem_step;
  float* dst;
  ptrdiff_t ldd;
};

// Rows of n scores x (steps between rows): dst[r, i] = p, then zeros up to padded_n, and factors[r]
// = scale / sum of p.
struct ProbabilityArgs {
  const float* scores;
  uint8_t* dst;
  float* factors;
  ptrdiff_t rows, n, step, padded_n, dst_step;
  float scale;
};

// dst[r, j] = acc[r, j] * factors[r], stored in dst's dtype: bytes (lo: the lowest) or floats.
struct WeightedSumArgs {
  const int32_t* acc;
  ptrdiff_t acc_ld;
  ptrdiff_t rows, columns;
  const float* factors;
  void* dst;
  ptrdiff_t ldd;  // elements
  float lo;
};

struct Int8AttentionTable {
  void (*scores)(const Int8ScoreArgs*);
  void (*probabilities)(const ProbabilityArgs*);
  void (*to_quantized)(const WeightedSumArgs*);
  void (*to_float)(const WeightedSumArgs*);
};

inline namespace isa_baseline {
const Int8AttentionTable* int8_attention_table();
}
inline namespace isa_avx2 {
const Int8AttentionTable* int8_attention_table();
}
inline namespace isa_avx512 {
const Int8AttentionTable* int8_attention_table();
}

}  // namespace graft::cpu
