// Functions of one argument, in double, as TensorFlow defines them.
#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "reference/values.h"

namespace graft::reference {

using ir::Activation;
using ir::UnaryFn;

namespace {

constexpr double kSeluScale = 1.0507009873554804934193349852946;
constexpr double kSeluAlpha = 1.6732632423543772848170429916717;
constexpr double kPi = 3.14159265358979323846;

// exp(-x) * In(x) for x >= 0 and n 0 or 1 (DLMF 10.25.2 and 10.40.1). No term of the series is
// negative, so that it loses nothing; from 20 on the asymptotic sum's least term is below 1e-17.
double bessel_ie(int n, double x) {
  if (std::isinf(x)) return 0;
  if (x <= 20) {
    const double q = x * x / 4;
    double term = n == 0 ? 1 : x / 2, sum = term;
    for (int k = 1; term > 1e-18 * sum; ++k) sum += term *= q / (k * (k + n));
    return std::exp(-x) * sum;
  }
  const double mu = 4 * n * n;
  double term = 1, sum = 1;
  for (int k = 1; k < 40 && std::fabs(term) > 1e-18; ++k)
    sum += term *= -(mu - (2 * k - 1) * (2 * k - 1)) / (8 * k * x);
  return sum / std::sqrt(2 * kPi * x);
}

// NaN stays NaN, as in TensorFlow's Relu, Relu6 and clipping.
double clamp(double x, double lo, double hi) { return x < lo ? lo : x > hi ? hi : x; }

double sigmoid(double x) {
  if (x >= 0) return 1 / (1 + std::exp(-x));
  const double e = std::exp(x);
  return e / (1 + e);
}

double gelu_tanh(double x) {
  return 0.5 * x * (1 + std::tanh(std::sqrt(2 / kPi) * (x + 0.044715 * x * x * x)));
}

template <typename W>
W apply_integer(const Activation& act, W x) {
  using U = uint64_t;
  switch (act.fn) {
    case UnaryFn::kNeg:
      return static_cast<W>(U{0} - static_cast<U>(x));
    case UnaryFn::kAbs:
      return x < W{0} ? static_cast<W>(U{0} - static_cast<U>(x)) : x;
    case UnaryFn::kSquare:
      return static_cast<W>(static_cast<U>(x) * static_cast<U>(x));
    case UnaryFn::kRelu:
      return std::max(x, W{0});
    case UnaryFn::kRelu6:
      return std::min(std::max(x, W{0}), W{6});
    case UnaryFn::kClip: {
      // Bounds are whole numbers of the dtype's range in any graph that TensorFlow accepts.
      const double v = clamp(static_cast<double>(x), act.alpha, act.beta);
      return v == static_cast<double>(x) ? x : static_cast<W>(v);
    }
    case UnaryFn::kSign:
      return x > W{0} ? W{1} : x < W{0} ? static_cast<W>(-1) : W{0};
    case UnaryFn::kInvert:
      return ~x;
    case UnaryFn::kLogicalNot:
      return x == W{0};
    default:
      return x;  // kIdentity, kRint
  }
}

}  // namespace

int64_t apply(const Activation& act, int64_t x) { return apply_integer(act, x); }
uint64_t apply(const Activation& act, uint64_t x) { return apply_integer(act, x); }

double apply(const Activation& act, double x) {
  switch (act.fn) {
    case UnaryFn::kIdentity:
      return x;
    case UnaryFn::kNeg:
      return -x;
    case UnaryFn::kAbs:
      return std::fabs(x);
    case UnaryFn::kExp:
      return std::exp(x);
    case UnaryFn::kExpm1:
      return std::expm1(x);
    case UnaryFn::kLog:
      return std::log(x);
    case UnaryFn::kLog1p:
      return std::log1p(x);
    case UnaryFn::kSqrt:
      return std::sqrt(x);
    case UnaryFn::kRsqrt:
      return 1 / std::sqrt(x);
    case UnaryFn::kSquare:
      return x * x;
    case UnaryFn::kReciprocal:
      return 1 / x;
    case UnaryFn::kSigmoid:
      return sigmoid(x);
    case UnaryFn::kTanh:
      return std::tanh(x);
    case UnaryFn::kErf:
      return std::erf(x);
    case UnaryFn::kErfc:
      return std::erfc(x);
    case UnaryFn::kRelu:
      return x < 0 ? 0 : x;
    case UnaryFn::kRelu6:
      return clamp(x, 0, 6);
    case UnaryFn::kElu:
      return x < 0 ? act.alpha * std::expm1(x) : x;
    case UnaryFn::kSelu:
      return kSeluScale * (x < 0 ? kSeluAlpha * std::expm1(x) : x);
    case UnaryFn::kLeakyRelu:
      return x < 0 ? static_cast<double>(act.alpha) * x : x;
    case UnaryFn::kSoftplus:
      return std::fmax(x, 0) + std::log1p(std::exp(-std::fabs(x)));
    case UnaryFn::kSoftsign:
      return x / (1 + std::fabs(x));
    case UnaryFn::kSwish:
      return x * sigmoid(x);
    case UnaryFn::kGelu:
      return 0.5 * x * std::erfc(-x * std::sqrt(0.5));
    case UnaryFn::kGeluTanh:
      return gelu_tanh(x);
    case UnaryFn::kHardSwish:
      return x * clamp(x + 3, 0, 6) / 6;
    case UnaryFn::kHardSigmoid:
      return clamp(x + 3, 0, 6) / 6;
    case UnaryFn::kClip:
      return clamp(x, act.alpha, act.beta);
    case UnaryFn::kFloor:
      return std::floor(x);
    case UnaryFn::kCeil:
      return std::ceil(x);
    case UnaryFn::kRint:
      return std::nearbyint(x);
    case UnaryFn::kSign:
      return x > 0 ? 1 : x < 0 ? -1 : x;
    case UnaryFn::kSin:
      return std::sin(x);
    case UnaryFn::kCos:
      return std::cos(x);
    case UnaryFn::kTan:
      return std::tan(x);
    case UnaryFn::kAsin:
      return std::asin(x);
    case UnaryFn::kAcos:
      return std::acos(x);
    case UnaryFn::kAtan:
      return std::atan(x);
    case UnaryFn::kSinh:
      return std::sinh(x);
    case UnaryFn::kCosh:
      return std::cosh(x);
    case UnaryFn::kAsinh:
      return std::asinh(x);
    case UnaryFn::kAcosh:
      return std::acosh(x);
    case UnaryFn::kAtanh:
      return std::atanh(x);
    case UnaryFn::kRoundAway:
      return std::round(x);
    case UnaryFn::kBesselI0:  // infinite where the exponential is, as TensorFlow's
      return std::exp(std::fabs(x)) * bessel_ie(0, std::fabs(x));
    case UnaryFn::kBesselI0e:
      return bessel_ie(0, std::fabs(x));
    case UnaryFn::kBesselI1:
      return std::copysign(std::exp(std::fabs(x)) * bessel_ie(1, std::fabs(x)), x);
    case UnaryFn::kBesselI1e:
      return std::copysign(bessel_ie(1, std::fabs(x)), x);
    case UnaryFn::kIsNan:
      return std::isnan(x);
    case UnaryFn::kIsInf:
      return std::isinf(x);
    case UnaryFn::kIsFinite:
      return std::isfinite(x);
    default:
      return std::numeric_limits<double>::quiet_NaN();  // refused by inference
  }
}

namespace {

// Bits of the elements as they lie in memory: those above the dtype's width are the sign's.
Status count_bits(const Call& c) {
  const size_t spare = 64 - 8 * dtype_size(c.in[0].dtype);
  visit_wide(c.in[0].dtype, [&]<typename W>() {
    std::vector<uint64_t> bits;
    for (W x : load<W>(c.in[0]))
      bits.push_back(static_cast<uint64_t>(std::popcount(static_cast<uint64_t>(x) << spare)));
    store(c.out[0], bits);
  });
  return ok_status();
}

}  // namespace

Status evaluate_unary(const Call& c) {
  const Activation& fn = c.op.as<ir::UnaryAttrs>().fn;
  if (fn.fn == UnaryFn::kPopulationCount) return count_bits(c);
  visit_wide(c.in[0].dtype, [&]<typename W>() {
    std::vector<W> v = load<W>(c.in[0]);
    for (W& x : v) x = apply(fn, x);
    store(c.out[0], v);
  });
  return ok_status();
}

}  // namespace graft::reference
