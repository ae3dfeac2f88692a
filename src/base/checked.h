// Checked arithmetic for sizes that come from bytes or users: nullopt / InvalidGraph instead of
// wrapping.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace graft {

inline std::optional<int64_t> checked_add(int64_t a, int64_t b) {
  int64_t r;
  if (__builtin_add_overflow(a, b, &r)) return std::nullopt;
  return r;
}
inline std::optional<int64_t> checked_mul(int64_t a, int64_t b) {
  int64_t r;
  if (__builtin_mul_overflow(a, b, &r)) return std::nullopt;
  return r;
}
// Product of dims; nullopt on overflow or when a dim is negative. Empty dims: 1. A zero anywhere
// does not hide an overflow of the others, as in TensorFlow's TensorShape.
inline std::optional<int64_t> checked_product(std::span<const int64_t> dims) {
  int64_t r = 1;
  bool zero = false;
  for (int64_t d : dims) {
    if (d < 0) return std::nullopt;
    if (d == 0) {
      zero = true;
      continue;
    }
    if (__builtin_mul_overflow(r, d, &r)) return std::nullopt;
  }
  return zero ? 0 : r;
}

}  // namespace graft
