// Register tiles over u8 x s8 -> int16 pair sums (vpmaddubsw). The products of a group's steps are
// summed in int16 lanes, which the packing proved not to overflow, and only then widened to int32.
//
// Signed src: |w| and src with the sign of w are multiplied, so a lane's bound is on the sum of
// |w|. Ops is the instruction set, or the scalar model of it.
#pragma once

#include "backends/cpu/int8/gemm_table.h"

namespace graft::cpu {

template <class Ops, int kRows, int kVecs, bool kSigned>
struct DeepTile {
  using Vec = typename Ops::Vec;
  static constexpr ptrdiff_t kStepBytes = ptrdiff_t{kVecs} * Ops::kLanes * kInt8Step;

  struct Cursor {
    const uint8_t* const* rows;
    ptrdiff_t row_tap_stride;
    const int8_t* b;
    const Int8Group* group;
    const uint8_t* a[kRows];  // the rows of a group's tap
  };

  static inline __attribute__((always_inline)) void add_pairs(Vec& sum, Vec pairs, bool first) {
    if (first) {
      sum = pairs;
    } else {
      Ops::add16(sum, pairs);
    }
  }

  static inline __attribute__((always_inline)) void add_step(Vec (&sum)[kRows][kVecs],
                                                             const uint8_t* const (&a)[kRows],
                                                             ptrdiff_t offset, const int8_t* b,
                                                             bool first) {
    if constexpr (kSigned) {
#pragma GCC unroll 8
      for (int j = 0; j < kVecs; ++j) {
        const Vec w = Ops::load(b + j * Ops::kLanes * kInt8Step);
        const Vec magnitude = Ops::abs(w);
#pragma GCC unroll 16
        for (int i = 0; i < kRows; ++i) {
          const Vec x = Ops::sign(Ops::broadcast(a[i] + offset), w);
          add_pairs(sum[i][j], Ops::pair_sums(magnitude, x), first);
        }
      }
    } else {
      Vec w[kVecs];
#pragma GCC unroll 8
      for (int j = 0; j < kVecs; ++j) w[j] = Ops::load(b + j * Ops::kLanes * kInt8Step);
#pragma GCC unroll 16
      for (int i = 0; i < kRows; ++i) {
        const Vec x = Ops::broadcast(a[i] + offset);
#pragma GCC unroll 8
        for (int j = 0; j < kVecs; ++j) {
          add_pairs(sum[i][j], Ops::pair_sums(x, w[j]), first);
        }
      }
    }
  }

  template <int kDepth, bool kOneTap>
  static inline __attribute__((always_inline)) void add_groups(Vec (&acc)[kRows][kVecs], Cursor& c,
                                                               uint32_t count) {
    for (; count > 0; --count, ++c.group) {
      const ptrdiff_t offset = ptrdiff_t{c.group->step} * kInt8Step;
      if constexpr (!kOneTap) {
        const uint8_t* const* rows = c.rows + c.group->tap * c.row_tap_stride;
#pragma GCC unroll 16
        for (int i = 0; i < kRows; ++i) c.a[i] = rows[i];
      }
      const uint8_t* const(&a)[kRows] = c.a;
      Vec sum[kRows][kVecs];
#pragma GCC unroll 8
      for (int d = 0; d < kDepth; ++d) {
        add_step(sum, a, offset + d * kInt8Step, c.b + d * kStepBytes, d == 0);
      }
#pragma GCC unroll 16
      for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 8
        for (int j = 0; j < kVecs; ++j) Ops::add_wide(acc[i][j], sum[i][j]);
      }
      c.b += kDepth * kStepBytes;
    }
  }

  template <bool kOneTap>
  static inline __attribute__((always_inline)) void add_all_groups(Vec (&acc)[kRows][kVecs],
                                                                   Cursor& c,
                                                                   const Int8Slice& slice) {
    static_assert(kInt8DepthClasses == 6);
    add_groups<kInt8Depths[0], kOneTap>(acc, c, slice.counts[0]);
    add_groups<kInt8Depths[1], kOneTap>(acc, c, slice.counts[1]);
    add_groups<kInt8Depths[2], kOneTap>(acc, c, slice.counts[2]);
    add_groups<kInt8Depths[3], kOneTap>(acc, c, slice.counts[3]);
    add_groups<kInt8Depths[4], kOneTap>(acc, c, slice.counts[4]);
    add_groups<kInt8Depths[5], kOneTap>(acc, c, slice.counts[5]);
  }

  // acc[i] = init + the slice for rows [rows, rows + kRows).
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
    Cursor c{rows, t.row_tap_stride, t.b + slice.b, slice.groups, {}};
    if (t.row_tap_stride == 0) {
#pragma GCC unroll 16
      for (int i = 0; i < kRows; ++i) c.a[i] = rows[i];
      add_all_groups<true>(acc, c, slice);
    } else {
      add_all_groups<false>(acc, c, slice);
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
