// The sums of DotTile for rows that lie evenly: a pointer for every three rows instead of one each
// leaves more of the front end to products.
#pragma once

#include "backends/cpu/int8/gemm_table.h"

namespace graft::cpu {

template <class Ops, int kRows, int kVecs, bool kSigned>
struct PitchedTile {
  static_assert(!kSigned);
  using Vec = typename Ops::Vec;
  static constexpr int kRowsPerBase = 3;  // base, base + pitch, base + 2 * pitch: address modes
  static constexpr int kBases = (kRows + kRowsPerBase - 1) / kRowsPerBase;
  static constexpr ptrdiff_t kStepBytes = ptrdiff_t{kVecs} * Ops::kLanes * kInt8Step;

  template <int kStep>
  static inline __attribute__((always_inline)) void add_step(Vec (&acc)[kRows][kVecs],
                                                             const uint8_t* const (&bases)[kBases],
                                                             ptrdiff_t pitch, const int8_t* b) {
    Vec w[kVecs];
#pragma GCC unroll 8
    for (int j = 0; j < kVecs; ++j)
      w[j] = Ops::load(b + kStep * kStepBytes + j * Ops::kLanes * kInt8Step);
#pragma GCC unroll 16
    for (int i = 0; i < kRows; ++i) {
      const uint8_t* row = bases[i / kRowsPerBase] + i % kRowsPerBase * pitch;
      const Vec x = Ops::broadcast(row + kStep * kInt8Step);
#pragma GCC unroll 8
      for (int j = 0; j < kVecs; ++j) Ops::dot(acc[i][j], x, w[j]);
    }
  }

  template <int kSteps>
  static inline __attribute__((always_inline)) void advance(const uint8_t* (&bases)[kBases],
                                                            const int8_t*& b) {
#pragma GCC unroll 8
    for (int i = 0; i < kBases; ++i) {
      bases[i] += kSteps * kInt8Step;
      // Opaque to the optimiser, which would else keep a pointer per row and unrolled step.
      asm("" : "+r"(bases[i]));
    }
    b += kSteps * kStepBytes;
  }

  // acc[i] = init + the slice for rows [rows, rows + kRows); of each tap only the first is read.
  static inline __attribute__((always_inline)) void sums(const Int8AccArgs& t,
                                                         const uint8_t* const* rows,
                                                         const Int8Slice& slice,
                                                         const int32_t* init, ptrdiff_t init_ld,
                                                         Vec (&acc)[kRows][kVecs]) {
#pragma GCC unroll 16
    for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 8
      for (int j = 0; j < kVecs; ++j) acc[i][j] = Ops::load(init + i * init_ld + j * Ops::kLanes);
    }
    const int8_t* b = t.b + slice.b;
    const ptrdiff_t pitch = t.row_pitch;
    const Int8Group* end = slice.groups + slice.counts[kInt8DepthClasses - 1];
    for (const Int8Group* group = slice.groups; group != end; ++group) {
      const uint8_t* first =
          rows[group->tap * t.row_tap_stride] + ptrdiff_t{group->step} * kInt8Step;
      const uint8_t* bases[kBases];
#pragma GCC unroll 8
      for (int i = 0; i < kBases; ++i) bases[i] = first + i * kRowsPerBase * pitch;
      ptrdiff_t steps = group->steps;
      for (; steps >= 4; steps -= 4) {
        add_step<0>(acc, bases, pitch, b);
        add_step<1>(acc, bases, pitch, b);
        add_step<2>(acc, bases, pitch, b);
        add_step<3>(acc, bases, pitch, b);
        advance<4>(bases, b);
      }
      for (; steps > 0; --steps) {
        add_step<0>(acc, bases, pitch, b);
        advance<1>(bases, b);
      }
    }
  }
};

}  // namespace graft::cpu
