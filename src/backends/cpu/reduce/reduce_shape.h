// A reduction's dims, merged: neighbouring dims of one kind (kept or reduced) become one.
#pragma once

#include <cstdint>
#include <span>

namespace graft::cpu {

struct ReduceShape {
  static constexpr int kMaxRank = 8;
  int rank = 0;  // dims of extent 1 are dropped
  int64_t extent[kMaxRank] = {};
  bool reduced[kMaxRank] = {};  // alternates
  int64_t kept_elems = 1, reduced_elems = 1;

  // [outer, n, inner] with n reduced: at most three dims, one of them reduced.
  bool is_simple() const;
  int64_t outer = 1, inner = 1;  // valid when is_simple()
};

ReduceShape reduce_shape(std::span<const int64_t> dims, std::span<const int64_t> axes);

}  // namespace graft::cpu
