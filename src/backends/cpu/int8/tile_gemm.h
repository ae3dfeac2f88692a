// Products by matrix tiles (AMX): C[16 x 16] += A[16 rows x 64 bytes] B[16 steps x 16 columns x 4],
// two by two. Ops is the instruction set, or the scalar model of it; Ops::load<t> etc. work on tile
// register t.
#pragma once

#include "backends/cpu/int8/gemm_table.h"

namespace graft::cpu {

template <class Ops>
struct TileGemm {
  static constexpr int kRows = 16, kColumns = 16;
  static constexpr ptrdiff_t kKBytes = ptrdiff_t{kInt8TileSteps} * kInt8Step;

  // kM x kN tiles of C in registers kN * i + j; A in 4 and 5, B in 6 and 7.
  template <int kM, int kN, bool kSigned>
  static void block(const Int8AccArgs& t, ptrdiff_t row, ptrdiff_t column) {
    const ptrdiff_t width = ptrdiff_t{t.vecs} * kColumns, line = width * kInt8Step;
    const uint8_t* a = t.packed_rows + row * t.packed_ld;
    const int8_t* b = t.b + column * kInt8Step;
    // Stride 0: every row begins as the bias.
    Ops::template load<0>(t.bias + column, 0);
    if constexpr (kN == 2) Ops::template load<1>(t.bias + column + kColumns, 0);
    if constexpr (kM == 2) {
      Ops::template load<kN>(t.bias + column, 0);
      if constexpr (kN == 2) Ops::template load<3>(t.bias + column + kColumns, 0);
    }
    const ptrdiff_t k_end = t.packed_bytes > 0 ? t.packed_bytes : t.packed_ld;
    for (ptrdiff_t tap = 0; tap < t.num_packed_taps; ++tap) {
      const uint8_t* at = a + (t.packed_taps ? t.packed_taps[tap] : 0);
      for (const uint8_t* const end = at + k_end; at < end; at += kKBytes) {
        Ops::template load<4>(at, t.packed_ld);
        Ops::template load<6>(b, line);
        Ops::template dot<0, 4, 6, kSigned>();
        if constexpr (kN == 2) {
          Ops::template load<7>(b + kColumns * kInt8Step, line);
          Ops::template dot<1, 4, 7, kSigned>();
        }
        if constexpr (kM == 2) {
          Ops::template load<5>(at + kRows * t.packed_ld, t.packed_ld);
          Ops::template dot<kN, 5, 6, kSigned>();
          if constexpr (kN == 2) Ops::template dot<3, 5, 7, kSigned>();
        }
        b += kInt8TileSteps * line;
      }
    }
    int32_t* acc = t.acc + row * width + column;
    Ops::template store<0>(acc, line);
    if constexpr (kN == 2) Ops::template store<1>(acc + kColumns, line);
    if constexpr (kM == 2) {
      acc += kRows * width;
      Ops::template store<kN>(acc, line);
      if constexpr (kN == 2) Ops::template store<3>(acc + kColumns, line);
    }
  }

  template <bool kSigned>
  static void run(const Int8AccArgs& t) {
    const ptrdiff_t width = ptrdiff_t{t.vecs} * kColumns;
    for (ptrdiff_t column = 0; column < width; column += 2 * kColumns) {
      const bool two_columns = column + kColumns < width;
      for (ptrdiff_t row = 0; row < t.num_rows; row += 2 * kRows) {
        const bool two_rows = row + kRows < t.num_rows;
        if (two_rows && two_columns) block<2, 2, kSigned>(t, row, column);
        if (two_rows && !two_columns) block<2, 1, kSigned>(t, row, column);
        if (!two_rows && two_columns) block<1, 2, kSigned>(t, row, column);
        if (!two_rows && !two_columns) block<1, 1, kSigned>(t, row, column);
      }
    }
  }

  static void accumulate(const Int8AccArgs* args) {
    if (args->has_sign) {
      run<true>(*args);
    } else {
      run<false>(*args);
    }
  }
};

}  // namespace graft::cpu
