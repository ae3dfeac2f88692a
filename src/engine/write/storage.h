// Which constants of a network are stored in half or bfloat16.
#pragma once

#include <string>
#include <vector>

#include "engine/plan/plan.h"

namespace graft::engine {

struct Storage {
  DType narrow = DType::kInvalid;  // what they are stored in
  std::vector<bool> is_narrow;     // per value
  std::vector<Storage> bodies;     // of all ops, in order
  std::vector<std::string>
      warnings;  // layers whose weights stay in float32 although FP16 or BF16 was asked, and why
};

// kFp16 and kBf16: float32 constants of at least 64 elements (not splat) that are used as weights
// of conv, matmul or gather only, and that the narrow dtype can hold. Others: none.
Storage choose_storage(const ir::Network& network, Precision precision);

// dst[i] = src[i] in half or bfloat16, rounded to nearest even; both maybe unaligned.
void narrow_to(DType stored, std::span<const std::byte> src, std::byte* dst);

}  // namespace graft::engine
