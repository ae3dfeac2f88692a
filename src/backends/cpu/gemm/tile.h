// The register tile of every GEMM-like kernel; see TileArgs for what it computes.
// Each call adds one chain of multiply-adds in the order of (tap, k), whatever the tile's height.
#pragma once

#include "backends/cpu/gemm/compute_table.h"
#include "backends/cpu/isa/activation.h"
#include "backends/cpu/isa/vec.h"

namespace graft::cpu {
inline namespace GRAFT_ISA_NAMESPACE {

static constexpr ptrdiff_t kLineElems = 16;  // of a cache line

template <int kRows, int kVecs, int kStep>
GRAFT_INLINE void tile_step(Vec (&acc)[kRows][kVecs], const float* const (&a)[kRows],
                            const float* b) {
  Vec bv[kVecs];
#pragma GCC unroll 8
  for (int j = 0; j < kVecs; ++j) bv[j] = vload(b + (kStep * kVecs + j) * kLanes);
#pragma GCC unroll 16
  for (int i = 0; i < kRows; ++i) {
    const Vec av = vbroadcast(a[i] + kStep);
#pragma GCC unroll 8
    for (int j = 0; j < kVecs; ++j) vfma_to(acc[i][j], av, bv[j]);
  }
}

template <int kRows, int kVecs, bool kTail>
GRAFT_INLINE void tile_init(Vec (&acc)[kRows][kVecs], const TileArgs& t, const int (&n)[kVecs]) {
  const auto load = [&](const float* p, int j) {
    if constexpr (kTail) return vload_n(p + j * kLanes, n[j]);
    return vload(p + j * kLanes);
  };
#pragma GCC unroll 8
  for (int j = 0; j < kVecs; ++j) {
    const Vec init = t.first && t.bias ? load(t.bias, j) : vzero();
#pragma GCC unroll 16
    for (int i = 0; i < kRows; ++i) acc[i][j] = init;
  }
  if (t.first && t.residual) {
#pragma GCC unroll 16
    for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 8
      for (int j = 0; j < kVecs; ++j) {
        acc[i][j] = vadd(acc[i][j], load(t.residual + i * t.ldr, j));
      }
    }
  }
}

template <int kRows, int kVecs, bool kTail>
GRAFT_INLINE void tile_finish(Vec (&acc)[kRows][kVecs], const TileArgs& t, const int (&n)[kVecs]) {
  if (!t.first) {
#pragma GCC unroll 16
    for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 8
      for (int j = 0; j < kVecs; ++j) {
        const float* p = t.dst + i * t.ldd + j * kLanes;
        acc[i][j] = vadd(acc[i][j], kTail ? vload_n(p, n[j]) : vload(p));
      }
    }
  }
  if (t.last && t.epilogue->act == Act::kClamp) {
    const Vec lo = vset(t.epilogue->lo), hi = vset(t.epilogue->hi);
#pragma GCC unroll 16
    for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 8
      for (int j = 0; j < kVecs; ++j) acc[i][j] = vmin(hi, vmax(lo, acc[i][j]));
    }
  }
#pragma GCC unroll 16
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 8
    for (int j = 0; j < kVecs; ++j) {
      if constexpr (kTail) {
        vstore_n(t.dst + i * t.ldd + j * kLanes, acc[i][j], n[j]);
      } else {
        vstore(t.dst + i * t.ldd + j * kLanes, acc[i][j]);
      }
    }
  }
  if (t.last && t.epilogue->act != Act::kClamp) {
    apply_act(*t.epilogue, t.dst, kRows, t.columns, t.ldd);
  }
}

template <int kRows>
GRAFT_INLINE void advance(const float* (&a)[kRows], ptrdiff_t n) {
#pragma GCC unroll 16
  for (int i = 0; i < kRows; ++i) {
    a[i] += n;
    // Opaque to the optimiser, which would else keep one pointer per row and unrolled step.
    asm("" : "+r"(a[i]));
  }
}

template <int kRows, int kVecs>
GRAFT_INLINE void tile_reduce(Vec (&acc)[kRows][kVecs], const TileArgs& t) {
  constexpr ptrdiff_t kWidth = kVecs * kLanes;
  // Half of what 4 elements of k read: two strips fetch all of the panel that follows.
  constexpr int kFetches = static_cast<int>(kWidth * 4 / kLineElems / 2);
  const float* next = t.next ? t.next : t.b;
  const ptrdiff_t next_step = t.next_step;
  for (ptrdiff_t tap = 0; tap < t.taps; ++tap) {
    const float* const* rows = t.rows + tap * t.row_tap_stride;
    const float* a[kRows];
#pragma GCC unroll 16
    for (int i = 0; i < kRows; ++i) a[i] = rows[i] + t.row_offset;
    const float* b = t.b + tap * t.b_tap_stride;
    ptrdiff_t k = t.k;
    for (; k >= 4; k -= 4) {
#pragma GCC unroll 16
      for (int i = 0; i < kFetches; ++i) __builtin_prefetch(next + i * kLineElems, 0, 2);
      next += next_step;
      tile_step<kRows, kVecs, 0>(acc, a, b);
      tile_step<kRows, kVecs, 1>(acc, a, b);
      tile_step<kRows, kVecs, 2>(acc, a, b);
      tile_step<kRows, kVecs, 3>(acc, a, b);
      advance(a, 4);
      b += 4 * kWidth;
    }
    for (; k > 0; --k) {
      tile_step<kRows, kVecs, 0>(acc, a, b);
      advance(a, 1);
      b += kWidth;
    }
  }
}

template <int kRows, int kVecs>
void tile(const TileArgs* args) {
  const TileArgs& t = *args;
  Vec acc[kRows][kVecs];
  int n[kVecs];
#pragma GCC unroll 8
  for (int j = 0; j < kVecs; ++j) {
    const ptrdiff_t left = t.columns - j * kLanes;
    n[j] = static_cast<int>(left <= 0 ? 0 : left < kLanes ? left : kLanes);
  }
  const bool tail = t.columns < kVecs * kLanes;
  if (tail) {
    tile_init<kRows, kVecs, true>(acc, t, n);
  } else {
    tile_init<kRows, kVecs, false>(acc, t, n);
  }
  tile_reduce<kRows, kVecs>(acc, t);
  if (tail) {
    tile_finish<kRows, kVecs, true>(acc, t, n);
  } else {
    tile_finish<kRows, kVecs, false>(acc, t, n);
  }
}

}  // namespace GRAFT_ISA_NAMESPACE
}  // namespace graft::cpu
