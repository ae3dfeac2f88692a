// The packed weights of a convolution or matrix product in bfloat16: panels of 32 columns, each
// [taps][tap_steps][columns of the panel][2]. Packed once, for the instruction set.
#pragma once

#include <cstdint>
#include <vector>

#include "backends/cpu/bf16/product_table.h"
#include "backends/cpu/gemm/panels.h"
#include "base/alloc.h"
#include "ir/target.h"

namespace graft::cpu {

// Element (tap, k, column) is b[(tap * tap_k + k) * row_step + column * column_step].
struct Bf16Matrix {
  const float* b = nullptr;
  int64_t taps = 1, tap_k = 0;
  int64_t n = 0;
  int64_t row_step = 0, column_step = 1;
};

struct Bf16Isa {
  const Bf16Table* table = nullptr;  // null: float32 is as fast
  void (*narrow)(const float* src, ptrdiff_t n, uint16_t* dst) = nullptr;
  void (*finish)(const Bf16FinishArgs*) = nullptr;
};
// For products of k terms and n columns, where it gains anything: not tiles that are hardly filled,
// nor vectors that take as long as those of float32.
Bf16Isa bf16_isa_of(const ir::Target& target, int64_t k, int64_t n);

struct Bf16Weights {
  Bf16Isa isa;
  Panels panels;
  int64_t taps = 1, tap_k = 0;
  int64_t tap_steps = 0;  // whole tiles, zeros past tap_k
  Buffer packed;
  std::vector<float> bias;  // [padded columns]

  // bias: [n] or null. ResourceExhausted if memory is short.
  static Result<Bf16Weights> pack(const Bf16Isa& isa, const Bf16Matrix& matrix, const float* bias);

  int64_t tap_bytes() const { return tap_steps * kTileStepBytes; }
  int64_t row_bytes() const { return taps * tap_bytes(); }
  const uint16_t* panel(int64_t p) const {
    return packed.as<uint16_t>() + panels.first_column(p) * taps * tap_steps * kBf16StepTerms;
  }
  size_t bytes() const { return packed.size() + bias.size() * sizeof(float); }
};

}  // namespace graft::cpu
