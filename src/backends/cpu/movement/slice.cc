// StridedSlice and Slice of any dtype.
#include "backends/cpu/movement/copy_step.h"
#include "ir/slice_spec.h"

namespace graft::cpu {
namespace {

class SliceStep final : public CopyStepBase {
 public:
  explicit SliceStep(const Problem& problem) : CopyStepBase(problem) {}
  std::string_view kernel_name() const override { return "slice"; }

  Result<backends::StepPlan> plan(const backends::StepShapes& shapes) const override {
    const auto begin = shapes.host[1];
    if (begin.size() != shapes.src[0].size()) return unsupported("slice: begin is not known");
    int64_t from[kMaxDims], to[kMaxDims];
    dense_strides(shapes.src[0], from);
    dense_strides(shapes.dst[0], to);
    CopyNd copy;
    for (size_t d = 0; d < begin.size(); ++d) {
      const int64_t strides[] = {to[d], from[d]};
      copy.src_offset += begin[d] * from[d];
      copy.nest.add(shapes.dst[0][d], strides);
    }
    copy.finish();
    return plan_of(copy);
  }
};

std::vector<ir::Dim> to_dims(std::span<const int64_t> values) {
  return {values.begin(), values.end()};
}

class StridedSliceStep final : public CopyStepBase {
 public:
  explicit StridedSliceStep(const Problem& problem)
      : CopyStepBase(problem), attrs_(problem.op->as<ir::StridedSliceAttrs>()) {}
  std::string_view kernel_name() const override { return "strided_slice"; }

  Result<backends::StepPlan> plan(const backends::StepShapes& shapes) const override {
    ir::DimTable table;
    const auto src = to_dims(shapes.src[0]), begin = to_dims(shapes.host[1]),
               end = to_dims(shapes.host[2]), strides = to_dims(shapes.host[3]);
    GRAFT_ASSIGN_OR_RETURN(const ir::SliceSpec spec,
                           ir::resolve_strided_slice(attrs_, src, begin, end, strides, table));
    int64_t from[kMaxDims], to[kMaxDims];
    dense_strides(shapes.src[0], from);
    dense_strides(shapes.dst[0], to);
    CopyNd copy;
    for (size_t a = 0; a < spec.axes.size(); ++a)
      copy.src_offset += spec.axes[a].begin.value() * from[a];
    for (size_t d = 0; d < spec.dst_axes.size(); ++d) {
      const int axis = spec.dst_axes[d];
      if (axis == ir::SliceSpec::kNewAxis) continue;
      const int64_t step[] = {to[d], from[axis] * spec.axes[static_cast<size_t>(axis)].stride};
      copy.nest.add(shapes.dst[0][d], step);
    }
    copy.finish();
    return plan_of(copy);
  }

 private:
  const ir::StridedSliceAttrs attrs_;
};

std::string supports_slice(const Problem& problem) {
  return problem.op->kind() == ir::OpKind::kSlice ? require_movable(problem)
                                                  : "op is strided_slice";
}
std::string supports_strided(const Problem& problem) {
  return problem.op->kind() == ir::OpKind::kStridedSlice ? require_movable(problem) : "op is slice";
}

constexpr KernelEntry kSlice[] = {
    {"slice", supports_slice, make_step<SliceStep>},
    {"strided_slice", supports_strided, make_step<StridedSliceStep>},
};

}  // namespace

std::span<const KernelEntry> slice_kernels() { return kSlice; }

}  // namespace graft::cpu
