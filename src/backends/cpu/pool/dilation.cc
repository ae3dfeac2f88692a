// dilation2d of float32: a unit is an output row, which every tap goes over.
#include <algorithm>
#include <limits>

#include "backends/cpu/common/pick_isa.h"
#include "backends/cpu/common/shape_util.h"
#include "backends/cpu/common/split.h"
#include "backends/cpu/common/step_util.h"
#include "backends/cpu/pool/pool_table.h"

namespace graft::cpu {
namespace {

struct DilationPlan {
  int64_t batch = 0, h = 0, w = 0, c = 0, oh = 0, ow = 0, kernel_h = 0, kernel_w = 0;
  int64_t pad_top = 0, pad_left = 0;
  int64_t repeats = 1;  // of the filter's taps, in scratch, so that few channels fill vectors
};

constexpr int64_t kWideChannels = 64, kRepeats = 16, kRepeatedElems = 1 << 16;

class DilationStep final : public Step {
 public:
  explicit DilationStep(const Problem& problem)
      : attrs_(problem.op->as<ir::Dilation2DAttrs>()),
        row_(pick_isa(problem.target.isa, isa_baseline::pool_table(), isa_avx2::pool_table(),
                      isa_avx512::pool_table())
                 ->dilate) {}
  std::string_view kernel_name() const override { return "dilation_f32"; }

  Result<backends::StepPlan> plan(const backends::StepShapes& shapes) const override {
    const auto in = shapes.src[0], filter = shapes.src[1], out = shapes.dst[0];
    DilationPlan p{in[0], in[1], in[2], in[3], out[1], out[2], filter[0], filter[1]};
    if (attrs_.padding == ir::Padding::kSame) {
      p.pad_top = pad_before(0, p.h, p.oh, p.kernel_h);
      p.pad_left = pad_before(1, p.w, p.ow, p.kernel_w);
    }
    const int64_t elems = elems_of(filter);
    if (attrs_.strides[1] == 1 && p.c < kWideChannels && elems <= kRepeatedElems)
      p.repeats = kRepeats;
    return plan_of(p, p.repeats > 1 ? static_cast<size_t>(elems * p.repeats) * sizeof(float) : 0);
  }

  void run(const backends::StepState* state, const void* const* src, void* const* dst,
           std::byte* scratch) const override {
    const auto& p = state_as<DilationPlan>(state);
    const int64_t row_elems = p.ow * p.c, taps = p.kernel_h * p.kernel_w;
    if (p.batch * p.oh * row_elems == 0) return;
    const auto* x = static_cast<const float*>(src[0]);
    const auto* filter = static_cast<const float*>(src[1]);
    if (p.repeats > 1) {
      auto* repeated = reinterpret_cast<float*>(scratch);
      for (int64_t i = 0; i < taps * p.repeats; ++i)
        std::copy_n(filter + i / p.repeats * p.c, p.c, repeated + i * p.c);
      filter = repeated;
    }
    auto* y = static_cast<float*>(dst[0]);
    parallel_ranges(p.batch * p.oh, kGrainElems / std::max<int64_t>(row_elems * taps, 1),
                    [&](int64_t begin, int64_t end) {
                      for (int64_t r = begin; r < end; ++r)
                        row(p, x + r / p.oh * p.h * p.w * p.c, filter, r % p.oh, y + r * row_elems);
                    });
  }

 private:
  int64_t pad_before(size_t axis, int64_t in, int64_t out, int64_t kernel) const {
    const int64_t window = (kernel - 1) * attrs_.rates[axis] + 1;
    return std::max<int64_t>((out - 1) * attrs_.strides[axis] + window - in, 0) / 2;
  }

  void row(const DilationPlan& p, const float* image, const float* filter, int64_t oy,
           float* dst) const {
    std::fill_n(dst, p.ow * p.c, std::numeric_limits<float>::lowest());
    const int64_t stride = attrs_.strides[1];
    for (int64_t ky = 0; ky < p.kernel_h; ++ky) {
      const int64_t iy = oy * attrs_.strides[0] - p.pad_top + ky * attrs_.rates[0];
      if (iy < 0 || iy >= p.h) continue;
      for (int64_t kx = 0; kx < p.kernel_w; ++kx) {
        // Pixels whose tap lies inside the image.
        const int64_t first = kx * attrs_.rates[1] - p.pad_left;
        const int64_t begin = first < 0 ? (-first + stride - 1) / stride : 0;
        const int64_t end = first >= p.w ? 0 : std::min(p.ow, (p.w - first + stride - 1) / stride);
        if (begin >= end) continue;
        const DilateArgs args{image + (iy * p.w + first + begin * stride) * p.c,
                              filter + (ky * p.kernel_w + kx) * p.c * p.repeats,
                              dst + begin * p.c,
                              end - begin,
                              p.c,
                              stride * p.c,
                              p.repeats};
        row_(&args);
      }
    }
  }

  const ir::Dilation2DAttrs attrs_;
  void (*row_)(const DilateArgs*);
};

std::string supports_dilation(const Problem& problem) { return require_float(problem); }

constexpr KernelEntry kDilation[] = {{"dilation_f32", supports_dilation, make_step<DilationStep>}};

}  // namespace

std::span<const KernelEntry> dilation_kernels() { return kDilation; }

}  // namespace graft::cpu
