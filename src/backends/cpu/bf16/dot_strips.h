// Products of bfloat16 by register tiles: strips of rows times one or two vectors of columns. Ops
// is the instruction set, or the scalar model of it.
#pragma once

#include "backends/cpu/bf16/product_table.h"

namespace graft::cpu {

template <class Ops>
struct Bf16Strips {
  using Vec = typename Ops::Vec;
  static constexpr int kMaxRows = 12;
  using RunFn = void (*)(const TileProductArgs&, ptrdiff_t row);

  template <int kRows, int kVecs>
  static void run(const TileProductArgs& t, ptrdiff_t row) {
    constexpr ptrdiff_t kLine = ptrdiff_t{kVecs} * kTileRowBytes;
    const char* a = static_cast<const char*>(t.rows) + row * t.row_bytes;
    const char* b = static_cast<const char*>(t.b);
    Vec acc[kRows][kVecs];
#pragma GCC unroll 12
    for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 2
      for (int v = 0; v < kVecs; ++v)
        acc[i][v] = Ops::load(static_cast<const char*>(t.bias) + v * kTileRowBytes);
    }
    for (ptrdiff_t tap = 0; tap < t.num_taps; ++tap) {
      const char* at = a + (t.taps ? t.taps[tap] : 0);
      for (const char* const end = at + t.tap_bytes; at < end; at += kTileStepBytes, b += kLine) {
        Vec w[kVecs];
#pragma GCC unroll 2
        for (int v = 0; v < kVecs; ++v) w[v] = Ops::load(b + v * kTileRowBytes);
#pragma GCC unroll 12
        for (int i = 0; i < kRows; ++i) {
          const Vec x = Ops::broadcast(at + i * t.row_bytes);
#pragma GCC unroll 2
          for (int v = 0; v < kVecs; ++v) Ops::dot(acc[i][v], x, w[v]);
        }
      }
    }
    char* dst = static_cast<char*>(t.acc) + row * kLine;
#pragma GCC unroll 12
    for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 2
      for (int v = 0; v < kVecs; ++v) Ops::store(dst + i * kLine + v * kTileRowBytes, acc[i][v]);
    }
  }

  struct Runs {
    RunFn of[2][kMaxRows + 1];
  };
  template <int kRows>
  static constexpr void fill(Runs& runs) {
    runs.of[0][kRows] = &run<kRows, 1>;
    runs.of[1][kRows] = &run<kRows, 2>;
    if constexpr (kRows > 1) fill<kRows - 1>(runs);
  }
  static constexpr Runs make_runs() {
    Runs runs = {};
    fill<kMaxRows>(runs);
    return runs;
  }

  static void accumulate(const TileProductArgs* args) {
    static constexpr Runs kRuns = make_runs();
    const ptrdiff_t strips = (args->num_rows + kMaxRows - 1) / kMaxRows;
    for (ptrdiff_t strip = 0, row = 0; strip < strips; ++strip) {
      const ptrdiff_t end = args->num_rows * (strip + 1) / strips;
      kRuns.of[args->vecs - 1][end - row](*args, row);
      row = end;
    }
  }
};

}  // namespace graft::cpu
