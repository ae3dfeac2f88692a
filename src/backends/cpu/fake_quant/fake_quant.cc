// fake_quant that stays in floating point: a task is a range of rows that share their grids.
#include "ir/fake_quant.h"

#include "backends/cpu/common/pick_isa.h"
#include "backends/cpu/common/shape_util.h"
#include "backends/cpu/common/split.h"
#include "backends/cpu/common/step_util.h"
#include "backends/cpu/fake_quant/fake_quant_table.h"

namespace graft::cpu {
namespace {

static_assert(static_cast<int>(ir::FakeQuantFn::kNudged) == kNudged &&
              static_cast<int>(ir::FakeQuantFn::kNudgedDivide) == kNudgedDivide &&
              static_cast<int>(ir::FakeQuantFn::kHalfToEven) == kHalfToEven &&
              static_cast<int>(ir::FakeQuantFn::kHalfUp) == kHalfUp &&
              static_cast<int>(ir::FakeQuantFn::kCount) == kNumFakeQuantFormulas);

struct GridsPlan {
  int64_t elems = 0, channels = 1;
  int64_t inner = 1;  // elements in a row that share a channel
};

class FakeQuantStep final : public Step {
 public:
  explicit FakeQuantStep(const Problem& problem)
      : attrs_(problem.op->as<ir::FakeQuantAttrs>()),
        table_(pick_isa(problem.target.isa, isa_baseline::fake_quant_table(),
                        isa_avx2::fake_quant_table(), isa_avx512::fake_quant_table())) {}
  std::string_view kernel_name() const override { return "fake_quant_f32"; }

  Result<backends::StepPlan> plan(const backends::StepShapes& shapes) const override {
    const auto dims = shapes.src[0];
    GridsPlan p;
    p.elems = elems_of(dims);
    if (attrs_.axis >= 0) {
      p.channels = dims[static_cast<size_t>(attrs_.axis)];
      p.inner = elems_of(dims.subspan(static_cast<size_t>(attrs_.axis) + 1));
    }
    return plan_of(p, kNumbers * static_cast<size_t>(p.channels) * sizeof(float));
  }

  void run(const backends::StepState* state, const void* const* src, void* const* dst,
           std::byte* scratch) const override {
    const auto& p = state_as<GridsPlan>(state);
    if (p.elems == 0) return;
    auto* const numbers = reinterpret_cast<float*>(scratch);
    fill(static_cast<const float*>(src[1]), static_cast<const float*>(src[2]), p.channels, numbers);
    const auto* x = static_cast<const float*>(src[0]);
    auto* y = static_cast<float*>(dst[0]);
    const auto call = [&](bool each, int64_t channel, int64_t at, int64_t rows, int64_t n) {
      FakeQuantArgs args{y + at, x + at, nullptr, nullptr, nullptr, nullptr, nullptr, rows, n};
      const float** of[kNumbers] = {&args.min, &args.max, &args.factor, &args.scale, &args.zero};
      for (int64_t k = 0; k < kNumbers; ++k) *of[k] = numbers + k * p.channels + channel;
      const auto formula = static_cast<size_t>(attrs_.fn);
      (each ? table_->grid_each : table_->one_grid)[formula](&args);
    };
    const bool each = p.channels > 1 && p.inner == 1;
    const int64_t row = each ? p.channels : p.channels > 1 ? p.inner : 1;
    parallel_ranges(p.elems / row, kGrainElems / row, [&](int64_t begin, int64_t end) {
      if (each || p.channels == 1) return call(each, 0, begin * row, end - begin, row);
      for (int64_t r = begin; r < end; ++r) call(false, r % p.channels, r * row, 1, row);
    });
  }

  bool may_run_in_place(int i) const override { return i == 0; }

 private:
  static constexpr int64_t kNumbers = 5;

  // The grids' numbers, each for all channels.
  void fill(const float* min, const float* max, int64_t channels, float* numbers) const {
    for (int64_t c = 0; c < channels; ++c) {
      const ir::FakeQuantGrid g = ir::fake_quant_grid(attrs_, min[c], max[c]);
      const float of[kNumbers] = {g.min, g.max, g.factor, g.scale, g.zero};
      for (int64_t k = 0; k < kNumbers; ++k) numbers[k * channels + c] = of[k];
    }
  }

  const ir::FakeQuantAttrs attrs_;
  const FakeQuantTable* const table_;
};

std::string supports_fake_quant(const Problem& problem) { return require_float(problem); }

constexpr KernelEntry kFakeQuant[] = {
    {"fake_quant_f32", supports_fake_quant, make_step<FakeQuantStep>}};

}  // namespace

std::span<const KernelEntry> fake_quant_kernels() { return kFakeQuant; }

}  // namespace graft::cpu
