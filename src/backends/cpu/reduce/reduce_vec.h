// Reductions over vectors. The order of an element depends on n and the ISA only. Sums run in two
// levels (blocks, then blocks' sums), so that the error grows with the root of the block, not of n.
// NaN anywhere makes the result NaN. Nothing reduced gives 0, -inf, inf, 1.
#pragma once

#include "backends/cpu/isa/vec.h"
#include "backends/cpu/reduce/reduce_table.h"

namespace graft::cpu {
inline namespace GRAFT_ISA_NAMESPACE {

constexpr ptrdiff_t kBlockSteps = 64;

template <ReduceOp kOp>
GRAFT_INLINE float reduce_identity() {
  if constexpr (kOp == ReduceOp::kSum) return 0.0f;
  if constexpr (kOp == ReduceOp::kMax) return -__builtin_inff();
  if constexpr (kOp == ReduceOp::kMin) return __builtin_inff();
  return 1.0f;
}

template <ReduceOp kOp>
GRAFT_INLINE Vec reduce_join(Vec acc, Vec v) {
  if constexpr (kOp == ReduceOp::kSum) return vadd(acc, v);
  if constexpr (kOp == ReduceOp::kMax) return vselect(vis_nan(v), v, vmax(v, acc));
  if constexpr (kOp == ReduceOp::kMin) return vselect(vis_nan(v), v, vmin(v, acc));
  return vmul(acc, v);
}

// The lanes of v as one number, by halves in a fixed order.
template <ReduceOp kOp>
GRAFT_INLINE float reduce_lanes(Vec v) {
  float lanes[kLanes];
  for (int half = kLanes / 2; half > 0; half /= 2) {
    vstore(lanes, v);
    v = reduce_join<kOp>(vload_n(lanes, half), vload_n(lanes + half, half));
  }
  vstore(lanes, v);
  return lanes[0];
}

// First m lanes of v, the identity in the others.
template <ReduceOp kOp>
GRAFT_INLINE Vec reduce_load_n(const float* p, int m) {
  float lanes[kLanes];
  vstore(lanes, vset(reduce_identity<kOp>()));
  vstore_n(lanes, vload_n(p, m), m);
  return vload(lanes);
}

template <ReduceOp kOp>
static void reduce_inner(const ReduceArgs* args) {
  const Vec identity = vset(reduce_identity<kOp>());
  for (ptrdiff_t r = 0; r < args->rows; ++r) {
    const float* p = args->src + r * args->row_step;
    ptrdiff_t left = args->n;
    Vec total = identity;
    while (left >= 4 * kLanes) {
      const ptrdiff_t steps = left / (4 * kLanes) < kBlockSteps ? left / (4 * kLanes) : kBlockSteps;
      Vec a0 = identity, a1 = identity, a2 = identity, a3 = identity;
      for (ptrdiff_t s = 0; s < steps; ++s, p += 4 * kLanes) {
        a0 = reduce_join<kOp>(a0, vload(p));
        a1 = reduce_join<kOp>(a1, vload(p + kLanes));
        a2 = reduce_join<kOp>(a2, vload(p + 2 * kLanes));
        a3 = reduce_join<kOp>(a3, vload(p + 3 * kLanes));
      }
      left -= steps * 4 * kLanes;
      a0 = reduce_join<kOp>(a0, a1);
      a2 = reduce_join<kOp>(a2, a3);
      total = reduce_join<kOp>(total, reduce_join<kOp>(a0, a2));
    }
    for (; left >= kLanes; left -= kLanes, p += kLanes) total = reduce_join<kOp>(total, vload(p));
    if (left > 0) total = reduce_join<kOp>(total, reduce_load_n<kOp>(p, static_cast<int>(left)));
    args->dst[r] = reduce_lanes<kOp>(total) / args->divisor;
  }
}

template <ReduceOp kOp, int kVecs, bool kTail>
GRAFT_INLINE void reduce_columns(const ReduceArgs& t, ptrdiff_t column, int tail) {
  const Vec identity = vset(reduce_identity<kOp>());
  Vec total[kVecs];
#pragma GCC unroll 8
  for (int j = 0; j < kVecs; ++j) total[j] = identity;
  const float* p = t.src + column;
  for (ptrdiff_t k = 0; k < t.n;) {
    const ptrdiff_t end = t.n - k < kBlockSteps ? t.n : k + kBlockSteps;
    Vec acc[kVecs];
#pragma GCC unroll 8
    for (int j = 0; j < kVecs; ++j) acc[j] = identity;
    for (; k < end; ++k, p += t.row_step) {
#pragma GCC unroll 8
      for (int j = 0; j < kVecs; ++j) {
        acc[j] = reduce_join<kOp>(acc[j], kTail ? vload_n(p, tail) : vload(p + j * kLanes));
      }
    }
#pragma GCC unroll 8
    for (int j = 0; j < kVecs; ++j) total[j] = reduce_join<kOp>(total[j], acc[j]);
  }
  const Vec divisor = vset(t.divisor);
#pragma GCC unroll 8
  for (int j = 0; j < kVecs; ++j) {
    const Vec v = vdiv(total[j], divisor);
    if (kTail) {
      vstore_n(t.dst + column, v, tail);
    } else {
      vstore(t.dst + column + j * kLanes, v);
    }
  }
}

template <ReduceOp kOp>
static void reduce_outer(const ReduceArgs* args) {
  ptrdiff_t c = 0;
  for (; c + 4 * kLanes <= args->columns; c += 4 * kLanes)
    reduce_columns<kOp, 4, false>(*args, c, 0);
  for (; c + kLanes <= args->columns; c += kLanes) reduce_columns<kOp, 1, false>(*args, c, 0);
  if (c < args->columns)
    reduce_columns<kOp, 1, true>(*args, c, static_cast<int>(args->columns - c));
}

static constexpr ReduceTable make_reduce_table() {
  return {{&reduce_inner<ReduceOp::kSum>, &reduce_inner<ReduceOp::kMax>,
           &reduce_inner<ReduceOp::kMin>, &reduce_inner<ReduceOp::kProd>},
          {&reduce_outer<ReduceOp::kSum>, &reduce_outer<ReduceOp::kMax>,
           &reduce_outer<ReduceOp::kMin>, &reduce_outer<ReduceOp::kProd>}};
}

}  // namespace GRAFT_ISA_NAMESPACE
}  // namespace graft::cpu
