// Convolutions and matrix products in bfloat16, by the scalar models of the instructions and by the
// machine's own, against plain loops over rounded operands.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "backends/cpu/bf16/bf16_conv.h"
#include "backends/cpu/bf16/dot_strips.h"
#include "backends/cpu/cpu_features.h"
#include "base/half.h"
#include "tile_model.h"

namespace graft::cpu::testing {
namespace {

struct Bf16TilesModel : TileModel {
  template <int kC, int kA, int kB>
  GRAFT_MODEL void dot() {
    const auto term = [](const Tile& tile, int row, int k) {
      uint16_t bits;
      std::memcpy(&bits, tile.b[row] + 2 * k, 2);
      return bfloat16_to_float(bits);
    };
    for (int i = 0; i < 16; ++i) {
      for (int j = 0; j < 16; ++j) {
        float sum;
        std::memcpy(&sum, tiles[kC].b[i] + 4 * j, 4);
        for (int k = 0; k < 32; ++k)
          sum += term(tiles[kA], i, k) * term(tiles[kB], k / 2, 2 * j + k % 2);
        std::memcpy(tiles[kC].b[i] + 4 * j, &sum, 4);
      }
    }
  }
};

struct Bf16VectorModel {
  struct Vec {
    float lane[16];
  };
  GRAFT_MODEL Vec load(const void* p) {
    Vec v;
    std::memcpy(v.lane, p, sizeof v.lane);
    return v;
  }
  GRAFT_MODEL void store(void* p, const Vec& v) { std::memcpy(p, v.lane, sizeof v.lane); }
  GRAFT_MODEL Vec broadcast(const void* p) {
    Vec v;
    for (float& x : v.lane) std::memcpy(&x, p, sizeof x);
    return v;
  }
  GRAFT_MODEL void dot(Vec& acc, const Vec& x, const Vec& w) {
    for (int i = 0; i < 16; ++i) {
      uint16_t a[2], b[2];
      std::memcpy(a, &x.lane[i], sizeof a);
      std::memcpy(b, &w.lane[i], sizeof b);
      for (int k = 0; k < 2; ++k) acc.lane[i] += bfloat16_to_float(a[k]) * bfloat16_to_float(b[k]);
    }
  }
};

void narrow_model(const float* src, ptrdiff_t n, uint16_t* dst) {
  for (ptrdiff_t i = 0; i < n; ++i) dst[i] = float_to_bfloat16(src[i]);
}

constexpr Bf16Table kTiles = {"model of amx", 16,      &TileGemm<Bf16TilesModel>::run,
                              &narrow_model,  nullptr, nullptr};
constexpr Bf16Table kStrips = {
    "model of avx512_bf16", 1,       &Bf16Strips<Bf16VectorModel>::accumulate,
    &narrow_model,          nullptr, nullptr};

std::vector<Bf16Isa> isas() {
  const auto finish = isa_baseline::bf16_finish()->finish;
  std::vector<Bf16Isa> all = {{&kTiles, &narrow_model, finish}, {&kStrips, &narrow_model, finish}};
  ir::Target target = machine_target();
  // Vectors also where they are not chosen.
  if (const Bf16Isa widest = bf16_isa_of(target, 4096, 4096); widest.table) all.push_back(widest);
  target.isa = std::min(target.isa, ir::Isa::kAvx512Vnni);
  target.fast_bf16_dot = target.avx512_bf16;
  if (const Bf16Isa vectors = bf16_isa_of(target, 1, 1); vectors.table) all.push_back(vectors);
  return all;
}

float rounded(float x) { return bfloat16_to_float(float_to_bfloat16(x)); }

struct Conv {
  ConvShape shape;
  std::vector<float> src, weights, bias, residual;
  Epilogue epilogue;

