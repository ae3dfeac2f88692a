// Transforms of Winograd's F(2x2, 3x3): a 4x4 patch of src becomes 16 numbers a channel, and 16
// products give a 2x2 patch of dst.
#pragma once

#include "backends/cpu/gemm/compute_table.h"
#include "backends/cpu/isa/activation.h"
#include "backends/cpu/isa/vec.h"

namespace graft::cpu {
inline namespace GRAFT_ISA_NAMESPACE {

// One dimension of B^T d: (d0 - d2, d1 + d2, d2 - d1, d1 - d3).
GRAFT_INLINE void winograd_in(Vec& a, Vec& b, Vec& c, Vec& d) {
  const Vec first = vsub(a, c), last = vsub(b, d);
  const Vec sum = vadd(b, c), difference = vsub(c, b);
  a = first;
  b = sum;
  c = difference;
  d = last;
}

template <bool kTail>
GRAFT_INLINE void winograd_src_vec(const WinogradSrcArgs& t, ptrdiff_t c, int n) {
  Vec d[4][4];
#pragma GCC unroll 4
  for (int y = 0; y < 4; ++y) {
#pragma GCC unroll 4
    for (int x = 0; x < 4; ++x) {
      const float* p = t.pixels[y * 4 + x] + c;
      if constexpr (kTail) {
        d[y][x] = vload_n(p, n);
      } else {
        d[y][x] = vload(p);
      }
    }
    winograd_in(d[y][0], d[y][1], d[y][2], d[y][3]);
  }
#pragma GCC unroll 4
  for (int x = 0; x < 4; ++x) {
    winograd_in(d[0][x], d[1][x], d[2][x], d[3][x]);
#pragma GCC unroll 4
    for (int y = 0; y < 4; ++y) {
      float* p = t.dst + (y * 4 + x) * t.position_step + c;
      if constexpr (kTail) {
        vstore_n(p, d[y][x], n);
      } else {
        vstore(p, d[y][x]);
      }
    }
  }
}

static void winograd_src(const WinogradSrcArgs* args) {
  const WinogradSrcArgs t = *args;
  ptrdiff_t c = 0;
  for (; c + kLanes <= t.channels; c += kLanes) winograd_src_vec<false>(t, c, kLanes);
  if (c < t.channels) winograd_src_vec<true>(t, c, static_cast<int>(t.channels - c));
}

static void winograd_dst(const WinogradDstArgs* args) {
  const WinogradDstArgs t = *args;
  const bool clamp = t.epilogue->act == Act::kClamp;
  const Vec lo = vset(clamp ? t.epilogue->lo : -__builtin_inff());
  const Vec hi = vset(clamp ? t.epilogue->hi : __builtin_inff());
  for (ptrdiff_t c = 0; c < t.channels; c += kLanes) {
    const ptrdiff_t left = t.channels - c;
    const int n = static_cast<int>(left < kLanes ? left : kLanes);
    Vec top[4], bottom[4];  // A^T m, by columns
#pragma GCC unroll 4
    for (int x = 0; x < 4; ++x) {
      const float* p = t.src + x * t.position_step + c;
      const Vec m0 = vload(p), m1 = vload(p + 4 * t.position_step);
      const Vec m2 = vload(p + 8 * t.position_step), m3 = vload(p + 12 * t.position_step);
      top[x] = vadd(vadd(m0, m1), m2);
      bottom[x] = vsub(vsub(m1, m2), m3);
    }
    Vec out[4];
    out[0] = vadd(vadd(top[0], top[1]), top[2]);
    out[1] = vsub(vsub(top[1], top[2]), top[3]);
    out[2] = vadd(vadd(bottom[0], bottom[1]), bottom[2]);
    out[3] = vsub(vsub(bottom[1], bottom[2]), bottom[3]);
    const Vec bias = t.bias ? vload_n(t.bias + c, n) : vzero();
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) {
      if (!t.dst[i]) continue;
      Vec v = vadd(out[i], bias);
      if (t.residual[i]) v = vadd(v, vload_n(t.residual[i] + c, n));
      v = vmin(hi, vmax(lo, v));
      if (n == kLanes) {
        vstore(t.dst[i] + c, v);
      } else {
        vstore_n(t.dst[i] + c, v, n);
      }
    }
  }
  if (clamp) return;
  for (int i = 0; i < 4; ++i) {
    if (t.dst[i]) apply_act(*t.epilogue, t.dst[i], 1, t.channels, 0);
  }
}

}  // namespace GRAFT_ISA_NAMESPACE
}  // namespace graft::cpu
