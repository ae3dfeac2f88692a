// AMX-INT8.
#include "backends/cpu/int8/tile_accumulate.h"
#include "backends/cpu/tiles/amx_tiles.h"

namespace graft::cpu {
inline namespace isa_amx {

// c += a b, b signed.
template <bool kSigned>
struct ByteTiles : AmxTiles {
  template <int kC, int kA, int kB>
  static inline __attribute__((always_inline)) void dot() {
    if constexpr (kSigned) {
      asm volatile("tdpbssd %%tmm%c2, %%tmm%c1, %%tmm%c0" ::"i"(kC), "i"(kA), "i"(kB));
    } else {
      asm volatile("tdpbusd %%tmm%c2, %%tmm%c1, %%tmm%c0" ::"i"(kC), "i"(kA), "i"(kB));
    }
  }
};

static constexpr Int8Table kInt8Table = {
    "amx",        Int8Kind::kTiles, 16, 2, 16, 0, &Int8Tiles<ByteTiles>::accumulate,
    &begin_tiles, &end_tiles};

const Int8Table* int8_table() { return &kInt8Table; }

}  // namespace isa_amx
}  // namespace graft::cpu
