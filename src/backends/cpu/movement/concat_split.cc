// The steps of Concat, Pack, Split and Unpack, any dtype.
#include "backends/cpu/common/shape_util.h"
#include "backends/cpu/movement/copy_step.h"
#include "backends/cpu/movement/join.h"

namespace graft::cpu {
namespace {

size_t axis_of(const ir::Op& op) {
  switch (op.kind()) {
    case ir::OpKind::kConcat:
      return static_cast<size_t>(op.as<ir::ConcatAttrs>().axis);
    case ir::OpKind::kPack:
      return static_cast<size_t>(op.as<ir::PackAttrs>().axis);
    case ir::OpKind::kSplit:
      return static_cast<size_t>(op.as<ir::SplitAttrs>().axis);
    default:
      return static_cast<size_t>(op.as<ir::UnpackAttrs>().axis);
  }
}

class JoinStepBase : public Step {
 public:
  explicit JoinStepBase(const Problem& problem)
      : axis_(axis_of(*problem.op)), elem_bytes_(elem_bytes_of(problem)) {}

 protected:
  backends::StepPlan plan_parts(std::span<const int64_t> whole,
                                const std::vector<std::span<const int64_t>>& parts) const {
    JoinPlan plan;
    plan.outer = elems_of(whole.first(axis_));
    for (const auto part : parts) {
      // Pack's parts have no axis: everything after the outer dims is the run in both cases.
      plan.part_bytes.push_back(elems_of(part.subspan(axis_)) * elem_bytes_);
      plan.whole_bytes += plan.part_bytes.back();
    }
    return plan_of(std::move(plan));
  }

 private:
  size_t axis_;
  int64_t elem_bytes_;
};

class ConcatStep final : public JoinStepBase {
 public:
  using JoinStepBase::JoinStepBase;
  std::string_view kernel_name() const override { return "concat"; }
  Result<backends::StepPlan> plan(const backends::StepShapes& shapes) const override {
    return plan_parts(shapes.dst[0], shapes.src);
  }
  void run(const backends::StepState* state, const void* const* src, void* const* dst,
           std::byte*) const override {
    run_join(state_as<JoinPlan>(state), src, dst[0]);
  }
};

class SplitStep final : public JoinStepBase {
 public:
  using JoinStepBase::JoinStepBase;
  std::string_view kernel_name() const override { return "split"; }
  Result<backends::StepPlan> plan(const backends::StepShapes& shapes) const override {
    return plan_parts(shapes.src[0], shapes.dst);
  }
  void run(const backends::StepState* state, const void* const* src, void* const* dst,
           std::byte*) const override {
    run_unjoin(state_as<JoinPlan>(state), src[0], dst);
  }
};

std::string supports_join(const Problem& problem) { return require_movable(problem); }

constexpr KernelEntry kConcat[] = {{"concat", supports_join, make_step<ConcatStep>}};
constexpr KernelEntry kSplit[] = {{"split", supports_join, make_step<SplitStep>}};

}  // namespace

std::span<const KernelEntry> concat_kernels() { return kConcat; }
std::span<const KernelEntry> split_kernels() { return kSplit; }

}  // namespace graft::cpu
