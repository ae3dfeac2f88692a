// Unary float32 ops, identity and bitcast of any dtype, bits of integers.
#include <cstring>
#include <optional>

#include "backends/cpu/common/shape_util.h"
#include "backends/cpu/common/split.h"
#include "backends/cpu/common/step_util.h"
#include "backends/cpu/gemm/compute_select.h"
#include "backends/cpu/pointwise/table_of.h"

namespace graft::cpu {
namespace {

std::optional<UnaryOp> op_of(const ir::Activation& fn, Epilogue* epilogue) {
  using ir::UnaryFn;
  switch (fn.fn) {
    case UnaryFn::kNeg:
      return UnaryOp::kNeg;
    case UnaryFn::kAbs:
      return UnaryOp::kAbs;
    case UnaryFn::kExp:
      return UnaryOp::kExp;
    case UnaryFn::kExpm1:
      return UnaryOp::kExpm1;
    case UnaryFn::kLog:
      return UnaryOp::kLog;
    case UnaryFn::kLog1p:
      return UnaryOp::kLog1p;
    case UnaryFn::kSqrt:
      return UnaryOp::kSqrt;
    case UnaryFn::kRsqrt:
      return UnaryOp::kRsqrt;
    case UnaryFn::kSquare:
      return UnaryOp::kSquare;
    case UnaryFn::kReciprocal:
      return UnaryOp::kReciprocal;
    case UnaryFn::kErf:
      return UnaryOp::kErf;
    case UnaryFn::kErfc:
      return UnaryOp::kErfc;
    case UnaryFn::kSoftsign:
      return UnaryOp::kSoftsign;
    case UnaryFn::kFloor:
      return UnaryOp::kFloor;
    case UnaryFn::kCeil:
      return UnaryOp::kCeil;
    case UnaryFn::kRint:
      return UnaryOp::kRint;
    case UnaryFn::kSign:
      return UnaryOp::kSign;
    case UnaryFn::kRoundAway:
      return UnaryOp::kRoundAway;
    case UnaryFn::kBesselI0:
      return UnaryOp::kBesselI0;
    case UnaryFn::kBesselI0e:
      return UnaryOp::kBesselI0e;
    case UnaryFn::kBesselI1:
      return UnaryOp::kBesselI1;
    case UnaryFn::kBesselI1e:
      return UnaryOp::kBesselI1e;
    default:
      break;
  }
  if (!to_epilogue(fn, epilogue)) return std::nullopt;
  return static_cast<UnaryOp>(static_cast<int>(UnaryOp::kClamp) + static_cast<int>(epilogue->act));
}

class UnaryStep final : public Step {
 public:
  explicit UnaryStep(const Problem& problem) {
    const auto op = op_of(problem.op->as<ir::UnaryAttrs>().fn, &epilogue_);
    row_ = pointwise_table_of(problem.target.isa).unary[static_cast<int>(*op)];
  }
  std::string_view kernel_name() const override { return "unary_f32"; }
  Result<backends::StepPlan> plan(const backends::StepShapes& shapes) const override {
    return plan_of(elems_of(shapes.dst[0]));
  }
  void run(const backends::StepState* state, const void* const* src, void* const* dst,
           std::byte*) const override {
    const auto* x = static_cast<const float*>(src[0]);
    auto* y = static_cast<float*>(dst[0]);
    parallel_ranges(state_as<int64_t>(state), kGrainElems, [&](int64_t begin, int64_t end) {
      const UnaryArgs args{y + begin, x + begin, end - begin, &epilogue_};
      row_(&args);
    });
  }
  bool may_run_in_place(int) const override { return true; }

 private:
  Epilogue epilogue_;
  void (*row_)(const UnaryArgs*);
};

class CopyStep final : public Step {
 public:
  explicit CopyStep(const Problem& problem)
      : elem_bytes_(static_cast<int64_t>(dtype_size(problem.dst[0]->dtype))) {}
  std::string_view kernel_name() const override { return "copy"; }
  Result<backends::StepPlan> plan(const backends::StepShapes& shapes) const override {
    return plan_of(elems_of(shapes.dst[0]) * elem_bytes_);
  }
  void run(const backends::StepState* state, const void* const* src, void* const* dst,
           std::byte*) const override {
    const auto* x = static_cast<const std::byte*>(src[0]);
    auto* y = static_cast<std::byte*>(dst[0]);
    if (x == y) return;
    parallel_ranges(state_as<int64_t>(state), kGrainElems * 4, [&](int64_t begin, int64_t end) {
      std::memcpy(y + begin, x + begin, static_cast<size_t>(end - begin));
    });
  }
  bool may_run_in_place(int) const override { return true; }

