// Elementary functions of every level against double, over dense sweeps of floats.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "backends/cpu/pointwise/table_of.h"
#include "step_testing.h"

namespace graft::cpu::testing {
namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kLargest = std::numeric_limits<float>::max();

std::vector<float> run(ir::Isa isa, UnaryOp op, const std::vector<float>& x) {
  std::vector<float> y(x.size());
  const Epilogue none;
  const UnaryArgs args{y.data(), x.data(), static_cast<ptrdiff_t>(x.size()), &none};
  pointwise_table_of(isa).unary[static_cast<int>(op)](&args);
  return y;
}

// Floats of both signs: 4096 a binade from the least normal one to `limit`, and 1/8192 apart up to
// 64.
std::vector<float> sweep(float limit) {
  std::vector<float> v = {0.0f, -0.0f};
  for (float x = 0x1p-126f; x <= limit && x < kInf; x *= 1.000169239f) v.insert(v.end(), {x, -x});
  for (float x = 0; x <= std::min(limit, 64.0f); x += 0x1p-13f) v.insert(v.end(), {x, -x});
  return v;
}

struct Function {
  const char* name;
  UnaryOp op;
  double (*want)(double);
  float limit;  // of the arguments swept
  double ulps;
};
#define GRAFT_FN(op, fn, limit, ulps)                                  \
  {                                                                    \
#fn, UnaryOp::op, [](double x) { return std::fn(x); }, limit, ulps \
  }
const Function kFunctions[] = {
    GRAFT_FN(kLog, log, kLargest, 1.5),   GRAFT_FN(kLog1p, log1p, kLargest, 2.5),
    GRAFT_FN(kExpm1, expm1, 100, 2.5),    GRAFT_FN(kSin, sin, kLargest, 2.5),
    GRAFT_FN(kCos, cos, kLargest, 2.5),   GRAFT_FN(kTan, tan, kLargest, 4),
    GRAFT_FN(kAsin, asin, 1, 2.5),        GRAFT_FN(kAcos, acos, 1, 2.5),
    GRAFT_FN(kAtan, atan, kLargest, 2.5), GRAFT_FN(kSinh, sinh, 89.4f, 3),
    GRAFT_FN(kCosh, cosh, 89.4f, 3),      GRAFT_FN(kAsinh, asinh, kLargest, 4),
    GRAFT_FN(kAcosh, acosh, kLargest, 4), GRAFT_FN(kAtanh, atanh, 1, 4),
};

TEST(PointwiseMath, within_a_few_ulp_of_double) {
  for (ir::Isa isa : isa_levels()) {
    for (const Function& f : kFunctions) {
      const std::vector<float> x = sweep(f.limit), y = run(isa, f.op, x);
      double worst = 0;
      float where = 0;
      for (size_t i = 0; i < x.size(); ++i) {
        const double want = f.want(x[i]);
        if (std::isnan(want) || std::isinf(static_cast<float>(want))) {
          const auto as_float = static_cast<float>(want);
          ASSERT_TRUE(std::isnan(want) ? std::isnan(y[i]) : y[i] == as_float)
              << f.name << "(" << x[i] << ") = " << y[i] << ", level " << static_cast<int>(isa);
          continue;
        }
        const double least = std::numeric_limits<float>::min();
        const double ulp = std::ldexp(1.0, std::ilogb(std::fmax(std::fabs(want), least)) - 23);
        const double error = std::fabs(y[i] - want) / ulp;
        if (!(error <= worst)) worst = error, where = x[i];
        if (want == 0) {
          ASSERT_EQ(std::signbit(y[i]), std::signbit(want)) << f.name << " " << x[i];
        }
      }
      EXPECT_LE(worst, f.ulps) << f.name << " at " << where << ", level " << static_cast<int>(isa);
      RecordProperty(std::string(f.name) + "_ulp_x100", static_cast<int>(worst * 100));
    }
  }
}

// Next to multiples of pi / 2 the argument's reduction cancels all but its last bits.
TEST(PointwiseMath, turns_cancel_without_loss) {
  std::vector<float> x;
  for (int i = 1; i < 90000; ++i) {
    const auto near = static_cast<float>(i * (M_PI / 2));
    for (float v : {near, std::nextafterf(near, 0), std::nextafterf(near, kInf)})
      x.insert(x.end(), {v, -v});
  }
  for (ir::Isa isa : isa_levels()) {
    for (const Function& f : kFunctions) {
      if (f.op != UnaryOp::kSin && f.op != UnaryOp::kCos && f.op != UnaryOp::kTan) continue;
      const std::vector<float> y = run(isa, f.op, x);
      for (size_t i = 0; i < x.size(); ++i) {
        const double want = f.want(x[i]);
        ASSERT_LE(std::fabs(y[i] - want), f.ulps * 0x1p-23 * std::fabs(want))
            << f.name << "(" << x[i] << ") = " << y[i] << ", level " << static_cast<int>(isa);
      }
    }
  }
}

TEST(PointwiseMath, power) {
  std::vector<float> x, y;
  for (float base : {0x1p-126f, 1e-30f, 1e-5f, 0.3f, 0.70710677f, 0.70710683f, 0.99999994f, 1.0f,
                     1.0000001f, 1.5f, 2.0f, 3.0f, 10.0f, 123.456f, 1e20f, kLargest}) {
    for (float power = -130; power <= 130; power += 0.3125f) {
      x.push_back(base);
      y.push_back(power);
    }
    for (float power : {1e-30f, -1e-30f, 1e9f, -1e9f, 3e38f}) x.push_back(base), y.push_back(power);
  }
  // The C library's: negative and no normal numbers, NaN, infinity.
  const float special[] = {0.0f, -0.0f, 1e-40f, -1.0f, -2.5f, kInf, -kInf, kNan, 1.0f, 2.0f};
  for (float base : special)
    for (float power : {0.0f, 1.0f, 2.0f, -3.0f, 0.5f, kInf, -kInf, kNan})
      x.insert(x.end(), 8, base), y.insert(y.end(), 8, power);
  for (ir::Isa isa : isa_levels()) {
    std::vector<float> z(x.size());
    const auto n = static_cast<ptrdiff_t>(x.size());
    const BinaryArgs args{z.data(), x.data(), y.data(), 1, n, n, n, n};
    pointwise_table_of(isa).binary[static_cast<int>(BinaryOp::kPow)][0](&args);
    for (size_t i = 0; i < x.size(); ++i) {
      const double want = std::pow(double{x[i]}, double{y[i]});
      const auto rounded = static_cast<float>(want);
      if (std::isnan(want)) {
        ASSERT_TRUE(std::isnan(z[i])) << x[i] << " ^ " << y[i] << " = " << z[i];
      } else if (std::isinf(rounded) || std::fabs(want) < 0x1p-126) {
        ASSERT_TRUE(z[i] == rounded || std::fabs(z[i] - rounded) <= 0x1p-126)
            << x[i] << " ^ " << y[i] << " = " << z[i];
      } else {
        ASSERT_LE(std::fabs(z[i] - want), 0.55 * 0x1p-23 * std::exp2(std::ilogb(want)))
            << x[i] << " ^ " << y[i] << " = " << z[i];
      }
    }
  }
}

TEST(PointwiseMath, I4_values_at_the_borders) {
  struct Value {
    UnaryOp op;
    float x, y;
  };
  const Value values[] = {
      {UnaryOp::kLog, 0, -kInf},
      {UnaryOp::kLog, -0.0f, -kInf},
      {UnaryOp::kLog, kInf, kInf},
      {UnaryOp::kLog, -kInf, kNan},
      {UnaryOp::kLog, 1, 0},
      {UnaryOp::kLog1p, -1, -kInf},
      {UnaryOp::kLog1p, -2, kNan},
      {UnaryOp::kLog1p, kInf, kInf},
      {UnaryOp::kLog1p, -kInf, kNan},
      {UnaryOp::kLog1p, -0.0f, -0.0f},
      {UnaryOp::kExpm1, kInf, kInf},
      {UnaryOp::kExpm1, -kInf, -1},
      {UnaryOp::kExpm1, -0.0f, -0.0f},
      {UnaryOp::kSin, kInf, kNan},
      {UnaryOp::kCos, -kInf, kNan},
      {UnaryOp::kTan, kInf, kNan},
      {UnaryOp::kSin, -0.0f, -0.0f},
      {UnaryOp::kTan, -0.0f, -0.0f},
      {UnaryOp::kCos, 0, 1},
      {UnaryOp::kAsin, -0.0f, -0.0f},
      {UnaryOp::kAsin, 1.0000001f, kNan},
      {UnaryOp::kAcos, -1.0000001f, kNan},
      {UnaryOp::kAcos, 1, 0},
      {UnaryOp::kAtan, kInf, 1.57079637f},
      {UnaryOp::kAtan, -0.0f, -0.0f},
      {UnaryOp::kSinh, 90, kInf},
      {UnaryOp::kSinh, -kInf, -kInf},
      {UnaryOp::kSinh, -0.0f, -0.0f},
      {UnaryOp::kCosh, -kInf, kInf},
      {UnaryOp::kCosh, 0, 1},
      {UnaryOp::kAsinh, -kInf, -kInf},
      {UnaryOp::kAsinh, -0.0f, -0.0f},
      {UnaryOp::kAcosh, kInf, kInf},
      {UnaryOp::kAcosh, 0.5f, kNan},
      {UnaryOp::kAcosh, -3, kNan},
      {UnaryOp::kAcosh, -kInf, kNan},
      {UnaryOp::kAcosh, 1, 0},
      {UnaryOp::kAtanh, 1, kInf},
      {UnaryOp::kAtanh, -1, -kInf},
      {UnaryOp::kAtanh, 2, kNan},
      {UnaryOp::kAtanh, -kInf, kNan},
      {UnaryOp::kAtanh, -0.0f, -0.0f},
  };
  for (ir::Isa isa : isa_levels()) {
    for (const Value& v : values) {
      SCOPED_TRACE("op " + std::to_string(static_cast<int>(v.op)) + " of " + std::to_string(v.x));
      // A large neighbour sends the vector down the other path.
      for (float neighbour : {0.5f, 1e30f}) {
        const float y = run(isa, v.op, {v.x, neighbour})[0];
        if (std::isnan(v.y)) {
          EXPECT_TRUE(std::isnan(y)) << y;
        } else {
          EXPECT_EQ(y, v.y);
          EXPECT_EQ(std::signbit(y), std::signbit(v.y));
        }
      }
    }
    for (const Function& f : kFunctions)
      EXPECT_TRUE(std::isnan(run(isa, f.op, {kNan})[0])) << f.name;
  }
}

}  // namespace
}  // namespace graft::cpu::testing
