// The integer accumulators of every INT8 level, and of the levels' scalar models, against a plain
// loop in 64 bits; how deep the int16 sums may be.
#include <gtest/gtest.h>

#include <functional>
#include <numeric>
#include <random>

#include "backends/cpu/cpu_features.h"
#include "backends/cpu/int8/depth_plan.h"
#include "backends/cpu/int8/igemm8.h"
#include "backends/cpu/int8/operand8.h"
#include "backends/cpu/int8/product.h"
#include "int8_models.h"

namespace graft::cpu::testing {
namespace {

// Slices of a few steps only, so that small products have several.
constexpr Int8Table kModels[] = {
    strips_table<DeepModel<8, 2, 2>, DeepTile>("model of avx2", Int8Kind::kDeep, 2048),
    strips_table<DeepModel<16, 2, 2>, DeepTile>("model of avx512", Int8Kind::kDeep, 4096),
    strips_table<DotModel<8, 2, 2>, DotTile>("model of avx_vnni", Int8Kind::kDot, 2048),
    strips_table<DotModel<16, 4, 2>, DotTile>("model of avx512_vnni", Int8Kind::kDot, 8192),
    {"model of amx", Int8Kind::kTiles, 16, 2, 16, 0, &Int8Tiles<ByteTilesModel>::accumulate,
     nullptr, nullptr},
};

void widen_model(const uint8_t* src, ptrdiff_t n, int16_t* dst) {
  for (ptrdiff_t i = 0; i < n; ++i) dst[i] = static_cast<int8_t>(src[i]);
}

const Int8Table& words_model() {
  static const Int8Table model = [] {
    Int8Table t =
        strips_table<WordModel<8, 2, 2>, DotTile>("model of words", Int8Kind::kWords, 2048);
    t.widen = &widen_model;
    return t;
  }();
  return model;
}

std::vector<const Int8Table*> tables() {
  std::vector<const Int8Table*> all = {&words_model()};
  if (machine_target().isa >= ir::Isa::kAvx2) all.push_back(isa_avx2::int8_words_table());
  for (const Int8Table& model : kModels) all.push_back(&model);
  for (int i = 0; i <= static_cast<int>(machine_target().isa); ++i) {
    ir::Target target = machine_target();
    target.isa = static_cast<ir::Isa>(i);
    target.avx_vnni = false;
    all.push_back(int8_isa_of(target).table);
  }
  if (machine_target().avx_vnni) {
    ir::Target target = machine_target();
    target.isa = ir::Isa::kAvx2;
    all.push_back(int8_isa_of(target).table);
  }
  return all;
}

struct Gemm {
  int64_t m = 1, n = 1, taps = 1, tap_k = 1, groups = 1;
  bool has_sign = false;
  std::vector<int8_t> weights{};  // [taps][tap_k][groups * n]
  std::vector<uint8_t> src{};     // [taps][m][groups * tap_k]

