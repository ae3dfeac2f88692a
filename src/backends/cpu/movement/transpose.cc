// Transpose of any dtype.
#include "backends/cpu/movement/copy_step.h"

namespace graft::cpu {
namespace {

class TransposeStep final : public CopyStepBase {
 public:
  explicit TransposeStep(const Problem& problem)
      : CopyStepBase(problem), perm_(problem.op->as<ir::TransposeAttrs>().perm) {}
  std::string_view kernel_name() const override { return "transpose"; }

  Result<backends::StepPlan> plan(const backends::StepShapes& shapes) const override {
    int64_t from[kMaxDims], to[kMaxDims];
    dense_strides(shapes.src[0], from);
    dense_strides(shapes.dst[0], to);
    CopyNd copy;
    for (size_t d = 0; d < perm_.size(); ++d) {
      const int64_t strides[] = {to[d], from[perm_[d]]};
      copy.nest.add(shapes.dst[0][d], strides);
    }
    copy.finish();
    return plan_of(copy);
  }

 private:
  const std::vector<int64_t> perm_;
};

std::string supports_transpose(const Problem& problem) { return require_movable(problem); }

constexpr KernelEntry kTranspose[] = {{"transpose", supports_transpose, make_step<TransposeStep>}};

}  // namespace

std::span<const KernelEntry> transpose_kernels() { return kTranspose; }

}  // namespace graft::cpu
