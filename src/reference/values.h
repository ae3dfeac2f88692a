// Tensors as vectors of one of three wide types, so that an op needs at most three instances:
// double (every floating dtype), int64_t (signed), uint64_t (unsigned and bool). Private to
// src/reference.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "base/dtype.h"
#include "reference/evaluate.h"

namespace graft::reference {

int64_t elems(std::span<const int64_t> dims);

template <typename W>
std::vector<W> load(const ConstTensor& src);
// Integers wrap to the dtype's width; floating dtypes round once, to nearest even.
template <typename W>
void store(const MutTensor& dst, const std::vector<W>& values);

// visit_wide(dtype, [&]<typename W>() { ... })
template <typename Fn>
decltype(auto) visit_wide(DType t, Fn&& fn) {
  if (is_floating(t)) return fn.template operator()<double>();
  if (t == DType::kInt8 || t == DType::kInt16 || t == DType::kInt32 || t == DType::kInt64)
    return fn.template operator()<int64_t>();
  return fn.template operator()<uint64_t>();
}

// An integer wrapped to the width of t; identity for floating dtypes.
template <typename W>
W wrap(DType t, W v);

// The number below which no element of the dtype lies; TensorFlow starts a max pool or dilation
// there, so that a window of NaN or -Inf alone gives it.
template <typename W>
W lowest(DType t) {
  switch (t) {
    case DType::kFloat:
      return static_cast<W>(std::numeric_limits<float>::lowest());
    case DType::kHalf:
      return static_cast<W>(-65504);
    case DType::kBfloat16:
      return static_cast<W>(-0x1.fep127);
    case DType::kInt8:
      return static_cast<W>(INT8_MIN);
    case DType::kInt16:
      return static_cast<W>(INT16_MIN);
    case DType::kInt32:
      return static_cast<W>(INT32_MIN);
    default:
      return std::numeric_limits<W>::lowest();
  }
}

// A small integer operand (shape, axis, padding).
std::vector<int64_t> ints(const ConstTensor& src);

// One argument of the call, with everything an op needs.
struct Call {
  const ir::Op& op;
  std::span<const ConstTensor> in;
  std::span<const MutTensor> out;
  Status fail(const std::string& what) const {
    return invalid_argument("'" + op.name + "': " + what);
  }
};

using Dims = std::array<int64_t, 8>;

// Row-major strides in elements.
Dims strides_of(std::span<const int64_t> dims);
// Strides of a tensor of `dims` broadcast to `to` (aligned at the last axis): 0 where it is
// repeated.
Dims broadcast_strides(std::span<const int64_t> dims, std::span<const int64_t> to);

// Calls fn(i, offset) for every element i of a row-major tensor of `dims`, offset = start +
// sum(index * stride).
template <typename Fn>
void walk(std::span<const int64_t> dims, const Dims& strides, int64_t start, Fn&& fn) {
  const int64_t n = elems(dims);
  const int rank = static_cast<int>(dims.size());
  Dims index{};
  int64_t offset = start;
  for (int64_t i = 0; i < n; ++i) {
    fn(i, offset);
    for (int d = rank - 1; d >= 0; --d) {
      const auto k = static_cast<size_t>(d);
      offset += strides[k];
      if (++index[k] < dims[k]) break;
      offset -= strides[k] * dims[k];
      index[k] = 0;
    }
  }
}

// Copies element s of src to element d of dst, for dtypes of equal size.
void copy_element(const MutTensor& dst, int64_t d, const ConstTensor& src, int64_t s);

double apply(const ir::Activation& act, double x);
int64_t apply(const ir::Activation& act, int64_t x);
uint64_t apply(const ir::Activation& act, uint64_t x);

#define GRAFT_OP(Name, text, min_in, max_in) Status evaluate_##text(const Call& c);
#include "ir/ops.def"
#undef GRAFT_OP
// Any op but movement with a quantized input or dst, as ir/quantized.h says.
Status evaluate_quantized(const Call& c);
// Sum and number of the elements in every window of a pool; both start at 0.
void pool_sums(const Call& c, const std::vector<int64_t>& x, std::vector<int64_t>& sums,
               std::vector<int64_t>& counts);

}  // namespace graft::reference
