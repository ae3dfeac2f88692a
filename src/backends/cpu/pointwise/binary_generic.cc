#include "backends/cpu/pointwise/binary_generic.h"

#include <cmath>
#include <type_traits>

#include "backends/cpu/common/row_blocks.h"
#include "backends/cpu/common/shape_util.h"
#include "backends/cpu/common/step_util.h"

namespace graft::cpu {
namespace {

using ir::BinaryFn;

struct RowArgs {
  void* dst;
  const void* a;
  const void* b;
  int64_t n, a_step, b_step;  // steps between elements, 0 or 1
};
using RowFn = void (*)(const RowArgs&);

template <typename T>
using Wide = std::conditional_t<std::is_same_v<T, bool>, unsigned, std::make_unsigned_t<T>>;

constexpr bool divides(BinaryFn fn) {
  return fn == BinaryFn::kDiv || fn == BinaryFn::kTruncDiv || fn == BinaryFn::kTruncMod ||
         fn == BinaryFn::kFloorDiv || fn == BinaryFn::kFloorMod;
}

// b is not 0; the lowest number divided by -1 wraps.
template <BinaryFn kFn, typename T>
T divide(T a, T b) {
  const T q = b == -1 ? static_cast<T>(-static_cast<Wide<T>>(a)) : static_cast<T>(a / b);
  const T r = b == -1 ? T{0} : static_cast<T>(a % b);
  const bool below = r != 0 && (r < 0) != (b < 0);  // the quotient was rounded up
  if constexpr (kFn == BinaryFn::kTruncMod)
    return r;
  else if constexpr (kFn == BinaryFn::kFloorDiv)
    return static_cast<T>(q - below);
  else if constexpr (kFn == BinaryFn::kFloorMod)
    return below ? static_cast<T>(r + b) : r;
  else
    return q;
}

template <BinaryFn kFn>
float real(float a, float b) {
  if constexpr (kFn == BinaryFn::kAtan2) return std::atan2(a, b);
  const float r = std::fmod(a, b);
  if constexpr (kFn == BinaryFn::kFloorMod) return r != 0 && (b < 0) != (r < 0) ? r + b : r;
  return r;
}

// Amounts that are negative or not less than the width are clamped, as TensorFlow's are.
template <typename T>
int shift_amount(T amount) {
  constexpr T kMost = static_cast<T>(8 * sizeof(T) - 1);
  return static_cast<int>(amount < T{0} ? T{0} : amount > kMost ? kMost : amount);
}

template <BinaryFn kFn, typename T>
auto apply(T a, T b) {
  if constexpr (kFn == BinaryFn::kAtan2 || (std::is_same_v<T, float> && divides(kFn)))
    return real<kFn>(a, b);
  else if constexpr (divides(kFn))
    return divide<kFn, T>(a, b);
  else if constexpr (kFn == BinaryFn::kLess)
    return a < b;
  else if constexpr (kFn == BinaryFn::kLessEqual)
    return a <= b;
  else if constexpr (kFn == BinaryFn::kGreater)
    return a > b;
  else if constexpr (kFn == BinaryFn::kGreaterEqual)
    return a >= b;
  else if constexpr (kFn == BinaryFn::kEqual)
    return a == b;
  else if constexpr (kFn == BinaryFn::kNotEqual)
    return a != b;
  else if constexpr (kFn == BinaryFn::kLogicalAnd)
    return static_cast<bool>(a && b);
  else if constexpr (kFn == BinaryFn::kLogicalOr)
    return static_cast<bool>(a || b);
  else if constexpr (kFn == BinaryFn::kMax)
    return a < b ? b : a;
  else if constexpr (kFn == BinaryFn::kMin)
    return b < a ? b : a;
  else if constexpr (kFn == BinaryFn::kBitwiseAnd)
    return static_cast<T>(a & b);
  else if constexpr (kFn == BinaryFn::kBitwiseOr)
    return static_cast<T>(a | b);
  else if constexpr (kFn == BinaryFn::kBitwiseXor)
    return static_cast<T>(a ^ b);
  else if constexpr (kFn == BinaryFn::kLeftShift)
    return static_cast<T>(static_cast<Wide<T>>(a) << shift_amount(b));
  else if constexpr (kFn == BinaryFn::kRightShift)
    return static_cast<T>(a >> shift_amount(b));
  else {
    const Wide<T> x = static_cast<Wide<T>>(a), y = static_cast<Wide<T>>(b);
    if constexpr (kFn == BinaryFn::kAdd)
      return static_cast<T>(x + y);
    else if constexpr (kFn == BinaryFn::kSub)
      return static_cast<T>(x - y);
    else if constexpr (kFn == BinaryFn::kMul)
      return static_cast<T>(x * y);
    else
      return static_cast<T>((x - y) * (x - y));
  }
}

template <BinaryFn kFn, typename T>
void row(const RowArgs& args) {
  using R = decltype(apply<kFn, T>(T{}, T{}));
  auto* dst = static_cast<R*>(args.dst);
  const auto* a = static_cast<const T*>(args.a);
  const auto* b = static_cast<const T*>(args.b);
  // Steps that the compiler knows, so that it can use vectors.
  const auto loop = [&](auto a_step, auto b_step) {
    for (int64_t i = 0; i < args.n; ++i) dst[i] = apply<kFn, T>(a[i * a_step], b[i * b_step]);
  };
  using Step0 = std::integral_constant<int64_t, 0>;
  using Step1 = std::integral_constant<int64_t, 1>;
  if (args.a_step == 0)
    args.b_step == 0 ? loop(Step0{}, Step0{}) : loop(Step0{}, Step1{});
  else
    args.b_step == 0 ? loop(Step1{}, Step0{}) : loop(Step1{}, Step1{});
}

template <typename T>
RowFn comparison(BinaryFn fn) {
  switch (fn) {
    case BinaryFn::kLess:
      return row<BinaryFn::kLess, T>;
    case BinaryFn::kLessEqual:
      return row<BinaryFn::kLessEqual, T>;
    case BinaryFn::kGreater:
      return row<BinaryFn::kGreater, T>;
    case BinaryFn::kGreaterEqual:
      return row<BinaryFn::kGreaterEqual, T>;
    case BinaryFn::kEqual:
      return row<BinaryFn::kEqual, T>;
    case BinaryFn::kNotEqual:
      return row<BinaryFn::kNotEqual, T>;
    default:
      return nullptr;
  }
}

template <typename T>
RowFn bits(BinaryFn fn) {
  switch (fn) {
    case BinaryFn::kBitwiseAnd:
      return row<BinaryFn::kBitwiseAnd, T>;
    case BinaryFn::kBitwiseOr:
      return row<BinaryFn::kBitwiseOr, T>;
    case BinaryFn::kBitwiseXor:
      return row<BinaryFn::kBitwiseXor, T>;
    case BinaryFn::kLeftShift:
      return row<BinaryFn::kLeftShift, T>;
    case BinaryFn::kRightShift:
      return row<BinaryFn::kRightShift, T>;
    default:
      return nullptr;
  }
}

template <typename T>
RowFn integer(BinaryFn fn) {
  switch (fn) {
    case BinaryFn::kAdd:
      return row<BinaryFn::kAdd, T>;
    case BinaryFn::kSub:
      return row<BinaryFn::kSub, T>;
    case BinaryFn::kMul:
      return row<BinaryFn::kMul, T>;
    case BinaryFn::kMax:
      return row<BinaryFn::kMax, T>;
    case BinaryFn::kMin:
      return row<BinaryFn::kMin, T>;
    case BinaryFn::kSquaredDifference:
      return row<BinaryFn::kSquaredDifference, T>;
    case BinaryFn::kDiv:
    case BinaryFn::kTruncDiv:
      return row<BinaryFn::kTruncDiv, T>;
    case BinaryFn::kTruncMod:
      return row<BinaryFn::kTruncMod, T>;
    case BinaryFn::kFloorDiv:
      return row<BinaryFn::kFloorDiv, T>;
    case BinaryFn::kFloorMod:
      return row<BinaryFn::kFloorMod, T>;
    case BinaryFn::kBitwiseAnd:
    case BinaryFn::kBitwiseOr:
    case BinaryFn::kBitwiseXor:
    case BinaryFn::kLeftShift:
    case BinaryFn::kRightShift:
      return bits<T>(fn);
    default:
      return comparison<T>(fn);
  }
}

RowFn remainder(BinaryFn fn) {
  switch (fn) {
    case BinaryFn::kTruncMod:
      return row<BinaryFn::kTruncMod, float>;
    case BinaryFn::kFloorMod:
      return row<BinaryFn::kFloorMod, float>;
    case BinaryFn::kAtan2:
      return row<BinaryFn::kAtan2, float>;
    default:
      return comparison<float>(fn);
  }
}

RowFn logical(BinaryFn fn) {
  switch (fn) {
    case BinaryFn::kLogicalAnd:
      return row<BinaryFn::kLogicalAnd, bool>;
    case BinaryFn::kLogicalOr:
      return row<BinaryFn::kLogicalOr, bool>;
    case BinaryFn::kEqual:
      return row<BinaryFn::kEqual, bool>;
    case BinaryFn::kNotEqual:
      return row<BinaryFn::kNotEqual, bool>;
    default:
      return nullptr;
  }
}

RowFn row_of(BinaryFn fn, DType dtype) {
  switch (dtype) {
    case DType::kFloat:
      return remainder(fn);
    case DType::kInt32:
      return integer<int32_t>(fn);
    case DType::kInt64:
      return integer<int64_t>(fn);
    case DType::kBool:
      return logical(fn);
    case DType::kInt8:
      return bits<int8_t>(fn);
    case DType::kInt16:
      return bits<int16_t>(fn);
    case DType::kUint8:
      return bits<uint8_t>(fn);
    case DType::kUint16:
      return bits<uint16_t>(fn);
    case DType::kUint32:
      return bits<uint32_t>(fn);
    case DType::kUint64:
      return bits<uint64_t>(fn);
    default:
      return nullptr;
  }
}

struct GenericPlan {
  LoopNest nest;
  int64_t divisors = 0;  // elements of src 1 that may not be 0
};

template <typename T>
bool has_zero(const void* src, int64_t n) {
  const auto* x = static_cast<const T*>(src);
  bool zero = false;
  for (int64_t i = 0; i < n; ++i) zero |= x[i] == 0;
  return zero;
}

class GenericBinaryStep final : public Step {
 public:
  explicit GenericBinaryStep(const Problem& problem)
      : name_(problem.op->name),
        divides_(divides(problem.op->as<ir::BinaryAttrs>().fn) &&
                 problem.src[0]->dtype != DType::kFloat),
        row_(row_of(problem.op->as<ir::BinaryAttrs>().fn, problem.src[0]->dtype)),
        src_bytes_(static_cast<int64_t>(dtype_size(problem.src[0]->dtype))),
        dst_bytes_(static_cast<int64_t>(dtype_size(problem.dst[0]->dtype))) {}

