// Softmax and log-softmax over the last axis, float32: a task is a range of rows.
#include "backends/cpu/common/pick_isa.h"
#include "backends/cpu/common/shape_util.h"
#include "backends/cpu/common/split.h"
#include "backends/cpu/common/step_util.h"
#include "backends/cpu/softmax/softmax_table.h"

namespace graft::cpu {
namespace {

struct RowsPlan {
  int64_t rows = 0, n = 0;
};

class SoftmaxStep final : public Step {
 public:
  explicit SoftmaxStep(const Problem& problem) {
    const SoftmaxTable* table = pick_isa(problem.target.isa, isa_baseline::softmax_table(),
                                         isa_avx2::softmax_table(), isa_avx512::softmax_table());
    rows_ = problem.op->as<ir::SoftmaxAttrs>().log ? table->log_softmax : table->softmax;
  }
  std::string_view kernel_name() const override { return "softmax_f32"; }

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
    // An exponential costs about four simple elements.
    parallel_ranges(p.rows, kGrainElems / 4 / p.n, [&](int64_t begin, int64_t end) {
      const SoftmaxArgs args{y + begin * p.n, x + begin * p.n, end - begin, p.n, p.n, p.n};
      rows_(&args);
    });
  }

  bool may_run_in_place(int) const override { return true; }

 private:
  void (*rows_)(const SoftmaxArgs*);
};

std::string supports_softmax(const Problem& problem) {
  if (problem.src[0]->rank() < 1) return "scalar";
  return require_float(problem);
}

constexpr KernelEntry kSoftmax[] = {{"softmax_f32", supports_softmax, make_step<SoftmaxStep>}};

}  // namespace

std::span<const KernelEntry> softmax_kernels() { return kSoftmax; }

}  // namespace graft::cpu
