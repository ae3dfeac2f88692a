// Layer normalization over the last axis, float32: a task is a range of rows.
#include "backends/cpu/common/pick_isa.h"
#include "backends/cpu/common/shape_util.h"
#include "backends/cpu/common/split.h"
#include "backends/cpu/common/step_util.h"
#include "backends/cpu/layer_norm/layer_norm_table.h"

namespace graft::cpu {
namespace {

struct RowsPlan {
  int64_t rows = 0, n = 0;
};

class LayerNormStep final : public Step {
 public:
  explicit LayerNormStep(const Problem& problem)
      : epsilon_(problem.op->as<ir::LayerNormAttrs>().epsilon),
        rows_(pick_isa(problem.target.isa, isa_baseline::layer_norm_table(),
                       isa_avx2::layer_norm_table(), isa_avx512::layer_norm_table())
                  ->rows) {}
  std::string_view kernel_name() const override { return "layer_norm_f32"; }

  Result<backends::StepPlan> plan(const backends::StepShapes& shapes) const override {
    const auto dims = shapes.src[0];
    return plan_of(RowsPlan{elems_of(dims.first(dims.size() - 1)), dims.back()});
  }

  void run(const backends::StepState* state, const void* const* src, void* const* dst,
           std::byte*) const override {
    const auto& p = state_as<RowsPlan>(state);
    if (p.n == 0) return;
    const auto* x = static_cast<const float*>(src[0]);
    auto* y = static_cast<float*>(dst[0]);
    parallel_ranges(p.rows, kGrainElems / p.n, [&](int64_t begin, int64_t end) {
      const LayerNormArgs args{y + begin * p.n,
                               x + begin * p.n,
                               static_cast<const float*>(src[1]),
                               static_cast<const float*>(src[2]),
                               end - begin,
                               p.n,
                               epsilon_};
      rows_(&args);
    });
  }

  bool may_run_in_place(int i) const override { return i == 0; }

 private:
  float epsilon_;
  void (*rows_)(const LayerNormArgs*);
};

std::string supports_layer_norm(const Problem& problem) { return require_float(problem); }

constexpr KernelEntry kLayerNorm[] = {
    {"layer_norm_f32", supports_layer_norm, make_step<LayerNormStep>}};

}  // namespace

std::span<const KernelEntry> layer_norm_kernels() { return kLayerNorm; }

}  // namespace graft::cpu
