// GatherNd and ScatterNd by int32 or int64 indices. All indices are checked before anything is
// copied. Updates are applied one after the other: threads share the destination, not the updates.
#include "backends/cpu/movement/copy_step.h"
#include "backends/cpu/movement/scatter_elements.h"

namespace graft::cpu {
namespace {

class GatherNdStep final : public NdStep {
 public:
  explicit GatherNdStep(const Problem& problem)
      : NdStep(problem), elem_bytes_(elem_bytes_of(problem)) {}
  std::string_view kernel_name() const override { return "gather_nd"; }
  Result<backends::StepPlan> plan(const backends::StepShapes& shapes) const override {
    NdPlan p = nd_plan(shapes.src[0], shapes.src[1]);
    if (p.count > 0 && elems_of(shapes.src[0]) == 0)  // as TensorFlow, though the answer is empty
      return invalid_argument("'" + name() + "': params have no elements, indices name " +
                              std::to_string(p.count) + ", expected 0");
    return plan_of(std::move(p));
  }

  void run(const backends::StepState* state, const void* const* src, void* const* dst,
           std::byte*) const override {
    const auto& p = state_as<NdPlan>(state);
    check(p, src[1]);
    const int64_t bytes = p.inner * elem_bytes_;
    if (bytes == 0) return;
    const auto* params = static_cast<const std::byte*>(src[0]);
    auto* to = static_cast<std::byte*>(dst[0]);
    parallel_ranges(p.count, kGrainElems * 4 / bytes, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i)
        copy_bytes(to + i * bytes, params + row(p, src[1], i) * bytes, bytes);
    });
  }

 private:
  int64_t elem_bytes_;
};

template <ir::ScatterFn kFn, typename T>
void apply_row(void* dst, const void* updates, int64_t n) {
  auto* y = static_cast<T*>(dst);
  const auto* x = static_cast<const T*>(updates);
  for (int64_t i = 0; i < n; ++i) y[i] = scattered<kFn>(y[i], x[i]);
}

using RowFn = void (*)(void* dst, const void* updates, int64_t n);

template <typename T>
RowFn arithmetic(ir::ScatterFn fn) {
  switch (fn) {
    case ir::ScatterFn::kAdd:
      return apply_row<ir::ScatterFn::kAdd, T>;
    case ir::ScatterFn::kSub:
      return apply_row<ir::ScatterFn::kSub, T>;
    case ir::ScatterFn::kMax:
      return apply_row<ir::ScatterFn::kMax, T>;
    case ir::ScatterFn::kMin:
      return apply_row<ir::ScatterFn::kMin, T>;
    default:
      return nullptr;
  }
}

RowFn row_fn_of(const Problem& problem) {
  const auto fn = problem.op->as<ir::ScatterNdAttrs>().fn;
  const DType t = problem.src[0]->dtype;
  if (fn == ir::ScatterFn::kReplace) {
    switch (dtype_size(t)) {
      case 1:
        return apply_row<ir::ScatterFn::kReplace, uint8_t>;
      case 2:
        return apply_row<ir::ScatterFn::kReplace, uint16_t>;
      case 4:
        return apply_row<ir::ScatterFn::kReplace, uint32_t>;
      case 8:
        return apply_row<ir::ScatterFn::kReplace, uint64_t>;
      default:
        return nullptr;
    }
  }
  switch (t) {
    case DType::kFloat:
      return arithmetic<float>(fn);
    case DType::kDouble:
      return arithmetic<double>(fn);
    case DType::kInt32:
      return arithmetic<int32_t>(fn);
    case DType::kInt64:
      return arithmetic<int64_t>(fn);
    default:
      return nullptr;
  }
}

class ScatterNdStep final : public NdStep {
 public:
  explicit ScatterNdStep(const Problem& problem)
      : NdStep(problem), elem_bytes_(elem_bytes_of(problem)), row_fn_(row_fn_of(problem)) {}
  std::string_view kernel_name() const override { return "scatter_nd"; }
  Result<backends::StepPlan> plan(const backends::StepShapes& shapes) const override {
    GRAFT_RETURN_IF_ERROR(check_updates(name(), shapes));
    return plan_of(nd_plan(shapes.src[0], shapes.src[1]));
  }
  bool may_run_in_place(int input) const override { return input == 0; }

  void run(const backends::StepState* state, const void* const* src, void* const* dst,
           std::byte*) const override {
    const auto& p = state_as<NdPlan>(state);
    check(p, src[1]);
    const int64_t bytes = p.inner * elem_bytes_;
    if (bytes == 0 || p.rows == 0) return;
    const auto* from = static_cast<const std::byte*>(src[0]);
    const auto* updates = static_cast<const std::byte*>(src[2]);
    auto* to = static_cast<std::byte*>(dst[0]);
    // Every task reads all indices and writes the rows, or the part of each row, that are its own.
    const bool by_columns = p.rows < run_threads() * 2;
    const int64_t units = by_columns ? p.inner : p.rows;
    const int64_t unit_elems = p.rows * p.inner / units;
    const int64_t grain = std::max((units + run_threads() - 1) / run_threads(),
                                   kGrainElems / std::max<int64_t>(unit_elems, 1));
    parallel_ranges(units, grain, [&](int64_t begin, int64_t end) {
      const int64_t first = by_columns ? begin : 0, n = by_columns ? end - begin : p.inner;
      const int64_t low = by_columns ? 0 : begin, high = by_columns ? p.rows : end;
      const int64_t offset = first * elem_bytes_, width = n * elem_bytes_;
      if (to == from) {
        // In place: the rest is there already.
      } else if (by_columns) {
        for (int64_t r = 0; r < p.rows; ++r)
          copy_bytes(to + r * bytes + offset, from + r * bytes + offset, width);
      } else {
        copy_bytes(to + low * bytes, from + low * bytes, (high - low) * bytes);
      }
      for (int64_t i = 0; i < p.count; ++i) {
        const int64_t r = row(p, src[1], i);
        if (r < low || r >= high) continue;
        row_fn_(to + r * bytes + offset, updates + i * bytes + offset, n);
      }
    });
  }

 private:
  int64_t elem_bytes_;
  RowFn row_fn_;
};

std::string supports_gather_nd(const Problem& problem) {
  if (problem.op->kind() != ir::OpKind::kGatherNd) return "op is scatter_nd";
  return require_movable(problem);
}
std::string supports_scatter_nd(const Problem& problem) {
  if (problem.op->kind() != ir::OpKind::kScatterNd) return "op is gather_nd";
  if (row_fn_of(problem)) return "";
  return "scatter of " + dtype_name(problem.src[0]->dtype) + " is left to the reference";
}

constexpr KernelEntry kNd[] = {
    {"gather_nd", supports_gather_nd, make_step<GatherNdStep>},
    {"scatter_elements", supports_scatter_elements, create_scatter_elements},
    {"scatter_nd", supports_scatter_nd, make_step<ScatterNdStep>},
};

}  // namespace

std::span<const KernelEntry> nd_kernels() { return kNd; }

}  // namespace graft::cpu
