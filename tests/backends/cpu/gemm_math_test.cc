// Vectorised elementary functions and activations of every level against double.
#include <cmath>
#include <functional>
#include <limits>

#include "gemm_testing.h"

namespace graft::cpu {
namespace {

using testing::levels;

// Normal floats of both signs up to `limit`, 256 a binade, and zero.
std::vector<float> sweep(float limit) {
  std::vector<float> v{0.0f};
  for (float x = 1e-30f; x < limit; x *= 1.0027114f) {
    v.push_back(x);
    v.push_back(-x);
  }
  return v;
}

// Largest error in units of the last place of the double result rounded to float.
double worst_ulp(const std::vector<float>& src, const std::vector<float>& got,
                 double (*want)(double), float* where) {
  double worst = 0;
  for (size_t i = 0; i < src.size(); ++i) {
    const double w = want(src[i]);
    const double magnitude = std::fmax(std::fabs(w), double{std::numeric_limits<float>::min()});
    if (std::fabs(w) > 3.3e38) continue;
    const double ulp = std::ldexp(1.0, std::ilogb(magnitude) - 23);
    const double error = std::fabs(double{got[i]} - w) / ulp;
    if (!(error <= worst)) {
      worst = error;
      *where = src[i];
    }
  }
  return worst;
}

void expect_ulp(const char* name, const ComputeTable& table,
                void (*fn)(const float*, float*, ptrdiff_t), double (*want)(double), float limit,
                double bar) {
  const std::vector<float> src = sweep(limit);
  std::vector<float> dst(src.size());
  fn(src.data(), dst.data(), static_cast<ptrdiff_t>(src.size()));
  float where = 0;
  const double worst = worst_ulp(src, dst, want, &where);
  EXPECT_LE(worst, bar) << table.name << " " << name << " at " << where;
  ::testing::Test::RecordProperty(std::string(table.name) + "_" + name + "_ulp_x100",
                                  static_cast<int>(worst * 100));
}

TEST(VecMath, exp_and_erf_keep_their_stated_error) {
  for (const ComputeTable* table : levels()) {
    expect_ulp(
        "exp", *table, table->exp, [](double x) { return std::exp(x); }, 88.5f, 2);
    expect_ulp(
        "erf", *table, table->erf, [](double x) { return std::erf(x); }, 10.0f, 4);
  }
}

struct ActCase {
  const char* name;
  Act act;
  double (*want)(double);
  float limit;
  double relative, absolute;
};

const ActCase kCases[] = {
    {"sigmoid", Act::kSigmoid, [](double x) { return 1 / (1 + std::exp(-x)); }, 80.0f, 4e-7, 1e-37},
    {"swish", Act::kSwish, [](double x) { return x / (1 + std::exp(-x)); }, 80.0f, 4e-7, 1e-36},
    {"tanh", Act::kTanh, [](double x) { return std::tanh(x); }, 80.0f, 3e-7, 1e-37},
    {"gelu_erf", Act::kGeluErf, [](double x) { return x / 2 * (1 + std::erf(x / std::sqrt(2.0))); },
     30.0f, 4e-7, 4e-7},
    {"gelu_tanh", Act::kGeluTanh,
     [](double x) {
       return x / 2 * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
     },
     30.0f, 4e-7, 4e-7},
    {"hard_swish", Act::kHardSwish,
     [](double x) { return x * std::fmin(std::fmax(x + 3, 0), 6) / 6; }, 30.0f, 4e-7, 1e-7},
    {"hard_sigmoid", Act::kHardSigmoid,
     [](double x) { return std::fmin(std::fmax(x / 6 + 0.5, 0), 1); }, 30.0f, 4e-7, 1e-7},
    {"elu", Act::kElu, [](double x) { return x < 0 ? 0.5 * std::expm1(x) : x; }, 80.0f, 6e-7,
     1e-37},
    {"selu", Act::kSelu,
     [](double x) { return 1.0507009873554805 * (x < 0 ? 1.6732632423543772 * std::expm1(x) : x); },
     80.0f, 6e-7, 1e-37},
    {"softplus", Act::kSoftplus,
     [](double x) { return std::fmax(x, 0) + std::log1p(std::exp(-std::fabs(x))); }, 80.0f, 4e-7,
     1e-35},
    {"leaky_relu", Act::kLeakyRelu, [](double x) { return x < 0 ? 0.5 * x : x; }, 1e30f, 1e-7, 0},
};

TEST(Activations, match_double) {
  for (const ComputeTable* table : levels()) {
    for (const ActCase& c : kCases) {
      const std::vector<float> src = sweep(c.limit);
      std::vector<float> dst = src;
      Epilogue e;
      e.act = c.act;
      e.alpha = 0.5f;
      table->act(&e, dst.data(), 1, static_cast<ptrdiff_t>(src.size()), 0);
      for (size_t i = 0; i < src.size(); ++i) {
        const double want = c.want(src[i]);
        ASSERT_LE(std::fabs(dst[i] - want), c.relative * std::fabs(want) + c.absolute)
            << table->name << " " << c.name << "(" << src[i] << ") = " << dst[i] << ", expected "
            << want;
      }
    }
  }
}

TEST(Activations, I4_nan_stays_nan_and_infinities_saturate) {
  const float inf = std::numeric_limits<float>::infinity(),
              nan = std::numeric_limits<float>::quiet_NaN();
  for (const ComputeTable* table : levels()) {
    for (int act = 0; act <= static_cast<int>(Act::kSoftplus); ++act) {
      SCOPED_TRACE(std::string(table->name) + " act " + std::to_string(act));
      Epilogue e;
      e.act = static_cast<Act>(act);
      e.lo = 0;
      e.hi = 6;
      e.alpha = 0.5f;
      float v[9] = {nan, inf, 0, nan, inf, 1, nan, inf, nan};
      table->act(&e, v, 1, 9, 0);
      for (const int i : {0, 3, 6, 8}) EXPECT_TRUE(std::isnan(v[i])) << i;
      for (const int i : {1, 4, 7}) EXPECT_GE(v[i], 1.0f) << i;
    }
    float v[3] = {-inf, inf, nan}, out[3];
    table->exp(v, out, 3);
    EXPECT_EQ(out[0], 0.0f);
    EXPECT_EQ(out[1], inf);
    EXPECT_TRUE(std::isnan(out[2]));
    table->erf(v, out, 3);
    EXPECT_EQ(out[0], -1.0f);
    EXPECT_EQ(out[1], 1.0f);
    EXPECT_TRUE(std::isnan(out[2]));
  }
}

}  // namespace
}  // namespace graft::cpu
