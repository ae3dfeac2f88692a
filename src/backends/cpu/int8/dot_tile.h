// Register tiles over a dot product of four bytes: acc += a0 w0 + a1 w1 + a2 w2 + a3 w3 (vpdpbusd),
// or of two words. Signed bytes are shifted by 128; the packing took 128 * sum of weights off the
// bias.
// Ops is the instruction set, or the scalar model of it.
#pragma once

#include "backends/cpu/int8/gemm_table.h"

namespace graft::cpu {

template <class Ops, int kRows, int kVecs, bool kSigned>
struct DotTile {
  using Vec = typename Ops::Vec;

  static inline __attribute__((always_inline)) void add_step(Vec (&acc)[kRows][kVecs],
                                                             const uint8_t* const (&a)[kRows],
                                                             ptrdiff_t offset, const int8_t* b) {
    Vec w[kVecs];
#pragma GCC unroll 8
    for (int j = 0; j < kVecs; ++j) w[j] = Ops::load(b + j * Ops::kLanes * kInt8Step);
#pragma GCC unroll 16
    for (int i = 0; i < kRows; ++i) {
      Vec x = Ops::broadcast(a[i] + offset);
      if constexpr (kSigned) x = Ops::flip(x);
#pragma GCC unroll 8
      for (int j = 0; j < kVecs; ++j) Ops::dot(acc[i][j], x, w[j]);
    }
  }

  // acc[i] = init + the slice for rows [rows, rows + kRows).
  static inline __attribute__((always_inline)) void sums(const Int8AccArgs& t,
                                                         const uint8_t* const* rows,
                                                         const Int8Slice& slice,
                                                         const int32_t* init, ptrdiff_t init_ld,
                                                         Vec (&acc)[kRows][kVecs]) {
    constexpr ptrdiff_t kWidth = kVecs * Ops::kLanes;
#pragma GCC unroll 16
    for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 8
      for (int j = 0; j < kVecs; ++j) acc[i][j] = Ops::load(init + i * init_ld + j * Ops::kLanes);
    }
    const int8_t* b = t.b + slice.b;
    const Int8Group* end = slice.groups + slice.counts[kInt8DepthClasses - 1];
    for (const Int8Group* group = slice.groups; group != end; ++group) {
      const uint8_t* const* tap_rows = rows + group->tap * t.row_tap_stride;
      const uint8_t* a[kRows];
#pragma GCC unroll 16
      for (int i = 0; i < kRows; ++i) a[i] = tap_rows[i] + ptrdiff_t{group->step} * kInt8Step;
      constexpr ptrdiff_t kStepBytes = kWidth * kInt8Step;
      ptrdiff_t step = group->steps;
      for (; step >= 2; step -= 2, b += 2 * kStepBytes) {
        add_step(acc, a, 0, b);
        add_step(acc, a, kInt8Step, b + kStepBytes);
#pragma GCC unroll 16
        for (int i = 0; i < kRows; ++i) {
          a[i] += 2 * kInt8Step;
          // Opaque to the optimiser, which would else keep a pointer per row and unrolled step.
          asm("" : "+r"(a[i]));
        }
      }
      if (step > 0) {
        add_step(acc, a, 0, b);
        b += kStepBytes;
      }
    }
  }

  static void run(const Int8AccArgs& t, const uint8_t* const* rows, const Int8Slice& slice,
                  const int32_t* init, ptrdiff_t init_ld, int32_t* dst) {
    constexpr ptrdiff_t kWidth = kVecs * Ops::kLanes;
    Vec acc[kRows][kVecs];
    sums(t, rows, slice, init, init_ld, acc);
#pragma GCC unroll 16
    for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 8
      for (int j = 0; j < kVecs; ++j) Ops::store(dst + i * kWidth + j * Ops::kLanes, acc[i][j]);
    }
  }
};

}  // namespace graft::cpu
