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

// One vector of channels of kCols outputs, everything that does not depend on the channel in
// locals: the compiler can't know that a store to dst leaves DepthwiseArgs as it was.
template <int kCols>
struct DwRun {
  const float* src;
  const float* weights;  // of the first vector of channels
  const float* bias;
  const float* residual;
  float* dst;
  ptrdiff_t pixel_step, column_step, row_step, ldd, ldr;
  ptrdiff_t taps_h, taps_w, weights_row;
  ptrdiff_t wrap_row, wrap_step;
  Vec lo, hi;

  // From the input row of tap row ky to the next.
  ptrdiff_t step_from(ptrdiff_t ky) const {
    return row_step + (ky + 1 == wrap_row ? wrap_step : 0);
  }
};

template <int kCols, bool kTail>
GRAFT_INLINE void dw_init(const DwRun<kCols>& r, Vec (&acc)[kCols], ptrdiff_t c, int n) {
  const Vec init = r.bias ? dw_load<kTail>(r.bias + c, n) : vzero();
#pragma GCC unroll 8
  for (int i = 0; i < kCols; ++i) acc[i] = init;
  if (r.residual) {
#pragma GCC unroll 8
    for (int i = 0; i < kCols; ++i)
      acc[i] = vadd(acc[i], dw_load<kTail>(r.residual + i * r.ldr + c, n));
  }
}

template <int kCols, bool kTail>
GRAFT_INLINE void dw_store(const DwRun<kCols>& r, const Vec (&acc)[kCols], ptrdiff_t c, int n) {
#pragma GCC unroll 8
  for (int i = 0; i < kCols; ++i) {
    const Vec v = vmin(r.hi, vmax(r.lo, acc[i]));
    if constexpr (kTail) {
      vstore_n(r.dst + i * r.ldd + c, v, n);
    } else {
      vstore(r.dst + i * r.ldd + c, v);
    }
  }
}

// Any kernel: one load of src per multiply-add.
template <int kCols, bool kTail>
GRAFT_INLINE void dw_any(const DwRun<kCols>& r, const float* w, ptrdiff_t c, int n) {
  Vec acc[kCols];
  dw_init<kCols, kTail>(r, acc, c, n);
  const float* row = r.src + c;
  for (ptrdiff_t ky = 0; ky < r.taps_h; row += r.step_from(ky), ++ky, w += r.weights_row) {
    const float* p = row;
    for (ptrdiff_t kx = 0; kx < r.taps_w; ++kx, p += r.pixel_step) {
      const Vec wv = vload(w + kx * kLanes);
#pragma GCC unroll 8
      for (int i = 0; i < kCols; ++i)
        acc[i] = vfma(dw_load<kTail>(p + i * r.column_step, n), wv, acc[i]);
    }
  }
  dw_store<kCols, kTail>(r, acc, c, n);
}

// kKernel taps a row, dilation 1, stride kStride: every src vector is loaded once for kCols
// outputs.
template <int kKernel, int kStride, int kCols, bool kAllRows>
GRAFT_INLINE void dw_fixed(const DwRun<kCols>& r, const float* wk, ptrdiff_t c) {
  Vec acc[kCols];
  dw_init<kCols, false>(r, acc, c, kLanes);
  const float* row = r.src + c;
  const ptrdiff_t rows = kAllRows ? kKernel : r.taps_h;
#pragma GCC unroll 5
  for (ptrdiff_t ky = 0; ky < rows; row += r.step_from(ky), ++ky, wk += kKernel * kLanes) {
    Vec w[kKernel];
#pragma GCC unroll 8
    for (int kx = 0; kx < kKernel; ++kx) w[kx] = vload(wk + kx * kLanes);
#pragma GCC unroll 32
    for (int j = 0; j < (kCols - 1) * kStride + kKernel; ++j) {
      const Vec v = vload(row + j * r.pixel_step);
#pragma GCC unroll 8
      for (int i = 0; i < kCols; ++i) {
        const int kx = j - i * kStride;
        if (kx >= 0 && kx < kKernel) acc[i] = vfma(v, w[kx], acc[i]);
      }
    }
  }
  dw_store<kCols, false>(r, acc, c, kLanes);
}

