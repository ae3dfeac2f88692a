// How the columns of a weight matrix are cut into packed panels, and the packing itself.
//
// A panel holds 1..panel_vecs vectors of columns; columns past N are zero. Panel p is [K][width]
// and starts at element first_column(p) * K. The cut depends on N and the ISA only.
#pragma once

#include <algorithm>
#include <cstdint>

#include "backends/cpu/gemm/compute_table.h"

namespace graft::cpu {

struct Panels {
  int64_t n = 0;
  int lanes = 1;
  int64_t count = 0;  // panels
  int64_t vecs = 0;   // vectors of all panels

  Panels() = default;
  Panels(const ComputeTable& table, int64_t columns)
      : Panels(table.lanes, table.panel_vecs, columns) {}
  Panels(int vector_lanes, int full_vecs, int64_t columns)
      : n(columns), lanes(vector_lanes), vecs((columns + vector_lanes - 1) / vector_lanes) {
    count = (vecs + full_vecs - 1) / full_vecs;
  }
  int64_t first_vec(int64_t p) const { return p * (vecs / count) + std::min(p, vecs % count); }
  int panel_vecs(int64_t p) const { return static_cast<int>(vecs / count + (p < vecs % count)); }
  int64_t first_column(int64_t p) const { return first_vec(p) * lanes; }
  int64_t width(int64_t p) const { return int64_t{panel_vecs(p)} * lanes; }
  int64_t columns(int64_t p) const { return std::min(width(p), n - first_column(p)); }
  int64_t padded_columns() const { return vecs * lanes; }
};

// TileArgs::next_step of a tile that fetches a panel of this width together with strips - 1 others.
inline int64_t next_step(int64_t width, int64_t strips) {
  return (4 * width + strips - 1) / strips;
}

// Packs panel p of b into dst ([k][width(p)]); element (row, column) of b is b[row * row_step +
// column * column_step].
inline void pack_panel(const Panels& panels, int64_t p, const float* b, int64_t row_step,
                       int64_t column_step, int64_t k, float* dst) {
  const int64_t width = panels.width(p), columns = panels.columns(p);
  b += panels.first_column(p) * column_step;
  for (int64_t row = 0; row < k; ++row, dst += width) {
    const float* src = b + row * row_step;
    if (column_step == 1) {
      for (int64_t j = 0; j < columns; ++j) dst[j] = src[j];
    } else {
      for (int64_t j = 0; j < columns; ++j) dst[j] = src[j * column_step];
    }
    for (int64_t j = columns; j < width; ++j) dst[j] = 0.0f;
  }
}

}  // namespace graft::cpu
