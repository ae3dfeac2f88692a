// Quantized convolutions of stride 1 over a grid of pixels, and those of few channels whose taps
// are copied as runs, by the scalar model of tiles and by the machine's own, against plain loops.
#include <gtest/gtest.h>

#include <random>

#include "backends/cpu/cpu_features.h"
#include "backends/cpu/int8/conv8.h"
#include "backends/cpu/int8/product.h"
#include "backends/cpu/int8/tile_grid.h"
#include "int8_models.h"

namespace graft::cpu::testing {
namespace {

constexpr Int8Table kModel = {
    "model of amx", Int8Kind::kTiles, 16, 2, 16, 0, &Int8Tiles<ByteTilesModel>::accumulate,
    nullptr,        nullptr};

std::vector<const Int8Table*> tables() {
  std::vector<const Int8Table*> all = {&kModel};
  if (machine_target().isa >= ir::Isa::kAmx) all.push_back(int8_isa_of(machine_target()).table);
  return all;
}

struct Conv {
  ConvShape shape;
  std::vector<uint8_t> src;
  std::vector<int8_t> weights;
  std::vector<int32_t> bias;

  Conv(const ConvShape& s, unsigned seed) : shape(s) {
    std::mt19937 random(seed);
    shape.src_ld = shape.src_ld ? shape.src_ld : s.c;
    shape.dst_ld = shape.residual_ld = s.oc;
    src.resize(static_cast<size_t>(s.batch * s.h * s.w * shape.src_ld));
    weights.resize(static_cast<size_t>(s.kh * s.kw * s.c * s.oc));
    bias.resize(static_cast<size_t>(s.oc));
    for (uint8_t& x : src) x = static_cast<uint8_t>(random() % 128);
    for (int8_t& w : weights) w = static_cast<int8_t>(static_cast<int>(random() % 255) - 127);
    for (int32_t& b : bias) b = static_cast<int32_t>(random() % 2001) - 1000;
  }

