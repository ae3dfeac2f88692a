// The functions that one ISA level gives to the INT8 drivers, as plain C types.
//
// Packed weights: the terms of a product are taken four at a time (a step: four neighbouring
// channels of one tap, zeros past the tap's end; of kWords two, as int16). A panel of `width`
// columns is cut into slices of steps, a slice is [steps][width][4] int8 in the order of its
// groups. A group is a run of steps of one tap; groups of a slice are ordered by falling depth
// class.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "backends/cpu/gemm/epilogue.h"

namespace graft::cpu {

constexpr int kInt8Step = 4;
constexpr int kMaxInt8Vecs = 4;
constexpr int kInt8TileSteps = 16;
constexpr int kMaxInt8Rows = 12;

// Steps whose products are summed in int16 before they are widened. Other kernels than the deep
// ones have one class of groups of any length.
constexpr int kInt8Depths[] = {8, 6, 4, 3, 2, 1};
constexpr int kInt8DepthClasses = 6;

struct Int8Group {
  uint16_t tap;
  uint16_t step;   // first step, within the tap
  uint16_t steps;  // of a dot kernel; deep kernels know the depth of the class
};

struct Int8Slice {
  ptrdiff_t b;      // bytes from the panel's first
  ptrdiff_t steps;  // of all groups
  const Int8Group* groups;
  uint32_t counts[kInt8DepthClasses];
};

// acc[i][j] = bias[j] + sum of products, rows x one panel.
struct Int8AccArgs {
  const uint8_t* const* rows;  // a(tap, i) = rows[tap * row_tap_stride + i], bytes of int8 or uint8
  ptrdiff_t row_tap_stride;    // 0: one tap only
  // kWords: bytes from a row to the next where each tap's rows lie evenly; 0: they may not.
  ptrdiff_t row_pitch = 0;
  // Tile kernels read rows of all steps instead, zeros past the last, as many as row_multiple says.
  const uint8_t* packed_rows;
  ptrdiff_t packed_ld;
  ptrdiff_t packed_bytes = 0;  // of a tap of a row; 0: packed_ld
  // A row's taps begin so many bytes from it; null: one at the row itself.
  const ptrdiff_t* packed_taps = nullptr;
  ptrdiff_t num_packed_taps = 1;
  ptrdiff_t num_rows;
  const int8_t* b;
  const Int8Slice* slices;
  ptrdiff_t num_slices;
  const int32_t* bias;  // [width]
  int32_t* acc;         // [num_rows][width]
  int vecs;             // width in vectors
  bool has_sign;        // src is int8
};

// acc + residual -> dst, see ir/quantized.h. Quantized dst: int8 and uint8 differ in lo only.
struct Int8FinishArgs {
  const int32_t* acc;
  ptrdiff_t acc_ld;
  ptrdiff_t rows, columns;
  const float* m;        // as many as acc_ld
  const void* residual;  // float for a float dst, else int8 or uint8; null: none
  ptrdiff_t ldr;
  bool residual_has_sign;
  float residual_scale;
  void* dst;
  ptrdiff_t ldd;
  float lo, hi;              // quantized dst
  const Epilogue* epilogue;  // float dst
};
using Int8FinishFn = void (*)(const Int8FinishArgs*);

struct Int8Finish {
  Int8FinishFn to_quantized, to_float;
};

enum class Int8Kind {
  kDeep,   // int16 sums of proven depth
  kDot,    // u8 x s8 -> int32 in one instruction; signed src is shifted by 128
  kTiles,  // tiles of 16 rows x 16 steps x 16 columns
  kWords,  // int16 x int16 -> int32, two terms a step: rows are int16, weights too
};

// Terms of a step; a step takes kInt8Step bytes of a row and of a column in every kind.
constexpr int int8_step_terms(Int8Kind kind) { return kind == Int8Kind::kWords ? 2 : kInt8Step; }

struct Int8Table {
  const char* name;
  Int8Kind kind;
  int lanes;         // columns of a vector
  int panel_vecs;    // vectors of a full panel
  int row_multiple;  // rows that one tile computes at once
  int slice_bytes;   // of packed weights that stay in the first-level cache; 0: one slice
  void (*accumulate)(const Int8AccArgs*);
  // Around the calls of a thread; null: nothing to set up.
  void (*begin)();
  void (*end)();
  // accumulate and finish in one, for panels of one slice and quantized dst, where all values lie
  // within int32 before the bounds; null: none.
  void (*product)(const Int8AccArgs*, const Int8FinishArgs*) = nullptr;
  bool product_with_sign = false;  // takes src with a sign, of kWords too
  bool product_any_width = false;  // takes panels of any vectors and columns, else of two full ones
  // int8 -> int16, n of them, for kWords.
  void (*widen)(const uint8_t* src, ptrdiff_t n, int16_t* dst) = nullptr;
};

inline namespace isa_baseline {
const Int8Table* int8_table();
const Int8Finish* int8_finish();
}  // namespace isa_baseline
inline namespace isa_avx2 {
const Int8Table* int8_table();
const Int8Table* int8_words_table();
const Int8Finish* int8_finish();
}  // namespace isa_avx2
inline namespace isa_avx512 {
const Int8Table* int8_table();
const Int8Finish* int8_finish();
}  // namespace isa_avx512
inline namespace isa_avxvnni {
const Int8Table* int8_table();
}
inline namespace isa_avx512vnni {
const Int8Table* int8_table();
}
inline namespace isa_amx {
const Int8Table* int8_table();
}

}  // namespace graft::cpu
