// Casts among the dtypes that meet in networks. Values out of an integer's range give what
// TensorFlow gives on this processor: the smallest number of int32 and int64.
#include <immintrin.h>

#include "backends/cpu/common/shape_util.h"
#include "backends/cpu/common/split.h"
#include "backends/cpu/common/step_util.h"
#include "backends/cpu/pointwise/table_of.h"
#include "base/half.h"

namespace graft::cpu {
namespace {

using CastFn = void (*)(const void* src, void* dst, int64_t begin, int64_t end);

template <typename To, typename From>
To convert(From x) {
  if constexpr (std::is_same_v<From, Half> || std::is_same_v<From, Bfloat16>) {
    return convert<To>(static_cast<float>(x));
  } else if constexpr (std::is_same_v<To, bool>) {
    return x != From{0};
  } else if constexpr (std::is_same_v<To, Half> || std::is_same_v<To, Bfloat16>) {
    return To(static_cast<float>(x));
  } else if constexpr (std::is_same_v<To, int32_t> && std::is_floating_point_v<From>) {
    return _mm_cvttsd_si32(_mm_set_sd(static_cast<double>(x)));
  } else if constexpr (std::is_integral_v<To> && sizeof(To) < 4 && std::is_same_v<From, float>) {
    return static_cast<To>(_mm_cvttss_si32(_mm_set_ss(x)));
  } else if constexpr (std::is_same_v<To, int64_t> && std::is_floating_point_v<From>) {
    return _mm_cvttsd_si64(_mm_set_sd(static_cast<double>(x)));
  } else {
    return static_cast<To>(x);
  }
}

template <typename To, typename From>
void cast_range(const void* src, void* dst, int64_t begin, int64_t end) {
  const auto* x = static_cast<const From*>(src);
  auto* y = static_cast<To*>(dst);
  for (int64_t i = begin; i < end; ++i) y[i] = convert<To, From>(x[i]);
}

// To 8 and 16 bits: the low bits of the 32-bit conversion. Others are the reference's.
template <typename To, typename From>
CastFn narrow_from() {
  if constexpr (std::is_same_v<From, float>) return cast_range<To, float>;
  return nullptr;
}

template <typename From>
CastFn cast_from(DType to) {
  switch (to) {
    case DType::kFloat:
      return cast_range<float, From>;
    case DType::kDouble:
      return cast_range<double, From>;
    case DType::kHalf:
      // double to half in one rounding is the reference's.
      if constexpr (!std::is_same_v<From, double>) return cast_range<Half, From>;
      return nullptr;
    case DType::kBfloat16:
      if constexpr (!std::is_same_v<From, double>) return cast_range<Bfloat16, From>;
      return nullptr;
    case DType::kInt32:
      return cast_range<int32_t, From>;
    case DType::kInt64:
      return cast_range<int64_t, From>;
    case DType::kBool:
      return cast_range<bool, From>;
    case DType::kInt8:
      return narrow_from<int8_t, From>();
    case DType::kUint8:
      return narrow_from<uint8_t, From>();
    case DType::kInt16:
      return narrow_from<int16_t, From>();
    case DType::kUint16:
      return narrow_from<uint16_t, From>();
    default:
      return nullptr;
  }
}

CastFn cast_of(DType from, DType to) {
  switch (from) {
    case DType::kFloat:
      return cast_from<float>(to);
    case DType::kDouble:
      return cast_from<double>(to);
    case DType::kHalf:
      return cast_from<Half>(to);
    case DType::kBfloat16:
      return cast_from<Bfloat16>(to);
    case DType::kInt32:
      return cast_from<int32_t>(to);
    case DType::kInt64:
      return cast_from<int64_t>(to);
    case DType::kUint8:
      return cast_from<uint8_t>(to);
    case DType::kInt8:
      return cast_from<int8_t>(to);
    case DType::kUint16:
      return cast_from<uint16_t>(to);
    case DType::kInt16:
      return cast_from<int16_t>(to);
    case DType::kBool:
      return cast_from<bool>(to);
    default:
      return nullptr;
  }
}

// float32 to half and back by the level's instruction.
class HalfStep final : public Step {
 public:
  explicit HalfStep(const Problem& problem)
      : table_(pointwise_table_of(problem.target.isa)),
        to_half_(problem.dst[0]->dtype == DType::kHalf) {}
  std::string_view kernel_name() const override { return "cast_half"; }
  Result<backends::StepPlan> plan(const backends::StepShapes& shapes) const override {
    return plan_of(elems_of(shapes.dst[0]));
  }
  void run(const backends::StepState* state, const void* const* src, void* const* dst,
           std::byte*) const override {
    const auto call = [&]<typename From, typename To>(void (*fn)(const From*, To*, ptrdiff_t)) {
      parallel_ranges(state_as<int64_t>(state), kGrainElems, [&](int64_t begin, int64_t end) {
        fn(static_cast<const From*>(src[0]) + begin, static_cast<To*>(dst[0]) + begin, end - begin);
      });
    };
    to_half_ ? call(table_.to_half) : call(table_.from_half);
  }

 private:
  const PointwiseTable& table_;
  bool to_half_;
};

std::string supports_half(const Problem& problem) {
  const DType from = problem.src[0]->dtype, to = problem.dst[0]->dtype;
  if (!(from == DType::kFloat && to == DType::kHalf) &&
      !(from == DType::kHalf && to == DType::kFloat))
    return "cast of " + dtype_name(from) + " to " + dtype_name(to) + " is not of float32 and half";
  return pointwise_table_of(problem.target.isa).to_half ? "" : "no instruction for half";
}

class CastStep final : public Step {
 public:
  explicit CastStep(const Problem& problem)
      : cast_(cast_of(problem.src[0]->dtype, problem.dst[0]->dtype)) {}
  std::string_view kernel_name() const override { return "cast"; }
  Result<backends::StepPlan> plan(const backends::StepShapes& shapes) const override {
    return plan_of(elems_of(shapes.dst[0]));
  }
  void run(const backends::StepState* state, const void* const* src, void* const* dst,
           std::byte*) const override {
    parallel_ranges(state_as<int64_t>(state), kGrainElems,
                    [&](int64_t begin, int64_t end) { cast_(src[0], dst[0], begin, end); });
  }

 private:
  CastFn cast_;
};

std::string supports_cast(const Problem& problem) {
  const DType from = problem.src[0]->dtype, to = problem.dst[0]->dtype;
  if (cast_of(from, to)) return "";
  return "cast of " + dtype_name(from) + " to " + dtype_name(to) + " is left to the reference";
}

constexpr KernelEntry kCast[] = {{"cast_half", supports_half, make_step<HalfStep>},
                                 {"cast", supports_cast, make_step<CastStep>}};

}  // namespace

std::span<const KernelEntry> cast_kernels() { return kCast; }

}  // namespace graft::cpu
