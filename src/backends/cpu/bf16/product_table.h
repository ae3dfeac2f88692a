// The functions that one ISA level gives to the BF16 drivers, as plain C types.
//
// BF16: 8 bits of mantissa. Products of two of them are exact in float32, in which they are summed;
// both operands are float32 outside, rounded to nearest even. Subnormal numbers may count as zero.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "backends/cpu/gemm/epilogue.h"
#include "backends/cpu/tiles/tile_gemm.h"

namespace graft::cpu {

constexpr int kBf16StepTerms = 2;
constexpr int kBf16TileTerms = kTileSteps * kBf16StepTerms;

struct Bf16Table {
  const char* name;
  int row_multiple;  // rows that are read at once
  // float32 acc; rows and b of bfloat16, a step being two neighbouring terms.
  void (*accumulate)(const TileProductArgs*);
  void (*narrow)(const float* src, ptrdiff_t n, uint16_t* dst);
  // Around the calls of a thread; null: nothing to set up.
  void (*begin)();
  void (*end)();
};

// act(acc + residual) -> dst.
struct Bf16FinishArgs {
  const float* acc;
  ptrdiff_t acc_ld;
  ptrdiff_t rows, columns;
  const float* residual;  // or null; may be dst
  ptrdiff_t ldr;
  float* dst;
  ptrdiff_t ldd;
  const Epilogue* epilogue;
};
struct Bf16Finish {
  void (*finish)(const Bf16FinishArgs*);
};

inline namespace isa_baseline {
const Bf16Finish* bf16_finish();
}
inline namespace isa_avx512 {
const Bf16Finish* bf16_finish();
}
inline namespace isa_avx512bf16 {
const Bf16Table* bf16_table();
}
inline namespace isa_amx {
// Without narrow, which AVX-512 BF16 has.
const Bf16Table* bf16_table();
}  // namespace isa_amx

}  // namespace graft::cpu
