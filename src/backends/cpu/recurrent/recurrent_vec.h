// Cells over one vector of units: the state's products with every gate's weights for a few rows at
// a time, and the gates while those are in registers or the first-level cache.
//
// Bits: a product is chains of kSlice multiply-adds in the order of k, added up, whatever the
// number of rows; so an element depends neither on threads nor on its neighbours in the batch.
#pragma once

#include "backends/cpu/isa/activation.h"
#include "backends/cpu/recurrent/recurrent_table.h"

namespace graft::cpu {
inline namespace GRAFT_ISA_NAMESPACE {

static constexpr ptrdiff_t kSlice = 128;

// Rows whose accumulators fit the registers beside one step's weights or states, whichever are
// fewer.
template <int kGates>
static constexpr int recurrent_rows() {
  if (kVecRegisters == 32) return kGates > 3 ? 6 : 8;
  return kGates > 3 ? 3 : kGates == 3 ? 4 : kGates == 2 ? 6 : 8;
}

// acc[row][gate] += x[row] * w[gate].
template <int kRows, int kGates>
GRAFT_INLINE void add_products(const float* x, ptrdiff_t ld, const float* w,
                               Vec (&acc)[kRows][kGates]) {
  if constexpr (kRows < kGates) {
    Vec s[kRows];
#pragma GCC unroll 8
    for (int i = 0; i < kRows; ++i) s[i] = vbroadcast(x + i * ld);
#pragma GCC unroll 4
    for (int g = 0; g < kGates; ++g) {
      const Vec b = vload(w + g * kLanes);
#pragma GCC unroll 8
      for (int i = 0; i < kRows; ++i) vfma_to(acc[i][g], s[i], b);
    }
  } else {
    Vec b[kGates];
#pragma GCC unroll 4
    for (int g = 0; g < kGates; ++g) b[g] = vload(w + g * kLanes);
#pragma GCC unroll 8
    for (int i = 0; i < kRows; ++i) {
      const Vec s = vbroadcast(x + i * ld);
#pragma GCC unroll 4
      for (int g = 0; g < kGates; ++g) vfma_to(acc[i][g], s, b[g]);
    }
  }
}

// out[row][gate] += state row * weights, of elements [begin, begin + n) of the state.
template <int kRows, int kGates>
static void slice_products(const RecurrentArgs& a, ptrdiff_t row, ptrdiff_t begin, ptrdiff_t n,
                           Vec (*out)[kGates]) {
  const float* x = a.state + row * a.k + begin;
  const float* w = a.weights + begin * kGates * kLanes;
  Vec acc[kRows][kGates];
#pragma GCC unroll 8
  for (int i = 0; i < kRows; ++i)
#pragma GCC unroll 4
    for (int g = 0; g < kGates; ++g) acc[i][g] = vzero();
  for (ptrdiff_t k = 0; k < n; ++k, w += kGates * kLanes)
    add_products<kRows, kGates>(x + k, a.k, w, acc);
#pragma GCC unroll 8
  for (int i = 0; i < kRows; ++i)
#pragma GCC unroll 4
    for (int g = 0; g < kGates; ++g) out[i][g] = vadd(out[i][g], acc[i][g]);
}

template <int kAct>
GRAFT_INLINE Vec gate_act(Vec x) {
  const Epilogue none;
  return kAct == 0 ? vsigmoid(x) : act_one<Act::kHardSigmoid>(x, none);
}
template <int kAct>
GRAFT_INLINE Vec state_act(Vec x) {
  return kAct == 0 ? vtanh(x) : kAct == 1 ? vmax(vzero(), x) : x;
}

// The vectors of one row and block; kFull: the block has as many units as lanes.
template <bool kFull>
struct RowOf {
  const RecurrentArgs& a;
  ptrdiff_t at;  // of the row in tensors of [rows, layer's units]
  const float* gates;
  int n;
  RowOf(const RecurrentArgs& args, ptrdiff_t row)
      : a(args),
        at(row * args.gate_step),
        gates(args.gates + row * args.gates_ld),
        n(static_cast<int>(args.units)) {}
  Vec read(const float* p) const { return kFull ? vload(p) : vload_n(p, n); }
  Vec gate(int g) const { return read(gates + g * a.gate_step); }
  Vec load(const float* p) const { return read(p + at); }
  void store(float* p, Vec x) const {
    if constexpr (kFull)
      vstore(p + at, x);
    else
      vstore_n(p + at, x, n);
  }
  Vec hole(int g, Vec p, Vec cell) const {
    return a.peephole ? vfma(read(a.peephole + g * a.gate_step), cell, p) : p;
  }
};

template <int kGate, int kAct>
struct LstmCell {
  static constexpr int kGates = 4;
  template <class Row>
  GRAFT_INLINE void run(const Row& r, const Vec (&p)[4]) {
    const Vec c = r.load(r.a.c);
    const Vec i = gate_act<kGate>(r.hole(0, vadd(r.gate(0), p[0]), c));
    const Vec f = gate_act<kGate>(r.hole(1, vadd(r.gate(1), p[1]), c));
    const Vec g = state_act<kAct>(vadd(r.gate(2), p[2]));
    Vec cell = vfma(f, c, vmul(i, g));
    if (r.a.cell_clip > 0) cell = vmin(vset(r.a.cell_clip), vmax(vset(-r.a.cell_clip), cell));
    const Vec o = gate_act<kGate>(r.hole(2, vadd(r.gate(3), p[3]), cell));
    r.store(r.a.c_next, cell);
    r.store(r.a.h_next, vmul(o, state_act<kAct>(cell)));
  }
};

GRAFT_INLINE Vec blend(Vec z, Vec h, Vec g) { return vfma(z, h, vmul(vsub(vset(1.0f), z), g)); }

template <int kGate>
struct GruGates {
  static constexpr int kGates = 2;
  template <class Row>
  GRAFT_INLINE void run(const Row& r, const Vec (&p)[2]) {
    r.store(r.a.z, gate_act<kGate>(vadd(r.gate(0), p[0])));
    r.store(r.a.scaled, vmul(gate_act<kGate>(vadd(r.gate(1), p[1])), r.load(r.a.h)));
  }
};

template <int kAct>
struct GruState {
  static constexpr int kGates = 1;
  template <class Row>
  GRAFT_INLINE void run(const Row& r, const Vec (&p)[1]) {
    const Vec g = state_act<kAct>(vadd(r.gate(2), p[0]));
    r.store(r.a.h_next, blend(r.load(r.a.z), r.load(r.a.h), g));
  }
};

template <int kGate, int kAct>
struct GruResetAfter {
  static constexpr int kGates = 3;
  template <class Row>
  GRAFT_INLINE void run(const Row& r, const Vec (&p)[3]) {
    const Vec z = gate_act<kGate>(vadd(r.gate(0), p[0]));
    const Vec reset = gate_act<kGate>(vadd(r.gate(1), p[1]));
    const Vec inner = r.a.bias ? vadd(p[2], r.read(r.a.bias)) : p[2];
    const Vec g = state_act<kAct>(vfma(reset, inner, r.gate(2)));
    r.store(r.a.h_next, blend(z, r.load(r.a.h), g));
  }
};

template <int kAct>
struct SimpleCell {
  static constexpr int kGates = 1;
  template <class Row>
  GRAFT_INLINE void run(const Row& r, const Vec (&p)[1]) {
    r.store(r.a.h_next, state_act<kAct>(vadd(r.gate(0), p[0])));
  }
};

// Up to so many rows share a slice of the weights while the first-level cache holds it.
template <class Cell>
static constexpr int recurrent_group() {
  constexpr int kRows = recurrent_rows<Cell::kGates>();
  return 16 / kRows * kRows;
}

template <class Cell>
static void run_group(const RecurrentArgs& a, ptrdiff_t row, ptrdiff_t rows) {
  constexpr int kGates = Cell::kGates, kRows = recurrent_rows<kGates>();
  Vec p[recurrent_group<Cell>()][kGates];
  for (ptrdiff_t i = 0; i < rows; ++i)
    for (int g = 0; g < kGates; ++g) p[i][g] = vzero();
  for (ptrdiff_t begin = 0; begin < a.k; begin += kSlice) {
    const ptrdiff_t n = a.k - begin < kSlice ? a.k - begin : kSlice;
    ptrdiff_t i = 0;
    for (; i + kRows <= rows; i += kRows)
      slice_products<kRows, kGates>(a, row + i, begin, n, p + i);
    for (; i + 2 <= rows; i += 2) slice_products<2, kGates>(a, row + i, begin, n, p + i);
    for (; i < rows; ++i) slice_products<1, kGates>(a, row + i, begin, n, p + i);
  }
  if (a.units == kLanes)
    for (ptrdiff_t i = 0; i < rows; ++i) Cell::run(RowOf<true>(a, row + i), p[i]);
  else
    for (ptrdiff_t i = 0; i < rows; ++i) Cell::run(RowOf<false>(a, row + i), p[i]);
}

template <class Cell>
static void recurrent_block(const RecurrentArgs* args) {
  constexpr int kGroup = recurrent_group<Cell>();
  for (ptrdiff_t row = 0; row < args->rows; row += kGroup)
    run_group<Cell>(*args, row, args->rows - row < kGroup ? args->rows - row : kGroup);
}

static constexpr RecurrentTable make_recurrent_table() {
  return {
      kLanes,
      {{&recurrent_block<LstmCell<0, 0>>, &recurrent_block<LstmCell<0, 1>>,
        &recurrent_block<LstmCell<0, 2>>},
       {&recurrent_block<LstmCell<1, 0>>, &recurrent_block<LstmCell<1, 1>>,
        &recurrent_block<LstmCell<1, 2>>}},
      {&recurrent_block<GruGates<0>>, &recurrent_block<GruGates<1>>},
      {&recurrent_block<GruState<0>>, &recurrent_block<GruState<1>>, &recurrent_block<GruState<2>>},
      {{&recurrent_block<GruResetAfter<0, 0>>, &recurrent_block<GruResetAfter<0, 1>>,
        &recurrent_block<GruResetAfter<0, 2>>},
       {&recurrent_block<GruResetAfter<1, 0>>, &recurrent_block<GruResetAfter<1, 1>>,
        &recurrent_block<GruResetAfter<1, 2>>}},
      {&recurrent_block<SimpleCell<0>>, &recurrent_block<SimpleCell<1>>,
       &recurrent_block<SimpleCell<2>>}};
}

}  // namespace GRAFT_ISA_NAMESPACE
}  // namespace graft::cpu