 private:
  int64_t elem_bytes_;
};

template <typename T>
void invert_range(const void* src, void* dst, int64_t begin, int64_t end) {
  const auto* x = static_cast<const T*>(src);
  auto* y = static_cast<T*>(dst);
  for (int64_t i = begin; i < end; ++i) y[i] = static_cast<T>(~x[i]);
}

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

template <typename T>
void count_range(const void* src, void* dst, int64_t begin, int64_t end) {
  const auto* x = static_cast<const T*>(src);
  auto* y = static_cast<uint8_t*>(dst);
  for (int64_t i = begin; i < end; ++i) y[i] = count_bits(x[i]);
}

using BitsFn = void (*)(const void* src, void* dst, int64_t begin, int64_t end);

// T: unsigned, of the dtype's width.
template <typename T>
BitsFn bits_fn(ir::UnaryFn fn) {
  if (fn == ir::UnaryFn::kInvert) return invert_range<T>;
  return fn == ir::UnaryFn::kPopulationCount ? count_range<T> : nullptr;
}

BitsFn bits_of(const Problem& problem) {
  const auto fn = problem.op->as<ir::UnaryAttrs>().fn.fn;
  switch (is_integer(problem.src[0]->dtype) ? dtype_size(problem.src[0]->dtype) : 0) {
    case 1:
      return bits_fn<uint8_t>(fn);
    case 2:
      return bits_fn<uint16_t>(fn);
    case 4:
      return bits_fn<uint32_t>(fn);
    case 8:
      return bits_fn<uint64_t>(fn);
    default:
      return nullptr;
  }
}

class BitsStep final : public Step {
 public:
  explicit BitsStep(const Problem& problem)
      : fn_(bits_of(problem)),
        same_size_(dtype_size(problem.src[0]->dtype) == dtype_size(problem.dst[0]->dtype)) {}
  std::string_view kernel_name() const override { return "unary_bits"; }
  Result<backends::StepPlan> plan(const backends::StepShapes& shapes) const override {
    return plan_of(elems_of(shapes.dst[0]));
  }
  void run(const backends::StepState* state, const void* const* src, void* const* dst,
           std::byte*) const override {
    parallel_ranges(state_as<int64_t>(state), kGrainElems,
                    [&](int64_t begin, int64_t end) { fn_(src[0], dst[0], begin, end); });
  }
  bool may_run_in_place(int) const override { return same_size_; }

 private:
  BitsFn fn_;
  bool same_size_;
};

std::string supports_bits(const Problem& problem) {
  return bits_of(problem) ? "" : "op is no function of an integer's bits";
}

std::string supports_any(const Problem&) { return ""; }

std::string supports_copy(const Problem& problem) {
  const auto fn = problem.op->as<ir::UnaryAttrs>().fn.fn;
  return fn == ir::UnaryFn::kIdentity ? "" : std::string(ir::name_of(fn)) + " is no copy";
}

std::string supports_unary(const Problem& problem) {
  const auto& fn = problem.op->as<ir::UnaryAttrs>().fn;
  Epilogue e;
  if (!op_of(fn, &e)) return std::string(ir::name_of(fn.fn)) + " has no vector form";
  return require_float(problem);
}

constexpr KernelEntry kUnary[] = {
    {"copy", supports_copy, make_step<CopyStep>},
    {"unary_f32", supports_unary, make_step<UnaryStep>},
    {"unary_bits", supports_bits, make_step<BitsStep>},
};
constexpr KernelEntry kBitcast[] = {{"copy", supports_any, make_step<CopyStep>}};

}  // namespace

std::span<const KernelEntry> unary_kernels() { return kUnary; }
std::span<const KernelEntry> bitcast_kernels() { return kBitcast; }

}  // namespace graft::cpu
