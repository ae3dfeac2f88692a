#include "backends/cpu/movement/copy_nd.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "backends/cpu/common/row_blocks.h"
#include "base/check.h"

namespace graft::cpu {
namespace {

// Elements of a side of the square that is transposed at once: a cache line of 4-byte elements.
constexpr int64_t kTile = 16;

struct BlockArgs {
  std::byte* dst;
  const std::byte* src;
  int64_t rows, n;
  int64_t dst_row, src_row, dst_step, src_step;  // in elements
};

template <int kBytes>
inline void copy_one(std::byte* dst, const std::byte* src) {
  __builtin_memcpy(dst, src, kBytes);
}

template <int kBytes>
void strided_block(const BlockArgs& t) {
  for (int64_t i = 0; i < t.rows; ++i) {
    std::byte* dst = t.dst + i * t.dst_row * kBytes;
    const std::byte* src = t.src + i * t.src_row * kBytes;
    for (int64_t j = 0; j < t.n; ++j) {
      copy_one<kBytes>(dst + j * t.dst_step * kBytes, src + j * t.src_step * kBytes);
    }
  }
}

// src_row == 1: squares, so that every line of both sides is used whole.
template <int kBytes>
void transpose_block(const BlockArgs& t) {
  for (int64_t i0 = 0; i0 < t.rows; i0 += kTile) {
    const int64_t i1 = std::min(i0 + kTile, t.rows);
    for (int64_t j0 = 0; j0 < t.n; j0 += kTile) {
      const BlockArgs tile{t.dst + (i0 * t.dst_row + j0 * t.dst_step) * kBytes,
                           t.src + (i0 + j0 * t.src_step) * kBytes,
                           i1 - i0,
                           std::min(kTile, t.n - j0),
                           t.dst_row,
                           1,
                           t.dst_step,
                           t.src_step};
      strided_block<kBytes>(tile);
    }
  }
}

template <int kBytes>
void copy_block(const BlockArgs& t) {
  if (t.dst_step == 1 && t.src_step == 1 && t.n * kBytes >= 32) {
    for (int64_t i = 0; i < t.rows; ++i) {
      std::memcpy(t.dst + i * t.dst_row * kBytes, t.src + i * t.src_row * kBytes,
                  static_cast<size_t>(t.n * kBytes));
    }
  } else if (t.src_row == 1 && t.src_step != 1 && t.rows > 1) {
    transpose_block<kBytes>(t);
  } else {
    strided_block<kBytes>(t);
  }
}

template <int kBytes>
void run_copy_of(const CopyNd& copy, const std::byte* src, std::byte* dst) {
  const LoopNest& nest = copy.nest;
  const int r = nest.rank;
  for_row_blocks(nest, kGrainElems, [&](const int64_t* at, int64_t rows, int64_t n) {
    copy_block<kBytes>({dst + at[0] * kBytes, src + (copy.src_offset + at[1]) * kBytes, rows, n,
                        nest.stride[0][r - 2], nest.stride[1][r - 2], nest.stride[0][r - 1],
                        nest.stride[1][r - 1]});
  });
}

template <int kBytes>
void fill_of(std::byte* dst, const void* value, int64_t n) {
  std::byte v[kBytes];
  std::memcpy(v, value, kBytes);
  for (int64_t i = 0; i < n; ++i) copy_one<kBytes>(dst + i * kBytes, v);
}

}  // namespace

void CopyNd::finish() {
  nest.finish();
  const int r = nest.rank;
  if (nest.stride[1][r - 1] == 1) return;
  // The dim along which the source is dense becomes the last but one.
  for (int d = 0; d < r - 2; ++d) {
    if (nest.stride[1][d] != 1 || nest.extent[d] == 1) continue;
    for (int k = d; k + 1 < r - 1; ++k) {
      std::swap(nest.extent[k], nest.extent[k + 1]);
      for (int i = 0; i < nest.operands; ++i) std::swap(nest.stride[i][k], nest.stride[i][k + 1]);
    }
    return;
  }
}

void run_copy(const CopyNd& copy, int64_t elem_bytes, const void* src, void* dst) {
  const auto* from = static_cast<const std::byte*>(src);
  auto* to = static_cast<std::byte*>(dst);
  switch (elem_bytes) {
    case 1:
      return run_copy_of<1>(copy, from, to);
    case 2:
      return run_copy_of<2>(copy, from, to);
    case 4:
      return run_copy_of<4>(copy, from, to);
    case 8:
      return run_copy_of<8>(copy, from, to);
    default:
      GRAFT_CHECK(false, "element size");
  }
}

void fill_elems(std::byte* dst, const void* value, int64_t elem_bytes, int64_t n) {
  switch (elem_bytes) {
    case 1:
      return fill_of<1>(dst, value, n);
    case 2:
      return fill_of<2>(dst, value, n);
    case 4:
      return fill_of<4>(dst, value, n);
    case 8:
      return fill_of<8>(dst, value, n);
    default:
      GRAFT_CHECK(false, "element size");
  }
}

}  // namespace graft::cpu
