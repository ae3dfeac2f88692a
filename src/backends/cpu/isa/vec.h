// One vector type over the instruction set of this translation unit.
//
// Use: an ISA-named source file defines exactly one of GRAFT_ISA_BASELINE, GRAFT_ISA_AVX2 and
// GRAFT_ISA_AVX512 before its first include, is compiled with that ISA's flags, and includes only C
// headers and headers like this one, whose functions live in the inline namespace named by
// GRAFT_ISA_NAMESPACE. So no two ISA levels can ever share an inline function.
//
// Contract of the wrapper: `Vec` holds kLanes floats; `Mask` is the result of a comparison. Loads
// and stores take any alignment; load_n and store_n touch exactly the first n (0 <= n <= kLanes)
// floats, lanes past n read as 0. max(a, b) and min(a, b) return b where either is NaN, so
// clamp(lo, x) as max(lo, x) keeps a NaN in x.
#pragma once

#include <stddef.h>
#include <stdint.h>

#if defined(GRAFT_ISA_AVX512)
#define GRAFT_ISA_NAMESPACE isa_avx512
#include "backends/cpu/isa/vec_avx512.h"
#elif defined(GRAFT_ISA_AVX2)
#define GRAFT_ISA_NAMESPACE isa_avx2
#include "backends/cpu/isa/vec_avx2.h"
#elif defined(GRAFT_ISA_BASELINE)
#define GRAFT_ISA_NAMESPACE isa_baseline
#include "backends/cpu/isa/vec_sse2.h"
#else
#error "define GRAFT_ISA_BASELINE, GRAFT_ISA_AVX2 or GRAFT_ISA_AVX512 before including vec.h"
#endif
