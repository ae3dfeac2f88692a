// Tile, BroadcastTo, Fill, Range and OneHot.
#include "backends/cpu/common/shape_util.h"
#include "backends/cpu/common/split.h"
#include "backends/cpu/movement/copy_step.h"

namespace graft::cpu {
namespace {

class TileStep final : public CopyStepBase {
 public:
  explicit TileStep(const Problem& problem) : CopyStepBase(problem) {}
  std::string_view kernel_name() const override { return "tile"; }
  Result<backends::StepPlan> plan(const backends::StepShapes& shapes) const override {
    int64_t from[kMaxDims], to[kMaxDims];
    const auto src = shapes.src[0], dst = shapes.dst[0];
    dense_strides(src, from);
    dense_strides(dst, to);
    CopyNd copy;
    for (size_t d = 0; d < src.size(); ++d) {
      const int64_t repeat[] = {to[d] * src[d], 0}, inside[] = {to[d], from[d]};
      copy.nest.add(src[d] == 0 ? 0 : dst[d] / src[d], repeat);
      copy.nest.add(src[d], inside);
    }
    copy.finish();
    return plan_of(copy);
  }
};

// BroadcastTo (src[0]) and Fill (src[1]).
class BroadcastStep final : public CopyStepBase {
 public:
  explicit BroadcastStep(const Problem& problem)
      : CopyStepBase(problem, source_of(problem)), src_(source_of(problem)) {}
  std::string_view kernel_name() const override { return "broadcast"; }
  Result<backends::StepPlan> plan(const backends::StepShapes& shapes) const override {
    CopyNd copy;
    copy.nest = broadcast_nest(shapes.dst[0], {&shapes.src[src_], 1});
    copy.finish();
    return plan_of(copy);
  }
  static size_t source_of(const Problem& problem) {
    return problem.op->kind() == ir::OpKind::kFill ? 1 : 0;
  }

 private:
  size_t src_;
};

class RangeStep final : public Step {
 public:
  explicit RangeStep(const Problem& problem) : wide_(problem.src[0]->dtype == DType::kInt64) {}
  std::string_view kernel_name() const override { return "range"; }
  Result<backends::StepPlan> plan(const backends::StepShapes& shapes) const override {
    return plan_of(shapes.dst[0][0]);
  }
  void run(const backends::StepState* state, const void* const* src, void* const* dst,
           std::byte*) const override {
    const int64_t n = state_as<int64_t>(state);
    if (wide_) {
      fill<uint64_t>(src, dst[0], n);
    } else {
      fill<uint32_t>(src, dst[0], n);
    }
  }

 private:
  template <typename T>
  static void fill(const void* const* src, void* dst, int64_t n) {
    T value = *static_cast<const T*>(src[0]);
    const T delta = *static_cast<const T*>(src[2]);
    for (int64_t i = 0; i < n; ++i, value += delta) static_cast<T*>(dst)[i] = value;
  }
  bool wide_;
};

struct OneHotPlan {
  int64_t outer = 1, depth = 1, inner = 1;
};

// dst [outer, depth, inner] from indices [outer, inner]; an index outside [0, depth) sets nothing.
class OneHotStep final : public Step {
 public:
  explicit OneHotStep(const Problem& problem)
      : axis_(static_cast<size_t>(problem.op->as<ir::OneHotAttrs>().axis)),
        wide_(problem.src[0]->dtype == DType::kInt64),
        elem_bytes_(elem_bytes_of(problem, 2)) {}
  std::string_view kernel_name() const override { return "one_hot"; }
  Result<backends::StepPlan> plan(const backends::StepShapes& shapes) const override {
    const auto dst = shapes.dst[0];
    return plan_of(
        OneHotPlan{elems_of(dst.first(axis_)), dst[axis_], elems_of(dst.subspan(axis_ + 1))});
  }
  void run(const backends::StepState* state, const void* const* src, void* const* dst,
           std::byte*) const override {
    const auto& p = state_as<OneHotPlan>(state);
    const int64_t block = p.depth * p.inner;
    if (p.outer * block == 0) return;
    auto* to = static_cast<std::byte*>(dst[0]);
    parallel_ranges(p.outer, kGrainElems / block, [&](int64_t begin, int64_t end) {
      fill_elems(to + begin * block * elem_bytes_, src[3], elem_bytes_, (end - begin) * block);
      for (int64_t i = begin * p.inner; i < end * p.inner; ++i) {
        const int64_t index =
            wide_ ? static_cast<const int64_t*>(src[0])[i] : static_cast<const int32_t*>(src[0])[i];
        if (index < 0 || index >= p.depth) continue;
        const int64_t at = i / p.inner * block + index * p.inner + i % p.inner;
        fill_elems(to + at * elem_bytes_, src[2], elem_bytes_, 1);
      }
    });
  }

 private:
  size_t axis_;
  bool wide_;
  int64_t elem_bytes_;
};

bool is_int(DType t) { return t == DType::kInt32 || t == DType::kInt64; }

std::string wrong_op(const Problem& problem) {
  return std::string("op is ") + ir::op_info(problem.op->kind()).text_name;
}

std::string supports_tile(const Problem& problem) {
  return problem.op->kind() == ir::OpKind::kTile ? require_movable(problem) : wrong_op(problem);
}
std::string supports_broadcast(const Problem& problem) {
  const auto kind = problem.op->kind();
  if (kind != ir::OpKind::kBroadcastTo && kind != ir::OpKind::kFill) return wrong_op(problem);
  return require_movable(problem, BroadcastStep::source_of(problem));
}
std::string supports_range(const Problem& problem) {
  if (problem.op->kind() != ir::OpKind::kRange) return wrong_op(problem);
  return is_int(problem.src[0]->dtype) ? "" : "range of " + dtype_name(problem.src[0]->dtype);
}
std::string supports_one_hot(const Problem& problem) {
  if (problem.op->kind() != ir::OpKind::kOneHot) return wrong_op(problem);
  if (!is_int(problem.src[0]->dtype)) return "indices are " + dtype_name(problem.src[0]->dtype);
  return require_movable(problem, 2);
}

constexpr KernelEntry kTile[] = {
    {"tile", supports_tile, make_step<TileStep>},
    {"broadcast", supports_broadcast, make_step<BroadcastStep>},
    {"range", supports_range, make_step<RangeStep>},
    {"one_hot", supports_one_hot, make_step<OneHotStep>},
};

}  // namespace

std::span<const KernelEntry> tile_kernels() { return kTile; }

}  // namespace graft::cpu
