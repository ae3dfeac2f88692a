// AVX-VNNI (256 bits): dot tiles of 6x16.
#define GRAFT_ISA_AVX2

#include <immintrin.h>

#include "backends/cpu/int8/dot_tile.h"
#include "backends/cpu/int8/strips.h"
#include "backends/cpu/int8/strips_finished.h"

namespace graft::cpu {
inline namespace isa_avxvnni {

#define GRAFT_INT8_INLINE static inline __attribute__((always_inline))
struct DotOps {
  using Vec = __m256i;
  static constexpr int kLanes = 8, kPanelVecs = 2;
  static constexpr int max_rows(int vecs) { return vecs == 1 ? 10 : 6; }

  GRAFT_INT8_INLINE Vec load(const void* p) {
    return _mm256_loadu_si256(static_cast<const __m256i*>(p));
  }
  GRAFT_INT8_INLINE void store(void* p, Vec v) { _mm256_storeu_si256(static_cast<__m256i*>(p), v); }
  GRAFT_INT8_INLINE Vec broadcast(const uint8_t* p) {
    int32_t four;
    __builtin_memcpy(&four, p, sizeof(four));
    return _mm256_set1_epi32(four);
  }
  GRAFT_INT8_INLINE Vec flip(Vec v) { return _mm256_xor_si256(v, _mm256_set1_epi8(-128)); }
  // Assembly, because the compiler otherwise copies accumulators.
  GRAFT_INT8_INLINE void dot(Vec& acc, Vec u, Vec s) {
    asm("%{vex%} vpdpbusd %2, %1, %0" : "+x"(acc) : "x"(u), "x"(s));
  }
};
#undef GRAFT_INT8_INLINE

static void product(const Int8AccArgs* acc, const Int8FinishArgs* finish) {
  if (acc->has_sign) return FinishedStrips<DotOps, DotTile, true>::product(acc, finish);
  FinishedStrips<DotOps, DotTile, false>::product(acc, finish);
}

static constexpr Int8Table make_table() {
  Int8Table table = strips_table<DotOps, DotTile>("avx_vnni", Int8Kind::kDot, 16 * 1024);
  table.product = &product;
  table.product_with_sign = true;
  return table;
}
static constexpr Int8Table kInt8Table = make_table();

const Int8Table* int8_table() { return &kInt8Table; }

}  // namespace isa_avxvnni
}  // namespace graft::cpu
