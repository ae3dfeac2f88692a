// Functions of two arguments, select, affine.
#include <cmath>
#include <limits>
#include <optional>

#include "reference/values.h"

namespace graft::reference {

using ir::BinaryFn;

namespace {

template <typename W>
bool compare(BinaryFn fn, W a, W b) {
  switch (fn) {
    case BinaryFn::kLess:
      return a < b;
    case BinaryFn::kLessEqual:
      return a <= b;
    case BinaryFn::kGreater:
      return a > b;
    case BinaryFn::kGreaterEqual:
      return a >= b;
    case BinaryFn::kEqual:
      return a == b;
    case BinaryFn::kNotEqual:
      return a != b;
    case BinaryFn::kLogicalAnd:
      return a != 0 && b != 0;
    default:
      return a != 0 || b != 0;
  }
}

double floor_mod(double a, double b) {
  const double r = std::fmod(a, b);
  return r != 0 && ((b < 0) != (r < 0)) ? r + b : r;
}

double real(BinaryFn fn, double a, double b) {
  switch (fn) {
    case BinaryFn::kAdd:
      return a + b;
    case BinaryFn::kSub:
      return a - b;
    case BinaryFn::kMul:
      return a * b;
    case BinaryFn::kDiv:
      return a / b;
    case BinaryFn::kDivNoNan:
      return b == 0 ? 0 : a / b;
    case BinaryFn::kFloorDiv:
      return std::floor(a / b);
    case BinaryFn::kFloorMod:
      return floor_mod(a, b);
    case BinaryFn::kTruncDiv:
      return std::trunc(a / b);
    case BinaryFn::kTruncMod:
      return std::fmod(a, b);
    case BinaryFn::kMax:
      return std::isnan(a) ? a : std::isnan(b) ? b : a < b ? b : a;
    case BinaryFn::kMin:
      return std::isnan(a) ? a : std::isnan(b) ? b : b < a ? b : a;
    case BinaryFn::kPow:
      return std::pow(a, b);
    case BinaryFn::kSquaredDifference:
      return (a - b) * (a - b);
    case BinaryFn::kAtan2:
      return std::atan2(a, b);
    default:
      return compare(fn, a, b);
  }
}

// Quotient rounded to zero; wraps for the lowest number divided by -1. b != 0.
int64_t divide(int64_t a, int64_t b) {
  return b == -1 ? static_cast<int64_t>(-static_cast<uint64_t>(a)) : a / b;
}
uint64_t divide(uint64_t a, uint64_t b) { return a / b; }

// TensorFlow clamps the amount: the processor's answer to others is not defined.
template <typename W>
int shift_amount(W amount, DType t) {
  const W most = static_cast<W>(8 * dtype_size(t) - 1);
  return static_cast<int>(amount < W{0} ? W{0} : amount > most ? most : amount);
}

// nullopt: no result; `error` says why.
template <typename W>
std::optional<W> integer(BinaryFn fn, W a, W b, DType t, const char** error) {
  using U = uint64_t;
  const U ua = static_cast<U>(a), ub = static_cast<U>(b);
  switch (fn) {
    case BinaryFn::kAdd:
      return static_cast<W>(ua + ub);
    case BinaryFn::kSub:
      return static_cast<W>(ua - ub);
    case BinaryFn::kMul:
      return static_cast<W>(ua * ub);
    case BinaryFn::kSquaredDifference:
      return static_cast<W>((ua - ub) * (ua - ub));
    case BinaryFn::kMax:
      return a < b ? b : a;
    case BinaryFn::kMin:
      return b < a ? b : a;
    case BinaryFn::kDiv:
    case BinaryFn::kTruncDiv:
    case BinaryFn::kTruncMod:
    case BinaryFn::kFloorDiv:
    case BinaryFn::kFloorMod: {
      if (b == 0) {
        *error = "integer division by zero";
        return std::nullopt;
      }
      const W q = divide(a, b), r = static_cast<W>(ua - static_cast<U>(q) * ub);
      const bool below = r != 0 && ((r < W{0}) != (b < W{0}));  // the quotient was rounded up
      if (fn == BinaryFn::kTruncMod) return r;
      if (fn == BinaryFn::kFloorDiv) return static_cast<W>(static_cast<U>(q) - below);
      if (fn == BinaryFn::kFloorMod) return below ? static_cast<W>(static_cast<U>(r) + ub) : r;
      return q;
    }
    case BinaryFn::kPow: {
      if (b < W{0}) {
        *error = "integers to negative integer powers are not allowed";
        return std::nullopt;
      }
      U r = 1, base = ua;
      for (U e = ub; e != 0; e >>= 1, base *= base)
        if (e & 1) r *= base;
      return static_cast<W>(r);
    }
    case BinaryFn::kBitwiseAnd:
      return a & b;
    case BinaryFn::kBitwiseOr:
      return a | b;
    case BinaryFn::kBitwiseXor:
      return a ^ b;
    case BinaryFn::kLeftShift:
      return static_cast<W>(ua << shift_amount(b, t));
    case BinaryFn::kRightShift:
      return static_cast<W>(a >> shift_amount(b, t));
    default:
      return static_cast<W>(compare(fn, a, b));
  }
}

}  // namespace

Status evaluate_binary(const Call& c) {
  const BinaryFn fn = c.op.as<ir::BinaryAttrs>().fn;
  const DType t = c.in[0].dtype;
  const char* error = nullptr;
  visit_wide(t, [&]<typename W>() {
    const std::vector<W> a = load<W>(c.in[0]), b = load<W>(c.in[1]);
    std::vector<W> r(static_cast<size_t>(elems(c.out[0].dims)));
    std::vector<size_t> at(r.size());
    walk(c.out[0].dims, broadcast_strides(c.in[0].dims, c.out[0].dims), 0,
         [&](int64_t i, int64_t k) { at[static_cast<size_t>(i)] = static_cast<size_t>(k); });
    walk(c.out[0].dims, broadcast_strides(c.in[1].dims, c.out[0].dims), 0,
         [&](int64_t i, int64_t k) {
           const W x = a[at[static_cast<size_t>(i)]], y = b[static_cast<size_t>(k)];
           if constexpr (std::is_same_v<W, double>) {
             r[static_cast<size_t>(i)] = real(fn, x, y);
           } else {
             r[static_cast<size_t>(i)] = integer(fn, x, y, t, &error).value_or(0);
           }
         });
    store(c.out[0], r);
  });
  return error != nullptr ? c.fail(error) : ok_status();
}

Status evaluate_select(const Call& c) {
  const auto* cond = static_cast<const bool*>(c.in[0].data);
  const std::span<const int64_t> dims = c.out[0].dims;
  std::vector<bool> pick(static_cast<size_t>(elems(dims)));
  walk(dims, broadcast_strides(c.in[0].dims, dims), 0,
       [&](int64_t i, int64_t k) { pick[static_cast<size_t>(i)] = cond[k]; });
  for (bool branch : {true, false}) {
    const ConstTensor& src = c.in[branch ? 1 : 2];
    walk(dims, broadcast_strides(src.dims, dims), 0, [&](int64_t i, int64_t k) {
      if (pick[static_cast<size_t>(i)] == branch) copy_element(c.out[0], i, src, k);
    });
  }
  return ok_status();
}

Status evaluate_affine(const Call& c) {
  const auto& act = c.op.as<ir::AffineAttrs>().act;
  std::vector<double> x = load<double>(c.in[0]);
  const std::vector<double> scale = load<double>(c.in[1]), shift = load<double>(c.in[2]);
  for (size_t i = 0; i < x.size(); ++i) {
    const size_t ch = i % scale.size();
    x[i] = apply(act, x[i] * scale[ch] + shift[ch]);
  }
  store(c.out[0], x);
  return ok_status();
}

}  // namespace graft::reference
