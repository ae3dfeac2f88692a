// Gather of any dtype by int32 or int64 indices. All indices are checked before anything is copied.
#include "backends/cpu/common/shape_util.h"
#include "backends/cpu/common/split.h"
#include "backends/cpu/movement/copy_step.h"

namespace graft::cpu {
namespace {

// params [batch, outer, n, inner], indices [batch, count] -> dst [batch, outer, count, inner].
struct GatherPlan {
  int64_t batch = 1, outer = 1, n = 1, inner_bytes = 1, count = 1;
  std::vector<int64_t> index_dims;  // for messages
};

std::string position_text(const std::vector<int64_t>& dims, int64_t flat) {
  std::string text;
  for (size_t d = dims.size(); d-- > 0; flat /= dims[d]) {
    text = std::to_string(flat % dims[d]) + (text.empty() ? "" : ",") + text;
  }
  return "indices[" + text + "]";
}

template <typename I>
I load_index(const void* indices, int64_t i) {
  I v;
  __builtin_memcpy(&v, static_cast<const std::byte*>(indices) + i * static_cast<int64_t>(sizeof(I)),
                   sizeof(I));
  return v;
}

template <typename I>
void check_indices(const GatherPlan& p, const std::string& op, const void* indices) {
  const int64_t total = p.batch * p.count;
  for (int64_t i = 0; i < total; ++i) {
    const auto v = static_cast<int64_t>(load_index<I>(indices, i));
    if (v >= 0 && v < p.n) continue;
    throw backends::StepFailure(invalid_argument("'" + op + "': " + position_text(p.index_dims, i) +
                                                 " = " + std::to_string(v) + " is not in [0, " +
                                                 std::to_string(p.n) + ")"));
  }
}

template <typename I>
void gather(const GatherPlan& p, const std::byte* params, const void* indices, std::byte* dst) {
  const int64_t rows = p.batch * p.outer * p.count;
  if (p.inner_bytes == 0) return;
  parallel_ranges(rows, kGrainElems * 4 / p.inner_bytes, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) {
      const int64_t i = r % p.count, block = r / p.count;
      const auto index =
          static_cast<int64_t>(load_index<I>(indices, block / p.outer * p.count + i));
      copy_bytes(dst + r * p.inner_bytes, params + (block * p.n + index) * p.inner_bytes,
                 p.inner_bytes);
    }
  });
}

class GatherStep final : public Step {
 public:
  explicit GatherStep(const Problem& problem)
      : attrs_(problem.op->as<ir::GatherAttrs>()),
        name_(problem.op->name),
        wide_(problem.src[1]->dtype == DType::kInt64),
        elem_bytes_(elem_bytes_of(problem)) {}
  std::string_view kernel_name() const override { return "gather"; }

  Result<backends::StepPlan> plan(const backends::StepShapes& shapes) const override {
    const auto params = shapes.src[0], indices = shapes.src[1];
    const auto batch = static_cast<size_t>(attrs_.batch_dims),
               axis = static_cast<size_t>(attrs_.axis);
    GatherPlan p;
    p.batch = elems_of(params.first(batch));
    p.outer = elems_of(params.subspan(batch, axis - batch));
    p.n = params[axis];
    p.inner_bytes = elems_of(params.subspan(axis + 1)) * elem_bytes_;
    p.count = elems_of(indices.subspan(batch));
    p.index_dims.assign(indices.begin(), indices.end());
    return plan_of(std::move(p));
  }

  void run(const backends::StepState* state, const void* const* src, void* const* dst,
           std::byte*) const override {
    const auto& p = state_as<GatherPlan>(state);
    const auto* params = static_cast<const std::byte*>(src[0]);
    auto* to = static_cast<std::byte*>(dst[0]);
    if (wide_) {
      check_indices<int64_t>(p, name_, src[1]);
      gather<int64_t>(p, params, src[1], to);
    } else {
      check_indices<int32_t>(p, name_, src[1]);
      gather<int32_t>(p, params, src[1], to);
    }
  }

 private:
  const ir::GatherAttrs attrs_;
  const std::string name_;
  bool wide_;
  int64_t elem_bytes_;
};

std::string supports_gather(const Problem& problem) {
  const DType t = problem.src[1]->dtype;
  if (t != DType::kInt32 && t != DType::kInt64) return "indices are " + dtype_name(t);
  return require_movable(problem);
}

constexpr KernelEntry kGather[] = {{"gather", supports_gather, make_step<GatherStep>}};

}  // namespace

std::span<const KernelEntry> gather_kernels() { return kGather; }

}  // namespace graft::cpu
