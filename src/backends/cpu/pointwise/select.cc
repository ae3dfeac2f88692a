// Select of elements of any dtype by a bool, all three broadcast.
#include "backends/cpu/common/row_blocks.h"
#include "backends/cpu/common/shape_util.h"
#include "backends/cpu/common/step_util.h"

namespace graft::cpu {
namespace {

struct RowArgs {
  void* dst;
  const uint8_t* cond;
  const void* yes;
  const void* no;
  int64_t n, cond_step, yes_step, no_step;
};

template <typename T>
void row(const RowArgs& args) {
  auto* dst = static_cast<T*>(args.dst);
  const auto* yes = static_cast<const T*>(args.yes);
  const auto* no = static_cast<const T*>(args.no);
  for (int64_t i = 0; i < args.n; ++i) {
    const T a = yes[i * args.yes_step], b = no[i * args.no_step];
    dst[i] = args.cond[i * args.cond_step] != 0 ? a : b;
  }
}

class SelectStep final : public Step {
 public:
  explicit SelectStep(const Problem& problem)
      : elem_bytes_(static_cast<int64_t>(dtype_size(problem.src[1]->dtype))) {
    row_ = elem_bytes_ == 1   ? row<uint8_t>
           : elem_bytes_ == 2 ? row<uint16_t>
           : elem_bytes_ == 4 ? row<uint32_t>
                              : row<uint64_t>;
  }
  std::string_view kernel_name() const override { return "select"; }

  Result<backends::StepPlan> plan(const backends::StepShapes& shapes) const override {
    return plan_of(broadcast_nest(shapes.dst[0], shapes.src));
  }

  void run(const backends::StepState* state, const void* const* src, void* const* dst,
           std::byte*) const override {
    const auto& nest = state_as<LoopNest>(state);
    const int r = nest.rank;
    const auto* cond = static_cast<const uint8_t*>(src[0]);
    for_row_blocks(nest, kGrainElems, [&](const int64_t* at, int64_t rows, int64_t n) {
      for (int64_t i = 0; i < rows; ++i) {
        const auto offset = [&](int operand) {
          return at[operand] + i * nest.stride[operand][r - 2];
        };
        row_({static_cast<std::byte*>(dst[0]) + offset(0) * elem_bytes_, cond + offset(1),
              static_cast<const std::byte*>(src[1]) + offset(2) * elem_bytes_,
              static_cast<const std::byte*>(src[2]) + offset(3) * elem_bytes_, n,
              nest.stride[1][r - 1], nest.stride[2][r - 1], nest.stride[3][r - 1]});
      }
    });
  }

  bool may_run_in_place(int i) const override { return i > 0 || elem_bytes_ == 1; }

 private:
  int64_t elem_bytes_;
  void (*row_)(const RowArgs&);
};

std::string supports_select(const Problem& problem) {
  const size_t bytes = dtype_size(problem.src[1]->dtype);
  if (bytes == 1 || bytes == 2 || bytes == 4 || bytes == 8) return "";
  return "elements of " + dtype_name(problem.src[1]->dtype);
}

constexpr KernelEntry kSelect[] = {{"select", supports_select, make_step<SelectStep>}};

}  // namespace

std::span<const KernelEntry> select_kernels() { return kSelect; }

}  // namespace graft::cpu
