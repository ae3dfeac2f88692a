// Names of the functions that elementwise, reduction and window ops compute; used by text dumps and
// error texts.
#include "ir/attrs.h"

#include <iterator>

namespace graft::ir {

namespace {

template <typename E, size_t N>
const char* lookup(const char* const (&names)[N], E value) {
  static_assert(N == static_cast<size_t>(E::kCount));
  const auto i = static_cast<size_t>(value);
  return i < N ? names[i] : "invalid";
}

}  // namespace

const char* name_of(UnaryFn fn) {
  static const char* const kNames[] = {"identity",
                                       "neg",
                                       "abs",
                                       "exp",
                                       "expm1",
                                       "log",
                                       "log1p",
                                       "sqrt",
                                       "rsqrt",
                                       "square",
                                       "reciprocal",
                                       "sigmoid",
                                       "tanh",
                                       "erf",
                                       "erfc",
                                       "relu",
                                       "relu6",
                                       "elu",
                                       "selu",
                                       "leaky_relu",
                                       "softplus",
                                       "softsign",
                                       "swish",
                                       "gelu",
                                       "gelu_tanh",
                                       "hard_swish",
                                       "hard_sigmoid",
                                       "clip",
                                       "floor",
                                       "ceil",
                                       "rint",
                                       "sign",
                                       "sin",
                                       "cos",
                                       "tan",
                                       "asin",
                                       "acos",
                                       "atan",
                                       "sinh",
                                       "cosh",
                                       "asinh",
                                       "acosh",
                                       "atanh",
                                       "logical_not",
                                       "is_nan",
                                       "is_inf",
                                       "is_finite",
                                       "invert",
                                       "population_count",
                                       "round_away",
                                       "bessel_i0",
                                       "bessel_i0e",
                                       "bessel_i1",
                                       "bessel_i1e"};
  return lookup(kNames, fn);
}
const char* name_of(BinaryFn fn) {
  static const char* const kNames[] = {"add",
                                       "sub",
                                       "mul",
                                       "div",
                                       "div_no_nan",
                                       "floor_div",
                                       "floor_mod",
                                       "trunc_div",
                                       "trunc_mod",
                                       "max",
                                       "min",
                                       "pow",
                                       "squared_difference",
                                       "atan2",
                                       "less",
                                       "less_equal",
                                       "greater",
                                       "greater_equal",
                                       "equal",
                                       "not_equal",
                                       "logical_and",
                                       "logical_or",
                                       "bitwise_and",
                                       "bitwise_or",
                                       "bitwise_xor",
                                       "left_shift",
                                       "right_shift"};
  return lookup(kNames, fn);
}
const char* name_of(ReduceFn fn) {
  static const char* const kNames[] = {"sum", "mean", "max", "min", "prod", "all", "any"};
  return lookup(kNames, fn);
}
const char* name_of(ScatterFn fn) {
  static const char* const kNames[] = {"replace", "add", "sub", "max", "min"};
  return lookup(kNames, fn);
}
const char* name_of(PoolFn fn) {
  static const char* const kNames[] = {"max", "avg"};
  return lookup(kNames, fn);
}
const char* name_of(Padding padding) {
  static const char* const kNames[] = {"valid", "same", "explicit"};
  return lookup(kNames, padding);
}
const char* name_of(PadMode mode) {
  static const char* const kNames[] = {"constant", "reflect", "symmetric"};
  return lookup(kNames, mode);
}
const char* name_of(ResizeMethod method) {
  static const char* const kNames[] = {"sample", "bicubic", "area"};
  return lookup(kNames, method);
}
const char* name_of(FakeQuantFn fn) {
  static const char* const kNames[] = {"nudged", "nudged_divide", "half_to_even", "half_up"};
  return lookup(kNames, fn);
}
const char* name_of(RecurrentFn fn) {
  static const char* const kNames[] = {"lstm", "gru", "gru_reset_after", "simple"};
  return lookup(kNames, fn);
}
const char* name_of(FftFn fn) {
  static const char* const kNames[] = {"forward", "inverse", "real", "inverse_real"};
  return lookup(kNames, fn);
}
const char* name_of(ComplexFn fn) {
  static const char* const kNames[] = {"real", "imag", "abs", "angle", "exp", "make", "mul"};
  return lookup(kNames, fn);
}

}  // namespace graft::ir
