// Float32 reductions over neighbouring axes: [outer, n, inner] -> [outer, inner].
//
// Long reductions are cut into chunks of a fixed size whose results are reduced again, so that one
// sum can use all threads and its order does not depend on them.
#include <optional>

#include "backends/cpu/common/pick_isa.h"
#include "backends/cpu/common/shape_util.h"
#include "backends/cpu/common/split.h"
#include "backends/cpu/common/step_util.h"
#include "backends/cpu/reduce/reduce_generic.h"
#include "backends/cpu/reduce/reduce_shape.h"
#include "backends/cpu/reduce/reduce_table.h"

namespace graft::cpu {
namespace {

constexpr int64_t kInnerChunk = 65536;  // elements of a row that is reduced
constexpr int64_t kOuterChunk = 4096;   // rows that are reduced
constexpr int64_t kColumnBlock = 64;

struct ReducePlan {
  int64_t outer = 1, n = 1, inner = 1;
  int64_t chunks = 1;
};

std::optional<ReduceOp> op_of(ir::ReduceFn fn) {
  switch (fn) {
    case ir::ReduceFn::kSum:
    case ir::ReduceFn::kMean:
      return ReduceOp::kSum;
    case ir::ReduceFn::kMax:
      return ReduceOp::kMax;
    case ir::ReduceFn::kMin:
      return ReduceOp::kMin;
    case ir::ReduceFn::kProd:
      return ReduceOp::kProd;
    default:
      return std::nullopt;
  }
}

class ReduceStep final : public Step {
 public:
  explicit ReduceStep(const Problem& problem) : attrs_(problem.op->as<ir::ReduceAttrs>()) {
    const ReduceTable* table = pick_isa(problem.target.isa, isa_baseline::reduce_table(),
                                        isa_avx2::reduce_table(), isa_avx512::reduce_table());
    const int op = static_cast<int>(*op_of(attrs_.fn));
    inner_ = table->inner[op];
    outer_ = table->outer[op];
  }
  std::string_view kernel_name() const override { return "reduce_f32"; }

  Result<backends::StepPlan> plan(const backends::StepShapes& shapes) const override {
    const ReduceShape s = reduce_shape(shapes.src[0], attrs_.axes);
    ReducePlan p{s.outer, s.reduced_elems, s.inner};
    const int64_t chunk = p.inner == 1 ? kInnerChunk : kOuterChunk;
    p.chunks = std::max<int64_t>(1, (p.n + chunk - 1) / chunk);
    const int64_t scratch = p.chunks > 1 ? p.outer * p.chunks * p.inner * 4 : 0;
    return plan_of(p, static_cast<size_t>(scratch));
  }

  void run(const backends::StepState* state, const void* const* src, void* const* dst,
           std::byte* scratch) const override {
    const auto& p = state_as<ReducePlan>(state);
    if (p.outer * p.inner == 0) return;
    const auto* x = static_cast<const float*>(src[0]);
    auto* y = static_cast<float*>(dst[0]);
    const float divisor = attrs_.fn == ir::ReduceFn::kMean ? static_cast<float>(p.n) : 1.0f;
    if (p.chunks == 1) return reduce(x, y, p.outer, p.n, p.n, p.inner, 1, divisor);
    auto* partial = reinterpret_cast<float*>(scratch);
    const int64_t chunk = p.inner == 1 ? kInnerChunk : kOuterChunk;
    reduce(x, partial, p.outer, p.n, chunk, p.inner, p.chunks, 1.0f);
    reduce(partial, y, p.outer, p.chunks, p.chunks, p.inner, 1, divisor);
  }

 private:
  // [outer, n, inner] -> [outer, chunks, inner], chunks of `chunk` of the n.
  void reduce(const float* x, float* y, int64_t outer, int64_t n, int64_t chunk, int64_t inner,
              int64_t chunks, float divisor) const {
    const int64_t blocks = inner == 1 ? 1 : (inner + kColumnBlock - 1) / kColumnBlock;
    const int64_t unit_elems = std::max<int64_t>(1, chunk * std::min(inner, kColumnBlock));
    parallel_ranges(outer * chunks * blocks, kGrainElems / unit_elems,
                    [&](int64_t begin, int64_t end) {
                      for (int64_t u = begin; u < end; ++u) {
                        const int64_t block = u % blocks, row = u / blocks;
                        const int64_t first = row % chunks * chunk;
                        const int64_t column = block * kColumnBlock;
                        const ReduceArgs args{y + row * inner + column,
                                              x + (row / chunks * n + first) * inner + column,
                                              1,
                                              std::min(chunk, n - first),
                                              std::min(kColumnBlock, inner - column),
                                              inner,
                                              divisor};
                        (inner == 1 ? inner_ : outer_)(&args);
                      }
                    });
  }

  const ir::ReduceAttrs attrs_;
  void (*inner_)(const ReduceArgs*);
  void (*outer_)(const ReduceArgs*);
};

std::string supports_float(const Problem& problem) {
  const auto& attrs = problem.op->as<ir::ReduceAttrs>();
  if (!op_of(attrs.fn)) return std::string(ir::name_of(attrs.fn)) + " is not a float reduction";
  for (size_t i = 1; i < attrs.axes.size(); ++i) {
    if (attrs.axes[i] != attrs.axes[i - 1] + 1) return "the reduced axes are not neighbours";
  }
  return require_float(problem);
}

constexpr KernelEntry kReduce[] = {
    {"reduce_f32", supports_float, make_step<ReduceStep>},
    {"reduce_generic", supports_generic_reduce, create_generic_reduce},
};

}  // namespace

std::span<const KernelEntry> reduce_kernels() { return kReduce; }

}  // namespace graft::cpu
