// LoopNest: the loops over one or more strided operands, merged to as few dims as possible.
//
// Invariants after finish(): rank >= 2; extents > 0 unless the nest is empty; no two neighbouring
// dims could be walked as one. Strides are in elements. Operand 0 is the destination by convention.
#pragma once

#include <cstdint>
#include <span>

namespace graft::cpu {

struct LoopNest {
  static constexpr int kMaxRank = 18;
  static constexpr int kMaxOperands = 4;

  int rank = 0;
  int operands = 0;
  int64_t extent[kMaxRank] = {};
  int64_t stride[kMaxOperands][kMaxRank] = {};

  explicit LoopNest(int num_operands = 1) : operands(num_operands) {}

  // Appends a dim inside the present ones; strides has one entry an operand.
  void add(int64_t dim_extent, std::span<const int64_t> strides);
  // Drops dims of extent 1, merges dims, and puts dims of extent 1 in front until rank is 2.
  void finish();

  bool empty() const;
  // Iterations of all dims but the last / but the last two.
  int64_t rows() const;
  int64_t blocks() const;
  int64_t inner() const { return extent[rank - 1]; }
  // Offsets of every operand at iteration `block` of the dims before the last two.
  void block_offsets(int64_t block, int64_t* offsets) const;
};

// dst dense with dims dst; sources dense with dims that broadcast to dst by NumPy's rule.
LoopNest broadcast_nest(std::span<const int64_t> dst,
                        std::span<const std::span<const int64_t>> sources);

}  // namespace graft::cpu
