// The bits of a Vec's lanes as integers, for every ISA level: arithmetic of the compiler's vector
// types, so that exponents and signs are taken apart the same way everywhere.
#pragma once

#include "backends/cpu/isa/vec.h"

namespace graft::cpu {
inline namespace GRAFT_ISA_NAMESPACE {

typedef int32_t Bits __attribute__((vector_size(sizeof(Vec))));

GRAFT_INLINE Bits vbits(Vec x) { return (Bits)x; }
GRAFT_INLINE Vec vof_bits(Bits x) { return (Vec)x; }
GRAFT_INLINE Vec vfloat_of(Bits x) { return (Vec) __builtin_convertvector(x, Vec); }
// Lanes of `yes` where those of `mask` are -1, of `no` where they are 0.
GRAFT_INLINE Vec vblend(Bits mask, Vec yes, Vec no) {
  return vof_bits((mask & vbits(yes)) | (~mask & vbits(no)));
}

// Whether the mask of any lane is set.
GRAFT_INLINE bool vany(Mask mask) {
#if defined(GRAFT_ISA_AVX512)
  return mask != 0;
#elif defined(GRAFT_ISA_AVX2)
  return _mm256_movemask_ps(mask) != 0;
#else
  return _mm_movemask_ps(mask) != 0;
#endif
}

// The highest power first.
template <int kTerms>
GRAFT_INLINE Vec vpolynomial(const float (&coefficients)[kTerms], Vec t) {
  Vec y = vset(coefficients[0]);
  for (int i = 1; i < kTerms; ++i) y = vfma(y, t, vset(coefficients[i]));
  return y;
}

}  // namespace GRAFT_ISA_NAMESPACE
}  // namespace graft::cpu
