// Which constants of a network are stored in half.
#pragma once

#include <string>
#include <vector>

#include "engine/plan/plan.h"

namespace graft::engine {

struct Storage {
  std::vector<bool> half;       // per value
  std::vector<Storage> bodies;  // of all ops, in order
  std::vector<std::string>
      warnings;  // layers whose weights stay in float32 although FP16 was asked, and why
};

// kFp16: float32 constants of at least 64 elements (not splat) that are used as weights of conv,
// matmul or gather only, and that half can hold. kFp32: none.
Storage choose_storage(const ir::Network& network, Precision precision);

// dst[i] = half(src[i]), rounded to nearest even; both maybe unaligned.
void narrow_to_half(std::span<const std::byte> src, std::byte* dst);

}  // namespace graft::engine
