#include "reference/quantized_values.h"

#include <algorithm>
#include <cmath>

namespace graft::reference {

IntTensor integers(const ConstTensor& t) {
  IntTensor r;
  r.scale = t.scale;
  if (t.dtype == DType::kUint8) {
    for (uint64_t v : load<uint64_t>(t)) r.q.push_back(static_cast<int64_t>(v));
  } else {
    r.q = load<int64_t>(t);
  }
  return r;
}

std::vector<float> floats(const ConstTensor& t) {
  std::vector<float> r;
  if (t.scale > 0) {
    for (int64_t q : integers(t).q) r.push_back(static_cast<float>(q) * t.scale);
  } else {
    for (double v : load<double>(t)) r.push_back(static_cast<float>(v));
  }
  return r;
}

void put_floats(const MutTensor& dst, const std::vector<float>& v) {
  std::copy(v.begin(), v.end(), static_cast<float*>(dst.data));
}

void put_quantized(const MutTensor& dst, const std::vector<float>& v) {
  const bool has_sign = dst.dtype == DType::kInt8;
  const float lo = has_sign ? -127.0f : 0.0f;
  for (size_t i = 0; i < v.size(); ++i) {
    float x = v[i] > lo ? v[i] : lo;  // a NaN becomes lo
    x = x < 127.0f ? x : 127.0f;
    const auto q = static_cast<int>(std::nearbyint(x));
    if (has_sign) {
      static_cast<int8_t*>(dst.data)[i] = static_cast<int8_t>(q);
    } else {
      static_cast<uint8_t*>(dst.data)[i] = static_cast<uint8_t>(q);
    }
  }
}

}  // namespace graft::reference
