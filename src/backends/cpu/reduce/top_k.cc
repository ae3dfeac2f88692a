// The k largest elements of rows. The indices of a row's destination are a heap, worst first, while
// the row is read; most elements are only compared with the worst.
#include <algorithm>

#include "backends/cpu/common/shape_util.h"
#include "backends/cpu/common/split.h"
#include "backends/cpu/common/step_util.h"

namespace graft::cpu {
namespace {

struct TopKPlan {
  int64_t rows = 0, n = 0, k = 0;
};

// Larger first, then the lower index; NaN behind all numbers. A strict order of the indices.
template <typename T>
bool is_before(const T* x, int64_t i, int64_t j) {
  if (x[i] > x[j]) return true;
  if (x[i] < x[j]) return false;
  if constexpr (std::is_floating_point_v<T>) {
    const bool nan_i = x[i] != x[i], nan_j = x[j] != x[j];
    if (nan_i != nan_j) return nan_j;
  }
  return i < j;
}

template <typename T, typename I>
void top_k_row(const T* x, int64_t n, int64_t k, T* values, I* indices) {
  const auto before = [x](I i, I j) { return is_before(x, i, j); };
  for (int64_t i = 0; i < k; ++i) indices[i] = static_cast<I>(i);
  std::make_heap(indices, indices + k, before);
  for (int64_t i = k; i < n; ++i) {
    if (!is_before(x, i, static_cast<int64_t>(indices[0]))) continue;
    std::pop_heap(indices, indices + k, before);
    indices[k - 1] = static_cast<I>(i);
    std::push_heap(indices, indices + k, before);
  }
  std::sort_heap(indices, indices + k, before);
  for (int64_t i = 0; i < k; ++i) values[i] = x[indices[i]];
}

using TopKFn = void (*)(const TopKPlan&, const void* src, void* values, void* indices);

template <typename T, typename I>
void top_k(const TopKPlan& p, const void* src, void* values, void* indices) {
  if (p.k == 0) return;
  parallel_ranges(p.rows, kGrainElems / p.n, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) {
      top_k_row(static_cast<const T*>(src) + r * p.n, p.n, p.k, static_cast<T*>(values) + r * p.k,
                static_cast<I*>(indices) + r * p.k);
    }
  });
}

template <typename T>
TopKFn top_k_of(DType to) {
  if (to == DType::kInt32) return top_k<T, int32_t>;
  return to == DType::kInt64 ? top_k<T, int64_t> : nullptr;
}

TopKFn top_k_of(const Problem& problem) {
  const DType to = problem.op->as<ir::TopKAttrs>().to;
  switch (problem.src[0]->dtype) {
    case DType::kFloat:
      return top_k_of<float>(to);
    case DType::kDouble:
      return top_k_of<double>(to);
    case DType::kInt32:
      return top_k_of<int32_t>(to);
    case DType::kInt64:
      return top_k_of<int64_t>(to);
    default:
      return nullptr;
  }
}

class TopKStep final : public Step {
 public:
  explicit TopKStep(const Problem& problem) : top_k_(top_k_of(problem)) {}
  std::string_view kernel_name() const override { return "top_k"; }

  Result<backends::StepPlan> plan(const backends::StepShapes& shapes) const override {
    const auto src = shapes.src[0];
    const TopKPlan p{elems_of(src.first(src.size() - 1)), src.back(), shapes.dst[0].back()};
    if (p.k > p.n)
      return invalid_argument("top_k: k is " + std::to_string(p.k) + ", the rows have " +
                              std::to_string(p.n) + " elements");
    return plan_of(p);
  }

  void run(const backends::StepState* state, const void* const* src, void* const* dst,
           std::byte*) const override {
    top_k_(state_as<TopKPlan>(state), src[0], dst[0], dst[1]);
  }

 private:
  TopKFn top_k_;
};

std::string supports_top_k(const Problem& problem) {
  if (top_k_of(problem)) return "";
  return "top_k of " + dtype_name(problem.src[0]->dtype) + " is left to the reference";
}

constexpr KernelEntry kTopK[] = {{"top_k", supports_top_k, make_step<TopKStep>}};

}  // namespace

std::span<const KernelEntry> top_k_kernels() { return kTopK; }

}  // namespace graft::cpu
