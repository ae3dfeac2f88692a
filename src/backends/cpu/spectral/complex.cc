// complex of float32. Angles go through the C library, number by number.
#include <cmath>
#include <complex>

#include "backends/cpu/common/pick_isa.h"
#include "backends/cpu/common/row_blocks.h"
#include "backends/cpu/common/shape_util.h"
#include "backends/cpu/common/step_util.h"
#include "backends/cpu/spectral/spectral_table.h"

namespace graft::cpu {
namespace {

using ir::ComplexFn;

void angle(const ComplexArgs* args) {
  for (ptrdiff_t i = 0; i < args->n; ++i)
    args->dst[i] = std::atan2(args->a[2 * i + 1], args->a[2 * i]);
}

// What the table's loop does not take, by the C library.
void exp_of_the_rest(const ComplexArgs& args) {
  for (ptrdiff_t i = 0; i < args.n; ++i) {
    const float re = args.a[2 * i], im = args.a[2 * i + 1];
    if (std::fabs(im) < kMaxExpAngle && std::isfinite(re)) continue;
    const std::complex<float> e = std::exp(std::complex<float>(re, im));
    args.dst[2 * i] = e.real();
    args.dst[2 * i + 1] = e.imag();
  }
}

class ComplexStep final : public Step {
 public:
  explicit ComplexStep(const Problem& problem) : fn_(problem.op->as<ir::ComplexAttrs>().fn) {
    const SpectralTable* table = pick_isa(problem.target.isa, isa_baseline::spectral_table(),
                                          isa_avx2::spectral_table(), isa_avx512::spectral_table());
    switch (fn_) {
      case ComplexFn::kReal:
      case ComplexFn::kImag:
        row_ = table->part;
        break;
      case ComplexFn::kAbs:
        row_ = table->abs;
        break;
      case ComplexFn::kAngle:
        row_ = angle;
        break;
      case ComplexFn::kExp:
        row_ = table->exp;
        cost_ = 8;
        break;
      case ComplexFn::kMake:
        row_ = table->make;
        break;
      default:
        row_ = table->mul;
    }
    if (fn_ == ComplexFn::kAngle) cost_ = 16;
    from_ = fn_ == ComplexFn::kMake ? 1 : 2;
    to_ = fn_ == ComplexFn::kExp || fn_ == ComplexFn::kMake || fn_ == ComplexFn::kMul ? 2 : 1;
  }
  std::string_view kernel_name() const override { return "complex_f32"; }

  Result<backends::StepPlan> plan(const backends::StepShapes& shapes) const override {
    const auto numbers = [](std::span<const int64_t> dims, int64_t parts) {
      return parts == 2 ? dims.first(dims.size() - 1) : dims;
    };
    std::vector<std::span<const int64_t>> sources;
    for (const auto dims : shapes.src) sources.push_back(numbers(dims, from_));
    return plan_of(broadcast_nest(numbers(shapes.dst[0], to_), sources));
  }

  void run(const backends::StepState* state, const void* const* src, void* const* dst,
           std::byte*) const override {
    const auto& nest = state_as<LoopNest>(state);
    const bool two = nest.operands > 2;
    const auto* a = static_cast<const float*>(src[0]) + (fn_ == ComplexFn::kImag);
    const auto* b = two ? static_cast<const float*>(src[1]) : nullptr;
    auto* y = static_cast<float*>(dst[0]);
    const int last = nest.rank - 1;
    for_row_blocks(nest, kGrainElems / cost_, [&](const int64_t* at, int64_t rows, int64_t n) {
      for (int64_t r = 0; r < rows; ++r) {
        const auto place = [&](int operand) {
          return at[operand] + r * nest.stride[operand][last - 1];
        };
        const ComplexArgs args{y + place(0) * to_,
                               a + place(1) * from_,
                               two ? b + place(2) * from_ : nullptr,
                               n,
                               nest.stride[1][last],
                               two ? nest.stride[2][last] : 0};
        row_(&args);
        if (fn_ == ComplexFn::kExp) exp_of_the_rest(args);
      }
    });
  }

 private:
  ComplexFn fn_;
  void (*row_)(const ComplexArgs*) = nullptr;
  int64_t cost_ = 1;           // of a number
  int64_t from_ = 2, to_ = 2;  // floats of a number
};

std::string supports_complex(const Problem& problem) { return require_float(problem); }

constexpr KernelEntry kComplex[] = {{"complex_f32", supports_complex, make_step<ComplexStep>}};

}  // namespace

std::span<const KernelEntry> complex_kernels() { return kComplex; }

}  // namespace graft::cpu
