// Scale and shift over the last axis with an activation, float32.
#include <cstring>
#include <vector>

#include "backends/cpu/common/shape_util.h"
#include "backends/cpu/common/split.h"
#include "backends/cpu/common/step_util.h"
#include "backends/cpu/gemm/compute_select.h"
#include "backends/cpu/pointwise/table_of.h"

namespace graft::cpu {
namespace {

// Rows are made at least this long by repeating scale and shift, so that few channels fill vectors.
constexpr int64_t kMinRow = 512;

struct AffinePlan {
  int64_t rows = 0, channels = 0, repeats = 1;
};

class AffineStep final : public Step {
 public:
  explicit AffineStep(const Problem& problem) {
    to_epilogue(problem.op->as<ir::AffineAttrs>().act, &epilogue_);
    affine_ = pointwise_table_of(problem.target.isa).affine;
  }
  std::string_view kernel_name() const override { return "affine_f32"; }

  Result<backends::StepPlan> plan(const backends::StepShapes& shapes) const override {
    AffinePlan plan;
    plan.channels = shapes.dst[0].back();
    const int64_t elems = elems_of(shapes.dst[0]);
    if (elems == 0) return plan_of(plan);
    plan.rows = elems / plan.channels;
    if (plan.channels < kMinRow / 8) plan.repeats = std::min(plan.rows, kMinRow / plan.channels);
    const int64_t scratch = plan.repeats > 1 ? 2 * plan.repeats * plan.channels * 4 : 0;
    return plan_of(plan, static_cast<size_t>(scratch));
  }

  void run(const backends::StepState* state, const void* const* src, void* const* dst,
           std::byte* scratch) const override {
    const auto& plan = state_as<AffinePlan>(state);
    if (plan.rows == 0) return;
    const auto* x = static_cast<const float*>(src[0]);
    const auto* scale = static_cast<const float*>(src[1]);
    const auto* shift = static_cast<const float*>(src[2]);
    auto* y = static_cast<float*>(dst[0]);
    const int64_t width = plan.channels * plan.repeats;
    if (plan.repeats > 1) {
      auto* wide = reinterpret_cast<float*>(scratch);
      repeat(scale, plan, wide);
      repeat(shift, plan, wide + width);
      scale = wide;
      shift = wide + width;
    }
    const auto call = [&](int64_t first_row, int64_t rows, int64_t n) {
      const int64_t at = first_row * plan.channels;
      const AffineArgs args{y + at, x + at, scale, shift, rows, n, &epilogue_};
      affine_(&args);
    };
    parallel_ranges(plan.rows / plan.repeats, kGrainElems / width, [&](int64_t begin, int64_t end) {
      call(begin * plan.repeats, end - begin, width);
    });
    const int64_t rest = plan.rows % plan.repeats;
    if (rest > 0) call(plan.rows - rest, 1, rest * plan.channels);
  }

  bool may_run_in_place(int i) const override { return i == 0; }

 private:
  static void repeat(const float* from, const AffinePlan& plan, float* to) {
    for (int64_t i = 0; i < plan.repeats; ++i) {
      std::memcpy(to + i * plan.channels, from, static_cast<size_t>(plan.channels) * sizeof(float));
    }
  }

  Epilogue epilogue_;
  void (*affine_)(const AffineArgs*);
};

std::string supports_affine(const Problem& problem) {
  const auto& act = problem.op->as<ir::AffineAttrs>().act;
  Epilogue e;
  if (!to_epilogue(act, &e)) return std::string(ir::name_of(act.fn)) + " can't be fused";
  return require_float(problem);
}

constexpr KernelEntry kAffine[] = {{"affine_f32", supports_affine, make_step<AffineStep>}};

}  // namespace

std::span<const KernelEntry> affine_kernels() { return kAffine; }

}  // namespace graft::cpu
