// The tile registers of AMX. For *_amx.cc only.
#pragma once

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

namespace graft::cpu {
inline namespace isa_amx {

// Assembly: the intrinsics take literal tile numbers only.
#define GRAFT_TILE_INLINE static inline __attribute__((always_inline))
struct AmxTiles {
  template <int kTile>
  GRAFT_TILE_INLINE void load(const void* p, ptrdiff_t stride_bytes) {
    asm volatile("tileloadd (%0,%1,1), %%tmm%c2" ::"r"(p), "r"(stride_bytes), "i"(kTile)
                 : "memory");
  }
  template <int kTile>
  GRAFT_TILE_INLINE void store(void* p, ptrdiff_t stride_bytes) {
    asm volatile("tilestored %%tmm%c2, (%0,%1,1)" ::"r"(p), "r"(stride_bytes), "i"(kTile)
                 : "memory");
  }
};

static void begin_tiles() {
  // Palette 1: eight tiles of 16 rows of 64 bytes.
  struct alignas(64) {
    uint8_t palette = 1, start_row = 0, reserved[14] = {};
    uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
    uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
  } config;
  _tile_loadconfig(&config);
}
static void end_tiles() { _tile_release(); }

}  // namespace isa_amx
}  // namespace graft::cpu
