// Products by matrix tiles (AMX): C[16 x 16] += A[16 rows x 64 bytes] B[16 steps x 16 columns x 4
// bytes], two by two; a step is four neighbouring bytes or two bfloat16, an element of C an int32
// or a float. Ops is the instruction set, or the scalar model of it: Ops::load<t>, store<t> and
// dot<c, a, b> work on tile registers.
#pragma once

#include <stddef.h>

namespace graft::cpu {

constexpr int kTileRows = 16, kTileColumns = 16, kTileSteps = 16;
constexpr int kTileStepBytes = 4;
constexpr ptrdiff_t kTileRowBytes = ptrdiff_t{kTileSteps} * kTileStepBytes;

// acc[i][j] = bias[j] + sum over taps and steps of a(i) * b.
struct TileProductArgs {
  const void* rows;  // row i begins i * row_bytes on; whole tiles of rows are read
  ptrdiff_t row_bytes;
  const ptrdiff_t* taps;  // bytes from a row to each of its taps; null: one at the row itself
  ptrdiff_t num_taps;
  ptrdiff_t tap_bytes;  // of a row: whole tiles
  ptrdiff_t num_rows;
  const void* b;     // [num_taps][tap_bytes / 4][16 * vecs][4 bytes]
  const void* bias;  // [16 * vecs], elements of acc
  void* acc;         // [num_rows, rounded up to whole tiles][16 * vecs]
  int vecs;
};

template <class Ops>
struct TileGemm {
  // kM x kN tiles of C in registers kN * i + j; A in 4 and 5, B in 6 and 7.
  template <int kM, int kN>
  static void block(const TileProductArgs& t, ptrdiff_t row, ptrdiff_t column) {
    const ptrdiff_t line = ptrdiff_t{t.vecs} * kTileColumns * kTileStepBytes;
    const ptrdiff_t at_column = column * kTileStepBytes;
    const char* a = static_cast<const char*>(t.rows) + row * t.row_bytes;
    const char* b = static_cast<const char*>(t.b) + at_column;
    const char* bias = static_cast<const char*>(t.bias) + at_column;
    // Stride 0: every row begins as the bias.
    Ops::template load<0>(bias, 0);
    if constexpr (kN == 2) Ops::template load<1>(bias + kTileRowBytes, 0);
    if constexpr (kM == 2) {
      Ops::template load<kN>(bias, 0);
      if constexpr (kN == 2) Ops::template load<3>(bias + kTileRowBytes, 0);
    }
    for (ptrdiff_t tap = 0; tap < t.num_taps; ++tap) {
      const char* at = a + (t.taps ? t.taps[tap] : 0);
      for (const char* const end = at + t.tap_bytes; at < end; at += kTileRowBytes) {
        Ops::template load<4>(at, t.row_bytes);
        Ops::template load<6>(b, line);
        Ops::template dot<0, 4, 6>();
        if constexpr (kN == 2) {
          Ops::template load<7>(b + kTileRowBytes, line);
          Ops::template dot<1, 4, 7>();
        }
        if constexpr (kM == 2) {
          Ops::template load<5>(at + kTileRows * t.row_bytes, t.row_bytes);
          Ops::template dot<kN, 5, 6>();
          if constexpr (kN == 2) Ops::template dot<3, 5, 7>();
        }
        b += kTileSteps * line;
      }
    }
    char* acc = static_cast<char*>(t.acc) + row * line + at_column;
    Ops::template store<0>(acc, line);
    if constexpr (kN == 2) Ops::template store<1>(acc + kTileRowBytes, line);
    if constexpr (kM == 2) {
      acc += kTileRows * line;
      Ops::template store<kN>(acc, line);
      if constexpr (kN == 2) Ops::template store<3>(acc + kTileRowBytes, line);
    }
  }

  static void run(const TileProductArgs* args) {
    const TileProductArgs& t = *args;
    const ptrdiff_t width = ptrdiff_t{t.vecs} * kTileColumns;
    for (ptrdiff_t column = 0; column < width; column += 2 * kTileColumns) {
      const bool two_columns = column + kTileColumns < width;
      for (ptrdiff_t row = 0; row < t.num_rows; row += 2 * kTileRows) {
        const bool two_rows = row + kTileRows < t.num_rows;
        if (two_rows && two_columns) block<2, 2>(t, row, column);
        if (two_rows && !two_columns) block<2, 1>(t, row, column);
        if (!two_rows && two_columns) block<1, 2>(t, row, column);
        if (!two_rows && !two_columns) block<1, 1>(t, row, column);
      }
    }
  }
};

}  // namespace graft::cpu
