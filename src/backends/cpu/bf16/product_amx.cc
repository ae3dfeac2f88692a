// AMX-BF16.
#include "backends/cpu/bf16/product_table.h"
#include "backends/cpu/tiles/amx_tiles.h"

namespace graft::cpu {
inline namespace isa_amx {

struct Bf16Tiles : AmxTiles {
  template <int kC, int kA, int kB>
  static inline __attribute__((always_inline)) void dot() {
    asm volatile("tdpbf16ps %%tmm%c2, %%tmm%c1, %%tmm%c0" ::"i"(kC), "i"(kA), "i"(kB));
  }
};

static constexpr Bf16Table kBf16Table = {"amx",   kTileRows,    &TileGemm<Bf16Tiles>::run,
                                         nullptr, &begin_tiles, &end_tiles};

const Bf16Table* bf16_table() { return &kBf16Table; }

}  // namespace isa_amx
}  // namespace graft::cpu
