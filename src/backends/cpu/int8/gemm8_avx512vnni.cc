// AVX-512 VNNI: dot tiles of 6x64.
#define GRAFT_ISA_AVX512

#include <immintrin.h>

#include "backends/cpu/int8/dot_tile.h"
#include "backends/cpu/int8/rows_finished.h"
#include "backends/cpu/int8/strips.h"

namespace graft::cpu {
inline namespace isa_avx512vnni {

#define GRAFT_INT8_INLINE static inline __attribute__((always_inline))
struct DotOps {
  using Vec = __m512i;
  static constexpr int kLanes = 16, kPanelVecs = 4;
  static constexpr int max_rows(int vecs) { return vecs <= 2 ? 12 : vecs == 3 ? 8 : 6; }

  GRAFT_INT8_INLINE Vec load(const void* p) { return _mm512_loadu_si512(p); }
  GRAFT_INT8_INLINE void store(void* p, Vec v) { _mm512_storeu_si512(p, v); }
  GRAFT_INT8_INLINE Vec broadcast(const uint8_t* p) {
    int32_t four;
    __builtin_memcpy(&four, p, sizeof(four));
    return _mm512_set1_epi32(four);
  }
  GRAFT_INT8_INLINE Vec flip(Vec v) { return _mm512_xor_si512(v, _mm512_set1_epi8(-128)); }
  // Assembly, because the compiler otherwise copies accumulators.
  GRAFT_INT8_INLINE void dot(Vec& acc, Vec u, Vec s) {
    asm("vpdpbusd %2, %1, %0" : "+v"(acc) : "v"(u), "v"(s));
  }
};
#undef GRAFT_INT8_INLINE

static constexpr Int8Table make_table() {
  Int8Table table = strips_table<DotOps, DotTile>("avx512_vnni", Int8Kind::kDot, 24 * 1024);
  table.product = &FinishedRows<DotOps, DotTile>::product;
  table.product_with_sign = table.product_any_width = true;
  return table;
}
static constexpr Int8Table kInt8Table = make_table();

const Int8Table* int8_table() { return &kInt8Table; }

}  // namespace isa_avx512vnni
}  // namespace graft::cpu
