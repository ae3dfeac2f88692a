// What GatherNd and ScatterNd share: indices [..., depth] that name rows of a tensor's first
// `depth` dimensions, checked as a whole before anything is moved.
#pragma once

#include <atomic>
#include <type_traits>

#include "backends/cpu/common/shape_util.h"
#include "backends/cpu/common/split.h"
#include "backends/cpu/movement/copy_step.h"

namespace graft::cpu {

// indices [count, depth] name rows of `inner` elements in a tensor of extents dims[0..depth).
struct NdPlan {
  int64_t count = 1, depth = 0, inner = 1, rows = 1;
  int64_t dims[kMaxDims] = {};
  std::vector<int64_t> index_dims;  // for messages, without the last
};

inline NdPlan nd_plan(std::span<const int64_t> data, std::span<const int64_t> indices) {
  NdPlan p;
  p.depth = indices.back();
  const auto depth = static_cast<size_t>(p.depth);
  p.index_dims.assign(indices.begin(), indices.end() - 1);
  p.count = elems_of(p.index_dims);
  p.inner = elems_of(data.subspan(depth));
  p.rows = elems_of(data.first(depth));
  for (size_t d = 0; d < depth; ++d) p.dims[d] = data[d];
  return p;
}

template <typename I>
inline int64_t row_of(const NdPlan& p, const void* indices, int64_t i) {
  int64_t row = 0;
  for (int64_t d = 0; d < p.depth; ++d) {
    I v;
    __builtin_memcpy(&v, static_cast<const I*>(indices) + i * p.depth + d, sizeof(I));
    row = row * p.dims[d] + static_cast<int64_t>(v);
  }
  return row;
}

// The first number of index vectors [begin, end) that is outside, as a flat index; -1: none.
template <typename I>
int64_t first_outside(const NdPlan& p, const void* indices, int64_t begin, int64_t end) {
  for (int64_t i = begin; i < end; ++i) {
    for (int64_t d = 0; d < p.depth; ++d) {
      I v;
      __builtin_memcpy(&v, static_cast<const I*>(indices) + i * p.depth + d, sizeof(I));
      if (v < 0 || v >= p.dims[d]) return i * p.depth + d;
    }
  }
  return -1;
}

template <typename I>
void check_indices(const NdPlan& p, const std::string& op, const void* indices) {
  std::atomic<bool> outside = false;
  parallel_ranges(p.count, kGrainElems / std::max<int64_t>(p.depth, 1),
                  [&](int64_t begin, int64_t end) {
                    if (first_outside<I>(p, indices, begin, end) >= 0) outside = true;
                  });
  if (!outside) return;
  const int64_t at = first_outside<I>(p, indices, 0, p.count), i = at / p.depth, d = at % p.depth;
  I v;
  __builtin_memcpy(&v, static_cast<const I*>(indices) + at, sizeof(I));
  std::string place = std::to_string(d);
  for (size_t k = p.index_dims.size(), flat = static_cast<size_t>(i); k-- > 0;) {
    const auto extent = static_cast<size_t>(p.index_dims[k]);
    place = std::to_string(flat % extent) + "," + place;
    flat /= extent;
  }
  throw backends::StepFailure(invalid_argument("'" + op + "': indices[" + place +
                                               "] = " + std::to_string(v) + " is not in [0, " +
                                               std::to_string(p.dims[d]) + ")"));
}

class NdStep : public Step {
 public:
  explicit NdStep(const Problem& problem)
      : name_(problem.op->name), wide_(problem.src[1]->dtype == DType::kInt64) {}

 protected:
  const std::string& name() const { return name_; }
  void check(const NdPlan& p, const void* indices) const {
    wide_ ? check_indices<int64_t>(p, name_, indices) : check_indices<int32_t>(p, name_, indices);
  }
  int64_t row(const NdPlan& p, const void* indices, int64_t i) const {
    return wide_ ? row_of<int64_t>(p, indices, i) : row_of<int32_t>(p, indices, i);
  }

 private:
  const std::string name_;
  bool wide_;
};

// What update x makes of an element y.
template <ir::ScatterFn kFn, typename T>
T scattered(T y, T x) {
  if constexpr (kFn == ir::ScatterFn::kReplace)
    return x;
  else if constexpr (kFn == ir::ScatterFn::kMax)
    return y < x ? x : y;
  else if constexpr (kFn == ir::ScatterFn::kMin)
    return x < y ? x : y;
  else if constexpr (std::is_floating_point_v<T>)
    return kFn == ir::ScatterFn::kAdd ? y + x : y - x;
  else {
    using U = std::make_unsigned_t<T>;
    const U a = static_cast<U>(y), b = static_cast<U>(x);
    return static_cast<T>(kFn == ir::ScatterFn::kAdd ? a + b : a - b);
  }
}

// Which sizes TensorFlow refuses.
inline Status check_updates(const std::string& op, const backends::StepShapes& shapes) {
  const int64_t elems = elems_of(shapes.src[0]), indices = elems_of(shapes.src[1]),
                updates = elems_of(shapes.src[2]);
  const bool nothing = indices == 0 && updates == 0;
  if (!nothing && (elems == 0 || indices == 0 || updates == 0))  // as TensorFlow
    return invalid_argument("'" + op + "': src has " + std::to_string(elems) +
                            " elements, indices " + std::to_string(indices) + ", updates " +
                            std::to_string(updates) +
                            ": expected some in each, or no indices and no updates");
  return ok_status();
}

}  // namespace graft::cpu
