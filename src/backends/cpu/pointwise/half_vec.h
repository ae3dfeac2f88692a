// float32 to IEEE binary16 and back, eight at a time, where the level has the instruction.
#pragma once

#include "backends/cpu/isa/vec.h"

namespace graft::cpu {
inline namespace GRAFT_ISA_NAMESPACE {

#if !defined(GRAFT_ISA_BASELINE)
static void to_half(const float* src, uint16_t* dst, ptrdiff_t n) {
  constexpr int kNearestEven = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC;
  ptrdiff_t i = 0;
  for (; i + 8 <= n; i += 8) {
    const __m128i y = _mm256_cvtps_ph(_mm256_loadu_ps(src + i), kNearestEven);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(dst + i), y);
  }
  if (i == n) return;
  float rest[8] = {};
  uint16_t halves[8];
  for (ptrdiff_t j = i; j < n; ++j) rest[j - i] = src[j];
  const __m128i y = _mm256_cvtps_ph(_mm256_loadu_ps(rest), kNearestEven);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(halves), y);
  for (ptrdiff_t j = i; j < n; ++j) dst[j] = halves[j - i];
}

static void from_half(const uint16_t* src, float* dst, ptrdiff_t n) {
  ptrdiff_t i = 0;
  for (; i + 8 <= n; i += 8) {
    const __m128i x = _mm_loadu_si128(reinterpret_cast<const __m128i*>(src + i));
    _mm256_storeu_ps(dst + i, _mm256_cvtph_ps(x));
  }
  if (i == n) return;
  uint16_t halves[8] = {};
  float rest[8];
  for (ptrdiff_t j = i; j < n; ++j) halves[j - i] = src[j];
  const __m128i x = _mm_loadu_si128(reinterpret_cast<const __m128i*>(halves));
  _mm256_storeu_ps(rest, _mm256_cvtph_ps(x));
  for (ptrdiff_t j = i; j < n; ++j) dst[j] = rest[j - i];
}
#endif

}  // namespace GRAFT_ISA_NAMESPACE
}  // namespace graft::cpu