  // Integers whose sums are exact in float32, or numbers of which products are.
  Conv(const ConvShape& s, bool integers) : shape(s) {
    std::mt19937 random(11);
    shape.src_ld = shape.src_ld ? shape.src_ld : s.c;
    shape.dst_ld = shape.residual_ld = s.oc;
    const auto fill = [&](std::vector<float>& v, int64_t n) {
      v.resize(static_cast<size_t>(n));
      std::normal_distribution<float> normal;
      for (float& x : v) x = integers ? static_cast<float>(random() % 17) - 8 : normal(random);
    };
    fill(src, s.batch * s.h * s.w * shape.src_ld);
    fill(weights, s.kh * s.kw * s.c * s.oc);
    fill(bias, s.oc);
  }
  void add_residual() {
    residual.resize(static_cast<size_t>(shape.batch * shape.oh * shape.ow * shape.oc));
    for (size_t i = 0; i < residual.size(); ++i) residual[i] = static_cast<float>(i % 23) - 11;
  }

  // Of all elements, and the sums of magnitudes.
  void expected(std::vector<double>& dst, std::vector<double>& magnitude) const {
    const ConvShape& s = shape;
    for (int64_t i = 0; i < s.batch * s.oh * s.ow; ++i) {
      const int64_t image = i / (s.oh * s.ow), oy = i / s.ow % s.oh, ox = i % s.ow;
      for (int64_t c = 0; c < s.oc; ++c) {
        double sum = bias[static_cast<size_t>(c)], size = std::fabs(sum);
        for (int64_t tap = 0; tap < s.kh * s.kw; ++tap) {
          const int64_t y = oy * s.stride_h - s.pad_top + tap / s.kw * s.dilation_h;
          const int64_t x = ox * s.stride_w - s.pad_left + tap % s.kw * s.dilation_w;
          if (y < 0 || y >= s.h || x < 0 || x >= s.w) continue;
          for (int64_t k = 0; k < s.c; ++k) {
            const double term =
                double{rounded(
                    src[static_cast<size_t>(((image * s.h + y) * s.w + x) * s.src_ld + k)])} *
                rounded(weights[static_cast<size_t>((tap * s.c + k) * s.oc + c)]);
            sum += term;
            size += std::fabs(term);
          }
        }
        if (!residual.empty()) sum += residual[static_cast<size_t>(i * s.oc + c)];
        dst.push_back(std::fmin(epilogue.hi, std::fmax(epilogue.lo, sum)));
        magnitude.push_back(size);
      }
    }
  }
};

std::vector<float> run(const Bf16Isa& isa, const Conv& c, int threads,
                       Bf16ConvPlan::Rows* rows = nullptr) {
  auto weights = Bf16Weights::pack(isa, bf16_conv_matrix(c.shape, c.weights.data()), c.bias.data());
  EXPECT_TRUE(weights.ok());
  const Bf16ConvPlan plan = plan_bf16_conv(*weights, c.shape, threads);
  if (rows) *rows = plan.rows;
  auto scratch = Buffer::allocate(static_cast<size_t>(plan.scratch_bytes()));
  EXPECT_TRUE(scratch.ok());
  // What lies in scratch before a run must not count: NaN.
  std::memset(scratch->as<char>(), 0xff, static_cast<size_t>(plan.scratch_bytes()));
  std::vector<float> dst(static_cast<size_t>(c.shape.batch * c.shape.oh * c.shape.ow * c.shape.oc),
                         -7);
  run_bf16_conv(*weights, plan, c.src.data(), c.residual.empty() ? nullptr : c.residual.data(),
                c.epilogue, dst.data(), scratch->as<char>());
  return dst;
}

void check(const Conv& conv, Bf16ConvPlan::Rows expected_rows, double error) {
  std::vector<double> want, magnitude;
  conv.expected(want, magnitude);
  for (const Bf16Isa& isa : isas()) {
    for (const int threads : {1, 3}) {
      Bf16ConvPlan::Rows rows{};
      const std::vector<float> got = run(isa, conv, threads, &rows);
      EXPECT_EQ(rows, expected_rows);
      ASSERT_EQ(got.size(), want.size());
      for (size_t i = 0; i < want.size(); ++i)
        ASSERT_NEAR(got[i], want[i], error * magnitude[i])
            << isa.table->name << " threads " << threads << " element " << i;
    }
  }
}
void check(const ConvShape& shape, Bf16ConvPlan::Rows rows) { check(Conv(shape, true), rows, 0); }

constexpr auto kDense = Bf16ConvPlan::Rows::kDense, kGrid = Bf16ConvPlan::Rows::kGrid,
               kPacked = Bf16ConvPlan::Rows::kPacked;

ConvShape conv(int64_t batch, int64_t h, int64_t w, int64_t c, int64_t oc, int64_t kh, int64_t kw,
               int64_t stride = 1, int64_t dilation = 1) {
  ConvShape s;
  s.batch = batch;
  s.h = h;
  s.w = w;
  s.c = c;
  s.oc = oc;
  s.kh = kh;
  s.kw = kw;
  s.stride_h = s.stride_w = stride;
  s.dilation_h = s.dilation_w = dilation;
  s.pad_top = (kh - 1) * dilation / 2;
  s.pad_left = (kw - 1) * dilation / 2;
  s.oh = (h + stride - 1) / stride;
  s.ow = (w + stride - 1) / stride;
  return s;
}

TEST(Bf16Conv, products_of_matrices) {
  check(conv(1, 7, 1, 64, 64, 1, 1), kDense);
  check(conv(1, 70, 1, 33, 70, 1, 1), kDense);
  check(conv(3, 5, 7, 200, 17, 1, 1), kDense);
  check(conv(1, 1, 1, 500, 100, 1, 1), kDense);
  check(conv(1, 1000, 1, 32, 16, 1, 1), kDense);
}
TEST(Bf16Conv, pixels_wider_than_their_channels) {
  ConvShape s = conv(2, 6, 8, 64, 34, 1, 1);
  s.src_ld = 80;
  check(s, kDense);
  s = conv(2, 6, 8, 64, 34, 3, 3);
  s.src_ld = 80;
  check(s, kGrid);
}
TEST(Bf16Conv, same_padding) {
  check(conv(1, 9, 17, 64, 64, 3, 3), kGrid);
  check(conv(3, 7, 13, 64, 70, 3, 3), kGrid);
  check(conv(1, 6, 16, 96, 48, 3, 3), kGrid);
  check(conv(2, 6, 9, 90, 33, 3, 3), kGrid);
}
TEST(Bf16Conv, valid_padding) {
  ConvShape s = conv(2, 8, 18, 64, 33, 3, 3);
  s.pad_top = s.pad_left = 0;
  s.oh = 6, s.ow = 16;
  check(s, kGrid);
}
TEST(Bf16Conv, strides_split_the_grid_into_planes) {
  check(conv(2, 9, 17, 64, 40, 3, 3, 2), kGrid);
  check(conv(1, 14, 14, 64, 40, 1, 1, 2), kGrid);
  check(conv(1, 20, 23, 64, 20, 5, 5, 3), kGrid);
  check(conv(1, 12, 11, 64, 20, 2, 2, 4), kGrid);
  ConvShape uneven = conv(1, 12, 11, 64, 20, 3, 3, 2);
  uneven.stride_h = 1;
  uneven.oh = 12;
  check(uneven, kGrid);
}
TEST(Bf16Conv, dilation) {
  check(conv(1, 10, 20, 64, 36, 3, 3, 1, 2), kGrid);
  check(conv(1, 15, 20, 64, 36, 3, 3, 2, 3), kGrid);
  check(conv(1, 15, 20, 5, 36, 3, 3, 2, 3), kPacked);
}
TEST(Bf16Conv, kernels_of_one_row_or_column) {
  check(conv(1, 5, 20, 64, 40, 1, 7), kGrid);
  check(conv(1, 12, 5, 64, 40, 7, 1), kGrid);
}
TEST(Bf16Conv, few_channels_are_packed) {
  check(conv(2, 20, 23, 3, 64, 7, 7, 2), kPacked);
  check(conv(1, 20, 23, 16, 33, 3, 3), kPacked);
  check(conv(1, 9, 9, 40, 33, 3, 3), kPacked);
  check(conv(1, 9, 9, 1, 5, 5, 2), kPacked);
}
TEST(Bf16Conv, padding_past_the_image) {
  ConvShape s = conv(1, 3, 30, 64, 36, 3, 3);
  s.pad_top = 4;
  s.oh = 9;
  check(s, kGrid);
  s = conv(1, 2, 3, 64, 36, 3, 3);
  s.pad_left = 9;
  s.ow = 20;
  check(s, kGrid);
}
TEST(Bf16Conv, tasks_stay_in_the_cache) { check(conv(1, 64, 64, 64, 20, 3, 3), kGrid); }

TEST(Bf16Conv, residual_and_bounds) {
  for (const ConvShape& s : {conv(2, 5, 7, 64, 37, 1, 1), conv(2, 5, 7, 64, 37, 3, 3)}) {
    Conv c(s, true);
    c.add_residual();
    c.epilogue.lo = 0;
    c.epilogue.hi = 600;
    check(c, s.kh == 1 ? kDense : kGrid, 0);
  }
}
TEST(Bf16Conv, operands_are_rounded_and_sums_are_not) {
  check(Conv(conv(1, 6, 9, 96, 40, 3, 3), false), kGrid, 1e-6);
  check(Conv(conv(1, 40, 1, 300, 50, 1, 1), false), kDense, 1e-6);
  check(Conv(conv(1, 20, 23, 3, 40, 7, 7, 2), false), kPacked, 1e-6);
}

// Zeros among the weights never meet a number of another pixel.
TEST(Bf16Conv, I4_infinity_stays_where_it_belongs) {
  for (const ConvShape& s :
       {conv(1, 6, 7, 3, 20, 3, 3), conv(1, 6, 7, 90, 20, 3, 3), conv(1, 6, 7, 33, 20, 1, 1)}) {
    Conv c(s, true);
    for (float& w : c.weights) w = 1;
    c.src[static_cast<size_t>((2 * s.w + 3) * s.c)] = std::numeric_limits<float>::infinity();
    for (const Bf16Isa& isa : isas()) {
      const std::vector<float> got = run(isa, c, 1);
      for (int64_t i = 0; i < s.oh * s.ow; ++i) {
        const bool near = std::abs(i / s.ow - 2) <= s.kh / 2 && std::abs(i % s.ow - 3) <= s.kw / 2;
        ASSERT_EQ(std::isinf(got[static_cast<size_t>(i * s.oc)]), near)
            << isa.table->name << " " << i;
        ASSERT_FALSE(std::isnan(got[static_cast<size_t>(i * s.oc)])) << isa.table->name << " " << i;
      }
    }
  }
}

TEST(Bf16Conv, narrowing_is_to_nearest_even) {
  const float tie = std::bit_cast<float>(0x3f808000u), up = std::bit_cast<float>(0x3f818000u);
  std::vector<float> src = {1.0f, tie, up, -tie, 3.3e38f, -INFINITY, NAN, 1e-3f};
  for (int i = 0; i < 30; ++i) src.push_back(static_cast<float>(i) * 0.37f);
  std::vector<uint16_t> want(src.size());
  narrow_model(src.data(), static_cast<ptrdiff_t>(src.size()), want.data());
  for (const Bf16Isa& isa : isas()) {
    std::vector<uint16_t> got(src.size() + 1, 0x5b5b);
    isa.narrow(src.data(), static_cast<ptrdiff_t>(src.size()), got.data());
    EXPECT_EQ(got.back(), 0x5b5b);
    got.pop_back();
    EXPECT_EQ(got, want) << isa.table->name;
  }
}

}  // namespace
}  // namespace graft::cpu::testing
