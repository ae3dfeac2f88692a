// Cast as TensorFlow's CPU kernel does on x86-64: a floating number that does not fit the integer
// becomes what the processor's conversion gives (the lowest number of the 32- or 64-bit conversion,
// then its low bits). For float64 to 8 and 16 bits TensorFlow itself answers by the position in its
// vectors; no promise is made there.
#include <cmath>

#include "reference/values.h"

namespace graft::reference {

namespace {

int64_t to_int64(double v) {
  if (!(v >= -0x1p63 && v < 0x1p63)) return INT64_MIN;
  return static_cast<int64_t>(v);
}
int32_t to_int32(double v) {
  const double t = std::trunc(v);
  if (!(t >= -0x1p31 && t < 0x1p31)) return INT32_MIN;
  return static_cast<int32_t>(t);
}
uint64_t to_uint64(double v) {
  // Above 2^63 the processor subtracts first.
  if (v >= 0x1p63) return static_cast<uint64_t>(to_int64(v - 0x1p63)) ^ (uint64_t{1} << 63);
  return static_cast<uint64_t>(to_int64(v));
}

template <typename T, typename W>
T convert(W v) {
  if constexpr (std::is_same_v<T, bool>) {
    return v != 0;
  } else if constexpr (std::is_same_v<T, Half> || std::is_same_v<T, Bfloat16>) {
    return T(static_cast<float>(v));
  } else if constexpr (std::is_floating_point_v<T> || !std::is_same_v<W, double>) {
    return static_cast<T>(v);
  } else if constexpr (std::is_same_v<T, uint64_t>) {
    return to_uint64(v);
  } else if constexpr (sizeof(T) == 8 || std::is_same_v<T, uint32_t>) {
    return static_cast<T>(to_int64(v));
  } else {
    return static_cast<T>(to_int32(v));
  }
}

}  // namespace

Status evaluate_cast(const Call& c) {
  visit_wide(c.in[0].dtype, [&]<typename W>() {
    const std::vector<W> v = load<W>(c.in[0]);
    visit_dtype(c.out[0].dtype, [&]<typename T>() {
      T* p = static_cast<T*>(c.out[0].data);
      for (size_t i = 0; i < v.size(); ++i) p[i] = convert<T>(v[i]);
    });
  });
  return ok_status();
}

}  // namespace graft::reference
