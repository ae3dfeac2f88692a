// AVX2 level: deep tiles of 3x16; for signed src tiles of 6x16 over int16.
#define GRAFT_ISA_AVX2

#include "backends/cpu/int8/deep_tile.h"
#include "backends/cpu/int8/dot_tile.h"
#include "backends/cpu/int8/finish.h"
#include "backends/cpu/int8/ops_avx2.h"
#include "backends/cpu/int8/pitched_tile.h"
#include "backends/cpu/int8/strips.h"
#include "backends/cpu/int8/strips_finished.h"

namespace graft::cpu {
inline namespace isa_avx2 {

// With a sign, bytes take a second instruction on the multipliers' ports (vpsignb) and short sums:
// products of int16 are as fast, exact at any depth, and leave registers for twice the rows.
struct WordOps {
  using Vec = __m256i;
  static constexpr int kLanes = 8, kPanelVecs = 2;
  static constexpr int max_rows(int vecs) { return vecs == 1 ? 10 : 6; }

  GRAFT_INLINE Vec load(const void* p) { return DeepOps::load(p); }
  GRAFT_INLINE void store(void* p, Vec v) { DeepOps::store(p, v); }
  GRAFT_INLINE Vec broadcast(const uint8_t* p) { return DeepOps::broadcast(p); }
  GRAFT_INLINE Vec flip(Vec v) { return v; }  // signed already
  // The addition in assembly, because the compiler otherwise reassociates the sums.
  GRAFT_INLINE void dot(Vec& acc, Vec x, Vec w) {
    const Vec products = _mm256_madd_epi16(x, w);
    asm("vpaddd %1, %0, %0" : "+x"(acc) : "x"(products));
  }
};

static void widen(const uint8_t* src, ptrdiff_t n, int16_t* dst) {
  const auto move = [&](ptrdiff_t i) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(src + i));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(dst + i), _mm256_cvtepi8_epi16(bytes));
  };
  ptrdiff_t i = 0;
  for (; i + 16 <= n; i += 16) move(i);
  if (i == n) return;
  if (n >= 16) return move(n - 16);
  for (; i < n; ++i) dst[i] = static_cast<int8_t>(src[i]);
}

// Constant initialisation: nothing compiled for this ISA may run before the ISA is known to exist.
static constexpr Int8Table deep_table() {
  Int8Table table = strips_table<DeepOps, DeepTile>("avx2", Int8Kind::kDeep, 16 * 1024);
  table.product = &FinishedStrips<DeepOps, DeepTile, false>::product;
  return table;
}
static constexpr Int8Table kInt8Table = deep_table();
static void words_product(const Int8AccArgs* acc, const Int8FinishArgs* finish) {
  if (acc->row_pitch > 0) return FinishedStrips<WordOps, PitchedTile, false>::product(acc, finish);
  FinishedStrips<WordOps, DotTile, false>::product(acc, finish);
}
static constexpr Int8Table words_table() {
  Int8Table table = strips_table<WordOps, DotTile>("avx2_words", Int8Kind::kWords, 16 * 1024);
  table.product = &words_product;
  table.product_with_sign = true;
  table.widen = &widen;
  return table;
}
static constexpr Int8Table kInt8WordsTable = words_table();
static constexpr Int8Finish kInt8Finish = {&finish_quantized, &finish_float};

const Int8Table* int8_table() { return &kInt8Table; }
const Int8Table* int8_words_table() { return &kInt8WordsTable; }
const Int8Finish* int8_finish() { return &kInt8Finish; }

}  // namespace isa_avx2
}  // namespace graft::cpu
