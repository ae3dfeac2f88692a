// Fills the tile entries of a ComputeTable: kMaxRows tiles for panels of kVecs vectors.
#pragma once

#include "backends/cpu/gemm/tile.h"

namespace graft::cpu {
inline namespace GRAFT_ISA_NAMESPACE {

template <int kVecs, int kRows>
constexpr void fill_tiles(ComputeTable& table) {
  table.tile[kVecs][kRows] = &tile<kRows, kVecs>;
  if constexpr (kRows > 1) fill_tiles<kVecs, kRows - 1>(table);
}

template <int kVecs, int kMaxRows>
constexpr void add_tiles(ComputeTable& table) {
  static_assert(kVecs <= kMaxTileVecs && kMaxRows <= kMaxTileRows);
  table.max_rows[kVecs] = kMaxRows;
  fill_tiles<kVecs, kMaxRows>(table);
}

static void act_entry(const Epilogue* e, float* p, ptrdiff_t rows, ptrdiff_t n, ptrdiff_t ld) {
  apply_act(*e, p, rows, n, ld);
}

}  // namespace GRAFT_ISA_NAMESPACE
}  // namespace graft::cpu
