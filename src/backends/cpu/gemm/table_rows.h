// Fills a ComputeTable: the entries that every ISA has, and tiles of at most kMaxRows rows for
// panels of kVecs vectors.
#pragma once

#include "backends/cpu/conv/depthwise.h"
#include "backends/cpu/conv/winograd.h"
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

template <Vec (*kFn)(Vec)>
static void map_entry(const float* src, float* dst, ptrdiff_t n) {
  ptrdiff_t i = 0;
  for (; i + kLanes <= n; i += kLanes) vstore(dst + i, kFn(vload(src + i)));
  const int tail = static_cast<int>(n - i);
  if (tail > 0) vstore_n(dst + i, kFn(vload_n(src + i, tail)), tail);
}

// A table without tiles.
static constexpr ComputeTable common_rows(const char* name, int panel_vecs) {
  ComputeTable table = {};
  table.name = name;
  table.lanes = kLanes;
  table.panel_vecs = panel_vecs;
  table.depthwise = &depthwise_row;
  add_winograd<kWinogradForms - 1>(table);
  table.act = &act_entry;
  table.exp = &map_entry<vexp>;
  table.erf = &map_entry<verf>;
  return table;
}

}  // namespace GRAFT_ISA_NAMESPACE
}  // namespace graft::cpu
