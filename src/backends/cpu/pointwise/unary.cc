// Unary float32 ops, identity and bitcast of any dtype.
#include <cstring>
#include <optional>

#include "backends/cpu/common/shape_util.h"
#include "backends/cpu/common/split.h"
#include "backends/cpu/common/step_util.h"
#include "backends/cpu/gemm/compute_select.h"
#include "backends/cpu/pointwise/table_of.h"
#include "backends/cpu/pointwise/unary_generic.h"

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
    case UnaryFn::kSin:
      return UnaryOp::kSin;
    case UnaryFn::kCos:
      return UnaryOp::kCos;
    case UnaryFn::kTan:
      return UnaryOp::kTan;
    case UnaryFn::kAsin:
      return UnaryOp::kAsin;
    case UnaryFn::kAcos:
      return UnaryOp::kAcos;
    case UnaryFn::kAtan:
      return UnaryOp::kAtan;
    case UnaryFn::kSinh:
      return UnaryOp::kSinh;
    case UnaryFn::kCosh:
      return UnaryOp::kCosh;
    case UnaryFn::kAsinh:
      return UnaryOp::kAsinh;
    case UnaryFn::kAcosh:
      return UnaryOp::kAcosh;
    case UnaryFn::kAtanh:
      return UnaryOp::kAtanh;
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
    {"unary_generic", supports_generic_unary, create_generic_unary},
};
constexpr KernelEntry kBitcast[] = {{"copy", supports_any, make_step<CopyStep>}};

}  // namespace

std::span<const KernelEntry> unary_kernels() { return kUnary; }
std::span<const KernelEntry> bitcast_kernels() { return kBitcast; }

}  // namespace graft::cpu