  std::string_view kernel_name() const override { return "binary_generic"; }

  Result<backends::StepPlan> plan(const backends::StepShapes& shapes) const override {
    GenericPlan plan{broadcast_nest(shapes.dst[0], shapes.src)};
    if (divides_ && !plan.nest.empty()) plan.divisors = elems_of(shapes.src[1]);
    return plan_of(plan);
  }

  void run(const backends::StepState* state, const void* const* src, void* const* dst,
           std::byte*) const override {
    const auto& plan = state_as<GenericPlan>(state);
    const LoopNest& nest = plan.nest;
    if (src_bytes_ == 4 ? has_zero<int32_t>(src[1], divides_ ? plan.divisors : 0)
                        : has_zero<int64_t>(src[1], divides_ ? plan.divisors : 0))
      throw backends::StepFailure(invalid_argument("'" + name_ + "': integer division by zero"));
    const int r = nest.rank;
    for_row_blocks(nest, kGrainElems, [&](const int64_t* at, int64_t rows, int64_t n) {
      for (int64_t i = 0; i < rows; ++i) {
        const auto place = [&](const void* base, int operand, int64_t elem_bytes) {
          return static_cast<const std::byte*>(base) +
                 (at[operand] + i * nest.stride[operand][r - 2]) * elem_bytes;
        };
        row_({const_cast<std::byte*>(place(dst[0], 0, dst_bytes_)), place(src[0], 1, src_bytes_),
              place(src[1], 2, src_bytes_), n, nest.stride[1][r - 1], nest.stride[2][r - 1]});
      }
    });
  }

  bool may_run_in_place(int) const override { return src_bytes_ == dst_bytes_; }

 private:
  const std::string name_;
  bool divides_;
  RowFn row_;
  int64_t src_bytes_, dst_bytes_;
};

}  // namespace

std::string supports_generic_binary(const Problem& problem) {
  const auto fn = problem.op->as<ir::BinaryAttrs>().fn;
  const DType dtype = problem.src[0]->dtype;
  if (row_of(fn, dtype)) return "";
  return std::string(ir::name_of(fn)) + " of " + dtype_name(dtype) + " is left to the reference";
}

Result<std::unique_ptr<Step>> create_generic_binary(const Problem& problem) {
  return make_step<GenericBinaryStep>(problem);
}

}  // namespace graft::cpu
