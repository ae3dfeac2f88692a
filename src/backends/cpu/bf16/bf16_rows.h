// Rows of bfloat16 times packed weights: panel by panel, a block of rows at a time, whose sums stay
// in the first-level cache until they are finished.
//
// Bits: an element is one chain over its taps and terms, so no split of the work changes it.
#pragma once

#include <cstdint>

#include "backends/cpu/bf16/bf16_weights.h"

namespace graft::cpu {

struct Bf16Rows {
  const void* first = nullptr;
  int64_t row_bytes = 0;            // from a row to the next
  const ptrdiff_t* taps = nullptr;  // null: one, at the row itself
  int64_t lines = 0;                // of output
  int64_t pitch = 0, columns = 0;   // rows from a line to the next, and how many of them count
};

struct Bf16Dst {
  const float* residual = nullptr;  // of row 0, column 0; or null; may be dst
  int64_t ldr = 0;
  float* dst = nullptr;
  int64_t ldd = 0;
  const Epilogue* epilogue = nullptr;
};

// Bytes of `acc`: two blocks of rows are at work.
constexpr int64_t kBf16BlockRows = 32;
constexpr int64_t kBf16AccBytes =
    2 * kBf16BlockRows * 2 * kTileColumns * static_cast<int64_t>(sizeof(float));

void run_bf16_rows(const Bf16Weights& weights, const Bf16Rows& rows, const Bf16Dst& dst, float* acc,
                   int64_t panel_begin, int64_t panel_end);

}  // namespace graft::cpu
