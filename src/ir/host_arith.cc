#include "ir/host_arith.h"

#include <algorithm>

namespace graft::ir {

namespace {

std::optional<Dim> plain(std::optional<int64_t> v) {
  if (!v || !Dim(*v).is_const()) return std::nullopt;
  return Dim(*v);
}

std::optional<Dim> constant_binary(BinaryFn fn, int64_t a, int64_t b) {
  const bool divides = b != 0 && !(a == INT64_MIN && b == -1);
  const bool inexact = divides && a % b != 0 && ((a < 0) != (b < 0));
  switch (fn) {
    case BinaryFn::kAdd:
      return plain(checked_add(a, b));
    case BinaryFn::kSub: {
      int64_t r;
      if (__builtin_sub_overflow(a, b, &r)) return std::nullopt;
      return plain(r);
    }
    case BinaryFn::kMul:
      return plain(checked_mul(a, b));
    case BinaryFn::kDiv:
    case BinaryFn::kTruncDiv:
      return divides ? plain(a / b) : std::nullopt;
    case BinaryFn::kTruncMod:
      return divides ? plain(a % b) : std::nullopt;
    case BinaryFn::kFloorDiv:
      return divides ? plain(a / b - inexact) : std::nullopt;
    case BinaryFn::kFloorMod:
      return divides ? plain(a % b + (inexact ? b : 0)) : std::nullopt;
    case BinaryFn::kMax:
      return Dim(std::max(a, b));
    case BinaryFn::kMin:
      return Dim(std::min(a, b));
    case BinaryFn::kLess:
      return Dim(a < b);
    case BinaryFn::kLessEqual:
      return Dim(a <= b);
    case BinaryFn::kGreater:
      return Dim(a > b);
    case BinaryFn::kGreaterEqual:
      return Dim(a >= b);
    case BinaryFn::kEqual:
      return Dim(a == b);
    case BinaryFn::kNotEqual:
      return Dim(a != b);
    case BinaryFn::kLogicalAnd:
      return Dim(a && b);
    case BinaryFn::kLogicalOr:
      return Dim(a || b);
    default:
      return std::nullopt;
  }
}

}  // namespace

std::optional<Dim> host_binary(InferContext& c, BinaryFn fn, Dim a, Dim b) {
  if (a.is_const() && b.is_const()) return constant_binary(fn, a.value(), b.value());
  const bool divides = b.is_const() && b.value() > 0;
  switch (fn) {
    case BinaryFn::kAdd:
      return c.dims.add(a, b);
    case BinaryFn::kSub:
      return c.dims.sub(a, b);
    case BinaryFn::kMul:
      return c.dims.mul(a, b);
    case BinaryFn::kMax:
      return c.dims.max(a, b);
    case BinaryFn::kMin:
      return c.dims.min(a, b);
    case BinaryFn::kFloorDiv:
      if (divides || a == b) return c.dims.floor_div(a, b);
      return std::nullopt;
    case BinaryFn::kDiv:
    case BinaryFn::kTruncDiv:  // equal to the floor where nothing is negative
      if (divides && c.dims.is_non_negative(a)) return c.dims.floor_div(a, b);
      return std::nullopt;
    case BinaryFn::kFloorMod:
      if (divides) return c.dims.sub(a, c.dims.mul(b, c.dims.floor_div(a, b)));
      return std::nullopt;
    default:
      return std::nullopt;
  }
}

std::optional<Dim> host_reduce(InferContext& c, ReduceFn fn, const std::vector<Dim>& elems) {
  BinaryFn step;
  std::optional<Dim> r;
  switch (fn) {
    case ReduceFn::kSum:
      step = BinaryFn::kAdd, r = Dim(0);
      break;
    case ReduceFn::kProd:
      step = BinaryFn::kMul, r = Dim(1);
      break;
    case ReduceFn::kMax:
      step = BinaryFn::kMax;
      break;
    case ReduceFn::kMin:
      step = BinaryFn::kMin;
      break;
    case ReduceFn::kAll:
      step = BinaryFn::kLogicalAnd, r = Dim(1);
      break;
    case ReduceFn::kAny:
      step = BinaryFn::kLogicalOr, r = Dim(0);
      break;
    default:
      return std::nullopt;
  }
  for (size_t i = 0; i < elems.size(); ++i) {
    r = r ? host_binary(c, step, *r, elems[i]) : elems[i];
    if (!r) return std::nullopt;
  }
  return r;
}

}  // namespace graft::ir
