// int8/attention8_table.h over vectors. Every step is rounded once, in the order that
// ir/quantized.h gives: compiled without contraction to fused multiply-adds. Sums of p are whole
// numbers below 2^24, exact in any order.
#pragma once

#include "backends/cpu/int8/attention8_table.h"
#include "backends/cpu/int8/bytes.h"

namespace graft::cpu {
inline namespace GRAFT_ISA_NAMESPACE {

// 127 exp(x - top), rounded; 0 where the difference is a NaN.
GRAFT_INLINE Vec probability(Vec x, Vec top) {
  const Vec d = vmax(vsub(x, top), vset(-16.0f));
  const Vec t = vmul(d, vset(1.44269504f));
  const Vec n = vround(t);
  const Vec r = vsub(t, n);
  Vec e = vset(1.21701658f);
  e = vadd(vmul(e, r), vset(7.10010529f));
  e = vadd(vmul(e, r), vset(30.5106049f));
  e = vadd(vmul(e, r), vset(88.0267715f));
  e = vadd(vmul(e, r), vset(127.0f));
  return vround(vmul(e, vexp2_int(vto_int(n))));
}

// Masked stores are slow on some machines: for the rest of a row only.
GRAFT_INLINE Vec load_up_to(const float* p, int n) { return n < kLanes ? vload_n(p, n) : vload(p); }
GRAFT_INLINE void store_up_to(float* p, Vec v, int n) {
  if (n < kLanes) {
    vstore_n(p, v, n);
  } else {
    vstore(p, v);
  }
}

template <bool kMask>
static void score_rows_of(const Int8ScoreArgs& t) {
  const Vec scale = vset(t.scale);
  const bool each = t.mask_elem_step != 0;
  for (ptrdiff_t row = 0; row < t.rows; ++row) {
    const int32_t* acc = t.acc + row * t.acc_ld;
    float* dst = t.dst + row * t.ldd;
    const float* mask = kMask ? t.mask + row * t.mask_step : nullptr;
    const Vec one = kMask && !each ? vset(*mask) : vzero();
    for (ptrdiff_t j = 0; j < t.columns; j += kLanes) {
      const ptrdiff_t left = t.columns - j;
      const int m = left < kLanes ? static_cast<int>(left) : kLanes;
      Vec v = vmul(ints_to_float(acc + j), scale);
      if constexpr (kMask) v = vadd(v, each ? load_up_to(mask + j, m) : one);
      store_up_to(dst + j, v, m);
    }
  }
}

static void int8_score_rows(const Int8ScoreArgs* args) {
  if (args->mask) return score_rows_of<true>(*args);
  score_rows_of<false>(*args);
}

// The largest, NaN left out.
static float largest_score(const float* x, ptrdiff_t n) {
  Vec a = vset(-__builtin_inff()), b = a;
  ptrdiff_t i = 0;
  for (; i + 2 * kLanes <= n; i += 2 * kLanes) {
    a = vmax(vload(x + i), a);
    b = vmax(vload(x + i + kLanes), b);
  }
  for (; i < n; i += kLanes) {
    const ptrdiff_t left = n - i;
    if (left >= kLanes) {
      a = vmax(vload(x + i), a);
      continue;
    }
    float lanes[kLanes];
    vstore(lanes, b);
    vstore_n(lanes, vload_n(x + i, static_cast<int>(left)), static_cast<int>(left));
    b = vmax(vload(lanes), b);
  }
  return vreduce_max(vmax(a, b));
}

static void probability_rows(const ProbabilityArgs* args) {
  const ProbabilityArgs& t = *args;
  for (ptrdiff_t row = 0; row < t.rows; ++row) {
    const float* x = t.scores + row * t.step;
    uint8_t* dst = t.dst + row * t.dst_step;
    const Vec top = vset(largest_score(x, t.n));
    Vec a = vzero(), b = vzero();
    ptrdiff_t i = 0;
    for (; i + 2 * kLanes <= t.n; i += 2 * kLanes) {
      const Vec p = probability(vload(x + i), top), q = probability(vload(x + i + kLanes), top);
      store_rounded2(dst + i, p, q);
      a = vadd(a, p);
      b = vadd(b, q);
    }
    for (; i < t.n; i += kLanes) {
      const ptrdiff_t left = t.n - i;
      const int m = left < kLanes ? static_cast<int>(left) : kLanes;
      float lanes[kLanes] = {};
      uint8_t bytes[kLanes];
      vstore_n(lanes, probability(vload_n(x + i, m), top), m);
      const Vec p = vload(lanes);
      store_rounded(bytes, p);
      for (int j = 0; j < m; ++j) dst[i + j] = bytes[j];
      a = vadd(a, p);
    }
    for (i = t.n; i < t.padded_n; ++i) dst[i] = 0;
    t.factors[row] = t.scale / vreduce_add(vadd(a, b));
  }
}

static void sums_to_quantized(const WeightedSumArgs* args) {
  const WeightedSumArgs& t = *args;
  const Vec lo = vset(t.lo), hi = vset(127.0f);
  for (ptrdiff_t row = 0; row < t.rows; ++row) {
    const int32_t* acc = t.acc + row * t.acc_ld;
    char* dst = static_cast<char*>(t.dst) + row * t.ldd;
    const Vec f = vset(t.factors[row]);
    for (ptrdiff_t j = 0; j < t.columns; j += kLanes) {
      const Vec v = vmin(hi, vmax(vmul(ints_to_float(acc + j), f), lo));  // a NaN becomes lo
      if (t.columns - j >= kLanes) {
        store_rounded(dst + j, v);
        continue;
      }
      char out[kLanes];
      store_rounded(out, v);
      for (ptrdiff_t k = 0; j + k < t.columns; ++k) dst[j + k] = out[k];
    }
  }
}

static void sums_to_float(const WeightedSumArgs* args) {
  const WeightedSumArgs& t = *args;
  for (ptrdiff_t row = 0; row < t.rows; ++row) {
    const int32_t* acc = t.acc + row * t.acc_ld;
    float* dst = static_cast<float*>(t.dst) + row * t.ldd;
    const Vec f = vset(t.factors[row]);
    for (ptrdiff_t j = 0; j < t.columns; j += kLanes) {
      const ptrdiff_t left = t.columns - j;
      const int m = left < kLanes ? static_cast<int>(left) : kLanes;
      store_up_to(dst + j, vmul(ints_to_float(acc + j), f), m);
    }
  }
}

static constexpr Int8AttentionTable make_int8_attention_table() {
  return {&int8_score_rows, &probability_rows, &sums_to_quantized, &sums_to_float};
}

}  // namespace GRAFT_ISA_NAMESPACE
}  // namespace graft::cpu