template <int kKernel, int kStride, int kCols, bool kAllRows>
static void dw_block(const DepthwiseArgs& t, ptrdiff_t x) {
  const bool clamp = t.epilogue->act == Act::kClamp;
  const DwRun<kCols> r = {t.src + x * t.column_step,
                          t.weights,
                          t.bias,
                          t.residual ? t.residual + x * t.ldr : nullptr,
                          t.dst + x * t.ldd,
                          t.pixel_step,
                          t.column_step,
                          t.row_step,
                          t.ldd,
                          t.ldr,
                          t.taps_h,
                          t.taps_w,
                          t.weights_row_taps * kLanes,
                          t.wrap_row,
                          t.wrap_step,
                          vset(clamp ? t.epilogue->lo : -__builtin_inff()),
                          vset(clamp ? t.epilogue->hi : __builtin_inff())};
  const ptrdiff_t channels = t.channels, weights_step = t.weights_taps * kLanes;
  const float* w = r.weights;
  ptrdiff_t c = 0;
  for (; c + kLanes <= channels; c += kLanes, w += weights_step) {
    if constexpr (kKernel == 0) {
      dw_any<kCols, false>(r, w, c, kLanes);
    } else {
      dw_fixed<kKernel, kStride, kCols, kAllRows>(r, w, c);
    }
  }
  if (c < channels) dw_any<kCols, true>(r, w, c, static_cast<int>(channels - c));
}

template <int kKernel, int kStride, bool kAllRows>
static void dw_run(const DepthwiseArgs& t) {
  ptrdiff_t x = 0;
  for (; x + 4 <= t.cols; x += 4) dw_block<kKernel, kStride, 4, kAllRows>(t, x);
  switch (t.cols - x) {
    case 3:
      return dw_block<kKernel, kStride, 3, kAllRows>(t, x);
    case 2:
      return dw_block<kKernel, kStride, 2, kAllRows>(t, x);
    case 1:
      return dw_block<kKernel, kStride, 1, kAllRows>(t, x);
    default:
      return;
  }
}

template <int kKernel, int kStride>
static void dw_rows(const DepthwiseArgs& t) {
  if (t.taps_h == kKernel) {
    dw_run<kKernel, kStride, true>(t);
  } else {
    dw_run<kKernel, kStride, false>(t);
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
        Vec acc = t.bias ? vload_n(t.bias + c, n) : vzero();
        if (t.residual) acc = vadd(acc, vload_n(t.residual + x * t.ldr + c, n));
        for (ptrdiff_t ky = 0; ky < t.taps_h; ++ky) {
          const ptrdiff_t wrap = t.wrap_row > 0 && ky >= t.wrap_row ? t.wrap_step : 0;
          for (ptrdiff_t kx = 0; kx < t.taps_w; ++kx) {
            const float* p =
                t.src + x * t.column_step + ky * t.row_step + wrap + kx * t.pixel_step + ic;
            const float* w = t.weights + (ky * t.weights_row_taps + kx) * t.channels + c;
            acc = vfma(vbroadcast(p), vload_n(w, n), acc);
          }
        }
        if (t.epilogue->act == Act::kClamp)
          acc = vmin(vset(t.epilogue->hi), vmax(vset(t.epilogue->lo), acc));
        vstore_n(t.dst + x * t.ldd + c, acc, n);
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
    dw_rows<3, 1>(t);
  } else if (whole_rows && t.taps_w == 3 && stride2) {
    dw_rows<3, 2>(t);
  } else if (whole_rows && t.taps_w == 5 && stride1) {
    dw_rows<5, 1>(t);
  } else if (whole_rows && t.taps_w == 5 && stride2) {
    dw_rows<5, 2>(t);
  } else {
    dw_run<0, 0, false>(t);
  }
  if (t.epilogue->act != Act::kClamp) {
    apply_act(*t.epilogue, t.dst, t.cols, t.channels, t.ldd);
  }
}

}  // namespace GRAFT_ISA_NAMESPACE
}  // namespace graft::cpu
