#include "backends/cpu/reduce/reduce_generic.h"

#include <algorithm>
#include <array>
#include <limits>
#include <type_traits>

#include "backends/cpu/common/loop_nest.h"
#include "backends/cpu/common/shape_util.h"
#include "backends/cpu/common/split.h"
#include "backends/cpu/common/step_util.h"

namespace graft::cpu {
namespace {

using ir::ReduceFn;

struct GenericPlan {
  LoopNest kept{1}, reduced{1};  // strides into src; both with all dims but the last two as blocks
  int64_t kept_elems = 1, reduced_elems = 1;
};

template <typename F>
void for_offsets(const LoopNest& nest, F&& f) {
  if (nest.empty()) return;
  const int r = nest.rank;
  for (int64_t b = 0, blocks = nest.blocks(); b < blocks; ++b) {
    int64_t base[LoopNest::kMaxOperands];
    nest.block_offsets(b, base);
    for (int64_t i = 0; i < nest.extent[r - 2]; ++i) {
      for (int64_t j = 0; j < nest.extent[r - 1]; ++j) {
        f(base[0] + i * nest.stride[0][r - 2] + j * nest.stride[0][r - 1]);
      }
    }
  }
}

int64_t offset_of(const LoopNest& nest, int64_t index) {
  int64_t offset = 0;
  for (int d = nest.rank - 1; d >= 0; --d) {
    offset += index % nest.extent[d] * nest.stride[0][d];
    index /= nest.extent[d];
  }
  return offset;
}

// Unsigned, because signed sums may not wrap.
template <typename T>
struct AccOf {
  using type = std::make_unsigned_t<T>;
};
template <>
struct AccOf<float> {
  using type = double;
};
template <>
struct AccOf<bool> {
  using type = bool;
};

template <ReduceFn kFn, typename T>
T reduce_one(const T* src, const GenericPlan& plan) {
  constexpr bool kFloat = std::is_same_v<T, float>;
  using Acc = typename AccOf<T>::type;
  if constexpr (kFn == ReduceFn::kMax || kFn == ReduceFn::kMin) {
    using Limits = std::numeric_limits<T>;
    const T low = kFloat ? -Limits::infinity() : Limits::lowest();
    const T high = kFloat ? Limits::infinity() : Limits::max();
    T best = kFn == ReduceFn::kMax ? low : high;
    for_offsets(plan.reduced, [&](int64_t i) {
      const T v = src[i];
      if ((kFn == ReduceFn::kMax ? v > best : v < best) || v != v) best = v;
    });
    return best;
  } else {
    constexpr bool kSum = kFn == ReduceFn::kSum || kFn == ReduceFn::kMean;
    Acc acc = kSum || kFn == ReduceFn::kAny ? Acc{0} : Acc{1};
    for_offsets(plan.reduced, [&](int64_t i) {
      const Acc v = static_cast<Acc>(src[i]);
      if constexpr (kSum)
        acc += v;
      else if constexpr (kFn == ReduceFn::kProd)
        acc *= v;
      else if constexpr (kFn == ReduceFn::kAll)
        acc = acc && v;
      else
        acc = acc || v;
    });
    if constexpr (kFn == ReduceFn::kMean) acc /= static_cast<double>(plan.reduced_elems);
    return static_cast<T>(acc);
  }
}

template <ReduceFn kFn, typename T>
void reduce_range(const GenericPlan& plan, const void* src, void* dst, int64_t begin, int64_t end) {
  for (int64_t i = begin; i < end; ++i) {
    static_cast<T*>(dst)[i] =
        reduce_one<kFn, T>(static_cast<const T*>(src) + offset_of(plan.kept, i), plan);
  }
}

using RangeFn = void (*)(const GenericPlan&, const void*, void*, int64_t, int64_t);

template <typename T>
RangeFn range_of(ReduceFn fn) {
  switch (fn) {
    case ReduceFn::kSum:
      return reduce_range<ReduceFn::kSum, T>;
    case ReduceFn::kMax:
      return reduce_range<ReduceFn::kMax, T>;
    case ReduceFn::kMin:
      return reduce_range<ReduceFn::kMin, T>;
    case ReduceFn::kProd:
      return reduce_range<ReduceFn::kProd, T>;
    case ReduceFn::kMean:
      if constexpr (std::is_same_v<T, float>) return reduce_range<ReduceFn::kMean, T>;
      return nullptr;
    default:
      return nullptr;
  }
}

RangeFn range_of(ReduceFn fn, DType dtype) {
  switch (dtype) {
    case DType::kFloat:
      return range_of<float>(fn);
    case DType::kInt32:
      return range_of<int32_t>(fn);
    case DType::kInt64:
      return range_of<int64_t>(fn);
    case DType::kBool:
      if (fn == ReduceFn::kAll) return reduce_range<ReduceFn::kAll, bool>;
      return fn == ReduceFn::kAny ? reduce_range<ReduceFn::kAny, bool> : nullptr;
    default:
      return nullptr;
  }
}

class GenericReduceStep final : public Step {
 public:
  explicit GenericReduceStep(const Problem& problem)
      : attrs_(problem.op->as<ir::ReduceAttrs>()),
        range_(range_of(attrs_.fn, problem.src[0]->dtype)) {}
  std::string_view kernel_name() const override { return "reduce_generic"; }

  Result<backends::StepPlan> plan(const backends::StepShapes& shapes) const override {
    GenericPlan p;
    const auto dims = shapes.src[0];
    std::array<int64_t, 16> strides{};
    int64_t step = 1;
    for (size_t d = dims.size(); d-- > 0; step *= dims[d]) strides[d] = step;
    for (size_t d = 0; d < dims.size(); ++d) {
      const bool reduced = std::find(attrs_.axes.begin(), attrs_.axes.end(),
                                     static_cast<int64_t>(d)) != attrs_.axes.end();
      (reduced ? p.reduced : p.kept).add(dims[d], {&strides[d], 1});
      (reduced ? p.reduced_elems : p.kept_elems) *= dims[d];
    }
    p.kept.finish();
    p.reduced.finish();
    return plan_of(p);
  }

  void run(const backends::StepState* state, const void* const* src, void* const* dst,
           std::byte*) const override {
    const auto& p = state_as<GenericPlan>(state);
    const int64_t grain = kGrainElems / std::max<int64_t>(p.reduced_elems, 1);
    parallel_ranges(p.kept_elems, grain,
                    [&](int64_t begin, int64_t end) { range_(p, src[0], dst[0], begin, end); });
  }

 private:
  const ir::ReduceAttrs attrs_;
  RangeFn range_;
};

}  // namespace

std::string supports_generic_reduce(const Problem& problem) {
  const auto fn = problem.op->as<ir::ReduceAttrs>().fn;
  const DType dtype = problem.src[0]->dtype;
  if (range_of(fn, dtype)) return "";
  return std::string(ir::name_of(fn)) + " of " + dtype_name(dtype) + " is left to the reference";
}

Result<std::unique_ptr<Step>> create_generic_reduce(const Problem& problem) {
  return make_step<GenericReduceStep>(problem);
}

}  // namespace graft::cpu
