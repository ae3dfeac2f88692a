// Elementwise float32 functions that one ISA level gives, as plain C types.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "backends/cpu/gemm/epilogue.h"

namespace graft::cpu {

enum class UnaryOp : int {
  kNeg,
  kAbs,
  kExp,
  kSqrt,
  kRsqrt,
  kSquare,
  kReciprocal,
  kErf,
  kErfc,
  kSoftsign,
  kFloor,
  kCeil,
  kRint,
  kSign,
  kExpm1,
  kLog,
  kLog1p,
  kRoundAway,
  kBesselI0,
  kBesselI0e,
  kBesselI1,
  kBesselI1e,
  kSin,
  kCos,
  kTan,
  kAsin,
  kAcos,
  kAtan,
  kSinh,
  kCosh,
  kAsinh,
  kAcosh,
  kAtanh,
  // Activations, with the parameters of an Epilogue.
  kClamp,
  kLeakyRelu,
  kSigmoid,
  kSwish,
  kTanh,
  kGeluErf,
  kGeluTanh,
  kHardSwish,
  kHardSigmoid,
  kElu,
  kSelu,
  kSoftplus,
  kCount
};

enum class BinaryOp : int {
  kAdd,
  kSub,
  kMul,
  kDiv,
  kDivNoNan,
  kFloorDiv,
  kMax,
  kMin,
  kPow,
  kSquaredDifference,
  kCount
};

// Which operands of a row advance: both, only a, only b.
enum class BinaryMode : int { kVectorVector, kVectorScalar, kScalarVector, kCount };

// dst[i] = op(src[i]); dst may be src.
struct UnaryArgs {
  float* dst;
  const float* src;
  ptrdiff_t n;
  const Epilogue* epilogue;
};

// `rows` rows of n elements: dst[r, i] = op(a[r, i or 0], b[r, i or 0]); steps between rows. dst
// may be a or b where that operand has dst's layout.
struct BinaryArgs {
  float* dst;
  const float* a;
  const float* b;
  ptrdiff_t rows, n;
  ptrdiff_t dst_step, a_step, b_step;
};

// dst[r, i] = act(src[r, i] * scale[i] + shift[i]) over dense rows of n elements; dst may be src.
struct AffineArgs {
  float* dst;
  const float* src;
  const float* scale;
  const float* shift;
  ptrdiff_t rows, n;
  const Epilogue* epilogue;
};

struct PointwiseTable {
  void (*unary[static_cast<int>(UnaryOp::kCount)])(const UnaryArgs*);
  void (*binary[static_cast<int>(BinaryOp::kCount)][static_cast<int>(BinaryMode::kCount)])(
      const BinaryArgs*);
  void (*affine)(const AffineArgs*);
  // IEEE binary16; null where the level has no instruction for it.
  void (*to_half)(const float* src, uint16_t* dst, ptrdiff_t n);
  void (*from_half)(const uint16_t* src, float* dst, ptrdiff_t n);
};

inline namespace isa_baseline {
const PointwiseTable* pointwise_table();
}
inline namespace isa_avx2 {
const PointwiseTable* pointwise_table();
}
inline namespace isa_avx512 {
const PointwiseTable* pointwise_table();
}

}  // namespace graft::cpu
