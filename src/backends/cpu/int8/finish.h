// From int32 accumulators to dst, in the steps that ir/quantized.h fixes: each rounded once, so the
// files that include this are compiled without contraction of multiply and add.
#pragma once

#include "backends/cpu/int8/block.h"
#include "backends/cpu/int8/bytes.h"
#include "backends/cpu/int8/gemm_table.h"
#include "backends/cpu/isa/activation.h"

namespace graft::cpu {
inline namespace GRAFT_ISA_NAMESPACE {

enum class Residual { kNone, kInt8, kUint8 };

// Stores the integers nearest to values in units of dst, within the bounds: half to even is
// monotonic, so that bounds may be rounded first and be compared as bytes. `hi` is compared before,
// because above int32 a conversion gives its lowest number, as it does below and for a NaN, which
// thus becomes lo.
template <Residual kResidual>
struct QuantizedRows {
  Vec lo, hi, residual_scale;
  Bytes lo_bytes;

  GRAFT_INLINE Vec value(const QuantizedRows& c, const int32_t* acc, const float* m,
                         const void* residual) {
    Vec v = vmul(ints_to_float(acc), vload(m));
    if constexpr (kResidual != Residual::kNone) {
      v = vadd(v, vmul(bytes_to_float<kResidual == Residual::kInt8>(residual), c.residual_scale));
    }
    return vmin(c.hi, v);
  }
  GRAFT_INLINE void two(const QuantizedRows& c, const int32_t* acc, const float* m,
                        const char* residual, IntVec* q) {
    q[0] = vto_int(value(c, acc, m, residual));
    q[1] = vto_int(value(c, acc + kLanes, m + kLanes, residual + kLanes));
  }
  // In pack order.
  GRAFT_INLINE Bytes bytes(const QuantizedRows& c, const IntVec (&q)[4]) {
    return bytes_max(pack_ints(q), c.lo_bytes);
  }
  // The columns from j on that do not fill two vectors.
  GRAFT_INLINE void rest(const QuantizedRows& c, const Int8FinishArgs& t, const int32_t* acc,
                         const char* residual, char* dst, ptrdiff_t j) {
    for (; j < t.columns; j += kLanes) {
      const ptrdiff_t n = t.columns - j;
      if (n >= kLanes) {
        store_rounded(dst + j, vmax(value(c, acc + j, t.m + j, residual + j), c.lo));
        continue;
      }
      char tail[kLanes] = {}, out[kLanes];
      if constexpr (kResidual != Residual::kNone) {
        for (ptrdiff_t k = 0; k < n; ++k) tail[k] = residual[j + k];
      }
      store_rounded(out, vmax(value(c, acc + j, t.m + j, tail), c.lo));
      for (ptrdiff_t k = 0; k < n; ++k) dst[j + k] = out[k];
    }
  }
};

// Rows of one full panel of two vectors, without a loop over columns.
template <Residual kResidual>
static void finish_full_panel(const Int8FinishArgs& t) {
  const int8_t lo_byte = static_cast<int8_t>(__builtin_nearbyintf(t.lo));
  const Vec hi = vset(t.hi), m[2] = {vload(t.m), vload(t.m + kLanes)};
  const Vec residual_scale = vset(t.residual_scale);
  const Bytes lo = bytes_set(lo_byte);
  const char* residual = static_cast<const char*>(t.residual);
  char* dst = static_cast<char*>(t.dst);
  const ptrdiff_t rows = t.rows, ldd = t.ldd, ldr = t.ldr;
  const int32_t* acc = t.acc;
  for (ptrdiff_t row = 0; row < rows; row += 2) {
    const ptrdiff_t next = row + 1 < rows ? 1 : 0;  // an odd last row is stored twice
    IntVec q[4];
    for (int k = 0; k < 4; ++k) {
      const ptrdiff_t at = k < 2 ? row : row + next;
      Vec v = vmul(ints_to_float(acc + at * 2 * kLanes + k % 2 * kLanes), m[k % 2]);
      if constexpr (kResidual != Residual::kNone) {
        const char* r = residual + at * ldr + k % 2 * kLanes;
        v = vadd(v, vmul(bytes_to_float<kResidual == Residual::kInt8>(r), residual_scale));
      }
      q[k] = vto_int(vmin(hi, v));
    }
    packed_halves_store(dst + row * ldd, dst + (row + next) * ldd, bytes_max(pack_ints(q), lo));
  }
}

template <Residual kResidual>
static void finish_quantized_rows(const Int8FinishArgs& t) {
  if (t.columns == 2 * kLanes && t.acc_ld == t.columns) return finish_full_panel<kResidual>(t);
  using Rows = QuantizedRows<kResidual>;
  const int8_t lo_byte = static_cast<int8_t>(__builtin_nearbyintf(t.lo));
  const Rows c{vset(t.lo), vset(t.hi), vset(t.residual_scale), bytes_set(lo_byte)};
  constexpr ptrdiff_t kTwo = 2 * kLanes;
  const ptrdiff_t twos = t.columns / kTwo * kTwo, fours = t.columns / (2 * kTwo) * (2 * kTwo);
  const int32_t* acc = t.acc;
  char* dst = static_cast<char*>(t.dst);
  const char* residual = static_cast<const char*>(t.residual);
  const ptrdiff_t ldr = kResidual == Residual::kNone ? 0 : t.ldr;
  ptrdiff_t row = 0;
  // Two rows at once, so that two vectors of each fill one of bytes.
  for (; row + 2 <= t.rows; row += 2, acc += 2 * t.acc_ld, dst += 2 * t.ldd, residual += 2 * ldr) {
    for (ptrdiff_t j = 0; j < twos; j += kTwo) {
      IntVec q[4];
      Rows::two(c, acc + j, t.m + j, residual + j, q);
      Rows::two(c, acc + t.acc_ld + j, t.m + j, residual + ldr + j, q + 2);
      packed_halves_store(dst + j, dst + t.ldd + j, Rows::bytes(c, q));
    }
    Rows::rest(c, t, acc, residual, dst, twos);
    Rows::rest(c, t, acc + t.acc_ld, residual + ldr, dst + t.ldd, twos);
  }
  if (row == t.rows) return;
  for (ptrdiff_t j = 0; j < fours; j += 2 * kTwo) {
    IntVec q[4];
    Rows::two(c, acc + j, t.m + j, residual + j, q);
    Rows::two(c, acc + j + kTwo, t.m + j + kTwo, residual + j + kTwo, q + 2);
    block_store(reinterpret_cast<int8_t*>(dst + j), packed_in_order(Rows::bytes(c, q)));
  }
  Rows::rest(c, t, acc, residual, dst, fours);
}

static void finish_quantized(const Int8FinishArgs* args) {
  if (args->residual == nullptr) return finish_quantized_rows<Residual::kNone>(*args);
  if (args->residual_has_sign) return finish_quantized_rows<Residual::kInt8>(*args);
  finish_quantized_rows<Residual::kUint8>(*args);
}

static void finish_float(const Int8FinishArgs* args) {
  const Int8FinishArgs& t = *args;
  const bool clamp = t.epilogue->act == Act::kClamp;
  const Vec lo = vset(t.epilogue->lo), hi = vset(t.epilogue->hi);
  const float* residual = static_cast<const float*>(t.residual);
  float* dst = static_cast<float*>(t.dst);
  for (ptrdiff_t row = 0; row < t.rows; ++row) {
    const int32_t* acc = t.acc + row * t.acc_ld;
    const float* r = residual ? residual + row * t.ldr : nullptr;
    float* to = dst + row * t.ldd;
    ptrdiff_t j = 0;
    // Masked stores are slow on some machines: for the rest of a row only.
    for (; j + kLanes <= t.columns; j += kLanes) {
      Vec v = vmul(ints_to_float(acc + j), vload(t.m + j));
      if (r) v = vadd(v, vload(r + j));
      vstore(to + j, clamp ? vmin(hi, vmax(lo, v)) : v);
    }
    if (j == t.columns) continue;
    const int n = static_cast<int>(t.columns - j);
    Vec v = vmul(ints_to_float(acc + j), vload(t.m + j));
    if (r) v = vadd(v, vload_n(r + j, n));
    vstore_n(to + j, clamp ? vmin(hi, vmax(lo, v)) : v, n);
  }
  if (!clamp) apply_act(*t.epilogue, dst, t.rows, t.columns, t.ldd);
}

}  // namespace GRAFT_ISA_NAMESPACE
}  // namespace graft::cpu
