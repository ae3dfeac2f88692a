// Element types: dispatch from the run-time DType to a C++ type.
#pragma once

#include <cstdint>
#include <type_traits>

#include "base/check.h"
#include "base/half.h"
#include "graft/types.h"

namespace graft {

constexpr bool is_floating(DType t) {
  return t == DType::kFloat || t == DType::kDouble || t == DType::kHalf || t == DType::kBfloat16;
}
constexpr bool is_integer(DType t) {
  return t == DType::kInt8 || t == DType::kInt16 || t == DType::kInt32 || t == DType::kInt64 ||
         t == DType::kUint8 || t == DType::kUint16 || t == DType::kUint32 || t == DType::kUint64;
}
// Types that a plan may carry.
constexpr bool is_plan_dtype(DType t) {
  return is_floating(t) || is_integer(t) || t == DType::kBool;
}

template <typename T>
constexpr DType dtype_of() {
  if constexpr (std::is_same_v<T, float>)
    return DType::kFloat;
  else if constexpr (std::is_same_v<T, double>)
    return DType::kDouble;
  else if constexpr (std::is_same_v<T, Half>)
    return DType::kHalf;
  else if constexpr (std::is_same_v<T, Bfloat16>)
    return DType::kBfloat16;
  else if constexpr (std::is_same_v<T, int8_t>)
    return DType::kInt8;
  else if constexpr (std::is_same_v<T, int16_t>)
    return DType::kInt16;
  else if constexpr (std::is_same_v<T, int32_t>)
    return DType::kInt32;
  else if constexpr (std::is_same_v<T, int64_t>)
    return DType::kInt64;
  else if constexpr (std::is_same_v<T, uint8_t>)
    return DType::kUint8;
  else if constexpr (std::is_same_v<T, uint16_t>)
    return DType::kUint16;
  else if constexpr (std::is_same_v<T, uint32_t>)
    return DType::kUint32;
  else if constexpr (std::is_same_v<T, uint64_t>)
    return DType::kUint64;
  else if constexpr (std::is_same_v<T, bool>)
    return DType::kBool;
  else
    static_assert(!sizeof(T), "no DType for this type");
}

// visit_dtype(t, [&]<typename T>() { ... }): calls fn with the C++ type of a plan dtype;
// InternalError for others.
template <typename Fn>
decltype(auto) visit_dtype(DType t, Fn&& fn) {
  switch (t) {
    case DType::kFloat:
      return fn.template operator()<float>();
    case DType::kDouble:
      return fn.template operator()<double>();
    case DType::kHalf:
      return fn.template operator()<Half>();
    case DType::kBfloat16:
      return fn.template operator()<Bfloat16>();
    case DType::kInt8:
      return fn.template operator()<int8_t>();
    case DType::kInt16:
      return fn.template operator()<int16_t>();
    case DType::kInt32:
      return fn.template operator()<int32_t>();
    case DType::kInt64:
      return fn.template operator()<int64_t>();
    case DType::kUint8:
      return fn.template operator()<uint8_t>();
    case DType::kUint16:
      return fn.template operator()<uint16_t>();
    case DType::kUint32:
      return fn.template operator()<uint32_t>();
    case DType::kUint64:
      return fn.template operator()<uint64_t>();
    case DType::kBool:
      return fn.template operator()<bool>();
    default:
      throw_internal_error(__FILE__, __LINE__, "visit_dtype of " + dtype_name(t));
  }
}

}  // namespace graft
