// Max and average pooling, float32, NHWC: a task is a range of (output row, block of channels).
#include "backends/cpu/common/pick_isa.h"
#include "backends/cpu/common/shape_util.h"
#include "backends/cpu/common/step_util.h"
#include "backends/cpu/pool/pool_plan.h"

namespace graft::cpu {
namespace {

class PoolStep final : public Step {
 public:
  explicit PoolStep(const Problem& problem) : attrs_(problem.op->as<ir::PoolAttrs>()) {
    const PoolTable* table = pick_isa(problem.target.isa, isa_baseline::pool_table(),
                                      isa_avx2::pool_table(), isa_avx512::pool_table());
    row_ = attrs_.fn == ir::PoolFn::kMax ? table->max : table->avg;
  }
  std::string_view kernel_name() const override { return "pool_f32"; }

  Result<backends::StepPlan> plan(const backends::StepShapes& shapes) const override {
    const auto in = shapes.src[0], out = shapes.dst[0];
    return plan_of(plan_pool(attrs_, in, out, shapes.threads));
  }

  void run(const backends::StepState* state, const void* const* src, void* const* dst,
           std::byte*) const override {
    const auto& p = state_as<PoolPlan>(state);
    const auto* x = static_cast<const float*>(src[0]);
    auto* y = static_cast<float*>(dst[0]);
    for_pool_rows(p, x, y, [this](const PoolArgs& args, const PoolRow&) { row_(&args); });
  }

 private:
  const ir::PoolAttrs attrs_;
  void (*row_)(const PoolArgs*);
};

std::string supports_pool(const Problem& problem) { return require_float(problem); }

constexpr KernelEntry kPool[] = {{"pool_f32", supports_pool, make_step<PoolStep>}};

}  // namespace

std::span<const KernelEntry> pool_kernels() { return kPool; }

}  // namespace graft::cpu
