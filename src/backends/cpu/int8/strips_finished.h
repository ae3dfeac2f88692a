// Int8Table::product over register tiles: sums go from the registers to dst. Two full vectors a
// row. Compiled without contraction of multiply and add.
#pragma once

#include "backends/cpu/int8/block.h"
#include "backends/cpu/int8/bytes.h"
#include "backends/cpu/int8/gemm_table.h"

namespace graft::cpu {
inline namespace GRAFT_ISA_NAMESPACE {

template <class Ops, template <class, int, int, bool> class Tile, bool kSigned>
struct FinishedStrips {
  struct Bounds {
    Bytes lo, hi;
    Vec residual_scale;
  };
  // Where a strip of rows begins.
  struct Cursor {
    const uint8_t* const* rows;
    const char* residual;
    char* dst;
    // The panel that follows in memory is read next most often: each strip fetches a part of it.
    const char* next;
    ptrdiff_t next_bytes;
  };
  using RunFn = void (*)(const Int8AccArgs&, const Int8FinishArgs&, const Bounds&, Cursor&,
                         ptrdiff_t);
  static constexpr int kMaxRows = Ops::max_rows(2);
  struct Tiles {
    RunFn run[2][kMaxRows + 1];  // without and with a residual
  };

  // The steps of finish.h for `strips` strips of kRows rows. Rounding is monotonic, and packing
  // saturates what is within int32: so both bounds may be rounded first and be compared as bytes.
  template <int kRows, bool kResidual>
  static void run(const Int8AccArgs& t, const Int8FinishArgs& f, const Bounds& bounds,
                  Cursor& cursor, ptrdiff_t strips) {
    Cursor c = cursor;
    for (; strips > 0; --strips, c.next += c.next_bytes) {
      for (ptrdiff_t line = 0; line < c.next_bytes; line += 64)
        __builtin_prefetch(c.next + line, 0, 2);
      IntVec acc[kRows][2];
      Tile<Ops, kRows, 2, kSigned>::sums(t, c.rows, t.slices[0], t.bias, 0, acc);
      const Bounds b = bounds;
#pragma GCC unroll 16
      for (int i = 0; i < kRows; i += 2) {
        const int j = i + 1 < kRows ? i + 1 : i;  // an odd last row is stored twice
        const IntVec sums[4] = {acc[i][0], acc[i][1], acc[j][0], acc[j][1]};
        IntVec q[4];
#pragma GCC unroll 4
        for (int k = 0; k < 4; ++k) {
          Vec v = vmul(to_float(sums[k]), vload(f.m + k % 2 * kLanes));
          if constexpr (kResidual) {
            // Of uint8 at most 127.
            const Vec r = int8_to_float(c.residual + (k < 2 ? i : j) * f.ldr + k % 2 * kLanes);
            v = vadd(v, vmul(r, b.residual_scale));
          }
          q[k] = vto_int(v);
        }
        packed_halves_store(c.dst + i * f.ldd, c.dst + j * f.ldd,
                            bytes_max(bytes_min(pack_ints(q), b.hi), b.lo));
      }
      c.rows += kRows;
      c.dst += kRows * f.ldd;
      if constexpr (kResidual) c.residual += kRows * f.ldr;
    }
    cursor = c;
  }

  template <int kRows>
  static constexpr void fill(Tiles& t) {
    t.run[0][kRows] = &run<kRows, false>;
    t.run[1][kRows] = &run<kRows, true>;
    if constexpr (kRows > 1) fill<kRows - 1>(t);
  }
  static constexpr Tiles make_tiles() {
    Tiles t = {};
    fill<kMaxRows>(t);
    return t;
  }
  static Bytes rounded(float bound) {
    return bytes_set(static_cast<int8_t>(__builtin_nearbyintf(bound)));
  }

  static void product(const Int8AccArgs* acc, const Int8FinishArgs* finish) {
    static constexpr Tiles kTiles = make_tiles();
    const Int8AccArgs& t = *acc;
    const Int8FinishArgs& f = *finish;
    const Bounds bounds{rounded(f.lo), rounded(f.hi), vset(f.residual_scale)};
    const ptrdiff_t strips = (t.num_rows + kMaxRows - 1) / kMaxRows;
    const ptrdiff_t height = t.num_rows / strips, taller = t.num_rows % strips;
    const RunFn* const run_of = kTiles.run[f.residual != nullptr];
    const ptrdiff_t bytes = t.slices->steps * (2 * Ops::kLanes * kInt8Step);
    Cursor c{t.rows, static_cast<const char*>(f.residual), static_cast<char*>(f.dst),
             reinterpret_cast<const char*>(t.b + t.slices->b) + bytes,
             (bytes / strips + 63) / 64 * 64};
    if (taller > 0) run_of[height + 1](t, f, bounds, c, taller);
    run_of[height](t, f, bounds, c, strips - taller);
  }
};

}  // namespace GRAFT_ISA_NAMESPACE
}  // namespace graft::cpu
