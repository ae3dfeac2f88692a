#include "backends/cpu/reduce/reduce_shape.h"

#include <algorithm>

#include "base/check.h"

namespace graft::cpu {

bool ReduceShape::is_simple() const { return std::count(reduced, reduced + rank, true) <= 1; }

ReduceShape reduce_shape(std::span<const int64_t> dims, std::span<const int64_t> axes) {
  ReduceShape s;
  for (size_t d = 0; d < dims.size(); ++d) {
    const bool reduced = std::find(axes.begin(), axes.end(), static_cast<int64_t>(d)) != axes.end();
    (reduced ? s.reduced_elems : s.kept_elems) *= dims[d];
    if (dims[d] == 1) continue;
    if (s.rank > 0 && s.reduced[s.rank - 1] == reduced) {
      s.extent[s.rank - 1] *= dims[d];
    } else {
      GRAFT_CHECK(s.rank < ReduceShape::kMaxRank);
      s.extent[s.rank] = dims[d];
      s.reduced[s.rank++] = reduced;
    }
  }
  if (s.is_simple()) {
    bool before = std::count(s.reduced, s.reduced + s.rank, true) > 0;
    for (int d = 0; d < s.rank; ++d) {
      if (s.reduced[d])
        before = false;
      else
        (before ? s.outer : s.inner) *= s.extent[d];
    }
  }
  return s;
}

}  // namespace graft::cpu
