#include "backends/cpu/conv/winograd2d.h"

#include <algorithm>

#include "backends/cpu/threads/parallel.h"

namespace graft::cpu {
namespace {

// Transformed src and products of a block that are to stay in the second-level cache.
constexpr int64_t kBlockElems = 96 * 1024;
constexpr int64_t kMinBlock = 24, kMaxBlock = 96;  // tiles
// Transformed src of a block at most, for very many channels.
constexpr int64_t kMaxSrcElems = 1024 * 1024;
// Products of a task, when the transformed src is shared.
constexpr int64_t kChunkElems = 128 * 1024;
// A panel's slice of this many elements stays in the first-level cache while all tiles pass by.
constexpr int64_t kPanelSliceElems = 4096;

int64_t align64(int64_t bytes) { return (bytes + 63) / 64 * 64; }
int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

// Elements between positions of `elems` each: an odd number of cache lines, so that the positions
// of a tile do not meet in one set of a cache.
int64_t position_step(int64_t elems) { return (ceil_div(elems, 16) | 1) * 16; }

struct Call {
  const WinogradWeights& weights;
  const WinogradPlan& plan;
  const float* src;
  const float* bias;
  const float* residual;
  const Epilogue& epilogue;
  float* dst;

  struct Corner {
    int64_t image, y, x;
  };
  Corner corner(int64_t tile) const {
    const WinogradForm& f = kWinogradForm[weights.form];
    return {tile / plan.tiles_w / plan.tiles_h, tile / plan.tiles_w % plan.tiles_h * f.tile_h,
            tile % plan.tiles_w * f.tile_w};
  }

  // Tiles [first, first + count) into rows from `row` on.
  void transform_src(int64_t first, int64_t count, int64_t row, float* transformed) const {
    const ConvShape& s = plan.shape;
    WinogradSrcArgs a;
    a.src = src;
    a.row_step = plan.row_step;
    a.column_step = plan.column_step;
    a.position_step = plan.src_step;
    a.channels = s.c;
    for (int64_t i = 0; i < count; ++i) {
      const Corner at = corner(first + i);
      const int64_t y = at.y - s.pad_top, x = at.x - s.pad_left;
      a.offset = at.image * s.h * s.w * s.src_ld + y * plan.row_step + x * plan.column_step;
      a.y_begin = -y;
      a.y_end = s.h - y;
      a.x_begin = -x;
      a.x_end = s.w - x;
      a.dst = transformed + (row + i) * s.c;
      weights.table->winograd_src[weights.form](&a);
    }
  }

  // products[position][tile][columns of the panels] of the tiles in rows [row, row + count).
  void multiply(const float* transformed, int64_t row, int64_t count, int64_t panel_begin,
                int64_t panel_end, float* products) const {
    const ComputeTable& table = *weights.table;
    const Panels& panels = weights.panels;
    const int64_t channels = plan.shape.c, column0 = panels.first_column(panel_begin);
    const int64_t k_max = kPanelSliceElems / (int64_t{table.panel_vecs} * table.lanes);
    const int64_t slices = channels <= k_max + k_max / 2 ? 1 : ceil_div(channels, k_max);
    const int64_t length = slices == 1 ? channels : ceil_div(ceil_div(channels, slices), 8) * 8;
    const int positions = kWinogradForm[weights.form].positions();
    const Epilogue plain;
    const float* rows[kMaxTileRows];
    TileArgs t;
    t.rows = rows;
    t.row_tap_stride = 0;
    t.row_offset = 0;
    t.taps = 1;
    t.b_tap_stride = 0;
    t.ldd = panels.first_column(panel_end) - column0;
    t.bias = t.residual = nullptr;
    t.ldr = 0;
    t.epilogue = &plain;
    t.last = false;
    for (int position = 0; position < positions; ++position) {
      const float* packed = weights.packed.as<float>() + position * weights.position_elems;
      for (int64_t k = 0; k < channels; k += length) {
        t.k = std::min(length, channels - k);
        t.first = k == 0;
        for (int64_t p = panel_begin; p < panel_end; ++p) {
          const int64_t width = panels.width(p), column = panels.first_column(p);
          const int vecs = panels.panel_vecs(p);
          t.b = packed + column * channels + k * width;
          t.columns = width;
          // What is read next, a part with each strip of tiles.
          t.next = t.b + channels * width;
          if (p + 1 == panel_end) {
            t.next = k + length < channels ? packed + column0 * channels + (k + length) * width
                                           : packed + weights.position_elems + column0 * channels;
          }
          const int64_t tallest = table.max_rows[vecs], strips = ceil_div(count, tallest);
          const int64_t height = count / strips, taller = count % strips;
          t.next_step = next_step(width, strips);
          const int64_t part = t.next_step * (t.k / 4);
          const float* a = transformed + position * plan.src_step + row * channels + k;
          t.dst = products + position * plan.dst_step + column - column0;
          for (int64_t strip = 0; strip < strips; ++strip, t.next += part) {
            const int64_t tall = height + (strip < taller);
            for (int64_t i = 0; i < tall; ++i, a += channels) rows[i] = a;
            table.tile[vecs][tall](&t);
            t.dst += tall * t.ldd;
          }
        }
      }
    }
  }