  std::vector<int32_t> expected() const {
    const ConvShape& s = shape;
    std::vector<int32_t> dst;
    for (int64_t i = 0; i < s.batch * s.oh * s.ow; ++i) {
      const int64_t image = i / (s.oh * s.ow), oy = i / s.ow % s.oh, ox = i % s.ow;
      for (int64_t c = 0; c < s.oc; ++c) {
        int64_t sum = bias[static_cast<size_t>(c)];
        for (int64_t tap = 0; tap < s.kh * s.kw; ++tap) {
          const int64_t y = oy * s.stride_h - s.pad_top + tap / s.kw * s.dilation_h;
          const int64_t x = ox * s.stride_w - s.pad_left + tap % s.kw * s.dilation_w;
          if (y < 0 || y >= s.h || x < 0 || x >= s.w) continue;
          for (int64_t k = 0; k < s.c; ++k) {
            sum += src[static_cast<size_t>(((image * s.h + y) * s.w + x) * s.src_ld + k)] *
                   weights[static_cast<size_t>((tap * s.c + k) * s.oc + c)];
          }
        }
        dst.push_back(static_cast<int32_t>(sum));
      }
    }
    return dst;
  }
};

void copy_sums(const Int8FinishArgs* t) {
  for (ptrdiff_t i = 0; i < t->rows; ++i) {
    std::memcpy(static_cast<char*>(t->dst) + i * t->ldd * 4, t->acc + i * t->acc_ld,
                static_cast<size_t>(t->columns) * 4);
  }
}

// Also whether the plan takes the grid.
std::vector<int32_t> sums_of(const Int8Table& table, const Conv& c, int threads, bool* grid) {
  auto weights =
      Int8Weights::pack(table, int8_conv_matrix(c.shape, c.weights.data()), c.bias.data(), false);
  EXPECT_TRUE(weights.ok());
  const Int8ConvPlan plan = plan_int8_conv(*weights, c.shape, threads);
  *grid = plan.grid;
  Int8Epilogue epilogue;
  epilogue.finish = &copy_sums;
  epilogue.dst_elem_bytes = 4;
  epilogue.m.resize(weights->bias.size());
  auto scratch = Buffer::allocate(static_cast<size_t>(plan.scratch_bytes()));
  EXPECT_TRUE(scratch.ok());
  // What lies in scratch before a run must not count.
  std::memset(scratch->as<char>(), 0x5b, static_cast<size_t>(plan.scratch_bytes()));
  std::vector<int32_t> dst(
      static_cast<size_t>(c.shape.batch * c.shape.oh * c.shape.ow * c.shape.oc), -7);
  run_int8_conv(*weights, plan, epilogue, c.src.data(), nullptr, dst.data(), scratch->as<char>());
  return dst;
}

ConvShape same(int64_t batch, int64_t h, int64_t w, int64_t c, int64_t oc, int64_t kh, int64_t kw,
               int64_t dilation = 1) {
  ConvShape s;
  s.batch = batch;
  s.h = s.oh = h;
  s.w = s.ow = w;
  s.c = c;
  s.oc = oc;
  s.kh = kh;
  s.kw = kw;
  s.dilation_h = s.dilation_w = dilation;
  s.pad_top = (kh - 1) * dilation / 2;
  s.pad_left = (kw - 1) * dilation / 2;
  return s;
}

ConvShape valid(ConvShape s) {
  s.pad_top = s.pad_left = 0;
  s.oh = s.h - (s.kh - 1) * s.dilation_h;
  s.ow = s.w - (s.kw - 1) * s.dilation_w;
  return s;
}

ConvShape of_wider_pixels(ConvShape s, int64_t src_ld) {
  s.src_ld = src_ld;
  return s;
}

void check(const ConvShape& shape, bool takes_grid) {
  const Conv conv(shape, 7);
  const std::vector<int32_t> want = conv.expected();
  for (const Int8Table* table : tables()) {
    for (const int threads : {1, 3}) {
      bool grid = false;
      EXPECT_EQ(sums_of(*table, conv, threads, &grid), want) << table->name << " " << threads;
      EXPECT_EQ(grid, takes_grid) << table->name;
    }
  }
}

TEST(Int8TileGrid, same_padding) { check(same(1, 9, 17, 64, 64, 3, 3), true); }
TEST(Int8TileGrid, images_and_a_partial_panel) { check(same(3, 7, 13, 64, 70, 3, 3), true); }
TEST(Int8TileGrid, valid_padding) { check(valid(same(2, 8, 18, 64, 33, 3, 3)), true); }
TEST(Int8TileGrid, channels_that_fill_no_tile) { check(same(1, 6, 16, 96, 48, 3, 3), true); }
TEST(Int8TileGrid, pixels_wider_than_their_channels) {
  check(of_wider_pixels(same(2, 6, 16, 64, 34, 3, 3), 80), true);
}
TEST(Int8TileGrid, kernels_of_one_row_or_column) {
  check(same(1, 5, 40, 64, 40, 1, 7), true);
  check(same(1, 12, 5, 64, 40, 7, 1), true);
}
TEST(Int8TileGrid, even_kernel) { check(valid(same(1, 5, 20, 64, 40, 2, 2)), true); }
TEST(Int8TileGrid, dilation) { check(same(1, 10, 40, 64, 36, 3, 3, 2), true); }
TEST(Int8TileGrid, padding_past_the_image) {
  ConvShape s = same(1, 3, 30, 64, 36, 3, 3);
  s.pad_top = 4;
  s.oh = 9;
  check(s, true);
}
TEST(Int8TileGrid, more_padding_than_pixels_takes_rows) {
  check(same(1, 16, 3, 64, 40, 3, 3, 2), false);
}
TEST(Int8TileGrid, stride_takes_rows) {
  ConvShape s = same(1, 9, 17, 64, 40, 3, 3);
  s.stride_h = s.stride_w = 2;
  s.oh = 5;
  s.ow = 9;
  check(s, false);
}
TEST(Int8TileGrid, short_runs_of_few_channels) {
  ConvShape s = same(2, 20, 23, 3, 64, 7, 7);
  s.stride_h = s.stride_w = 2;
  s.oh = 10;
  s.ow = 12;
  check(s, false);
}
TEST(Int8TileGrid, tasks_stay_in_the_cache) {
  // 66 lines of 66 pixels of 64 bytes pass a task's share.
  check(same(1, 64, 64, 64, 40, 3, 3), true);
}

}  // namespace
}  // namespace graft::cpu::testing
