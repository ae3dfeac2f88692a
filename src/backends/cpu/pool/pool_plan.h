// How the rows of a pool are shared: a unit is an output row and a block of channels.
#pragma once

#include <algorithm>
#include <span>

#include "backends/cpu/common/split.h"
#include "backends/cpu/pool/pool_table.h"
#include "ir/attrs.h"

namespace graft::cpu {

struct PoolPlan {
  int64_t batch = 0, h = 0, w = 0, c = 0, oh = 0, ow = 0;
  int64_t kernel_h = 1, kernel_w = 1, stride_h = 1, stride_w = 1;
  int64_t pad_top = 0, pad_left = 0;
  int64_t channel_blocks = 1;
};

// Where a unit lies: image, the first row of it that the window covers, first channel.
struct PoolRow {
  int64_t image, first_row, channel;
};

PoolPlan plan_pool(const ir::PoolAttrs& a, std::span<const int64_t> in,
                   std::span<const int64_t> out, int threads);

// fn(const PoolArgs&, const PoolRow&) for every unit.
template <typename F>
void for_pool_rows(const PoolPlan& p, const float* x, float* y, F&& fn) {
  const int64_t units = p.batch * p.oh * p.channel_blocks;
  if (units * p.ow * p.c == 0) return;
  const auto unit = [&](int64_t u) {
    const int64_t block = u % p.channel_blocks, row = u / p.channel_blocks;
    // Cut at whole vectors of any level.
    const auto cut = [&](int64_t i) {
      return i == p.channel_blocks ? p.c : p.c * i / p.channel_blocks / 16 * 16;
    };
    const int64_t c0 = cut(block), c1 = cut(block + 1);
    const int64_t oy = row % p.oh, image = row / p.oh;
    const int64_t first = oy * p.stride_h - p.pad_top;
    const int64_t begin = std::clamp<int64_t>(first, 0, p.h);
    const int64_t end = std::clamp<int64_t>(first + p.kernel_h, begin, p.h);
    const PoolArgs args{x + ((image * p.h + begin) * p.w) * p.c + c0,
                        y + row * p.ow * p.c + c0,
                        p.w * p.c,
                        p.c,
                        end - begin,
                        p.kernel_w,
                        p.stride_w,
                        p.pad_left,
                        p.w,
                        p.ow,
                        c1 - c0};
    fn(args, PoolRow{image, begin, c0});
  };
  const int64_t unit_cost = p.ow * p.c / p.channel_blocks * p.kernel_h * p.kernel_w;
  parallel_ranges(units, kGrainElems / std::max<int64_t>(unit_cost, 1),
                  [&](int64_t begin, int64_t end) {
                    for (int64_t u = begin; u < end; ++u) unit(u);
                  });
}

}  // namespace graft::cpu
