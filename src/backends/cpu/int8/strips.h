// Int8Table::accumulate over register tiles: slices of terms, strips of rows.
#pragma once

#include "backends/cpu/int8/gemm_table.h"

namespace graft::cpu {

template <class Ops, template <class, int, int, bool> class Tile>
struct Int8Strips {
  using RunFn = void (*)(const Int8AccArgs&, const uint8_t* const*, const Int8Slice&,
                         const int32_t*, ptrdiff_t, int32_t*);
  struct Tiles {
    RunFn run[2][kMaxInt8Vecs + 1][kMaxInt8Rows + 1];
  };

  template <int kVecs, int kRows>
  static constexpr void fill_rows(Tiles& t) {
    t.run[0][kVecs][kRows] = &Tile<Ops, kRows, kVecs, false>::run;
    t.run[1][kVecs][kRows] = &Tile<Ops, kRows, kVecs, true>::run;
    if constexpr (kRows > 1) fill_rows<kVecs, kRows - 1>(t);
  }
  template <int kVecs>
  static constexpr void fill_vecs(Tiles& t) {
    static_assert(Ops::max_rows(kVecs) <= kMaxInt8Rows);
    fill_rows<kVecs, Ops::max_rows(kVecs)>(t);
    if constexpr (kVecs > 1) fill_vecs<kVecs - 1>(t);
  }
  static constexpr Tiles make_tiles() {
    static_assert(Ops::kPanelVecs <= kMaxInt8Vecs);
    Tiles t = {};
    fill_vecs<Ops::kPanelVecs>(t);
    return t;
  }

  static void accumulate(const Int8AccArgs* args) {
    static constexpr Tiles kTiles = make_tiles();
    const Int8AccArgs& t = *args;
    const ptrdiff_t width = ptrdiff_t{t.vecs} * Ops::kLanes;
    // Strips of nearly equal height: a short last strip would leave the multipliers idle.
    const ptrdiff_t tallest = Ops::max_rows(t.vecs);
    const ptrdiff_t strips = (t.num_rows + tallest - 1) / tallest;
    const ptrdiff_t height = t.num_rows / strips, taller = t.num_rows % strips;
    const RunFn* const run = kTiles.run[t.has_sign][t.vecs];
    const RunFn run_taller = taller > 0 ? run[height + 1] : nullptr, run_rest = run[height];
    for (ptrdiff_t s = 0; s < t.num_slices; ++s) {
      const Int8Slice& slice = t.slices[s];
      // The slice that follows in memory is read next most often: fetch a part with each strip.
      const ptrdiff_t bytes = slice.steps * width * kInt8Step;
      const char* next = reinterpret_cast<const char*>(t.b + slice.b) + bytes;
      const ptrdiff_t part = (bytes / strips + 63) / 64 * 64;
      const ptrdiff_t init_ld = s == 0 ? 0 : width;
      const int32_t* init = s == 0 ? t.bias : t.acc;
      const uint8_t* const* rows = t.rows;
      int32_t* acc = t.acc;
      for (ptrdiff_t strip = 0; strip < strips; ++strip, next += part) {
        const ptrdiff_t now = strip < taller ? height + 1 : height;
        // A single strip would fetch more at once than can be in flight.
        if (strips > 1)
          for (ptrdiff_t line = 0; line < part; line += 64) __builtin_prefetch(next + line, 0, 2);
        (strip < taller ? run_taller : run_rest)(t, rows, slice, init, init_ld, acc);
        rows += now;
        acc += now * width;
        init += now * init_ld;
      }
    }
  }
};

template <class Ops, template <class, int, int, bool> class Tile>
constexpr Int8Table strips_table(const char* name, Int8Kind kind, int slice_bytes) {
  return {name,
          kind,
          Ops::kLanes,
          Ops::kPanelVecs,
          Ops::max_rows(Ops::kPanelVecs),
          slice_bytes,
          &Int8Strips<Ops, Tile>::accumulate,
          nullptr,
          nullptr,
          nullptr};
}

}  // namespace graft::cpu
