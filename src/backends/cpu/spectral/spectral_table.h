// Inner loops of Fourier transforms and of arithmetic on complex numbers, as plain C types.
//
// Transforms work on cells: cell i holds element i of `lanes` transforms side by side, real and
// imaginary parts in arrays of their own.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace graft::cpu {

// Radices that have a pass; kMaxRadix: of the one for any odd radix.
constexpr int kMaxRadix = 31;

// A pass of the Stockham transform: for p < groups, q < width
//   dst[(radix * p + k) * width + q] = w[p, k] * sum over j of root^(j k) src[(p + groups * j) *
//   width + q]
struct FftPassArgs {
  const float *src_re, *src_im;
  float *dst_re, *dst_im;
  ptrdiff_t groups, width, radix;
  const float* twiddles;  // [groups][radix - 1][2]: k = 1 and up
  const float* roots;     // [radix][2]: cos and sin of 2 pi i / radix
};

// Between memory and cells: part `re` of element i of lane v is at i * elem_step + v * lane_step,
// `im` im_offset behind it. memory is not written by load, cells not by store.
struct FftMoveArgs {
  float* memory;
  float *re, *im;  // im null: real numbers
  ptrdiff_t elems, lanes, elem_step, lane_step, im_offset;
  float scale;  // of what is stored
};

// In place over cells 0..half, `half` being half the length of the real transform; weights [half /
// 2 + 1][2]: exp(-2 pi j k / (2 half)). split: from the transform of the pairs of a real row to the
// row's. merge: back, times 2.
struct FftRealArgs {
  float *re, *im;
  ptrdiff_t half, lanes;
  const float* weights;
};

// dst[i] = src[i] * weights[i], i < cells.
struct FftScaleArgs {
  const float *src_re, *src_im;
  float *dst_re, *dst_im;
  ptrdiff_t cells, lanes;
  const float* weights;  // [cells][2]
};

// Rows of n numbers; steps between rows in numbers. An operand of step 0 within the row is one
// number.
struct ComplexArgs {
  float* dst;
  const float *a, *b;
  ptrdiff_t n, a_step, b_step;
};

constexpr float kMaxExpAngle = 100000;

struct SpectralTable {
  int lanes;  // of a vector
  void (*pass)(const FftPassArgs*);
  void (*load)(const FftMoveArgs*);
  void (*store)(const FftMoveArgs*);
  void (*split)(const FftRealArgs*);
  void (*merge)(const FftRealArgs*);
  void (*scale)(const FftScaleArgs*);
  void (*part)(const ComplexArgs*);  // dst[i] = a[2 i]
  void (*abs)(const ComplexArgs*);
  void (*make)(const ComplexArgs*);  // of real numbers a and b
  void (*mul)(const ComplexArgs*);
  void (*exp)(const ComplexArgs*);  // of finite numbers, |imaginary part| < kMaxExpAngle
};

inline namespace isa_baseline {
const SpectralTable* spectral_table();
}
inline namespace isa_avx2 {
const SpectralTable* spectral_table();
}
inline namespace isa_avx512 {
const SpectralTable* spectral_table();
}

}  // namespace graft::cpu