  int64_t k() const { return taps * tap_k; }
  void fill(const std::function<int()>& weight, const std::function<int()>& value) {
    weights.resize(static_cast<size_t>(k() * groups * n));
    src.resize(static_cast<size_t>(k() * groups * m));
    for (int8_t& w : weights) w = static_cast<int8_t>(weight());
    for (uint8_t& x : src) x = static_cast<uint8_t>(value());
  }
  int64_t src_at(size_t i) const {
    return has_sign ? static_cast<int8_t>(src[i]) : int64_t{src[i]};
  }
};

void copy_sums(const Int8FinishArgs* t) {
  for (ptrdiff_t i = 0; i < t->rows; ++i) {
    std::memcpy(static_cast<char*>(t->dst) + i * t->ldd * 4, t->acc + i * t->acc_ld,
                static_cast<size_t>(t->columns) * 4);
  }
}

std::vector<int32_t> sums_of(const Int8Table& table, const Gemm& g,
                             const std::vector<int32_t>& bias) {
  Int8Matrix matrix;
  matrix.b = g.weights.data();
  matrix.groups = g.groups;
  matrix.taps = g.taps;
  matrix.tap_k = g.tap_k;
  matrix.n = g.n;
  matrix.row_step = g.groups * g.n;
  auto packed = Int8Weights::pack(table, matrix, bias.data(), g.has_sign);
  EXPECT_TRUE(packed.ok());
  // Bytes behind a tap's terms are read, but never count.
  std::vector<uint8_t> src = g.src;
  src.insert(src.end(), 4, uint8_t{0x9d});
  Int8Epilogue epilogue;
  epilogue.finish = &copy_sums;
  epilogue.dst_elem_bytes = 4;
  epilogue.m.resize(packed->bias.size());
  std::vector<uint8_t> packed_rows(static_cast<size_t>(int8_packed_bytes(*packed, g.m)));
  std::vector<int32_t> acc(static_cast<size_t>(int8_acc_bytes(table) / 4)),
      dst(static_cast<size_t>(g.m * g.groups * g.n));
  for (int64_t group = 0; group < g.groups; ++group) {
    std::vector<const uint8_t*> rows;
    for (int64_t i = 0; i < g.taps * g.m; ++i)
      rows.push_back(src.data() + (i * g.groups + group) * g.tap_k);
    Int8Block block;
    block.weights = &*packed;
    block.epilogue = &epilogue;
    block.group = group;
    block.rows = rows.data();
    block.row_stride = block.num_rows = g.m;
    // Tiles may read rows where they are, behind the last one not.
    block.row_bytes = g.groups * g.tap_k;
    block.readable_rows = g.m;
    block.dst = reinterpret_cast<char*>(dst.data() + group * g.n);
    block.ldd = g.groups * g.n;
    block.acc = acc.data();
    block.packed_rows = packed_rows.data();
    run_int8_block(block, 0, packed->panels.count);
  }
  return dst;
}

std::vector<int32_t> expected_sums(const Gemm& g, const std::vector<int32_t>& bias) {
  std::vector<int32_t> sums;
  const int64_t columns = g.groups * g.n, channels = g.groups * g.tap_k;
  for (int64_t i = 0; i < g.m; ++i) {
    for (int64_t c = 0; c < columns; ++c) {
      int64_t sum = bias[static_cast<size_t>(c)];
      for (int64_t tap = 0; tap < g.taps; ++tap) {
        for (int64_t k = 0; k < g.tap_k; ++k) {
          const int64_t channel = c / g.n * g.tap_k + k;
          sum += g.src_at(static_cast<size_t>((tap * g.m + i) * channels + channel)) *
                 g.weights[static_cast<size_t>((tap * g.tap_k + k) * columns + c)];
        }
      }
      sums.push_back(static_cast<int32_t>(sum));
      EXPECT_EQ(sums.back(), sum);
    }
  }
  return sums;
}

void check(const Gemm& g) {
  std::vector<int32_t> bias(static_cast<size_t>(g.groups * g.n));
  std::iota(bias.begin(), bias.end(), -7);
  const std::vector<int32_t> want = expected_sums(g, bias);
  for (const Int8Table* table : tables()) {
    ASSERT_EQ(sums_of(*table, g, bias), want)
        << table->name << ": m " << g.m << ", n " << g.n << ", taps " << g.taps << " of " << g.tap_k
        << ", groups " << g.groups << (g.has_sign ? ", int8" : ", uint8");
  }
}

// The same sums, the weights packed as an operand that is known only while running.
std::vector<int32_t> sums_of_operand(const Int8Table& table, const Gemm& g, bool by_columns,
                                     const std::vector<int32_t>& bias) {
  const Int8Operand right(table, g.tap_k, g.n, g.has_sign);
  const std::vector<int8_t>& w = g.weights;
  std::vector<int8_t> turned(w.size());
  for (int64_t k = 0; k < g.tap_k; ++k) {
    for (int64_t j = 0; j < g.n; ++j)
      turned[static_cast<size_t>(j * g.tap_k + k)] = w[static_cast<size_t>(k * g.n + j)];
  }
  std::vector<std::byte> packed(static_cast<size_t>(right.bytes()) + 16, std::byte{0x5c});
  right.pack(by_columns ? Int8Right{turned.data(), 1, g.tap_k} : Int8Right{w.data(), g.n, 1},
             bias.data(), packed.data());
  for (size_t i = packed.size() - 16; i < packed.size(); ++i) EXPECT_EQ(packed[i], std::byte{0x5c});
  const int64_t bytes = right.left_bytes(), padded = right.copied_rows(g.m);
  std::vector<uint8_t> left(static_cast<size_t>(padded * bytes));
  std::vector<const uint8_t*> rows;
  for (int64_t i = 0; i < g.m; ++i) {
    rows.push_back(left.data() + i * bytes);
    right.copy_left(g.src.data() + i * g.tap_k, left.data() + i * bytes);
  }
  std::vector<int32_t> acc(static_cast<size_t>(int8_acc_bytes(table) / 4)),
      dst(static_cast<size_t>(g.m * g.n));
  right.multiply(
      packed.data(), rows.data(), g.m, acc.data(), [&](int64_t panel, int64_t row, int64_t count) {
        const int64_t width = right.panels().width(panel);
        for (int64_t i = 0; i < count; ++i) {
          for (int64_t j = 0; j < right.panels().columns(panel); ++j)
            dst[static_cast<size_t>((row + i) * g.n + right.panels().first_column(panel) + j)] =
                acc[static_cast<size_t>(i * width + j)];
        }
      });
  return dst;
}

int draw(std::mt19937& rng, int lo, int hi) { return std::uniform_int_distribution(lo, hi)(rng); }

TEST(Int8Gemm, sums_of_every_shape) {
  std::mt19937 rng(1);
  for (const bool has_sign : {false, true}) {
    for (int64_t n : {1, 3, 8, 15, 16, 17, 31, 33, 47, 64, 65, 130}) {
      for (int64_t tap_k : {1, 2, 3, 4, 5, 7, 16, 21, 33, 64}) {
        Gemm g{1 + draw(rng, 0, 12), n, tap_k == 64 ? 1 : 1 + draw(rng, 0, 8), tap_k};
        g.has_sign = has_sign;
        g.fill([&] { return draw(rng, -127, 127); },
               [&] { return draw(rng, has_sign ? -127 : 0, 127); });
        check(g);
        if (HasFatalFailure()) return;
      }
    }
  }
}

TEST(Int8Gemm, sums_of_many_rows_and_groups_and_slices) {
  std::mt19937 rng(2);
  for (const bool has_sign : {false, true}) {
    for (const Gemm& shape :
         {Gemm{100, 20, 3, 70}, Gemm{49, 33, 9, 40}, Gemm{5, 16, 1, 4000}, Gemm{7, 5, 9, 3, 6},
          Gemm{50, 24, 1, 12, 3}, Gemm{100, 40, 1, 128, 2}, Gemm{96, 35, 1, 64}}) {
      Gemm g = shape;
      g.has_sign = has_sign;
      // As trained weights: mostly small, so that groups of all depths occur.
      std::exponential_distribution<double> size(0.06);
      g.fill(
          [&] {
            const int w = static_cast<int>(std::min(size(rng), 127.0));
            return rng() % 2 ? w : -w;
          },
          [&] { return draw(rng, has_sign ? -127 : 0, 127); });
      check(g);
      if (HasFatalFailure()) return;
    }
  }
}

TEST(Int8Gemm, extreme_values) {
  for (const bool has_sign : {false, true}) {
    for (int weight : {127, -127, -128, 0, 1, -1, 32, 33, -32, -33, 64, 65, -65, 129 / 3}) {
      for (int value : {127, has_sign ? -127 : 126, 0}) {
        Gemm g{4, 18, 2, 36};
        g.has_sign = has_sign;
        g.fill([&] { return weight; }, [&] { return value; });
        check(g);
        int turn = 0;
        g.fill([&] { return ++turn % 2 ? weight : -std::max(weight, -127); },
               [&] { return value; });
        check(g);
        if (HasFatalFailure()) return;
      }
    }
  }
}

TEST(Int8Operand, sums_of_every_shape_and_extreme_values) {
  std::mt19937 rng(7);
  for (const bool has_sign : {false, true}) {
    for (const int64_t n : {1, 15, 16, 33, 64, 130}) {
      for (const int64_t k : {1, 3, 4, 21, 64, 130, 1030}) {
        Gemm g{k == 130 ? 101 : 1 + draw(rng, 0, 12), n, 1, k};
        g.has_sign = has_sign;
        const bool extreme = draw(rng, 0, 1) == 1;
        const int sign = draw(rng, 0, 1) == 1 ? 1 : -1;
        g.fill(
            [&] { return extreme ? 127 * sign : draw(rng, -127, 127); },
            [&] { return extreme ? has_sign ? -127 : 127 : draw(rng, has_sign ? -127 : 0, 127); });
        std::vector<int32_t> bias(static_cast<size_t>(n));
        std::iota(bias.begin(), bias.end(), -7);
        const std::vector<int32_t> want = expected_sums(g, bias);
        for (const Int8Table* table : tables()) {
          for (const bool by_columns : {false, true})
            ASSERT_EQ(sums_of_operand(*table, g, by_columns, bias), want)
                << table->name << ": m " << g.m << ", n " << n << ", k " << k;
        }
      }
    }
  }
}

// Weights [steps][width][4] of small values with given ones in a lane.
std::vector<int8_t> quiet(int64_t steps, int64_t width) {
  return std::vector<int8_t>(static_cast<size_t>(steps * width * 4));
}

TEST(Int8Depth, weights_at_the_bound_are_summed_and_past_it_are_not) {
  constexpr int64_t kWidth = 16;
  for (const int steps : {2, 3, 4, 6, 8}) {
    for (const bool has_sign : {false, true}) {
      for (const int64_t column : {int64_t{0}, int64_t{7}, kWidth - 1}) {
        for (const int pair : {0, 2}) {
          for (const int sign : {1, -1}) {
            for (const int past : {0, 1}) {
              std::vector<int8_t> w = quiet(steps, kWidth);
              const auto at = [&](int step, int k) -> int8_t& {
                return w[static_cast<size_t>((step * kWidth + column) * 4 + pair + k)];
              };
              int left = 258 + past;  // 127 * 258 = 32766 fits in int16
              for (int i = 0; i < 2 * steps; ++i) {
                const int part = i + 1 == 2 * steps ? left : std::min(left, 258 / (2 * steps) + 1);
                at(i / 2, i % 2) = static_cast<int8_t>(sign * part);
                left -= part;
              }
              std::vector<uint8_t> depths;
              plan_depths(w.data(), steps, kWidth, has_sign, depths);
              ASSERT_EQ(depths.size() == 1, past == 0) << steps << " steps";
              // The other sign counts apart, unless src has one.
              for (int i = 0; i < 2 * steps; ++i) {
                if (at(i / 2, i % 2) != 0) continue;
                at(i / 2, i % 2) = static_cast<int8_t>(-sign);
                plan_depths(w.data(), steps, kWidth, has_sign, depths);
                ASSERT_EQ(depths.size() == 1, past == 0 && !has_sign);
                break;
              }
            }
          }
        }
      }
    }
  }
}

// No group of any plan may overflow for any src: the worst src of each sum is tried.
TEST(Int8Depth, worst_src_of_every_lane_gives_exact_sums) {
  std::mt19937 rng(3);
  for (const bool has_sign : {false, true}) {
    for (int round = 0; round < 40; ++round) {
      const int spread = 8 + 3 * round;
      Gemm g{2, 17, 1, 4 * draw(rng, 2, 24)};
      g.has_sign = has_sign;
      g.fill([&] { return std::clamp(draw(rng, -spread, spread), -127, 127); }, [] { return 0; });
      for (int64_t column = 0; column < g.n; column += 5) {
        for (int64_t k = 0; k < g.tap_k; ++k) {
          const int w = g.weights[static_cast<size_t>(k * g.n + column)];
          // Row 0 makes the column's sums as large as can be, row 1 as small.
          const int most = w > 0 ? 127 : has_sign ? -127 : 0;
          g.src[static_cast<size_t>(k)] = static_cast<uint8_t>(most);
          const int least = w < 0 ? 127 : has_sign ? -127 : 0;
          g.src[static_cast<size_t>(g.tap_k + k)] = static_cast<uint8_t>(least);
        }
        check(g);
        if (HasFatalFailure()) return;
      }
    }
  }
}

TEST(Int8Depth, small_weights_are_summed_eight_steps_deep) {
  const std::vector<int8_t> w(32 * 16 * 4, int8_t{16});
  std::vector<uint8_t> depths;
  plan_depths(w.data(), 32, 16, false, depths);
  EXPECT_EQ(depths, (std::vector<uint8_t>{8, 8, 8, 8}));
}

}  // namespace
}  // namespace graft::cpu::testing
