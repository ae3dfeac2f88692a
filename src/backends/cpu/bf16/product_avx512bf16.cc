// AVX-512 BF16.
#include <immintrin.h>

#include "backends/cpu/bf16/dot_strips.h"

namespace graft::cpu {
inline namespace isa_avx512bf16 {

#define GRAFT_BF16_INLINE static inline __attribute__((always_inline))
struct Bf16Ops {
  using Vec = __m512;
  GRAFT_BF16_INLINE Vec load(const void* p) { return _mm512_loadu_ps(p); }
  GRAFT_BF16_INLINE void store(void* p, Vec v) { _mm512_storeu_ps(p, v); }
  GRAFT_BF16_INLINE Vec broadcast(const void* p) {
    float two;
    __builtin_memcpy(&two, p, sizeof(two));
    return _mm512_set1_ps(two);
  }
  // Assembly, because the compiler otherwise copies accumulators.
  GRAFT_BF16_INLINE void dot(Vec& acc, Vec x, Vec w) {
    asm("vdpbf16ps %2, %1, %0" : "+v"(acc) : "v"(x), "v"(w));
  }
};
#undef GRAFT_BF16_INLINE

static void narrow(const float* src, ptrdiff_t n, uint16_t* dst) {
  ptrdiff_t i = 0;
  for (; i + 16 <= n; i += 16) {
    __m256i half;
    asm("vcvtneps2bf16 %1, %0" : "=v"(half) : "v"(_mm512_loadu_ps(src + i)));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(dst + i), half);
  }
  if (i == n) return;
  const auto mask = static_cast<__mmask16>((1u << (n - i)) - 1u);
  __m256i half;
  asm("vcvtneps2bf16 %1, %0" : "=v"(half) : "v"(_mm512_maskz_loadu_ps(mask, src + i)));
  _mm256_mask_storeu_epi16(dst + i, mask, half);
}

static constexpr Bf16Table kBf16Table = {"avx512_bf16", 1,       &Bf16Strips<Bf16Ops>::accumulate,
                                         &narrow,       nullptr, nullptr};

const Bf16Table* bf16_table() { return &kBf16Table; }

}  // namespace isa_avx512bf16
}  // namespace graft::cpu
