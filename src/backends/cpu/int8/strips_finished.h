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
    Bytes lo;
    Vec hi, residual_scale;
  };
  using RunFn = void (*)(const Int8AccArgs&, const Int8FinishArgs&, const Bounds&,
                         const uint8_t* const*, const char*, char*);
  static constexpr int kMaxRows = Ops::max_rows(2);
  struct Tiles {
    RunFn run[2][kMaxRows + 1];  // without and with a residual
  };

  // The steps of finish.h.
  template <int kRows, bool kResidual>
  static void run(const Int8AccArgs& t, const Int8FinishArgs& f, const Bounds& bounds,
                  const uint8_t* const* rows, const char* residual, char* dst) {
    IntVec acc[kRows][2];
    Tile<Ops, kRows, 2, kSigned>::sums(t, rows, t.slices[0], t.bias, 0, acc);
    const Bounds b = bounds;
#pragma GCC unroll 16
    for (int i = 0; i < kRows; i += 2) {
      const int j = i + 1 < kRows ? i + 1 : i;  // an odd last row is stored twice
      const IntVec sums[4] = {acc[i][0], acc[i][1], acc[j][0], acc[j][1]};
      IntVec q[4];
      for (int k = 0; k < 4; ++k) {
        Vec v = vmul(to_float(sums[k]), vload(f.m + k % 2 * kLanes));
        if constexpr (kResidual) {
          // Of uint8 at most 127.
          const Vec r = int8_to_float(residual + (k < 2 ? i : j) * f.ldr + k % 2 * kLanes);
          v = vadd(v, vmul(r, b.residual_scale));
        }
        q[k] = vto_int(vmin(b.hi, v));
      }
      halves_store(dst + i * f.ldd, dst + j * f.ldd,
                   bytes_max(packed_in_order(pack_ints(q)), b.lo));
    }
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

  static void product(const Int8AccArgs* acc, const Int8FinishArgs* finish) {
    static constexpr Tiles kTiles = make_tiles();
    const Int8AccArgs& t = *acc;
    const Int8FinishArgs& f = *finish;
    const Bounds bounds{bytes_set(static_cast<int8_t>(__builtin_nearbyintf(f.lo))), vset(f.hi),
                        vset(f.residual_scale)};
    const ptrdiff_t strips = (t.num_rows + kMaxRows - 1) / kMaxRows;
    const ptrdiff_t height = t.num_rows / strips, taller = t.num_rows % strips;
    const uint8_t* const* rows = t.rows;
    const char* residual = static_cast<const char*>(f.residual);
    char* dst = static_cast<char*>(f.dst);
    for (ptrdiff_t strip = 0; strip < strips; ++strip) {
      const ptrdiff_t now = height + (strip < taller);
      kTiles.run[residual != nullptr][now](t, f, bounds, rows, residual, dst);
      rows += now;
      dst += now * f.ldd;
      if (residual) residual += now * f.ldr;
    }
  }
};

}  // namespace GRAFT_ISA_NAMESPACE
}  // namespace graft::cpu
