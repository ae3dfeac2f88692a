// The multiply-add rate of one core, measured through a register tile on first-level cache data.
#pragma once

#include <chrono>

#include "backends/cpu/gemm/compute_table.h"

// GFLOP/s of the tallest full tile over a short depth: the practical peak of the level.
inline double fma_peak_gflops(const graft::cpu::ComputeTable& table) {
  using graft::cpu::TileArgs;
  constexpr int kDepth = 128;
  alignas(64) static float b[kDepth * 64], a[16 * kDepth], dst[16 * 64];
  const float* rows[16];
  for (int i = 0; i < 16; ++i) rows[i] = a + i * kDepth;
  const graft::cpu::Epilogue epilogue;
  const int vecs = table.panel_vecs, height = table.max_rows[vecs];
  TileArgs t = {};
  t.rows = rows;
  t.taps = 1;
  t.k = kDepth;
  t.b = b;
  t.dst = dst;
  t.ldd = 64;
  t.columns = vecs * table.lanes;
  t.epilogue = &epilogue;
  t.first = t.last = true;
  const int reps = 500;
  const auto begin = std::chrono::steady_clock::now();
  for (int r = 0; r < reps; ++r) table.tile[vecs][height](&t);
  const double s = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return 2.0 * kDepth * height * vecs * table.lanes * reps / s * 1e-9;
}
