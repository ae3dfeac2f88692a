// One block of rows times a range of packed panels, INT8: accumulators in a small buffer of the
// worker, then dst. Integer sums are exact, so no split of the work changes a bit.
#pragma once

#include <cstdint>
#include <vector>

#include "backends/cpu/int8/weights.h"

namespace graft::cpu {

// How accumulators become dst; see Int8FinishArgs.
struct Int8Epilogue {
  Int8FinishFn finish = nullptr;
  std::vector<float> m;    // [groups][padded columns]
  bool quantized = false;  // dst
  int dst_elem_bytes = 1, residual_elem_bytes = 1;
  bool residual_has_sign = false;
  float residual_scale = 0;
  float lo = 0, hi = 0;
  bool within_int32 = false;  // all values are, before lo and hi
  Epilogue act;
};

// Rows that are computed before they are finished.
constexpr int64_t kInt8FinishRows = 48;
constexpr int64_t kInt8ShortTap = 32;
// The same of tile kernels, which take them two tiles at a time.
constexpr int64_t kInt8TileRows = 32;

struct Int8Block {
  const Int8Weights* weights = nullptr;
  const Int8Epilogue* epilogue = nullptr;
  int64_t group = 0;
  const uint8_t* const* rows = nullptr;  // a(t, i) = rows[t * row_stride + i]
  int64_t row_stride = 0, num_rows = 0;
  bool rows_are_words = false;  // kWords: the rows are int16 already
  // kTiles: kInt8ShortTap bytes from every pointer in rows may be read, and a tap has no more.
  bool taps_readable = false;
  // Those of a tap lie this many bytes apart, in runs of pitched_rows; 0: they may not.
  int64_t word_pitch = 0, pitched_rows = 0;
  // Of one tap, where the rows lie row_bytes apart: how many from the first may be read, which may
  // be more than num_rows; 0: unknown.
  int64_t readable_rows = 0, row_bytes = 0;
  const char* residual = nullptr;  // of row 0 and the group's column 0; or null; may be dst
  int64_t ldr = 0;                 // elements
  char* dst = nullptr;
  int64_t ldd = 0;
  int32_t* acc = nullptr;          // int8_acc_bytes
  uint8_t* packed_rows = nullptr;  // int8_packed_bytes
};

void run_int8_block(const Int8Block& block, int64_t panel_begin, int64_t panel_end);

// Scratch for the copies of a block's rows that kernels of tiles and words need.
int64_t int8_packed_bytes(const Int8Weights& weights, int64_t num_rows);

// Tile kernels have two blocks of rows at work.
inline int64_t int8_acc_bytes(const Int8Table& table) {
  const int64_t rows = table.kind == Int8Kind::kTiles ? 2 * kInt8TileRows : kInt8FinishRows;
  return rows * table.panel_vecs * table.lanes * int64_t{sizeof(int32_t)};
}

}  // namespace graft::cpu
