#include "backends/cpu/pointwise/unary_generic.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>

#include "backends/cpu/common/shape_util.h"
#include "backends/cpu/common/split.h"
#include "backends/cpu/common/step_util.h"

namespace graft::cpu {
namespace {

using ir::UnaryFn;

// By sums of neighbouring bits, pairs and nibbles: the baseline has no instruction for it, vectors
// of which this becomes.
template <typename T>
uint8_t count_bits(T x) {
  constexpr T kAll = static_cast<T>(~T{0});
  x = static_cast<T>(x - ((x >> 1) & (kAll / 3)));
  x = static_cast<T>((x & (kAll / 5)) + ((x >> 2) & (kAll / 5)));
  x = static_cast<T>((x + (x >> 4)) & (kAll / 17));
  for (size_t bits = 8; bits < 8 * sizeof(T); bits *= 2) x = static_cast<T>(x + (x >> bits));
  return static_cast<uint8_t>(x & 0x7f);
}

// The lowest number's negative and absolute value are itself, as TensorFlow's.
template <UnaryFn kFn, typename T>
auto apply(T x) {
  if constexpr (kFn == UnaryFn::kIsNan)
    return x != x;
  else if constexpr (kFn == UnaryFn::kIsInf)
    return std::fabs(x) == std::numeric_limits<T>::infinity();
  else if constexpr (kFn == UnaryFn::kIsFinite)
    return std::fabs(x) < std::numeric_limits<T>::infinity();
  else if constexpr (kFn == UnaryFn::kLogicalNot)
    return static_cast<T>(x == 0);
  else if constexpr (kFn == UnaryFn::kSign)
    return static_cast<T>((x > T{0}) - (x < T{0}));
  else if constexpr (kFn == UnaryFn::kRelu)
    return std::max(x, T{0});
  else if constexpr (kFn == UnaryFn::kRelu6)
    return std::min(std::max(x, T{0}), T{6});
  else {
    using U = std::make_unsigned_t<T>;
    const U u = static_cast<U>(x);
    if constexpr (kFn == UnaryFn::kPopulationCount)
      return count_bits(u);
    else if constexpr (kFn == UnaryFn::kInvert)
      return static_cast<T>(~u);
    else if constexpr (kFn == UnaryFn::kNeg)
      return static_cast<T>(U{0} - u);
    else if constexpr (kFn == UnaryFn::kAbs)
      return static_cast<T>(x < T{0} ? U{0} - u : u);
    else  // what C++ widens a short unsigned number to has a sign
      return static_cast<T>(std::common_type_t<U, unsigned>{u} * u);
  }
}

using RangeFn = void (*)(const void* src, void* dst, int64_t begin, int64_t end);

template <UnaryFn kFn, typename T>
void range(const void* src, void* dst, int64_t begin, int64_t end) {
  const auto* x = static_cast<const T*>(src);
  auto* y = static_cast<decltype(apply<kFn, T>(T{}))*>(dst);
  for (int64_t i = begin; i < end; ++i) y[i] = apply<kFn, T>(x[i]);
}

template <typename T>
RangeFn integer(UnaryFn fn) {
  switch (fn) {
    case UnaryFn::kInvert:
      return range<UnaryFn::kInvert, T>;
    case UnaryFn::kPopulationCount:
      return range<UnaryFn::kPopulationCount, T>;
    case UnaryFn::kNeg:
      return range<UnaryFn::kNeg, T>;
    case UnaryFn::kAbs:
      return range<UnaryFn::kAbs, T>;
    case UnaryFn::kSign:
      return range<UnaryFn::kSign, T>;
    case UnaryFn::kSquare:
      return range<UnaryFn::kSquare, T>;
    case UnaryFn::kRelu:
      return range<UnaryFn::kRelu, T>;
    case UnaryFn::kRelu6:
      return range<UnaryFn::kRelu6, T>;
    default:
      return nullptr;
  }
}

RangeFn test(UnaryFn fn) {
  switch (fn) {
    case UnaryFn::kIsNan:
      return range<UnaryFn::kIsNan, float>;
    case UnaryFn::kIsInf:
      return range<UnaryFn::kIsInf, float>;
    case UnaryFn::kIsFinite:
      return range<UnaryFn::kIsFinite, float>;
    default:
      return nullptr;
  }
}

RangeFn range_of(UnaryFn fn, DType dtype) {
  switch (dtype) {
    case DType::kFloat:
      return test(fn);
    case DType::kBool:
      return fn == UnaryFn::kLogicalNot ? range<UnaryFn::kLogicalNot, uint8_t> : nullptr;
    case DType::kInt8:
      return integer<int8_t>(fn);
    case DType::kInt16:
      return integer<int16_t>(fn);
    case DType::kInt32:
      return integer<int32_t>(fn);
    case DType::kInt64:
      return integer<int64_t>(fn);
    case DType::kUint8:
      return integer<uint8_t>(fn);
    case DType::kUint16:
      return integer<uint16_t>(fn);
    case DType::kUint32:
      return integer<uint32_t>(fn);
    case DType::kUint64:
      return integer<uint64_t>(fn);
    default:
      return nullptr;
  }
}

RangeFn range_of(const Problem& problem) {
  return range_of(problem.op->as<ir::UnaryAttrs>().fn.fn, problem.src[0]->dtype);
}

class GenericUnaryStep final : public Step {
 public:
  explicit GenericUnaryStep(const Problem& problem)
      : range_(range_of(problem)),
        same_size_(dtype_size(problem.src[0]->dtype) == dtype_size(problem.dst[0]->dtype)) {}
  std::string_view kernel_name() const override { return "unary_generic"; }
  Result<backends::StepPlan> plan(const backends::StepShapes& shapes) const override {
    return plan_of(elems_of(shapes.dst[0]));
  }
  void run(const backends::StepState* state, const void* const* src, void* const* dst,
           std::byte*) const override {
    parallel_ranges(state_as<int64_t>(state), kGrainElems,
                    [&](int64_t begin, int64_t end) { range_(src[0], dst[0], begin, end); });
  }
  bool may_run_in_place(int) const override { return same_size_; }

 private:
  RangeFn range_;
  bool same_size_;
};

}  // namespace

std::string supports_generic_unary(const Problem& problem) {
  if (range_of(problem)) return "";
  return std::string(ir::name_of(problem.op->as<ir::UnaryAttrs>().fn.fn)) + " of " +
         dtype_name(problem.src[0]->dtype) + " is left to the reference";
}

Result<std::unique_ptr<Step>> create_generic_unary(const Problem& problem) {
  return make_step<GenericUnaryStep>(problem);
}

}  // namespace graft::cpu
