#include "backends/cpu/pool/pool_plan.h"

namespace graft::cpu {
namespace {

constexpr int64_t kMinChannels = 64;  // of a block

int64_t pad_before(ir::Padding padding, int64_t explicit_before, int64_t in, int64_t out, int64_t k,
                   int64_t stride) {
  if (padding == ir::Padding::kExplicit) return explicit_before;
  if (padding == ir::Padding::kValid) return 0;
  return std::max<int64_t>((out - 1) * stride + k - in, 0) / 2;
}

}  // namespace

PoolPlan plan_pool(const ir::PoolAttrs& a, std::span<const int64_t> in,
                   std::span<const int64_t> out, int threads) {
  PoolPlan p{in[0],  in[1],      in[2],      in[3],        out[1],
             out[2], a.ksize[0], a.ksize[1], a.strides[0], a.strides[1]};
  p.pad_top = pad_before(a.padding, a.pads[0], p.h, p.oh, p.kernel_h, p.stride_h);
  p.pad_left = pad_before(a.padding, a.pads[2], p.w, p.ow, p.kernel_w, p.stride_w);
  // Too few rows for the threads: share the channels too.
  if (p.batch * p.oh < 2 * threads)
    p.channel_blocks = std::clamp<int64_t>(p.c / kMinChannels, 1, 2 * threads);
  return p;
}

}  // namespace graft::cpu
