// Sums are those of blocks of updates, into elements of their own, added up in the order of the
// blocks: how many there are depends on the shapes alone, so that any number of threads gives the
// same bits. Other functions run over the updates once, in order.
#include "backends/cpu/movement/scatter_elements.h"

#include <cstring>

namespace graft::cpu {
namespace {

using ir::ScatterFn;

constexpr int64_t kMaxBlocks = 8;

struct ElementsPlan {
  NdPlan nd;
  int64_t blocks = 1;
};

// Updates [begin, end) applied to y.
using ApplyFn = void (*)(const NdPlan& p, const void* indices, const void* updates, void* y,
                         int64_t begin, int64_t end);
// Elements [begin, end) of blocks * rows partial sums: cleared, and added up over src.
using ClearFn = void (*)(void* sums, int64_t begin, int64_t end);
using AddFn = void (*)(const void* src, const void* sums, void* dst, const ElementsPlan& plan,
                       int64_t begin, int64_t end);

template <ScatterFn kFn, typename T, typename I>
void apply(const NdPlan& p, const void* indices, const void* updates, void* dst, int64_t begin,
           int64_t end) {
  const auto* x = static_cast<const T*>(updates);
  auto* y = static_cast<T*>(dst);
  if (p.depth == 1) {
    const auto* at = static_cast<const I*>(indices);
    for (int64_t i = begin; i < end; ++i) y[at[i]] = scattered<kFn>(y[at[i]], x[i]);
  } else {
    for (int64_t i = begin; i < end; ++i) {
      T& element = y[row_of<I>(p, indices, i)];
      element = scattered<kFn>(element, x[i]);
    }
  }
}

// -0 is what a sum of floats leaves alone, 0 too.
template <typename T>
void clear(void* sums, int64_t begin, int64_t end) {
  auto* y = static_cast<T*>(sums);
  for (int64_t i = begin; i < end; ++i) y[i] = std::is_floating_point_v<T> ? -T{0} : T{0};
}

template <typename T>
void add(const void* src, const void* sums, void* dst, const ElementsPlan& plan, int64_t begin,
         int64_t end) {
  const auto* x = static_cast<const T*>(src);
  const auto* partial = static_cast<const T*>(sums);
  auto* y = static_cast<T*>(dst);
  for (int64_t i = begin; i < end; ++i) y[i] = x[i];
  for (int64_t b = 0; b < plan.blocks; ++b) {
    const T* of_block = partial + b * plan.nd.rows;
    for (int64_t i = begin; i < end; ++i) y[i] = scattered<ScatterFn::kAdd>(y[i], of_block[i]);
  }
}

struct Functions {
  ApplyFn apply[2] = {};  // int32 and int64 indices
  ClearFn clear = nullptr;
  AddFn add = nullptr;
};

template <ScatterFn kFn, typename T>
Functions functions_of() {
  Functions f{{apply<kFn, T, int32_t>, apply<kFn, T, int64_t>}};
  if constexpr (kFn == ScatterFn::kAdd) {
    f.clear = clear<T>;
    f.add = add<T>;
  }
  return f;
}

template <typename T>
Functions arithmetic(ScatterFn fn) {
  switch (fn) {
    case ScatterFn::kAdd:
      return functions_of<ScatterFn::kAdd, T>();
    case ScatterFn::kSub:
      return functions_of<ScatterFn::kSub, T>();
    case ScatterFn::kMax:
      return functions_of<ScatterFn::kMax, T>();
    case ScatterFn::kMin:
      return functions_of<ScatterFn::kMin, T>();
    case ScatterFn::kReplace:
      return functions_of<ScatterFn::kReplace, T>();
    default:
      return {};
  }
}

Functions functions_of(const Problem& problem) {
  const auto fn = problem.op->as<ir::ScatterNdAttrs>().fn;
  switch (problem.src[0]->dtype) {
    case DType::kFloat:
      return arithmetic<float>(fn);
    case DType::kDouble:
      return arithmetic<double>(fn);
    case DType::kInt32:
      return arithmetic<int32_t>(fn);
    case DType::kInt64:
      return arithmetic<int64_t>(fn);
    default:
      return {};
  }
}

class ScatterElementsStep final : public NdStep {
 public:
  explicit ScatterElementsStep(const Problem& problem)
      : NdStep(problem),
        functions_(functions_of(problem)),
        apply_(functions_.apply[problem.src[1]->dtype == DType::kInt64]),
        elem_bytes_(static_cast<int64_t>(dtype_size(problem.src[0]->dtype))) {}
  std::string_view kernel_name() const override { return "scatter_elements"; }

  Result<backends::StepPlan> plan(const backends::StepShapes& shapes) const override {
    GRAFT_RETURN_IF_ERROR(check_updates(name(), shapes));
    ElementsPlan plan{nd_plan(shapes.src[0], shapes.src[1])};
    const int64_t blocks = std::min(plan.nd.count / kGrainElems, kMaxBlocks);
    // Sums of their own for more elements than updates would cost more than they bring.
    if (functions_.add && blocks > 1 && plan.nd.rows <= plan.nd.count / blocks)
      plan.blocks = blocks;
    const int64_t bytes = plan.blocks > 1 ? plan.blocks * plan.nd.rows * elem_bytes_ : 0;
    return plan_of(std::move(plan), static_cast<size_t>(bytes));
  }
  bool may_run_in_place(int input) const override { return input == 0; }

  void run(const backends::StepState* state, const void* const* src, void* const* dst,
           std::byte* scratch) const override {
    const auto& plan = state_as<ElementsPlan>(state);
    const NdPlan& p = plan.nd;
    check(p, src[1]);
    if (p.rows == 0) return;
    if (plan.blocks == 1) {
      if (dst[0] != src[0]) std::memcpy(dst[0], src[0], static_cast<size_t>(p.rows * elem_bytes_));
      return apply_(p, src[1], src[2], dst[0], 0, p.count);
    }
    parallel_ranges(plan.blocks, 1, [&](int64_t begin, int64_t end) {
      for (int64_t b = begin; b < end; ++b) {
        std::byte* sums = scratch + b * p.rows * elem_bytes_;
        functions_.clear(sums, 0, p.rows);
        apply_(p, src[1], src[2], sums, p.count * b / plan.blocks, p.count * (b + 1) / plan.blocks);
      }
    });
    parallel_ranges(p.rows, kGrainElems / plan.blocks, [&](int64_t begin, int64_t end) {
      functions_.add(src[0], scratch, dst[0], plan, begin, end);
    });
  }

 private:
  Functions functions_;
  ApplyFn apply_;
  int64_t elem_bytes_;
};

}  // namespace

std::string supports_scatter_elements(const Problem& problem) {
  if (problem.op->kind() != ir::OpKind::kScatterNd) return "op is gather_nd";
  if (!functions_of(problem).apply[0])
    return "scatter of " + dtype_name(problem.src[0]->dtype) + " has no loop over elements";
  const auto& indices = problem.src[1]->dims;
  const ir::Dim depth(static_cast<int64_t>(problem.src[0]->dims.size()));
  return indices.empty() || indices.back() != depth ? "indices do not name elements" : "";
}

Result<std::unique_ptr<Step>> create_scatter_elements(const Problem& problem) {
  return make_step<ScatterElementsStep>(problem);
}

}  // namespace graft::cpu
