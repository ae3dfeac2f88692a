// Binary float32 ops with broadcasting.
#include <cstring>
#include <optional>

#include "backends/cpu/common/row_blocks.h"
#include "backends/cpu/common/shape_util.h"
#include "backends/cpu/common/step_util.h"
#include "backends/cpu/pointwise/binary_generic.h"
#include "backends/cpu/pointwise/table_of.h"

namespace graft::cpu {
namespace {

// A row shorter than this that repeats over many rows is first written several times in a row.
constexpr int64_t kShortRow = 64;
constexpr int64_t kRepeatedElems = 512;

struct BinaryPlan {
  LoopNest nest{3};
  int repeated = -1;    // source that is a short row under all rows of the other: 0, 1, or neither
  int64_t repeats = 1;  // copies of it in scratch
};

// [R, n] op [n] with a short n.
void plan_repeats(BinaryPlan& plan) {
  const LoopNest& nest = plan.nest;
  const int64_t rows = nest.extent[0], n = nest.extent[1];
  if (nest.rank != 2 || n < 2 || n >= kShortRow || rows < 16) return;
  for (int i = 0; i < 2; ++i) {
    const int64_t* row = nest.stride[1 + i];
    const int64_t* other = nest.stride[2 - i];
    if (row[0] == 0 && row[1] == 1 && other[0] == n && other[1] == 1) plan.repeated = i;
  }
  if (plan.repeated >= 0) plan.repeats = std::min(rows, kRepeatedElems / n);
}

std::optional<BinaryOp> op_of(ir::BinaryFn fn) {
  using ir::BinaryFn;
  switch (fn) {
    case BinaryFn::kAdd:
      return BinaryOp::kAdd;
    case BinaryFn::kSub:
      return BinaryOp::kSub;
    case BinaryFn::kMul:
      return BinaryOp::kMul;
    case BinaryFn::kDiv:
      return BinaryOp::kDiv;
    case BinaryFn::kDivNoNan:
      return BinaryOp::kDivNoNan;
    case BinaryFn::kFloorDiv:
      return BinaryOp::kFloorDiv;
    case BinaryFn::kMax:
      return BinaryOp::kMax;
    case BinaryFn::kMin:
      return BinaryOp::kMin;
    case BinaryFn::kPow:
      return BinaryOp::kPow;
    case BinaryFn::kSquaredDifference:
      return BinaryOp::kSquaredDifference;
    default:
      return std::nullopt;
  }
}

class BinaryStep final : public Step {
 public:
  explicit BinaryStep(const Problem& problem) {
    const auto op = op_of(problem.op->as<ir::BinaryAttrs>().fn);
    rows_ = pointwise_table_of(problem.target.isa).binary[static_cast<int>(*op)];
  }
  std::string_view kernel_name() const override { return "binary_f32"; }

  Result<backends::StepPlan> plan(const backends::StepShapes& shapes) const override {
    BinaryPlan plan;
    plan.nest = broadcast_nest(shapes.dst[0], shapes.src);
    plan_repeats(plan);
    const int64_t scratch = plan.repeated < 0 ? 0 : plan.repeats * plan.nest.inner() * 4;
    return plan_of(plan, static_cast<size_t>(scratch));
  }

  void run(const backends::StepState* state, const void* const* src, void* const* dst,
           std::byte* scratch) const override {
    const auto& plan = state_as<BinaryPlan>(state);
    const float* sources[] = {static_cast<const float*>(src[0]), static_cast<const float*>(src[1])};
    auto* y = static_cast<float*>(dst[0]);
    if (plan.repeated >= 0)
      return run_repeated(plan, sources, y, reinterpret_cast<float*>(scratch));
    const LoopNest& nest = plan.nest;
    const int r = nest.rank;
    const auto fn = rows_[static_cast<int>(mode(nest.stride[1][r - 1], nest.stride[2][r - 1]))];
    for_row_blocks(nest, kGrainElems, [&](const int64_t* at, int64_t rows, int64_t n) {
      const BinaryArgs args{
          y + at[0], sources[0] + at[1],    sources[1] + at[2],    rows,
          n,         nest.stride[0][r - 2], nest.stride[1][r - 2], nest.stride[2][r - 2]};
      fn(&args);
    });
  }

  // Where the buffers have one size the operand is not broadcast.
  bool may_run_in_place(int) const override { return true; }

 private:
  static BinaryMode mode(int64_t a, int64_t b) {
    if (a == 0 && b != 0) return BinaryMode::kScalarVector;
    if (b == 0 && a != 0) return BinaryMode::kVectorScalar;
    return BinaryMode::kVectorVector;
  }

  // [R, n] with a repeated row is [R / repeats, repeats * n] with a longer one, and a remainder.
  void run_repeated(const BinaryPlan& plan, const float* const* sources, float* dst,
                    float* scratch) const {
    const int64_t total = plan.nest.extent[0], n = plan.nest.extent[1];
    for (int64_t i = 0; i < plan.repeats; ++i) {
      std::memcpy(scratch + i * n, sources[plan.repeated], static_cast<size_t>(n) * sizeof(float));
    }
    const int64_t wide = plan.repeats * n;
    const auto call = [&](int64_t first_row, int64_t rows, int64_t width) {
      const float* s[] = {sources[0] + first_row * n, sources[1] + first_row * n};
      int64_t step[] = {width, width};
      s[plan.repeated] = scratch;
      step[plan.repeated] = 0;
      const BinaryArgs args{dst + first_row * n, s[0], s[1], rows, width, width, step[0], step[1]};
      rows_[static_cast<int>(BinaryMode::kVectorVector)](&args);
    };
    parallel_ranges(total / plan.repeats, kGrainElems / wide, [&](int64_t begin, int64_t end) {
      call(begin * plan.repeats, end - begin, wide);
    });
    const int64_t rest = total % plan.repeats;
    if (rest > 0) call(total - rest, 1, rest * n);
  }

  void (*const* rows_)(const BinaryArgs*);
};

std::string supports_float(const Problem& problem) {
  const auto fn = problem.op->as<ir::BinaryAttrs>().fn;
  if (!op_of(fn)) return std::string(ir::name_of(fn)) + " has no vector form";
  return require_float(problem);
}

constexpr KernelEntry kBinary[] = {
    {"binary_f32", supports_float, make_step<BinaryStep>},
    {"binary_generic", supports_generic_binary, create_generic_binary},
};

}  // namespace

std::span<const KernelEntry> binary_kernels() { return kBinary; }

}  // namespace graft::cpu
