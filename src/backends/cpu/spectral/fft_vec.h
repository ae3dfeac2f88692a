// Passes of the Stockham transform over vectors of transforms; no shuffles but where cells are
// loaded and stored. An element's sums have one order, whatever the lanes.
#pragma once

#include "backends/cpu/isa/vec.h"
#include "backends/cpu/spectral/spectral_table.h"

namespace graft::cpu {
inline namespace GRAFT_ISA_NAMESPACE {

struct CVec {
  Vec re, im;
};

GRAFT_INLINE CVec cadd(CVec a, CVec b) { return {vadd(a.re, b.re), vadd(a.im, b.im)}; }
GRAFT_INLINE CVec csub(CVec a, CVec b) { return {vsub(a.re, b.re), vsub(a.im, b.im)}; }
GRAFT_INLINE CVec cmul(CVec a, CVec w) {
  return {vfnma(a.im, w.im, vmul(a.re, w.re)), vfma(a.im, w.re, vmul(a.re, w.im))};
}
GRAFT_INLINE CVec cload(const float* re, const float* im, ptrdiff_t i, int n) {
  if (n == kLanes) return {vload(re + i), vload(im + i)};
  return {vload_n(re + i, n), vload_n(im + i, n)};
}
GRAFT_INLINE void cstore(float* re, float* im, ptrdiff_t i, CVec x, int n) {
  if (n == kLanes) {
    vstore(re + i, x.re);
    vstore(im + i, x.im);
  } else {
    vstore_n(re + i, x.re, n);
    vstore_n(im + i, x.im, n);
  }
}
GRAFT_INLINE CVec cbroadcast(const float* w) { return {vset(w[0]), vset(w[1])}; }

GRAFT_INLINE void butterfly(CVec (&x)[2], const float*) {
  const CVec a = x[0], b = x[1];
  x[0] = cadd(a, b);
  x[1] = csub(a, b);
}
GRAFT_INLINE void butterfly(CVec (&x)[4], const float*) {
  const CVec s02 = cadd(x[0], x[2]), d02 = csub(x[0], x[2]), s13 = cadd(x[1], x[3]);
  const CVec d13 = csub(x[1], x[3]);
  x[0] = cadd(s02, s13);
  x[1] = {vadd(d02.re, d13.im), vsub(d02.im, d13.re)};
  x[2] = csub(s02, s13);
  x[3] = {vsub(d02.re, d13.im), vadd(d02.im, d13.re)};
}
// Odd radices: sums and differences of x[j] and x[r - j] meet cosines and sines alone.
template <typename X>
GRAFT_INLINE void odd_butterfly(X& x, const int r, const float* roots) {
  const int half = (r - 1) / 2;
  const CVec first = x[0];
  CVec out[kMaxRadix], sum[kMaxRadix / 2], diff[kMaxRadix / 2];
  out[0] = first;
#pragma GCC unroll 3
  for (int j = 0; j < half; ++j) {
    sum[j] = cadd(x[1 + j], x[r - 1 - j]);
    diff[j] = csub(x[1 + j], x[r - 1 - j]);
    out[0] = cadd(out[0], sum[j]);
  }
#pragma GCC unroll 3
  for (int k = 1; k <= half; ++k) {
    CVec even = first, odd = {vzero(), vzero()};
    int at = 0;
#pragma GCC unroll 3
    for (int j = 0; j < half; ++j) {
      at = at + k >= r ? at + k - r : at + k;
      const CVec w = cbroadcast(roots + 2 * at);
      even = {vfma(w.re, sum[j].re, even.re), vfma(w.re, sum[j].im, even.im)};
      odd = {vfma(w.im, diff[j].re, odd.re), vfma(w.im, diff[j].im, odd.im)};
    }
    out[k] = {vadd(even.re, odd.im), vsub(even.im, odd.re)};
    out[r - k] = {vsub(even.re, odd.im), vadd(even.im, odd.re)};
  }
#pragma GCC unroll 5
  for (int k = 0; k < r; ++k) x[k] = out[k];
}
GRAFT_INLINE void butterfly(CVec (&x)[3], const float* roots) { odd_butterfly(x, 3, roots); }
GRAFT_INLINE void butterfly(CVec (&x)[5], const float* roots) { odd_butterfly(x, 5, roots); }

template <int kRadix>
GRAFT_INLINE void group(const FftPassArgs& t, ptrdiff_t p, ptrdiff_t q, const CVec* w, int n) {
  CVec x[kRadix];
#pragma GCC unroll 5
  for (int k = 0; k < kRadix; ++k)
    x[k] = cload(t.src_re, t.src_im, (p + t.groups * k) * t.width + q, n);
  butterfly(x, t.roots);
#pragma GCC unroll 5
  for (int k = 0; k < kRadix; ++k)
    cstore(t.dst_re, t.dst_im, (kRadix * p + k) * t.width + q, k ? cmul(x[k], w[k - 1]) : x[0], n);
}

template <int kRadix>
static void pass(const FftPassArgs& t) {
  for (ptrdiff_t p = 0; p < t.groups; ++p) {
    CVec w[kRadix - 1];
#pragma GCC unroll 5
    for (int k = 0; k < kRadix - 1; ++k) w[k] = cbroadcast(t.twiddles + (p * (kRadix - 1) + k) * 2);
    ptrdiff_t q = 0;
    for (; q + kLanes <= t.width; q += kLanes) group<kRadix>(t, p, q, w, kLanes);
    if (q < t.width) group<kRadix>(t, p, q, w, static_cast<int>(t.width - q));
  }
}

static void pass_of_any(const FftPassArgs& t) {
  const int r = static_cast<int>(t.radix);
  for (ptrdiff_t p = 0; p < t.groups; ++p) {
    for (ptrdiff_t q = 0; q < t.width; q += kLanes) {
      const int n = static_cast<int>(t.width - q < kLanes ? t.width - q : kLanes);
      CVec x[kMaxRadix];
      for (int k = 0; k < r; ++k)
        x[k] = cload(t.src_re, t.src_im, (p + t.groups * k) * t.width + q, n);
      odd_butterfly(x, r, t.roots);
      for (int k = 0; k < r; ++k) {
        const CVec w =
            k ? cbroadcast(t.twiddles + (p * (r - 1) + k - 1) * 2) : CVec{vset(1), vzero()};
        cstore(t.dst_re, t.dst_im, (r * p + k) * t.width + q, k ? cmul(x[k], w) : x[0], n);
      }
    }
  }
}

static void fft_pass(const FftPassArgs* args) {
  switch (args->radix) {
    case 2:
      return pass<2>(*args);
    case 3:
      return pass<3>(*args);
    case 4:
      return pass<4>(*args);
    case 5:
      return pass<5>(*args);
    default:
      return pass_of_any(*args);
  }
}

// fn(cell offsets a and b, n) for the lanes of two cells.
template <typename F>
GRAFT_INLINE void for_lanes(ptrdiff_t lanes, F&& fn) {
  for (ptrdiff_t v = 0; v < lanes; v += kLanes)
    fn(v, static_cast<int>(lanes - v < kLanes ? lanes - v : kLanes));
}

static void fft_split(const FftRealArgs* args) {
  const FftRealArgs& t = *args;
  const Vec half = vset(0.5f);
  for_lanes(t.lanes, [&](ptrdiff_t v, int n) {
    const CVec z = cload(t.re, t.im, v, n);
    cstore(t.re, t.im, v, {vadd(z.re, z.im), vzero()}, n);
    cstore(t.re, t.im, t.half * t.lanes + v, {vsub(z.re, z.im), vzero()}, n);
  });
  for (ptrdiff_t k = 1; 2 * k <= t.half; ++k) {
    const CVec w = cbroadcast(t.weights + 2 * k);
    for_lanes(t.lanes, [&](ptrdiff_t v, int n) {
      const ptrdiff_t low = k * t.lanes + v, high = (t.half - k) * t.lanes + v;
      const CVec a = cload(t.re, t.im, low, n), b = cload(t.re, t.im, high, n);
      const CVec even = {vmul(half, vadd(a.re, b.re)), vmul(half, vsub(a.im, b.im))};
      const CVec odd = cmul({vmul(half, vadd(a.im, b.im)), vmul(half, vsub(b.re, a.re))}, w);
      cstore(t.re, t.im, low, cadd(even, odd), n);
      cstore(t.re, t.im, high, {vsub(even.re, odd.re), vsub(odd.im, even.im)}, n);
    });
  }
}

static void fft_merge(const FftRealArgs* args) {
  const FftRealArgs& t = *args;
  for_lanes(t.lanes, [&](ptrdiff_t v, int n) {
    const CVec first = cload(t.re, t.im, v, n);
    const CVec last = cload(t.re, t.im, t.half * t.lanes + v, n);
    cstore(t.re, t.im, v, {vadd(first.re, last.re), vsub(first.re, last.re)}, n);
  });
  for (ptrdiff_t k = 1; 2 * k <= t.half; ++k) {
    const CVec w = {vset(t.weights[2 * k]), vset(-t.weights[2 * k + 1])};
    for_lanes(t.lanes, [&](ptrdiff_t v, int n) {
      const ptrdiff_t low = k * t.lanes + v, high = (t.half - k) * t.lanes + v;
      const CVec a = cload(t.re, t.im, low, n), b = cload(t.re, t.im, high, n);
      const CVec even = {vadd(a.re, b.re), vsub(a.im, b.im)};
      const CVec odd = cmul({vsub(a.re, b.re), vadd(a.im, b.im)}, w);
      cstore(t.re, t.im, low, {vsub(even.re, odd.im), vadd(even.im, odd.re)}, n);
      cstore(t.re, t.im, high, {vadd(even.re, odd.im), vsub(odd.re, even.im)}, n);
    });
  }
}

static void fft_scale(const FftScaleArgs* args) {
  const FftScaleArgs& t = *args;
  for (ptrdiff_t i = 0; i < t.cells; ++i) {
    const CVec w = cbroadcast(t.weights + 2 * i);
    for_lanes(t.lanes, [&](ptrdiff_t v, int n) {
      const ptrdiff_t at = i * t.lanes + v;
      cstore(t.dst_re, t.dst_im, at, cmul(cload(t.src_re, t.src_im, at, n), w), n);
    });
  }
}

}  // namespace GRAFT_ISA_NAMESPACE
}  // namespace graft::cpu