  void transform_dst(const float* products, int64_t first, int64_t count, int64_t panel_begin,
                     int64_t panel_end) const {
    const ConvShape& s = plan.shape;
    const WinogradForm& f = kWinogradForm[weights.form];
    const int64_t column0 = weights.panels.first_column(panel_begin);
    const int64_t width = weights.panels.first_column(panel_end) - column0;
    WinogradDstArgs a;
    a.position_step = plan.dst_step;
    a.bias = bias ? bias + column0 : nullptr;
    a.row_step = plan.dst_row_step * s.dst_ld;
    a.column_step = plan.dst_column_step * s.dst_ld;
    a.residual_row_step = plan.dst_row_step * s.residual_ld;
    a.residual_column_step = plan.dst_column_step * s.residual_ld;
    a.channels = std::min(width, s.oc - column0);
    a.epilogue = &epilogue;
    for (int64_t i = 0; i < count; ++i) {
      const Corner at = corner(first + i);
      const int64_t pixel =
          at.image * s.oh * s.ow + at.y * plan.dst_row_step + at.x * plan.dst_column_step;
      a.src = products + i * width;
      a.dst = dst + pixel * s.dst_ld + column0;
      a.residual = residual ? residual + pixel * s.residual_ld + column0 : nullptr;
      a.rows = std::min<int64_t>(f.tile_h, s.oh - at.y);
      a.columns = std::min<int64_t>(f.tile_w, s.ow - at.x);
      weights.table->winograd_dst[weights.form](&a);
    }
  }
};

}  // namespace

WinogradPlan plan_winograd(const WinogradWeights& weights, const ConvShape& shape, int threads) {
  const WinogradForm& f = kWinogradForm[weights.form];
  const int64_t positions = f.positions();
  WinogradPlan p;
  p.shape = shape;
  ConvShape& s = p.shape;
  p.row_step = s.w * s.src_ld;
  p.column_step = s.src_ld;
  p.dst_row_step = s.ow;
  p.dst_column_step = 1;
  if (weights.transposed) {
    std::swap(s.h, s.w);
    std::swap(s.oh, s.ow);
    std::swap(s.kh, s.kw);
    std::swap(s.pad_top, s.pad_left);
    std::swap(p.row_step, p.column_step);
    std::swap(p.dst_row_step, p.dst_column_step);
  }
  p.tiles_h = ceil_div(s.oh, f.tile_h);
  p.tiles_w = ceil_div(s.ow, f.tile_w);
  p.tiles = s.batch * p.tiles_h * p.tiles_w;
  if (p.tiles == 0) return p;
  p.workers = std::max(1, threads);
  const int64_t panels = weights.panels.count, padded = weights.panels.padded_columns();
  const int64_t most =
      std::clamp<int64_t>(std::min(std::max(kBlockElems / (positions * (s.c + padded)), kMinBlock),
                                   kMaxSrcElems / (positions * s.c)),
                          1, kMaxBlock);
  p.shared = p.tiles < p.workers * std::min(kMinBlock, most);
  if (p.shared) {
    p.blocks = 1;
    p.chunks = std::clamp(ceil_div(positions * p.tiles * padded, kChunkElems), int64_t{1}, panels);
    p.chunks = std::min(ceil_div(p.chunks, p.workers) * p.workers, panels);
    if (p.chunks < p.workers) p.blocks = std::min(p.tiles, ceil_div(p.workers, p.chunks));
  } else {
    p.blocks = ceil_div(p.tiles, most);
    // A multiple of the threads, so that the last round is full.
    p.blocks = std::min(ceil_div(p.blocks, p.workers) * p.workers, p.tiles);
    p.chunks = std::clamp(ceil_div(positions * most * padded, kChunkElems), int64_t{1}, panels);
  }
  p.block = ceil_div(p.tiles, p.blocks);
  p.blocks = ceil_div(p.tiles, p.block);
  int64_t columns = 0;
  for (int64_t c = 0; c < p.chunks; ++c) {
    columns = std::max(columns, weights.panels.first_column(p.panel_begin(panels, c + 1)) -
                                    weights.panels.first_column(p.panel_begin(panels, c)));
  }
  p.src_step = position_step((p.shared ? p.tiles : p.block) * s.c);
  p.dst_step = position_step(p.block * columns);
  const int64_t src_bytes = align64(positions * p.src_step * int64_t{sizeof(float)});
  if (p.shared) p.shared_bytes = src_bytes;
  p.worker_bytes =
      align64(positions * p.dst_step * int64_t{sizeof(float)}) + (p.shared ? 0 : src_bytes);
  return p;
}

void run_winograd(const WinogradWeights& weights, const WinogradPlan& plan, const float* src,
                  const float* bias, const float* residual, const Epilogue& epilogue, float* dst,
                  void* scratch) {
  const Call call = {weights, plan, src, bias, residual, epilogue, dst};
  const int64_t panels = weights.panels.count;
  float* shared = static_cast<float*>(scratch);
  const auto worker_scratch = [&](int worker) {
    return reinterpret_cast<float*>(static_cast<char*>(scratch) + plan.shared_bytes +
                                    worker * plan.worker_bytes);
  };
  const auto chunk = [&](int64_t first, int64_t row, int64_t count, int64_t c,
                         const float* transformed, float* products) {
    const int64_t begin = plan.panel_begin(panels, c), end = plan.panel_begin(panels, c + 1);
    call.multiply(transformed, row, count, begin, end, products);
    call.transform_dst(products, first, count, begin, end);
  };
  if (plan.shared) {
    const int64_t parts = std::min<int64_t>(plan.tiles, int64_t{plan.workers} * 4);
    parallel_for(parts, plan.workers, [&](int64_t part, int) {
      const int64_t first = plan.tiles * part / parts;
      call.transform_src(first, plan.tiles * (part + 1) / parts - first, first, shared);
    });
    parallel_for(plan.blocks * plan.chunks, plan.workers, [&](int64_t task, int worker) {
      const int64_t first = task / plan.chunks * plan.block;
      chunk(first, first, std::min(plan.block, plan.tiles - first), task % plan.chunks, shared,
            worker_scratch(worker));
    });
    return;
  }
  parallel_for(plan.blocks, plan.workers, [&](int64_t block, int worker) {
    const int64_t first = block * plan.block, count = std::min(plan.block, plan.tiles - first);
    float* products = worker_scratch(worker);
    float* transformed = products + kWinogradForm[weights.form].positions() * plan.dst_step;
    call.transform_src(first, count, 0, transformed);
    for (int64_t c = 0; c < plan.chunks; ++c) chunk(first, 0, count, c, transformed, products);
  });
}

}  // namespace graft::cpu
