// Elementwise functions of two operands, and scale-and-shift.
//
// NaN: max and min give NaN where either operand is NaN. x / 0 of div_no_nan is 0 for every x.
#pragma once

#include "backends/cpu/isa/activation.h"
#include "backends/cpu/pointwise/pointwise_table.h"
#include "backends/cpu/pointwise/pow_vec.h"

namespace graft::cpu {
inline namespace GRAFT_ISA_NAMESPACE {

template <BinaryOp kOp>
GRAFT_INLINE Vec binary_one(Vec a, Vec b) {
  if constexpr (kOp == BinaryOp::kAdd) {
    return vadd(a, b);
  } else if constexpr (kOp == BinaryOp::kSub) {
    return vsub(a, b);
  } else if constexpr (kOp == BinaryOp::kMul) {
    return vmul(a, b);
  } else if constexpr (kOp == BinaryOp::kDiv) {
    return vdiv(a, b);
  } else if constexpr (kOp == BinaryOp::kDivNoNan) {
    const Vec q = vselect(vis_nan(b), b, vzero());
    return vselect(vless(vzero(), vabs(b)), vdiv(a, b), q);
  } else if constexpr (kOp == BinaryOp::kFloorDiv) {
    return vfloor(vdiv(a, b));
  } else if constexpr (kOp == BinaryOp::kMax) {
    return vselect(vis_nan(a), a, vmax(a, b));
  } else if constexpr (kOp == BinaryOp::kMin) {
    return vselect(vis_nan(a), a, vmin(a, b));
  } else if constexpr (kOp == BinaryOp::kPow) {
    return vpow(a, b);
  } else {
    const Vec d = vsub(a, b);
    return vmul(d, d);
  }
}

template <BinaryOp kOp, BinaryMode kMode>
static void binary_rows(const BinaryArgs* args) {
  const ptrdiff_t n = args->n;
  float* dst = args->dst;
  const float* a = args->a;
  const float* b = args->b;
  constexpr bool kVectorA = kMode != BinaryMode::kScalarVector;
  constexpr bool kVectorB = kMode != BinaryMode::kVectorScalar;
  for (ptrdiff_t r = 0; r < args->rows; ++r) {
    Vec va = vzero(), vb = vzero();
    if constexpr (!kVectorA) va = vbroadcast(a);
    if constexpr (!kVectorB) vb = vbroadcast(b);
    ptrdiff_t i = 0;
    for (; i + 2 * kLanes <= n; i += 2 * kLanes) {
      Vec a2 = va, b2 = vb;
      if constexpr (kVectorA) va = vload(a + i), a2 = vload(a + i + kLanes);
      if constexpr (kVectorB) vb = vload(b + i), b2 = vload(b + i + kLanes);
      const Vec first = binary_one<kOp>(va, vb);
      const Vec second = binary_one<kOp>(a2, b2);
      vstore(dst + i, first);
      vstore(dst + i + kLanes, second);
    }
    if (i + kLanes <= n) {
      if constexpr (kVectorA) va = vload(a + i);
      if constexpr (kVectorB) vb = vload(b + i);
      vstore(dst + i, binary_one<kOp>(va, vb));
      i += kLanes;
    }
    if (i < n) {
      const int m = static_cast<int>(n - i);
      if constexpr (kVectorA) va = vload_n(a + i, m);
      if constexpr (kVectorB) vb = vload_n(b + i, m);
      vstore_n(dst + i, binary_one<kOp>(va, vb), m);
    }
    dst += args->dst_step;
    a += args->a_step;
    b += args->b_step;
  }
}

static void affine_rows(const AffineArgs* args) {
  const Epilogue e = *args->epilogue;
  const bool clamp = e.act == Act::kClamp;
  const Vec lo = vset(clamp ? e.lo : -__builtin_inff());
  const Vec hi = vset(clamp ? e.hi : __builtin_inff());
  const float* src = args->src;
  float* dst = args->dst;
  for (ptrdiff_t r = 0; r < args->rows; ++r, src += args->n, dst += args->n) {
    ptrdiff_t i = 0;
    for (; i + kLanes <= args->n; i += kLanes) {
      const Vec x = vfma(vload(src + i), vload(args->scale + i), vload(args->shift + i));
      vstore(dst + i, vmin(hi, vmax(lo, x)));
    }
    if (i < args->n) {
      const int m = static_cast<int>(args->n - i);
      const Vec x =
          vfma(vload_n(src + i, m), vload_n(args->scale + i, m), vload_n(args->shift + i, m));
      vstore_n(dst + i, vmin(hi, vmax(lo, x)), m);
    }
    if (!clamp) apply_act(e, dst, 1, args->n, args->n);
  }
}

template <int kOp>
constexpr void fill_binary(PointwiseTable& table) {
  constexpr auto op = static_cast<BinaryOp>(kOp);
  table.binary[kOp][0] = &binary_rows<op, BinaryMode::kVectorVector>;
  table.binary[kOp][1] = &binary_rows<op, BinaryMode::kVectorScalar>;
  table.binary[kOp][2] = &binary_rows<op, BinaryMode::kScalarVector>;
  if constexpr (kOp > 0) fill_binary<kOp - 1>(table);
}

}  // namespace GRAFT_ISA_NAMESPACE
}  // namespace graft::cpu
