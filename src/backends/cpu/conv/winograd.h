// Transforms of Winograd's convolution in the forms of winograd_form.h: a patch of src becomes
// n_h x n_w numbers a channel, and as many products give a tile of dst.
#pragma once

#include "backends/cpu/gemm/compute_table.h"
#include "backends/cpu/isa/activation.h"
#include "backends/cpu/isa/vec.h"
#include "backends/winograd_form.h"

namespace graft::cpu {
inline namespace GRAFT_ISA_NAMESPACE {

// Coefficients of the product of (z - a^2) over the pairs, without pair `skip` (-1: over all).
template <int kPairs>
struct WinogradPolynomial {
  double c[kPairs + 1];
  constexpr explicit WinogradPolynomial(int skip) : c{1} {
    for (int p = 0, degree = 0; p < kPairs; ++p) {
      if (p == skip) continue;
      const double z = kWinogradPairs[kPairs].a[p] * kWinogradPairs[kPairs].a[p];
      ++degree;
      c[degree] = c[degree - 1];
      for (int i = degree - 1; i > 0; --i) c[i] = c[i - 1] - z * c[i];
      c[0] *= -z;
    }
  }
};

template <int kPairs>
struct WinogradCoefficients {
  float all[kPairs + 1];                // of the product over all pairs
  float others[kPairs][kPairs + 1];     // of that over all but one
  float power[kPairs][2 * kPairs + 1];  // a^i
  constexpr WinogradCoefficients() : all{}, others{}, power{} {
    const WinogradPolynomial<kPairs> product(-1);
    for (int i = 0; i <= kPairs; ++i) all[i] = static_cast<float>(product.c[i]);
    for (int p = 0; p < kPairs; ++p) {
      const WinogradPolynomial<kPairs> rest(p);
      for (int i = 0; i < kPairs; ++i) others[p][i] = static_cast<float>(rest.c[i]);
      double x = 1;
      for (int i = 0; i <= 2 * kPairs; ++i, x *= kWinogradPairs[kPairs].a[p])
        power[p][i] = static_cast<float>(x);
    }
  }
};
template <int kPairs>
static constexpr WinogradCoefficients<kPairs> kWinograd{};

// One dimension of the transform of src, in place.
template <int kPoints>
GRAFT_INLINE void winograd_in(Vec (&d)[kPoints]) {
  if constexpr (kPoints > 1) {
    constexpr int kPairs = winograd_pairs(kPoints);
    constexpr const auto& k = kWinograd<kPairs>;
    Vec zero = d[2 * kPairs], infinity = d[2 * kPairs + 1], even[kPairs], odd[kPairs];
#pragma GCC unroll 8
    for (int i = kPairs - 1; i >= 0; --i) {
      zero = vfma(vset(k.all[i]), d[2 * i], zero);
      infinity = vfma(vset(k.all[i]), d[2 * i + 1], infinity);
    }
#pragma GCC unroll 8
    for (int p = 0; p < kPairs; ++p) {
      even[p] = d[2 * kPairs];
      odd[p] = d[2 * kPairs - 1];
#pragma GCC unroll 8
      for (int i = kPairs - 2; i >= 0; --i) {
        even[p] = vfma(vset(k.others[p][i]), d[2 * i + 2], even[p]);
        odd[p] = vfma(vset(k.others[p][i]), d[2 * i + 1], odd[p]);
      }
    }
    d[0] = zero;
    d[kPoints - 1] = infinity;
#pragma GCC unroll 8
    for (int p = 0; p < kPairs; ++p) {
      const Vec a = vset(k.power[p][1]);
      d[1 + 2 * p] = vfma(a, odd[p], even[p]);
      d[2 + 2 * p] = vfnma(a, odd[p], even[p]);
    }
  }
}

// One dimension of the transform of products: m points -> kTile outputs.
template <int kPoints, int kTile>
GRAFT_INLINE void winograd_out(const Vec (&m)[kPoints], Vec (&y)[kTile]) {
  if constexpr (kPoints == 1) {
    y[0] = m[0];
  } else {
    constexpr int kPairs = winograd_pairs(kPoints);
    constexpr const auto& k = kWinograd<kPairs>;
    Vec sum[kPairs], difference[kPairs];
#pragma GCC unroll 8
    for (int p = 0; p < kPairs; ++p) {
      sum[p] = vadd(m[1 + 2 * p], m[2 + 2 * p]);
      difference[p] = vsub(m[1 + 2 * p], m[2 + 2 * p]);
    }
#pragma GCC unroll 8
    for (int i = 0; i < kTile; ++i) {
      const Vec(&part)[kPairs] = i % 2 ? difference : sum;
      if (i == 0) {
        y[0] = vadd(m[0], part[0]);
      } else if (i == kTile - 1) {
        y[i] = vfma(vset(k.power[0][i]), part[0], m[kPoints - 1]);
      } else {
        y[i] = vmul(vset(k.power[0][i]), part[0]);
      }
#pragma GCC unroll 8
      for (int p = 1; p < kPairs; ++p) y[i] = vfma(vset(k.power[p][i]), part[p], y[i]);
    }
  }
}

// Opaque to the optimiser, which would else keep an address for every position of a patch, more
// than there are registers.
template <typename T>
GRAFT_INLINE void winograd_opaque(T*& p) {
  asm("" : "+r"(p));
}

template <int kRows, int kColumns, bool kInside, bool kTail>
GRAFT_INLINE void winograd_src_vec(const WinogradSrcArgs& t, ptrdiff_t c, int n) {
  Vec half[kRows][kColumns];
  const float* src = t.src + t.offset + c;
#pragma GCC unroll 1
  for (int x = 0; x < kColumns; ++x, src += t.column_step) {
    winograd_opaque(src);
    Vec d[kRows];
    if (!kInside && (x < t.x_begin || x >= t.x_end)) {
#pragma GCC unroll 8
      for (int y = 0; y < kRows; ++y) half[y][x] = vzero();
      continue;
    }
#pragma GCC unroll 8
    for (int y = 0; y < kRows; ++y) {
      d[y] = vzero();
      if (!kInside && (y < t.y_begin || y >= t.y_end)) continue;
      const float* p = src + y * t.row_step;
      if constexpr (kTail) {
        d[y] = vload_n(p, n);
      } else {
        d[y] = vload(p);
      }
    }
    winograd_in(d);
#pragma GCC unroll 8
    for (int y = 0; y < kRows; ++y) half[y][x] = d[y];
  }
  float* dst = t.dst + c;
#pragma GCC unroll 1
  for (int y = 0; y < kRows; ++y, dst += kColumns * t.position_step) {
    winograd_opaque(dst);
    Vec d[kColumns];
#pragma GCC unroll 16
    for (int x = 0; x < kColumns; ++x) d[x] = half[y][x];
    winograd_in(d);
#pragma GCC unroll 16
    for (int x = 0; x < kColumns; ++x) {
      if constexpr (kTail) {
        vstore_n(dst + x * t.position_step, d[x], n);
      } else {
        vstore(dst + x * t.position_step, d[x]);
      }
    }
  }
}

template <int kForm>
void winograd_src(const WinogradSrcArgs* args) {
  constexpr int kRows = kWinogradForm[kForm].n_h(), kColumns = kWinogradForm[kForm].n_w();
  const WinogradSrcArgs t = *args;
  ptrdiff_t c = 0;
  if (t.y_begin <= 0 && t.y_end >= kRows && t.x_begin <= 0 && t.x_end >= kColumns) {
    for (; c + kLanes <= t.channels; c += kLanes)
      winograd_src_vec<kRows, kColumns, true, false>(t, c, kLanes);
  } else {
    for (; c + kLanes <= t.channels; c += kLanes)
      winograd_src_vec<kRows, kColumns, false, false>(t, c, kLanes);
  }
  if (c < t.channels)
    winograd_src_vec<kRows, kColumns, false, true>(t, c, static_cast<int>(t.channels - c));
}

template <int kForm>
void winograd_dst(const WinogradDstArgs* args) {
  constexpr int kRows = kWinogradForm[kForm].n_h(), kColumns = kWinogradForm[kForm].n_w();
  constexpr int kTileH = kWinogradForm[kForm].tile_h, kTileW = kWinogradForm[kForm].tile_w;
  const WinogradDstArgs t = *args;
  const ptrdiff_t rows = t.rows < kTileH ? t.rows : kTileH;
  const bool clamp = t.epilogue->act == Act::kClamp;
  const Vec lo = vset(clamp ? t.epilogue->lo : -__builtin_inff());
  const Vec hi = vset(clamp ? t.epilogue->hi : __builtin_inff());
  for (ptrdiff_t c = 0; c < t.channels; c += kLanes) {
    const ptrdiff_t left = t.channels - c;
    const int n = static_cast<int>(left < kLanes ? left : kLanes);
    Vec half[kTileH][kColumns];
    const float* p = t.src + c;
#pragma GCC unroll 1
    for (int x = 0; x < kColumns; ++x, p += t.position_step) {
      winograd_opaque(p);
      Vec m[kRows], y[kTileH];
#pragma GCC unroll 8
      for (int i = 0; i < kRows; ++i) m[i] = vload(p + i * kColumns * t.position_step);
      winograd_out(m, y);
#pragma GCC unroll 8
      for (int i = 0; i < kTileH; ++i) half[i][x] = y[i];
    }
    const Vec bias = t.bias ? vload_n(t.bias + c, n) : vzero();
    float* dst = t.dst + c;
    const float* residual = t.residual ? t.residual + c : nullptr;
    for (ptrdiff_t i = 0; i < rows; ++i, dst += t.row_step) {
      winograd_opaque(dst);
      Vec m[kColumns], y[kTileW];
#pragma GCC unroll 16
      for (int x = 0; x < kColumns; ++x) m[x] = half[i][x];
      winograd_out(m, y);
#pragma GCC unroll 8
      for (int x = 0; x < kTileW; ++x) {
        if (x >= t.columns) break;
        Vec v = vadd(y[x], bias);
        if (residual) v = vadd(v, vload_n(residual + x * t.residual_column_step, n));
        v = vmin(hi, vmax(lo, v));
        if (n == kLanes) {
          vstore(dst + x * t.column_step, v);
        } else {
          vstore_n(dst + x * t.column_step, v, n);
        }
      }
      if (residual) residual += t.residual_row_step;
    }
  }
  if (clamp) return;
  for (ptrdiff_t i = 0; i < t.rows; ++i) {
    for (ptrdiff_t x = 0; x < t.columns; ++x)
      apply_act(*t.epilogue, t.dst + i * t.row_step + x * t.column_step, 1, t.channels, 0);
  }
}

template <int kForm>
static constexpr void add_winograd(ComputeTable& table) {
  table.winograd_src[kForm] = &winograd_src<kForm>;
  table.winograd_dst[kForm] = &winograd_dst<kForm>;
  if constexpr (kForm > 0) add_winograd<kForm - 1>(table);
}

}  // namespace GRAFT_ISA_NAMESPACE
}  // namespace graft::cpu
