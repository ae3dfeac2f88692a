// Max and average pooling, float32, NHWC: a task is a range of (output row, block of channels).
#include "backends/cpu/common/pick_isa.h"
#include "backends/cpu/common/shape_util.h"
#include "backends/cpu/common/split.h"
#include "backends/cpu/common/step_util.h"
#include "backends/cpu/pool/pool_table.h"

namespace graft::cpu {
namespace {

struct PoolPlan {
  int64_t batch = 0, h = 0, w = 0, c = 0, oh = 0, ow = 0;
  int64_t pad_top = 0, pad_left = 0;
  int64_t channel_blocks = 1;
};

int64_t pad_before(ir::Padding padding, int64_t explicit_before, int64_t in, int64_t out, int64_t k,
                   int64_t stride) {
  if (padding == ir::Padding::kExplicit) return explicit_before;
  if (padding == ir::Padding::kValid) return 0;
  return std::max<int64_t>((out - 1) * stride + k - in, 0) / 2;
}

class PoolStep final : public Step {
 public:
  explicit PoolStep(const Problem& problem) : attrs_(problem.op->as<ir::PoolAttrs>()) {
    const PoolTable* table = pick_isa(problem.target.isa, isa_baseline::pool_table(),
                                      isa_avx2::pool_table(), isa_avx512::pool_table());
    row_ = attrs_.fn == ir::PoolFn::kMax ? table->max : table->avg;
  }
  std::string_view kernel_name() const override { return "pool_f32"; }

  Result<backends::StepPlan> plan(const backends::StepShapes& shapes) const override {
    const auto in = shapes.src[0], out = shapes.dst[0];
    PoolPlan p{in[0], in[1], in[2], in[3], out[1], out[2]};
    p.pad_top =
        pad_before(attrs_.padding, attrs_.pads[0], p.h, p.oh, attrs_.ksize[0], attrs_.strides[0]);
    p.pad_left =
        pad_before(attrs_.padding, attrs_.pads[2], p.w, p.ow, attrs_.ksize[1], attrs_.strides[1]);
    // Too few rows for the threads: share the channels too.
    if (p.batch * p.oh < 2 * shapes.threads) {
      p.channel_blocks = std::clamp<int64_t>(p.c / kMinChannels, 1, 2 * shapes.threads);
    }
    return plan_of(p);
  }

  void run(const backends::StepState* state, const void* const* src, void* const* dst,
           std::byte*) const override {
    const auto& p = state_as<PoolPlan>(state);
    const auto* x = static_cast<const float*>(src[0]);
    auto* y = static_cast<float*>(dst[0]);
    const int64_t units = p.batch * p.oh * p.channel_blocks;
    if (units * p.ow * p.c == 0) return;
    const int64_t unit_cost = p.ow * p.c / p.channel_blocks * attrs_.ksize[0] * attrs_.ksize[1];
    parallel_ranges(units, kGrainElems / std::max<int64_t>(unit_cost, 1),
                    [&](int64_t begin, int64_t end) {
                      for (int64_t u = begin; u < end; ++u) unit(p, x, y, u);
                    });
  }

 private:
  static constexpr int64_t kMinChannels = 64;

  void unit(const PoolPlan& p, const float* x, float* y, int64_t u) const {
    const int64_t block = u % p.channel_blocks, row = u / p.channel_blocks;
    // Cut at whole vectors of any level.
    const auto cut = [&](int64_t i) {
      return i == p.channel_blocks ? p.c : p.c * i / p.channel_blocks / 16 * 16;
    };
    const int64_t c0 = cut(block), c1 = cut(block + 1);
    const int64_t oy = row % p.oh, image = row / p.oh;
    const int64_t first = oy * attrs_.strides[0] - p.pad_top;
    const int64_t begin = std::clamp<int64_t>(first, 0, p.h);
    const int64_t end = std::clamp<int64_t>(first + attrs_.ksize[0], begin, p.h);
    const PoolArgs args{x + ((image * p.h + begin) * p.w) * p.c + c0,
                        y + row * p.ow * p.c + c0,
                        p.w * p.c,
                        p.c,
                        end - begin,
                        attrs_.ksize[1],
                        attrs_.strides[1],
                        p.pad_left,
                        p.w,
                        p.ow,
                        c1 - c0};
    row_(&args);
  }

  const ir::PoolAttrs attrs_;
  void (*row_)(const PoolArgs*);
};

std::string supports_pool(const Problem& problem) { return require_float(problem); }

constexpr KernelEntry kPool[] = {{"pool_f32", supports_pool, make_step<PoolStep>}};

}  // namespace

std::span<const KernelEntry> pool_kernels() { return kPool; }

}  // namespace graft::cpu
