// Depthwise convolution of a run of output pixels; see DepthwiseArgs. Each element is one chain of
// multiply-adds over (ky, kx), whatever the run's length.
#pragma once

#include "backends/cpu/gemm/compute_table.h"
#include "backends/cpu/isa/activation.h"
#include "backends/cpu/isa/vec.h"

namespace graft::cpu {
inline namespace GRAFT_ISA_NAMESPACE {

template <bool kTail>
GRAFT_INLINE Vec dw_load(const float* p, int n) {
  if constexpr (kTail) return vload_n(p, n);
  return vload(p);
}

template <bool kTail>
GRAFT_INLINE Vec dw_init(const DepthwiseArgs& t, ptrdiff_t x, ptrdiff_t c, int n) {
  Vec v = t.bias ? dw_load<kTail>(t.bias + c, n) : vzero();
  if (t.residual) v = vadd(v, dw_load<kTail>(t.residual + x * t.ldr + c, n));
  return v;
}

template <bool kTail>
GRAFT_INLINE void dw_store(const DepthwiseArgs& t, ptrdiff_t x, ptrdiff_t c, int n, Vec v) {
  if (t.epilogue->act == Act::kClamp) {
    v = vmin(vset(t.epilogue->hi), vmax(vset(t.epilogue->lo), v));
  }
  float* p = t.dst + x * t.ldd + c;
  if constexpr (kTail) {
    vstore_n(p, v, n);
  } else {
    vstore(p, v);
  }
}

// Any kernel, kCols outputs: one load of src per multiply-add.
template <int kCols, bool kTail>
GRAFT_INLINE void dw_any(const DepthwiseArgs& t, ptrdiff_t x, ptrdiff_t c, int n) {
  Vec acc[kCols];
#pragma GCC unroll 8
  for (int i = 0; i < kCols; ++i) acc[i] = dw_init<kTail>(t, x + i, c, n);
  const float* row = t.src + x * t.column_step + c;
  const float* w = t.weights + c;
  for (ptrdiff_t ky = 0; ky < t.taps_h; ++ky, row += t.row_step) {
    const float* p = row;
    const float* wk = w + ky * t.weights_row_taps * t.channels;
    for (ptrdiff_t kx = 0; kx < t.taps_w; ++kx, p += t.pixel_step, wk += t.channels) {
      const Vec wv = dw_load<kTail>(wk, n);
#pragma GCC unroll 8
      for (int i = 0; i < kCols; ++i) {
        acc[i] = vfma(dw_load<kTail>(p + i * t.column_step, n), wv, acc[i]);
      }
    }
  }
#pragma GCC unroll 8
  for (int i = 0; i < kCols; ++i) dw_store<kTail>(t, x + i, c, n, acc[i]);
}

// kKernel taps a row, dilation 1, stride kStride: every src vector is loaded once for kCols outputs.
template <int kKernel, int kStride, int kCols>
GRAFT_INLINE void dw_fixed(const DepthwiseArgs& t, ptrdiff_t x, ptrdiff_t c) {
  Vec acc[kCols];
#pragma GCC unroll 8
  for (int i = 0; i < kCols; ++i) acc[i] = dw_init<false>(t, x + i, c, kLanes);
  const float* row = t.src + x * t.column_step + c;
  const float* wk = t.weights + c;
  for (ptrdiff_t ky = 0; ky < t.taps_h; ++ky, row += t.row_step) {
    Vec w[kKernel];
#pragma GCC unroll 8
    for (int kx = 0; kx < kKernel; ++kx) w[kx] = vload(wk + kx * t.channels);
    wk += kKernel * t.channels;
#pragma GCC unroll 32
    for (int j = 0; j < (kCols - 1) * kStride + kKernel; ++j) {
      const Vec v = vload(row + j * t.pixel_step);
#pragma GCC unroll 8
      for (int i = 0; i < kCols; ++i) {
        const int kx = j - i * kStride;
        if (kx >= 0 && kx < kKernel) acc[i] = vfma(v, w[kx], acc[i]);
      }
    }
  }
#pragma GCC unroll 8
  for (int i = 0; i < kCols; ++i) dw_store<false>(t, x + i, c, kLanes, acc[i]);
}

template <int kKernel, int kStride, int kCols>
static void dw_block(const DepthwiseArgs& t, ptrdiff_t x) {
  ptrdiff_t c = 0;
  for (; c + kLanes <= t.channels; c += kLanes) {
    if constexpr (kKernel == 0) {
      dw_any<kCols, false>(t, x, c, kLanes);
    } else {
      dw_fixed<kKernel, kStride, kCols>(t, x, c);
    }
  }
  if (c < t.channels) dw_any<kCols, true>(t, x, c, static_cast<int>(t.channels - c));
}

template <int kKernel, int kStride>
static void dw_run(const DepthwiseArgs& t) {
  ptrdiff_t x = 0;
  for (; x + 4 <= t.cols; x += 4) dw_block<kKernel, kStride, 4>(t, x);
  switch (t.cols - x) {
    case 3: return dw_block<kKernel, kStride, 3>(t, x);
    case 2: return dw_block<kKernel, kStride, 2>(t, x);
    case 1: return dw_block<kKernel, kStride, 1>(t, x);
    default: return;
  }
}

// Several output channels per input channel: lanes are output channels of one input channel.
static void dw_multiplied(const DepthwiseArgs& t) {
  for (ptrdiff_t x = 0; x < t.cols; ++x) {
    for (ptrdiff_t ic = 0; ic * t.multiplier < t.channels; ++ic) {
      for (ptrdiff_t m = 0; m < t.multiplier; m += kLanes) {
        const ptrdiff_t left = t.multiplier - m;
        const int n = static_cast<int>(left < kLanes ? left : kLanes);
        const ptrdiff_t c = ic * t.multiplier + m;
        Vec acc = dw_init<true>(t, x, c, n);
        for (ptrdiff_t ky = 0; ky < t.taps_h; ++ky) {
          for (ptrdiff_t kx = 0; kx < t.taps_w; ++kx) {
            const float* p =
                t.src + x * t.column_step + ky * t.row_step + kx * t.pixel_step + ic;
            const float* w = t.weights + (ky * t.weights_row_taps + kx) * t.channels + c;
            acc = vfma(vbroadcast(p), vload_n(w, n), acc);
          }
        }
        dw_store<true>(t, x, c, n, acc);
      }
    }
  }
}

static void depthwise_row(const DepthwiseArgs* args) {
  const DepthwiseArgs& t = *args;
  const bool whole_rows = t.taps_w == t.weights_row_taps;
  const bool stride1 = t.column_step == t.pixel_step, stride2 = t.column_step == 2 * t.pixel_step;
  if (t.multiplier != 1) {
    dw_multiplied(t);
  } else if (whole_rows && t.taps_w == 3 && stride1) {
    dw_run<3, 1>(t);
  } else if (whole_rows && t.taps_w == 3 && stride2) {
    dw_run<3, 2>(t);
  } else if (whole_rows && t.taps_w == 5 && stride1) {
    dw_run<5, 1>(t);
  } else if (whole_rows && t.taps_w == 5 && stride2) {
    dw_run<5, 2>(t);
  } else {
    dw_run<0, 0>(t);
  }
  if (t.epilogue->act != Act::kClamp) {
    apply_act(*t.epilogue, t.dst, t.cols, t.channels, t.ldd);
  }
}

}  // namespace GRAFT_ISA_NAMESPACE
}  // namespace graft::cpu
