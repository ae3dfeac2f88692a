#include "reference/values.h"

#include <bit>
#include <cmath>
#include <cstring>

namespace graft::reference {

namespace {

// To float with round-to-odd, so that a second rounding to 16 bits gives what one rounding would.
float round_to_odd(double v) {
  const float f = static_cast<float>(v);
  if (std::isnan(v) || static_cast<double>(f) == v) return f;
  uint32_t bits = std::bit_cast<uint32_t>(f);
  if (std::fabs(static_cast<double>(f)) > std::fabs(v)) --bits;
  return std::bit_cast<float>(bits | 1u);
}

template <typename W, typename T>
W widen(T v) {
  if constexpr (std::is_same_v<T, Half> || std::is_same_v<T, Bfloat16>)
    return static_cast<W>(static_cast<float>(v));
  else
    return static_cast<W>(v);
}

template <typename T, typename W>
T narrow(W v) {
  if constexpr (std::is_same_v<T, Half> || std::is_same_v<T, Bfloat16>) {
    if constexpr (std::is_same_v<W, double>)
      return T(round_to_odd(v));
    else
      return T(static_cast<float>(v));
  } else if constexpr (std::is_same_v<T, bool>) {
    return v != 0;
  } else {
    return static_cast<T>(v);
  }
}

}  // namespace

int64_t elems(std::span<const int64_t> dims) {
  int64_t n = 1;
  for (int64_t d : dims) n *= d;
  return n;
}

template <typename W>
std::vector<W> load(const ConstTensor& src) {
  std::vector<W> out(static_cast<size_t>(elems(src.dims)));
  visit_dtype(src.dtype, [&]<typename T>() {
    const T* p = static_cast<const T*>(src.data);
    for (size_t i = 0; i < out.size(); ++i) out[i] = widen<W>(p[i]);
  });
  return out;
}
template std::vector<double> load(const ConstTensor&);
template std::vector<int64_t> load(const ConstTensor&);
template std::vector<uint64_t> load(const ConstTensor&);

template <typename W>
void store(const MutTensor& dst, const std::vector<W>& values) {
  visit_dtype(dst.dtype, [&]<typename T>() {
    T* p = static_cast<T*>(dst.data);
    for (size_t i = 0; i < values.size(); ++i) p[i] = narrow<T>(values[i]);
  });
}
template void store(const MutTensor&, const std::vector<double>&);
template void store(const MutTensor&, const std::vector<int64_t>&);
template void store(const MutTensor&, const std::vector<uint64_t>&);

template <typename W>
W wrap(DType t, W v) {
  if (is_floating(t)) return v;
  return visit_dtype(t, [v]<typename T>() { return widen<W>(narrow<T>(v)); });
}
template int64_t wrap(DType, int64_t);
template uint64_t wrap(DType, uint64_t);
template <>
double wrap(DType, double v) {
  return v;
}

std::vector<int64_t> ints(const ConstTensor& src) { return load<int64_t>(src); }

Dims strides_of(std::span<const int64_t> dims) {
  Dims s{};
  int64_t step = 1;
  for (size_t i = dims.size(); i-- > 0;) {
    s[i] = step;
    step *= dims[i];
  }
  return s;
}

Dims broadcast_strides(std::span<const int64_t> dims, std::span<const int64_t> to) {
  const Dims own = strides_of(dims);
  Dims s{};
  for (size_t i = 0; i < dims.size(); ++i)
    s[to.size() - dims.size() + i] = dims[i] == 1 ? 0 : own[i];
  return s;
}

void copy_element(const MutTensor& dst, int64_t d, const ConstTensor& src, int64_t s) {
  auto* to = static_cast<std::byte*>(dst.data);
  const auto* from = static_cast<const std::byte*>(src.data);
  switch (dtype_size(dst.dtype)) {
    case 1:
      std::memcpy(to + d, from + s, 1);
      break;
    case 2:
      std::memcpy(to + 2 * d, from + 2 * s, 2);
      break;
    case 4:
      std::memcpy(to + 4 * d, from + 4 * s, 4);
      break;
    default:
      std::memcpy(to + 8 * d, from + 8 * s, 8);
      break;
  }
}

}  // namespace graft::reference
