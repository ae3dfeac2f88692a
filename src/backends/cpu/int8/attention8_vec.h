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

// Adds the mask; returns the row's largest score, NaN left out.
static float finish_scores(float* x, ptrdiff_t n, const float* mask, bool each) {
  Vec top = vset(-__builtin_inff());
  const Vec one = mask && !each ? vset(*mask) : vzero();
  for (ptrdiff_t i = 0; i < n; i += kLanes) {
    const ptrdiff_t left = n - i;
    const int m = left < kLanes ? static_cast<int>(left) : kLanes;
    Vec v = load_up_to(x + i, m);
    if (mask) {
      v = vadd(v, each ? load_up_to(mask + i, m) : one);
      store_up_to(x + i, v, m);
    }
    if (m < kLanes) {
      float lanes[kLanes];
      vstore(lanes, top);
      vstore_n(lanes, v, m);
      v = vload(lanes);
    }
    top = vmax(v, top);
  }
  return vreduce_max(top);
}

static void probability_rows(const ProbabilityArgs* args) {
  const ProbabilityArgs& t = *args;
  for (ptrdiff_t row = 0; row < t.rows; ++row) {
    float* x = t.scores + row * t.step;
    uint8_t* dst = t.dst + row * t.dst_step;
    const float* mask = t.mask ? t.mask + row * t.mask_step : nullptr;
    const Vec top = vset(finish_scores(x, t.n, mask, t.mask_elem_step != 0));
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
  return {&probability_rows, &sums_to_quantized, &sums_to_float};
}

}  // namespace GRAFT_ISA_NAMESPACE
}  // namespace graft::cpu
