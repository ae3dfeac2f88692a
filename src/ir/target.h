// Target: what a device can do; plain data that lower and the kernel lists read.
#pragma once

#include <cstdint>
#include <string>

namespace graft::ir {

// Each level contains those before it.
enum class Isa : int { kBaseline = 0, kAvx2 = 1, kAvx512 = 2, kAvx512Vnni = 3, kAmx = 4 };

struct Target {
  Isa isa = Isa::kBaseline;
  bool avx512_bf16 = false;
  bool fast_bf16_dot = false;  // its products take half the time of float32's, without tiles too
  bool avx_vnni = false;       // the 256-bit form, on processors without AVX-512 too
  int64_t l1d_bytes = 32 << 10, l2_bytes = 512 << 10, l3_bytes = 16 << 20;
  bool operator==(const Target&) const = default;
};

}  // namespace graft::ir
