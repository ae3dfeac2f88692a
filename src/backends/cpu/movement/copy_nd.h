// Strided copies between two buffers: what transpose, slice, tile, broadcast and depth-to-space
// are.
//
// Elements of 1, 2, 4 or 8 bytes of any alignment; source strides may be 0 or negative. The outer
// loops are ordered so that both sides are read and written in runs where that is possible.
#pragma once

#include <cstdint>

#include "backends/cpu/common/loop_nest.h"

namespace graft::cpu {

struct CopyNd {
  LoopNest nest{2};  // operand 0: destination, 1: source
  int64_t src_offset = 0;

  // Dims were added to `nest`, outermost first: merges and orders them.
  void finish();
};

void run_copy(const CopyNd& copy, int64_t elem_bytes, const void* src, void* dst);

// n bytes; small sizes without a call.
inline void copy_bytes(std::byte* dst, const std::byte* src, int64_t n) {
  switch (n) {
    case 0:
      return;
    case 4:
      __builtin_memcpy(dst, src, 4);
      return;
    case 8:
      __builtin_memcpy(dst, src, 8);
      return;
    case 16:
      __builtin_memcpy(dst, src, 16);
      return;
    default:
      __builtin_memcpy(dst, src, static_cast<size_t>(n));
  }
}

// n elements of value.
void fill_elems(std::byte* dst, const void* value, int64_t elem_bytes, int64_t n);

}  // namespace graft::cpu
