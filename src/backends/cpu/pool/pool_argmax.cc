// pool_argmax of float32: maxima and where they are.
#include "backends/cpu/common/pick_isa.h"
#include "backends/cpu/common/shape_util.h"
#include "backends/cpu/common/step_util.h"
#include "backends/cpu/pool/pool_plan.h"

namespace graft::cpu {
namespace {

class PoolArgmaxStep final : public Step {
 public:
  explicit PoolArgmaxStep(const Problem& problem)
      : attrs_(problem.op->as<ir::PoolArgmaxAttrs>()),
        index_bytes_(attrs_.to == DType::kInt64 ? 8 : 4) {
    const PoolTable* table = pick_isa(problem.target.isa, isa_baseline::pool_table(),
                                      isa_avx2::pool_table(), isa_avx512::pool_table());
    row_ = attrs_.to == DType::kInt64 ? table->argmax64 : table->argmax32;
  }
  std::string_view kernel_name() const override { return "pool_argmax_f32"; }

  Result<backends::StepPlan> plan(const backends::StepShapes& shapes) const override {
    const auto in = shapes.src[0], out = shapes.dst[0];
    if (in[2] != 0 && in[1] > INT32_MAX / in[2])
      return unsupported("pool_argmax of images of more than 2^31 pixels");
    ir::PoolAttrs window;
    window.ksize = attrs_.ksize;
    window.strides = attrs_.strides;
    window.padding = attrs_.padding;
    return plan_of(plan_pool(window, in, out, shapes.threads));
  }

  void run(const backends::StepState* state, const void* const* src, void* const* dst,
           std::byte*) const override {
    const auto& p = state_as<PoolPlan>(state);
    auto* maxima = static_cast<float*>(dst[0]);
    auto* places = static_cast<std::byte*>(dst[1]);
    for_pool_rows(p, static_cast<const float*>(src[0]), maxima,
                  [&](const PoolArgs& window, const PoolRow& at) {
                    const int64_t image = attrs_.include_batch ? at.image * p.h : 0;
                    const ArgmaxArgs args{window, places + (window.dst - maxima) * index_bytes_,
                                          (image + at.first_row) * p.w * p.c, at.channel};
                    row_(&args);
                  });
  }

 private:
  const ir::PoolArgmaxAttrs attrs_;
  int64_t index_bytes_;
  void (*row_)(const ArgmaxArgs*);
};

std::string supports_argmax(const Problem& problem) { return require_float(problem); }

constexpr KernelEntry kArgmax[] = {{"pool_argmax_f32", supports_argmax, make_step<PoolArgmaxStep>}};

}  // namespace

std::span<const KernelEntry> pool_argmax_kernels() { return kArgmax; }

}  // namespace graft::cpu
