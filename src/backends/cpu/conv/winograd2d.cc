#include "backends/cpu/conv/winograd2d.h"

#include <algorithm>
#include <vector>

#include "backends/cpu/threads/parallel.h"

namespace graft::cpu {
namespace {

constexpr int64_t kPositions = 16;
// Transformed src and products of a block: streamed through the caches, but not further than the
// third level.
constexpr int64_t kBlockElems = 192 * 1024;

// Beyond this the transformed weights (16/9 of the direct ones) cost more to read than the products
// they save.
constexpr int64_t kMaxFilterElems = 512 * 512;

int64_t align64(int64_t bytes) { return (bytes + 63) / 64 * 64; }
int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

// G g G^T of one 3x3 filter, in double.
void transform_filter(const double (&g)[3][3], double (&u)[4][4]) {
  constexpr double kG[4][3] = {{1, 0, 0}, {0.5, 0.5, 0.5}, {0.5, -0.5, 0.5}, {0, 0, 1}};
  double half[4][3] = {};
  for (int i = 0; i < 4; ++i) {
    for (int j = 0; j < 3; ++j) {
      for (int k = 0; k < 3; ++k) half[i][j] += kG[i][k] * g[k][j];
    }
  }
  for (int i = 0; i < 4; ++i) {
    for (int j = 0; j < 4; ++j) {
      u[i][j] = 0;
      for (int k = 0; k < 3; ++k) u[i][j] += half[i][k] * kG[j][k];
    }
  }
}

}  // namespace

bool winograd_fits(const ConvShape& s) {
  return s.kh == 3 && s.kw == 3 && s.stride_h == 1 && s.stride_w == 1 && s.dilation_h == 1 &&
         s.dilation_w == 1 && s.groups == 1 && s.c >= 32 && s.oc >= 32 &&
         s.c * s.oc <= kMaxFilterElems;
}

Result<WinogradWeights> WinogradWeights::pack(const ComputeTable& table, const float* weights,
                                              const ConvShape& s) {
  WinogradWeights w;
  w.table = &table;
  w.panels = Panels(table, s.oc);
  w.position_elems = s.c * w.panels.padded_columns();
  const int64_t elems = kPositions * w.position_elems + s.c;
  GRAFT_ASSIGN_OR_RETURN(w.packed,
                         Buffer::allocate_weights(static_cast<size_t>(elems) * sizeof(float)));
  float* packed = w.packed.as<float>();
  parallel_for(w.panels.count, ThreadPool::kNoLimit, [&](int64_t p, int) {
    const int64_t width = w.panels.width(p), columns = w.panels.columns(p),
                  first = w.panels.first_column(p);
    for (int64_t c = 0; c < s.c; ++c) {
      for (int64_t j = 0; j < width; ++j) {
        double g[3][3] = {}, u[4][4];
        for (int y = 0; y < 3 && j < columns; ++y) {
          for (int x = 0; x < 3; ++x) g[y][x] = weights[((y * 3 + x) * s.c + c) * s.oc + first + j];
        }
        transform_filter(g, u);
        for (int i = 0; i < kPositions; ++i) {
          packed[i * w.position_elems + first * s.c + c * width + j] =
              static_cast<float>(u[i / 4][i % 4]);
        }
      }
    }
  });
  w.zeros = packed + kPositions * w.position_elems;
  std::fill_n(packed + kPositions * w.position_elems, s.c, 0.0f);
  return w;
}

WinogradPlan plan_winograd(const WinogradWeights& weights, const ConvShape& s, int threads) {
  WinogradPlan p;
  p.shape = s;
  p.tiles_h = (s.oh + 1) / 2;
  p.tiles_w = (s.ow + 1) / 2;
  p.tiles = s.batch * p.tiles_h * p.tiles_w;
  if (p.tiles == 0) return p;
  p.workers = std::max(1, threads);
  const int64_t elems = kPositions * (s.c + weights.panels.padded_columns());
  const int64_t most = std::clamp<int64_t>(kBlockElems / elems, 24, 192);
  int64_t tasks = ceil_div(p.tiles, most);
  if (p.workers > 1)
    tasks = std::max(tasks, std::min(int64_t{p.workers} * 2, ceil_div(p.tiles, 12)));
  // A multiple of the threads, so that the last round is full.
  if (tasks > p.workers) tasks = ceil_div(tasks, p.workers) * p.workers;
  p.block = ceil_div(p.tiles, tasks);
  p.tasks = ceil_div(p.tiles, p.block);
  p.worker_bytes = align64(p.block * elems * int64_t{sizeof(float)}) +
                   align64(p.block * int64_t{sizeof(float*)});
  return p;
}

void run_winograd(const WinogradWeights& weights, const WinogradPlan& plan, const float* src,
                  const float* bias, const float* residual, const Epilogue& epilogue, float* dst,
                  void* scratch) {
  const ConvShape& s = plan.shape;
  const int64_t padded = weights.panels.padded_columns();
  const Epilogue plain;
  parallel_for(plan.tasks, plan.workers, [&](int64_t task, int worker) {
    char* mine = static_cast<char*>(scratch) + worker * plan.worker_bytes;
    const int64_t first = task * plan.block, tiles = std::min(plan.block, plan.tiles - first);
    float* transformed = reinterpret_cast<float*>(mine);
    float* products = transformed + kPositions * plan.block * s.c;
    const float** rows = reinterpret_cast<const float**>(
        mine + align64(plan.block * kPositions * (s.c + padded) * int64_t{sizeof(float)}));
    const auto corner = [&](int64_t tile, int64_t& image, int64_t& oy, int64_t& ox) {
      ox = tile % plan.tiles_w * 2;
      oy = tile / plan.tiles_w % plan.tiles_h * 2;
      image = tile / plan.tiles_w / plan.tiles_h;
    };
    for (int64_t i = 0; i < tiles; ++i) {
      int64_t image, oy, ox;
      corner(first + i, image, oy, ox);
      WinogradSrcArgs a;
      for (int64_t k = 0; k < kPositions; ++k) {
        const int64_t y = oy - s.pad_top + k / 4, x = ox - s.pad_left + k % 4;
        const bool inside = y >= 0 && y < s.h && x >= 0 && x < s.w;
        a.pixels[k] = inside ? src + ((image * s.h + y) * s.w + x) * s.src_ld : weights.zeros;
      }
      a.dst = transformed + i * s.c;
      a.position_step = plan.block * s.c;
      a.channels = s.c;
      weights.table->winograd_src(&a);
    }
    IgemmBlock b;
    b.table = weights.table;
    b.panels = weights.panels;
    b.tap_k = s.c;
    b.num_rows = b.row_stride = tiles;
    b.rows = rows;
    b.ldd = padded;
    b.epilogue = &plain;
    b.full_panels = true;
    for (int64_t k = 0; k < kPositions; ++k) {
      for (int64_t i = 0; i < tiles; ++i) rows[i] = transformed + (k * plan.block + i) * s.c;
      b.packed = weights.packed.as<float>() + k * weights.position_elems;
      b.dst = products + k * plan.block * padded;
      run_igemm_block(b, 0, weights.panels.count);
    }
    for (int64_t i = 0; i < tiles; ++i) {
      int64_t image, oy, ox;
      corner(first + i, image, oy, ox);
      WinogradDstArgs a;
      a.src = products + i * padded;
      a.position_step = plan.block * padded;
      a.bias = bias;
      a.channels = s.oc;
      a.epilogue = &epilogue;
      for (int64_t k = 0; k < 4; ++k) {
        const int64_t y = oy + k / 2, x = ox + k % 2;
        const bool inside = y < s.oh && x < s.ow;
        const int64_t pixel = (image * s.oh + y) * s.ow + x;
        a.dst[k] = inside ? dst + pixel * s.dst_ld : nullptr;
        a.residual[k] = inside && residual ? residual + pixel * s.residual_ld : nullptr;
      }
      weights.table->winograd_dst(&a);
    }
  });
}

}  // namespace graft::cpu
