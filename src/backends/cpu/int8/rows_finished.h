// Int8Table::product over register tiles for AVX-512: sums go from the registers to dst, a row of
// up to four vectors as one register of bytes, of any number of columns. Compiled without
// contraction of multiply and add.
#pragma once

#include "backends/cpu/int8/block.h"
#include "backends/cpu/int8/gemm_table.h"

namespace graft::cpu {
inline namespace GRAFT_ISA_NAMESPACE {

template <class Ops, template <class, int, int, bool> class Tile>
struct FinishedRows {
  struct Store {
    Bytes lo, hi;
    Vec residual_scale;
    __mmask64 columns;
  };
  using RunFn = void (*)(const Int8AccArgs&, const Int8FinishArgs&, const Store&,
                         const uint8_t* const*, const char*, char*);
  struct Tiles {
    RunFn run[2][kMaxInt8Vecs + 1][kMaxInt8Rows + 1];
  };

  // The steps of finish.h. Rounding is monotonic, and packing saturates what is within int32: so
  // both bounds may be rounded first and be compared as bytes.
  template <int kRows, int kVecs, bool kSigned>
  static void run(const Int8AccArgs& t, const Int8FinishArgs& f, const Store& store,
                  const uint8_t* const* rows, const char* residual, char* dst) {
    IntVec acc[kRows][kVecs];
    Tile<Ops, kRows, kVecs, kSigned>::sums(t, rows, t.slices[0], t.bias, 0, acc);
    const Store s = store;
#pragma GCC unroll 16
    for (int i = 0; i < kRows; ++i) {
      Vec v[4];
      IntVec q[4];
      for (int k = 0; k < 4; ++k)
        if (k < kVecs) v[k] = vmul(to_float(acc[i][k]), vload(f.m + k * kLanes));
      if (residual) {
        // In the order of v; of uint8 at most 127.
        const Bytes r = _mm512_maskz_loadu_epi8(s.columns, residual + i * f.ldr);
        const auto add = [&](int k, __m128i part) {
          if (k >= kVecs) return;
          v[k] = vadd(v[k], vmul(to_float(_mm512_cvtepi8_epi32(part)), s.residual_scale));
        };
        add(0, _mm512_castsi512_si128(r));
        add(1, _mm512_extracti32x4_epi32(r, 1));
        add(2, _mm512_extracti32x4_epi32(r, 2));
        add(3, _mm512_extracti32x4_epi32(r, 3));
      }
      for (int k = 0; k < 4; ++k) q[k] = k < kVecs ? vto_int(v[k]) : ints_zero();
      const Bytes bytes = packed_in_order(bytes_max(bytes_min(pack_ints(q), s.hi), s.lo));
      _mm512_mask_storeu_epi8(dst + i * f.ldd, s.columns, bytes);
    }
  }

  template <int kVecs, int kRows>
  static constexpr void fill_rows(Tiles& t) {
    t.run[0][kVecs][kRows] = &run<kRows, kVecs, false>;
    t.run[1][kVecs][kRows] = &run<kRows, kVecs, true>;
    if constexpr (kRows > 1) fill_rows<kVecs, kRows - 1>(t);
  }
  template <int kVecs>
  static constexpr void fill_vecs(Tiles& t) {
    fill_rows<kVecs, Ops::max_rows(kVecs)>(t);
    if constexpr (kVecs > 1) fill_vecs<kVecs - 1>(t);
  }
  static constexpr Tiles make_tiles() {
    static_assert(Ops::kPanelVecs <= 4 && Ops::kLanes == 16);
    Tiles t = {};
    fill_vecs<Ops::kPanelVecs>(t);
    return t;
  }

  static void product(const Int8AccArgs* acc, const Int8FinishArgs* finish) {
    static constexpr Tiles kTiles = make_tiles();
    const Int8AccArgs& t = *acc;
    const Int8FinishArgs& f = *finish;
    const auto rounded = [](float bound) {
      return bytes_set(static_cast<int8_t>(__builtin_nearbyintf(bound)));
    };
    const Store store{rounded(f.lo), rounded(f.hi), vset(f.residual_scale),
                      first_bytes(static_cast<int>(f.columns))};
    const ptrdiff_t tallest = Ops::max_rows(t.vecs);
    const ptrdiff_t strips = (t.num_rows + tallest - 1) / tallest;
    const ptrdiff_t height = t.num_rows / strips, taller = t.num_rows % strips;
    const RunFn* const run_of = kTiles.run[t.has_sign][t.vecs];
    const uint8_t* const* rows = t.rows;
    const char* residual = static_cast<const char*>(f.residual);
    char* dst = static_cast<char*>(f.dst);
    for (ptrdiff_t strip = 0; strip < strips; ++strip) {
      const ptrdiff_t now = height + (strip < taller);
      run_of[now](t, f, store, rows, residual, dst);
      rows += now;
      dst += now * f.ldd;
      if (residual) residual += now * f.ldr;
    }
  }
};

}  // namespace GRAFT_ISA_NAMESPACE
}  // namespace graft::cpu
