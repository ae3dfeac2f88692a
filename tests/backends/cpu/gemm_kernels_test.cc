// Matrix products of every ISA level: packed weights and weights known only while running.
#include <cstring>

#include "backends/cpu/gemm/batched_matmul.h"
#include "gemm_testing.h"

namespace graft::cpu {
namespace {

using testing::Data;
using testing::draw;
using testing::Expected;
using testing::Guarded;
using testing::levels;

struct Product {
  int64_t m, n, k;
  bool transpose_a, transpose_b;
  std::vector<float> a, b, bias, residual;

  Product(std::mt19937& rng, int64_t m, int64_t n, int64_t k, bool ta, bool tb, int64_t batch,
          Data data)
      : m(m), n(n), k(k), transpose_a(ta), transpose_b(tb) {
    a = draw(rng, batch * m * k, data);
    b = draw(rng, batch * k * n, data);
    bias = draw(rng, n, data);
    residual = draw(rng, batch * m * n, data);
  }
  Expected at(int64_t batch, int64_t i, int64_t j) const {
    Expected e;
    const auto add = [&](double x) {
      e.value += x;
      e.magnitude += std::fabs(x);
      ++e.terms;
    };
    add(bias[static_cast<size_t>(j)]);
    add(residual[static_cast<size_t>((batch * m + i) * n + j)]);
    const float* pa = a.data() + batch * m * k;
    const float* pb = b.data() + batch * k * n;
    for (int64_t p = 0; p < k; ++p) {
      add(double{transpose_a ? pa[p * m + i] : pa[i * k + p]} *
          double{transpose_b ? pb[j * k + p] : pb[p * n + j]});
    }
    return e;
  }
  void check(const float* dst, int64_t batch, Data data) const {
    for (int64_t x = 0; x < batch; ++x) {
      for (int64_t i = 0; i < m; ++i) {
        for (int64_t j = 0; j < n; ++j) {
          const Expected e = at(x, i, j);
          const double got = dst[(x * m + i) * n + j];
          if (data == Data::kIntegers) {
            ASSERT_EQ(got, e.value) << "matrix " << x << " row " << i << " column " << j;
          } else {
            ASSERT_LE(std::fabs(got - e.value), testing::fp32_bar(e))
                << "matrix " << x << " row " << i << " column " << j;
          }
        }
      }
    }
  }
};

struct Dims {
  int64_t m, n, k;
};
// Around every tile height and panel width, thin and deep.
std::vector<Dims> dims_list() {
  std::vector<Dims> all;
  for (const int64_t m : {1, 2, 5, 6, 7, 13}) {
    for (const int64_t n : {1, 3, 4, 8, 9, 15, 16, 17, 24, 31, 33, 47, 48, 49, 64, 100}) {
      for (const int64_t k : {1, 3, 4, 7, 33}) all.push_back({m, n, k});
    }
  }
  for (const Dims d : {Dims{1, 1000, 300}, Dims{3, 40, 1500}, Dims{200, 50, 64}, Dims{390, 20, 260},
                       Dims{49, 96, 513}, Dims{7, 9, 0}})
    all.push_back(d);
  return all;
}

TEST(GemmKernels, packed_is_exact_on_integers) {
  std::mt19937 rng(11);
  for (const Dims d : dims_list()) {
    for (const bool transpose_b : {false, true}) {
      const Product p(rng, d.m, d.n, d.k, false, transpose_b, 1, Data::kIntegers);
      for (const ComputeTable* table : levels()) {
        SCOPED_TRACE(std::string(table->name) + " m " + std::to_string(d.m) + " n " +
                     std::to_string(d.n) + " k " + std::to_string(d.k) +
                     (transpose_b ? " transposed" : ""));
        auto w = ConvWeights::pack_matrix(*table, p.b.data(), transpose_b ? 1 : d.n,
                                          transpose_b ? d.k : 1, d.k, d.n);
        ASSERT_TRUE(w.ok());
        ConvShape s;
        s.batch = s.w = s.ow = 1;
        s.h = s.oh = d.m;
        s.c = s.src_ld = d.k;
        s.oc = s.dst_ld = s.residual_ld = d.n;
        for (int threads = 1; threads <= 4; ++threads) {
          const ConvPlan plan = plan_conv(w.value(), s, threads);
          auto scratch = Buffer::allocate(static_cast<size_t>(plan.scratch_bytes()) + 64);
          ASSERT_TRUE(scratch.ok());
          Guarded dst(d.m * d.n);
          testing::RunScope run(threads);
          run_conv(w.value(), plan, p.a.data(), p.bias.data(), p.residual.data(), {}, dst.data(),
                   scratch.value().data());
          p.check(dst.data(), 1, Data::kIntegers);
          dst.expect_untouched(d.m * d.n, [](int64_t) { return true; });
          if (HasFatalFailure()) return;
        }
      }
    }
  }
}

void batched(const Dims& d, bool ta, bool tb, Data data, std::mt19937& rng) {
  constexpr int64_t kBatch = 3;
  const Product p(rng, d.m, d.n, d.k, ta, tb, kBatch, data);
  for (const ComputeTable* table : levels()) {
    SCOPED_TRACE(std::string(table->name) + " m " + std::to_string(d.m) + " n " +
                 std::to_string(d.n) + " k " + std::to_string(d.k) + (ta ? " a transposed" : "") +
                 (tb ? " b transposed" : ""));
    std::vector<float> first;
    for (int threads = 1; threads <= 4; ++threads) {
      MatMulShape s;
      s.m = d.m, s.n = d.n, s.k = d.k;
      s.a_row_step = ta ? 1 : d.k, s.a_k_step = ta ? d.m : 1;
      s.b_k_step = tb ? 1 : d.n, s.b_column_step = tb ? d.k : 1;
      s.ldd = s.ldr = d.n;
      for (int64_t i = 0; i < kBatch; ++i) {
        s.a_offset.push_back(i * d.m * d.k);
        s.b_offset.push_back(i * d.k * d.n);
        s.dst_offset.push_back(i * d.m * d.n);
      }
      const MatMulPlan plan = plan_matmul(*table, std::move(s), threads);
      auto scratch = Buffer::allocate(static_cast<size_t>(plan.scratch_bytes()) + 64);
      ASSERT_TRUE(scratch.ok());
      const int64_t elems = kBatch * d.m * d.n;
      Guarded dst(elems);
      testing::RunScope run(threads);
      run_matmul(*table, plan, p.a.data(), p.b.data(), p.bias.data(), p.residual.data(), {},
                 dst.data(), scratch.value().data());
      dst.expect_untouched(elems, [](int64_t) { return true; });
      if (threads == 1) {
        p.check(dst.data(), kBatch, data);
        first.assign(dst.data(), dst.data() + elems);
      }
      ASSERT_EQ(std::memcmp(first.data(), dst.data(), first.size() * sizeof(float)), 0)
          << threads << " threads";
    }
  }
}

TEST(GemmKernels, batched_is_exact_on_integers) {
  std::mt19937 rng(12);
  for (const Dims d : {Dims{1, 1, 1}, Dims{5, 7, 3}, Dims{6, 16, 64}, Dims{128, 64, 128},
                       Dims{130, 65, 33}, Dims{7, 300, 700}, Dims{300, 17, 40}, Dims{2, 3, 0}}) {
    for (int t = 0; t < 4; ++t) {
      batched(d, t & 1, t & 2, Data::kIntegers, rng);
      if (HasFatalFailure()) return;
    }
  }
}

TEST(GemmKernels, batched_keeps_the_fp32_bar_and_its_bits) {
  std::mt19937 rng(13);
  for (const Dims d : {Dims{128, 64, 128}, Dims{128, 128, 64}, Dims{33, 65, 3072}}) {
    for (int t = 0; t < 4; ++t) {
      batched(d, t & 1, t & 2, Data::kNormal, rng);
      if (HasFatalFailure()) return;
    }
  }
}

// Terms of one sign are where one chain of 25,088 multiply-adds (0.5 of the bar) differs from sums
// of its parts (0.04).
TEST(GemmKernels, a_long_reduction_is_a_sum_of_parts) {
  std::mt19937 rng(14);
  Product p(rng, 4, 40, 25088, false, false, 1, Data::kNormal);
  for (std::vector<float>* v : {&p.a, &p.b, &p.bias, &p.residual}) {
    for (float& x : *v) x = std::fabs(x);
  }
  for (const ComputeTable* table : levels()) {
    SCOPED_TRACE(table->name);
    auto w = ConvWeights::pack_matrix(*table, p.b.data(), p.n, 1, p.k, p.n);
    ASSERT_TRUE(w.ok());
    ConvShape s;
    s.batch = s.w = s.ow = 1;
    s.h = s.oh = p.m;
    s.c = s.src_ld = p.k;
    s.oc = s.dst_ld = s.residual_ld = p.n;
    const ConvPlan plan = plan_conv(w.value(), s, 1);
    auto scratch = Buffer::allocate(static_cast<size_t>(plan.scratch_bytes()) + 64);
    ASSERT_TRUE(scratch.ok());
    std::vector<float> dst(static_cast<size_t>(p.m * p.n));
    testing::RunScope run(1);
    run_conv(w.value(), plan, p.a.data(), p.bias.data(), p.residual.data(), {}, dst.data(),
             scratch.value().data());
    double worst = 0;
    for (int64_t i = 0; i < p.m; ++i) {
      for (int64_t j = 0; j < p.n; ++j) {
        const Expected e = p.at(0, i, j);
        const double bar = std::sqrt(double(e.terms)) * std::ldexp(e.magnitude, -24);
        worst = std::max(worst, std::fabs(dst[static_cast<size_t>(i * p.n + j)] - e.value) / bar);
      }
    }
    EXPECT_LT(worst, 0.1);
    std::printf("%s: %.4f of the bar\n", table->name, worst);
  }
}

}  // namespace
}  // namespace graft::cpu
