// Shared by the gemm, conv and depthwise kernel tests: levels of this machine, data, guarded
// buffers, naive references.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "backends/cpu/conv/conv2d.h"
#include "backends/cpu/cpu_features.h"
#include "backends/cpu/gemm/compute_select.h"
#include "backends/cpu/threads/parallel.h"

namespace graft::cpu::testing {

// Every level that this machine can run.
inline std::vector<const ComputeTable*> levels() {
  std::vector<const ComputeTable*> all;
  for (int i = 0; i <= static_cast<int>(ir::Isa::kAvx512); ++i) {
    ir::Target t;
    t.isa = static_cast<ir::Isa>(i);
    if (t.isa <= machine_target().isa) all.push_back(&compute_table_of(t));
  }
  return all;
}

enum class Data { kIntegers, kNormal };

inline std::vector<float> draw(std::mt19937& rng, int64_t n, Data data) {
  std::vector<float> v(static_cast<size_t>(n));
  std::uniform_int_distribution<int> ints(-4, 4);
  std::normal_distribution<float> normal;
  for (float& x : v) x = data == Data::kIntegers ? static_cast<float>(ints(rng)) : normal(rng);
  return v;
}

// A buffer one float off alignment between two guard zones.
class Guarded {
 public:
  explicit Guarded(int64_t n) : v_(static_cast<size_t>(n) + 2 * kGuard, kSentinel) {}
  float* data() { return v_.data() + kGuard; }
  // The guards, and every element of [0, n) for which used(i) is false, are untouched.
  template <typename F>
  void expect_untouched(int64_t n, F&& used) const {
    for (int64_t i = -kGuard; i < n + kGuard; ++i) {
      if (i >= 0 && i < n && used(i)) continue;
      ASSERT_EQ(v_[static_cast<size_t>(i + kGuard)], kSentinel) << "wrote outside dst at " << i;
    }
  }

 private:
  static constexpr int64_t kGuard = 67;
  static constexpr float kSentinel = 12345.75f;
  std::vector<float> v_;
};

struct Expected {
  double value = 0;
  double magnitude = 0;  // sum of absolute terms
  int64_t terms = 0;
};

inline Expected conv_at(const ConvShape& s, const float* src, const float* weights,
                        const float* bias, const float* residual, int64_t n, int64_t oy, int64_t ox,
                        int64_t oc) {
  Expected e;
  const auto add = [&](double x) {
    e.value += x;
    e.magnitude += std::fabs(x);
    ++e.terms;
  };
  if (bias) add(bias[oc]);
  if (residual) add(residual[((n * s.oh + oy) * s.ow + ox) * s.residual_ld + oc]);
  const int64_t cg = s.c / s.groups, g = oc / (s.oc / s.groups);
  for (int64_t ky = 0; ky < s.kh; ++ky) {
    for (int64_t kx = 0; kx < s.kw; ++kx) {
      const int64_t y = oy * s.stride_h - s.pad_top + ky * s.dilation_h;
      const int64_t x = ox * s.stride_w - s.pad_left + kx * s.dilation_w;
      if (y < 0 || y >= s.h || x < 0 || x >= s.w) continue;
      for (int64_t c = 0; c < cg; ++c) {
        add(double{src[((n * s.h + y) * s.w + x) * s.src_ld + g * cg + c]} *
            double{weights[((ky * s.kw + kx) * cg + c) * s.oc + oc]});
      }
    }
  }
  return e;
}

// The bar of one FP32 dot product: error constant 1 times sqrt(K) units of the absolute sum.
inline double fp32_bar(const Expected& e, double constant = 1.0) {
  return constant * std::sqrt(static_cast<double>(e.terms)) * std::ldexp(e.magnitude, -24) +
         1e-6 * std::fabs(e.value);
}

inline std::string describe(const ConvShape& s) {
  std::string t =
      "n" + std::to_string(s.batch) + " src " + std::to_string(s.h) + "x" + std::to_string(s.w) +
      "x" + std::to_string(s.c) + " dst " + std::to_string(s.oh) + "x" + std::to_string(s.ow) +
      "x" + std::to_string(s.oc) + " k " + std::to_string(s.kh) + "x" + std::to_string(s.kw) +
      " s " + std::to_string(s.stride_h) + "," + std::to_string(s.stride_w) + " d " +
      std::to_string(s.dilation_h) + "," + std::to_string(s.dilation_w) + " pad " +
      std::to_string(s.pad_top) + "," + std::to_string(s.pad_left) + " g " +
      std::to_string(s.groups) + " ld " + std::to_string(s.src_ld) + "," + std::to_string(s.dst_ld);
  return t;
}

// A run of the pool around a test body.
class RunScope {
 public:
  explicit RunScope(int threads) { begin_run(threads); }
  ~RunScope() { end_run(); }
};

}  // namespace graft::cpu::testing
