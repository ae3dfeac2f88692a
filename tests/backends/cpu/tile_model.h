// Scalar model of the tile registers of AMX, without their products.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

// Not inlined: the templates unroll, which would take the compiler minutes.
#define GRAFT_MODEL __attribute__((noinline)) static

namespace graft::cpu::testing {

struct TileModel {
  struct Tile {
    int8_t b[16][64];
    int32_t word(int i, int j) const {
      int32_t v;
      std::memcpy(&v, b[i] + 4 * j, 4);
      return v;
    }
  };
  static inline thread_local Tile tiles[8];

  template <int kTile>
  GRAFT_MODEL void load(const void* p, ptrdiff_t stride_bytes) {
    for (int i = 0; i < 16; ++i)
      std::memcpy(tiles[kTile].b[i], static_cast<const char*>(p) + i * stride_bytes, 64);
  }
  template <int kTile>
  GRAFT_MODEL void store(void* p, ptrdiff_t stride_bytes) {
    for (int i = 0; i < 16; ++i)
      std::memcpy(static_cast<char*>(p) + i * stride_bytes, tiles[kTile].b[i], 64);
  }
};

}  // namespace graft::cpu::testing
