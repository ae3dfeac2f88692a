// The packed weights of a quantized convolution or matrix product; int8/gemm_table.h has the
// layout. Packed once, for the instruction set and the sign of src.
#pragma once

#include <cstdint>
#include <vector>

#include "backends/cpu/gemm/panels.h"
#include "backends/cpu/int8/gemm_table.h"
#include "base/alloc.h"

namespace graft::cpu {

// Element (tap, k, column) of group g is b[(tap * tap_k + k) * row_step + (g * n + column) *
// column_step].
struct Int8Matrix {
  const int8_t* b = nullptr;
  int64_t groups = 1, taps = 1, tap_k = 0;
  int64_t n = 0;  // columns of a group
  int64_t row_step = 0, column_step = 1;
  bool taps_fill_tiles = false;  // of a tile kernel each tap gets whole tiles, zeros past its terms
  bool taps_are_runs = false;    // of neighbouring pixels, copied before
};

struct Int8Weights {
  const Int8Table* table = nullptr;
  Panels panels;  // of one group
  int64_t taps = 0, tap_k = 0, tap_steps = 0;
  int64_t steps = 0;  // of all taps; of a tile kernel a multiple of 16, zeros past the taps
  bool taps_fill_tiles = false;
  bool src_has_sign = false;
  int64_t slices_per_panel = 0;
  Buffer packed;  // [groups][panels], then a row of zeros that stands for pixels outside
  const uint8_t* zeros = nullptr;
  std::vector<Int8Group> groups;
  std::vector<Int8Slice> slices;  // [groups][panels][slices_per_panel]
  std::vector<int32_t> bias;      // [groups][padded columns]

  // bias [groups * n] or null. ResourceExhausted if memory is short.
  static Result<Int8Weights> pack(const Int8Table& table, const Int8Matrix& matrix,
                                  const int32_t* bias, bool src_has_sign);

  // Of the panel's first byte in `packed`.
  int64_t panel_offset(int64_t group, int64_t panel) const {
    return steps * kInt8Step * (group * panels.padded_columns() + panels.first_column(panel));
  }
  const Int8Slice* panel_slices(int64_t group, int64_t panel) const {
    return slices.data() + (group * panels.count + panel) * slices_per_panel;
  }
  size_t bytes() const;
};

}  // namespace graft::cpu
