#include "backends/cpu/common/loop_nest.h"

#include "base/check.h"

namespace graft::cpu {

void LoopNest::add(int64_t dim_extent, std::span<const int64_t> strides) {
  GRAFT_CHECK(rank < kMaxRank && static_cast<int>(strides.size()) == operands);
  extent[rank] = dim_extent;
  for (int i = 0; i < operands; ++i) stride[i][rank] = strides[static_cast<size_t>(i)];
  ++rank;
}

void LoopNest::finish() {
  int kept = 0;
  const auto copy_dim = [&](int from, int to) {
    extent[to] = extent[from];
    for (int i = 0; i < operands; ++i) stride[i][to] = stride[i][from];
  };
  for (int d = 0; d < rank; ++d) {
    if (extent[d] == 1) continue;
    bool merge = kept > 0;
    for (int i = 0; merge && i < operands; ++i) {
      merge = stride[i][kept - 1] == stride[i][d] * extent[d];
    }
    if (merge) {
      extent[kept - 1] *= extent[d];
      for (int i = 0; i < operands; ++i) stride[i][kept - 1] = stride[i][d];
    } else {
      copy_dim(d, kept++);
    }
  }
  rank = kept;
  const int missing = rank < 2 ? 2 - rank : 0;
  for (int d = rank - 1; d >= 0 && missing > 0; --d) copy_dim(d, d + missing);
  for (int d = 0; d < missing; ++d) {
    extent[d] = 1;
    for (int i = 0; i < operands; ++i) stride[i][d] = 0;
  }
  rank += missing;
}

bool LoopNest::empty() const {
  for (int d = 0; d < rank; ++d) {
    if (extent[d] == 0) return true;
  }
  return false;
}

int64_t LoopNest::blocks() const {
  int64_t n = 1;
  for (int d = 0; d + 2 < rank; ++d) n *= extent[d];
  return n;
}

int64_t LoopNest::rows() const { return blocks() * extent[rank - 2]; }

void LoopNest::block_offsets(int64_t block, int64_t* offsets) const {
  for (int i = 0; i < operands; ++i) offsets[i] = 0;
  for (int d = rank - 3; d >= 0; --d) {
    const int64_t index = block % extent[d];
    block /= extent[d];
    for (int i = 0; i < operands; ++i) offsets[i] += index * stride[i][d];
  }
}

LoopNest broadcast_nest(std::span<const int64_t> dst,
                        std::span<const std::span<const int64_t>> sources) {
  LoopNest nest(static_cast<int>(sources.size()) + 1);
  int64_t strides[LoopNest::kMaxRank][LoopNest::kMaxOperands] = {};
  const size_t rank = dst.size();
  GRAFT_CHECK(rank <= LoopNest::kMaxRank && nest.operands <= LoopNest::kMaxOperands);
  for (int i = 0; i < nest.operands; ++i) {
    const auto dims = i == 0 ? dst : sources[static_cast<size_t>(i - 1)];
    GRAFT_CHECK(dims.size() <= rank);
    int64_t step = 1;
    for (size_t k = 0; k < dims.size(); ++k) {
      const size_t d = rank - 1 - k;
      const int64_t n = dims[dims.size() - 1 - k];
      GRAFT_CHECK(n == dst[d] || n == 1);
      strides[d][i] = n == 1 ? 0 : step;
      step *= n;
    }
  }
  for (size_t d = 0; d < rank; ++d) {
    nest.add(dst[d], {strides[d], static_cast<size_t>(nest.operands)});
  }
  nest.finish();
  return nest;
}

}  // namespace graft::cpu
