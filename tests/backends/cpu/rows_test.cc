// Pooling, reductions, softmax and layer normalization against the reference evaluator.
#include <limits>

#include "step_testing.h"

namespace graft::cpu::testing {
namespace {

using ir::Padding;
using ir::PoolFn;
using ir::ReduceFn;

constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

TEST(PoolKernel, windows_paddings_and_channels) {
  std::mt19937 rng(1);
  struct Window {
    std::vector<int64_t> ksize, strides;
    Padding padding;
    std::vector<int64_t> pads;
  };
  const Window windows[] = {
      {{2, 2}, {2, 2}, Padding::kValid, {0, 0, 0, 0}},
      {{3, 3}, {2, 2}, Padding::kSame, {0, 0, 0, 0}},
      {{3, 3}, {1, 1}, Padding::kSame, {0, 0, 0, 0}},
      {{3, 2}, {1, 3}, Padding::kExplicit, {2, 1, 1, 0}},
      {{7, 5}, {1, 1}, Padding::kValid, {0, 0, 0, 0}},
      {{1, 1}, {2, 2}, Padding::kSame, {0, 0, 0, 0}},
  };
  for (PoolFn fn : {PoolFn::kMax, PoolFn::kAvg}) {
    for (const Window& w : windows) {
      for (int64_t c : {1, 3, 8, 17, 64, 131, 300}) {
        SCOPED_TRACE(::testing::PrintToString(w.ksize) + " channels " + std::to_string(c));
        check({ir::PoolAttrs{fn, w.ksize, w.strides, w.padding, w.pads},
               {draw(rng, DType::kFloat, {2, 9, 11, c})}},
              {1e-6, 1e-6});
        if (HasFatalFailure()) return;
      }
    }
    check({ir::PoolAttrs{fn, {3, 3}, {2, 2}}, {draw(rng, DType::kFloat, {0, 9, 11, 4})}});
    check({ir::PoolAttrs{fn, {7, 7}, {1, 1}}, {draw(rng, DType::kFloat, {1, 7, 7, 1000})}},
          {1e-6, 1e-6});
  }
}

TEST(PoolKernel, I4_as_tensorflow) {
  for (ir::Isa isa : isa_levels()) {
    const auto pool = [&](PoolFn fn, const std::vector<float>& v) {
      return run_kernel({ir::PoolAttrs{fn, {2, 2}, {2, 2}}, {floats({1, 2, 2, 1}, v)}}, {isa, 1})[0]
          .at<float>(0);
    };
    EXPECT_EQ(pool(PoolFn::kMax, {kNan, 2, 3, 4}), 4.0f);
    EXPECT_EQ(pool(PoolFn::kMax, {1, 2, 3, kNan}), 3.0f);
    EXPECT_EQ(pool(PoolFn::kMax, {-kInf, -kInf, -kInf, -kInf}),
              std::numeric_limits<float>::lowest());
    EXPECT_EQ(pool(PoolFn::kAvg, {kInf, 1, 1, 1}), kInf);
    EXPECT_TRUE(std::isnan(pool(PoolFn::kAvg, {kInf, -kInf, 1, 1})));
  }
}

// Bar of robustness 3.2 for sums: sqrt(terms) * u * sum of magnitudes; here of draws with mean
// magnitude 0.8.
Tolerance sum_bar(ReduceFn fn, int64_t n) {
  const double k = static_cast<double>(n);
  if (fn == ReduceFn::kSum) return {std::sqrt(k) * 0x1p-24 * k * 0.8 + 1e-6, 1e-6};
  if (fn == ReduceFn::kMean) return {std::sqrt(k) * 0x1p-24 * 0.8 + 1e-6, 1e-6};
  return {0, fn == ReduceFn::kProd ? 1e-4 : 0};
}

TEST(ReduceKernel, every_length) {
  std::mt19937 rng(2);
  for (ReduceFn fn :
       {ReduceFn::kSum, ReduceFn::kMean, ReduceFn::kMax, ReduceFn::kMin, ReduceFn::kProd}) {
    for (int64_t n = 1; n <= 70; ++n) {
      SCOPED_TRACE(std::string(ir::name_of(fn)) + " of " + std::to_string(n));
      check({ir::ReduceAttrs{fn, {1}}, {draw(rng, DType::kFloat, {3, n})}}, sum_bar(fn, n));
      check({ir::ReduceAttrs{fn, {0}}, {draw(rng, DType::kFloat, {5, n})}}, sum_bar(fn, 5));
      if (HasFatalFailure()) return;
    }
  }
}

TEST(ReduceKernel, axes) {
  std::mt19937 rng(3);
  const std::vector<std::pair<std::vector<int64_t>, std::vector<int64_t>>> cases = {
      {{2, 7, 7, 131}, {1, 2}},
      {{2, 7, 7, 131}, {0, 1, 2, 3}},
      {{2, 131, 7, 7}, {2, 3}},
      {{5, 1, 6}, {1}},
      {{4, 5, 6, 7}, {1, 3}},
      {{4, 5, 6, 7}, {0, 2}},
      {{3, 1, 4}, {0, 2}},
      {{6}, {0}},
      {{5, 6}, {}},
      {{2, 200000}, {1}},
      {{20000, 9}, {0}},
      {{2, 9000, 70}, {1}},
  };
  for (ReduceFn fn : {ReduceFn::kSum, ReduceFn::kMean, ReduceFn::kMax}) {
    for (const auto& [dims, axes] : cases) {
      for (bool keep : {false, true}) {
        SCOPED_TRACE(::testing::PrintToString(dims) + ::testing::PrintToString(axes));
        int64_t n = 1;
        for (int64_t a : axes) n *= dims[static_cast<size_t>(a)];
        check({ir::ReduceAttrs{fn, axes, keep}, {draw(rng, DType::kFloat, dims)}}, sum_bar(fn, n));
      }
    }
  }
}

TEST(ReduceKernel, integers_and_bools) {
  std::mt19937 rng(4);
  for (DType t : {DType::kInt32, DType::kInt64}) {
    for (ReduceFn fn : {ReduceFn::kSum, ReduceFn::kMax, ReduceFn::kMin, ReduceFn::kProd}) {
      check({ir::ReduceAttrs{fn, {1}}, {draw(rng, t, {3, 20, 5})}});
      check({ir::ReduceAttrs{fn, {0, 2}}, {draw(rng, t, {3, 20, 5})}});
    }
  }
  for (ReduceFn fn : {ReduceFn::kAll, ReduceFn::kAny})
    check({ir::ReduceAttrs{fn, {1}}, {draw(rng, DType::kBool, {9, 3})}});
}

TEST(ReduceKernel, I4_special_values_as_tensorflow) {
  for (ir::Isa isa : isa_levels()) {
    for (int64_t nan_at : {0, 3, 19, 36}) {
      std::vector<float> v(37, 1.0f);
      v[static_cast<size_t>(nan_at)] = kNan;
      for (ReduceFn fn : {ReduceFn::kMax, ReduceFn::kMin, ReduceFn::kSum}) {
        for (bool column : {false, true}) {
          const Case c{
              ir::ReduceAttrs{fn, {column ? 0 : 1}},
              {floats(column ? std::vector<int64_t>{37, 1} : std::vector<int64_t>{1, 37}, v)}};
          EXPECT_TRUE(std::isnan(run_kernel(c, {isa, 1})[0].at<float>(0))) << nan_at;
        }
      }
    }
    const auto empty = [&](ReduceFn fn) {
      return run_kernel({ir::ReduceAttrs{fn, {0}}, {floats({0}, {})}}, {isa, 1})[0].at<float>(0);
    };
    EXPECT_EQ(empty(ReduceFn::kSum), 0.0f);
    EXPECT_EQ(empty(ReduceFn::kMax), -kInf);
    EXPECT_EQ(empty(ReduceFn::kMin), kInf);
    EXPECT_EQ(empty(ReduceFn::kProd), 1.0f);
    EXPECT_TRUE(std::isnan(empty(ReduceFn::kMean)));
  }
}

TEST(ReduceKernel, all_equal_data_keeps_the_linear_bound) {
  // robustness 3.2: (K / lanes + 6) u S, with the lanes of the narrowest level.
  constexpr int64_t kN = 25088;
  const Tensor x = floats({1, kN}, std::vector<float>(kN, 0.1f));
  for (ir::Isa isa : isa_levels()) {
    const float sum =
        run_kernel({ir::ReduceAttrs{ReduceFn::kSum, {1}}, {x}}, {isa, 1})[0].at<float>(0);
    const double exact = kN * double{0.1f};
    EXPECT_LE(std::fabs(sum - exact), 64 * 0x1p-24 * exact);
  }
}

TEST(ArgReduceKernel, first_of_equals_and_nan) {
  std::mt19937 rng(5);
  for (bool max : {true, false}) {
    for (DType to : {DType::kInt64, DType::kInt32}) {
      for (int64_t axis : {0, 1, 2}) {
        check({ir::ArgReduceAttrs{max, axis, to}, {draw(rng, DType::kInt32, {4, 50, 3})}});
        check({ir::ArgReduceAttrs{max, axis, to}, {draw(rng, DType::kFloat, {4, 50, 3})}});
      }
    }
  }
  const Tensor x = floats({4, 3}, {kNan, 1, 2, 1, kNan, 3, -kInf, -kInf, -kInf, kNan, kNan, kNan});
  const auto r = run_kernel({ir::ArgReduceAttrs{true, 1}, {x}}, {});
  const int64_t want[] = {2, 2, 0, 0};
  for (int i = 0; i < 4; ++i) EXPECT_EQ(r[0].at<int64_t>(i), want[i]);
}

TEST(SoftmaxKernel, every_length_and_large_values) {
  std::mt19937 rng(6);
  for (bool log : {false, true}) {
    for (int64_t n = 1; n <= 40; ++n) {
      SCOPED_TRACE(n);
      const Case c{ir::SoftmaxAttrs{log}, {draw(rng, DType::kFloat, {5, n}, 4.0f)}};
      check(c, {log ? 4e-6 : 1e-30, 2e-6});
      check_in_place(c, 0);
    }
    check({ir::SoftmaxAttrs{log}, {draw(rng, DType::kFloat, {64, 1000}, 10.0f)}},
          {log ? 1e-5 : 1e-30, 4e-6});
    check({ir::SoftmaxAttrs{log}, {draw(rng, DType::kFloat, {2, 0, 7})}});
    check({ir::SoftmaxAttrs{log}, {floats({2, 3}, {1000, 999, 998, -1000, -1001, -1002})}},
          {1e-6, 2e-6});
  }
}

TEST(SoftmaxKernel, I4_special_values_as_tensorflow) {
  for (ir::Isa isa : isa_levels()) {
    const auto r =
        run_kernel({ir::SoftmaxAttrs{},
                    {floats({4, 3}, {kNan, 1, 2, kInf, 1, 2, -kInf, -kInf, -kInf, -kInf, 0, 0})}},
                   {isa, 1})[0];
    for (int i = 0; i < 9; ++i) EXPECT_TRUE(std::isnan(r.at<float>(i))) << i;
    EXPECT_EQ(r.at<float>(9), 0.0f);
    EXPECT_EQ(r.at<float>(10), 0.5f);
  }
}

TEST(LayerNormKernel, every_length_and_offset) {
  std::mt19937 rng(7);
  for (int64_t n = 1; n <= 70; ++n) {
    SCOPED_TRACE(n);
    const Case c{ir::LayerNormAttrs{1e-3f},
                 {draw(rng, DType::kFloat, {3, n}), draw(rng, DType::kFloat, {n}),
                  draw(rng, DType::kFloat, {n})}};
    check(c, {4e-6, 4e-6});
    check_in_place(c, 0);
  }
  Tensor x = draw(rng, DType::kFloat, {40, 768});
  const Tensor gamma = draw(rng, DType::kFloat, {768}), beta = draw(rng, DType::kFloat, {768});
  check({ir::LayerNormAttrs{1e-12f}, {x, gamma, beta}}, {4e-6, 4e-6});
  // A mean of 1000 against a deviation of 1: one pass over squares would lose all digits.
  for (int64_t i = 0; i < x.elems(); ++i) {
    const float v = x.at<float>(i) + 1000.0f;
    std::memcpy(x.bytes.data() + i * 4, &v, 4);
  }
  check({ir::LayerNormAttrs{1e-12f}, {x, gamma, beta}}, {6e-4, 1e-5});
}

}  // namespace
}  // namespace graft::cpu::testing
