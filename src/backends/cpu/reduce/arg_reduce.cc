// Index of the first maximum or minimum along an axis. NaN is never chosen, as in TensorFlow; where
// nothing is larger than the lowest finite number the index is 0.
#include <limits>

#include "backends/cpu/common/shape_util.h"
#include "backends/cpu/common/split.h"
#include "backends/cpu/common/step_util.h"

namespace graft::cpu {
namespace {

struct ArgPlan {
  int64_t outer = 1, n = 1, inner = 1;
};

using ArgFn = void (*)(const ArgPlan&, const void* src, void* dst, int64_t begin, int64_t end);

template <typename T, typename I, bool kMax>
void arg_range(const ArgPlan& p, const void* src, void* dst, int64_t begin, int64_t end) {
  for (int64_t u = begin; u < end; ++u) {
    const T* x = static_cast<const T*>(src) + u / p.inner * p.n * p.inner + u % p.inner;
    T best = kMax ? std::numeric_limits<T>::lowest() : std::numeric_limits<T>::max();
    int64_t index = 0;
    for (int64_t i = 0; i < p.n; ++i) {
      const T v = x[i * p.inner];
      if (kMax ? v > best : v < best) {
        best = v;
        index = i;
      }
    }
    static_cast<I*>(dst)[u] = static_cast<I>(index);
  }
}

template <typename T>
ArgFn arg_of(DType to, bool max) {
  if (to == DType::kInt64) return max ? arg_range<T, int64_t, true> : arg_range<T, int64_t, false>;
  if (to == DType::kInt32) return max ? arg_range<T, int32_t, true> : arg_range<T, int32_t, false>;
  return nullptr;
}

ArgFn arg_of(const Problem& problem) {
  const auto& attrs = problem.op->as<ir::ArgReduceAttrs>();
  switch (problem.src[0]->dtype) {
    case DType::kFloat:
      return arg_of<float>(attrs.to, attrs.max);
    case DType::kInt32:
      return arg_of<int32_t>(attrs.to, attrs.max);
    case DType::kInt64:
      return arg_of<int64_t>(attrs.to, attrs.max);
    default:
      return nullptr;
  }
}

class ArgReduceStep final : public Step {
 public:
  explicit ArgReduceStep(const Problem& problem)
      : axis_(static_cast<size_t>(problem.op->as<ir::ArgReduceAttrs>().axis)),
        arg_(arg_of(problem)) {}
  std::string_view kernel_name() const override { return "arg_reduce"; }

  Result<backends::StepPlan> plan(const backends::StepShapes& shapes) const override {
    const auto dims = shapes.src[0];
    return plan_of(
        ArgPlan{elems_of(dims.first(axis_)), dims[axis_], elems_of(dims.subspan(axis_ + 1))});
  }

  void run(const backends::StepState* state, const void* const* src, void* const* dst,
           std::byte*) const override {
    const auto& p = state_as<ArgPlan>(state);
    parallel_ranges(p.outer * p.inner, kGrainElems / std::max<int64_t>(p.n, 1),
                    [&](int64_t begin, int64_t end) { arg_(p, src[0], dst[0], begin, end); });
  }

 private:
  size_t axis_;
  ArgFn arg_;
};

std::string supports_arg(const Problem& problem) {
  if (arg_of(problem)) return "";
  return "arg reduction of " + dtype_name(problem.src[0]->dtype) + " is left to the reference";
}

constexpr KernelEntry kArgReduce[] = {{"arg_reduce", supports_arg, make_step<ArgReduceStep>}};

}  // namespace

std::span<const KernelEntry> arg_reduce_kernels() { return kArgReduce; }

}  // namespace graft::cpu
