// IEEE binary16 and bfloat16 as storage types: conversions round to nearest even and keep NaN and
// Inf.
#pragma once

#include <bit>
#include <cstdint>

namespace graft {

inline float half_to_float(uint16_t h) {
  const uint32_t sign = static_cast<uint32_t>(h & 0x8000u) << 16;
  const uint32_t exp = (h >> 10) & 0x1fu;
  uint32_t man = h & 0x3ffu;
  if (exp == 31) return std::bit_cast<float>(sign | 0x7f800000u | (man << 13));
  if (exp != 0) return std::bit_cast<float>(sign | ((exp + 112) << 23) | (man << 13));
  // Zero or subnormal: man * 2^-24, exact in float.
  const float value = static_cast<float>(man) * 0x1p-24f;
  return std::bit_cast<float>(std::bit_cast<uint32_t>(value) | sign);
}

inline uint16_t float_to_half(float f) {
  const uint32_t x = std::bit_cast<uint32_t>(f);
  const uint32_t sign = (x >> 16) & 0x8000u;
  const uint32_t mag = x & 0x7fffffffu;
  if (mag > 0x7f800000u) return static_cast<uint16_t>(sign | 0x7e00u | ((mag >> 13) & 0x3ffu));
  if (mag >= 0x477ff000u)
    return static_cast<uint16_t>(sign | 0x7c00u);  // rounds to Inf from 65520 up
  if (mag < 0x38800000u) {                         // below 2^-14: subnormal half
    if (mag < 0x33000000u) return static_cast<uint16_t>(sign);
    const uint32_t exp = mag >> 23;
    const uint32_t man = (mag & 0x7fffffu) | 0x800000u;
    const uint32_t shift = 126 - exp;  // 14..24
    const uint32_t rounded = man >> shift;
    const uint32_t rest = man & ((1u << shift) - 1), tie = 1u << (shift - 1);
    return static_cast<uint16_t>(sign | (rounded + (rest > tie || (rest == tie && (rounded & 1)))));
  }
  const uint32_t base = mag - 0x38000000u;
  const uint32_t rest = base & 0x1fffu, rounded = base >> 13;
  return static_cast<uint16_t>(sign |
                               (rounded + (rest > 0x1000u || (rest == 0x1000u && (rounded & 1)))));
}

inline float bfloat16_to_float(uint16_t b) {
  return std::bit_cast<float>(static_cast<uint32_t>(b) << 16);
}

inline uint16_t float_to_bfloat16(float f) {
  const uint32_t x = std::bit_cast<uint32_t>(f);
  if ((x & 0x7fffffffu) > 0x7f800000u) return static_cast<uint16_t>((x >> 16) | 0x40u);
  return static_cast<uint16_t>((x + 0x7fffu + ((x >> 16) & 1u)) >> 16);
}

struct Half {
  uint16_t bits = 0;
  Half() = default;
  explicit Half(float f) : bits(float_to_half(f)) {}
  explicit operator float() const { return half_to_float(bits); }
};

struct Bfloat16 {
  uint16_t bits = 0;
  Bfloat16() = default;
  explicit Bfloat16(float f) : bits(float_to_bfloat16(f)) {}
  explicit operator float() const { return bfloat16_to_float(bits); }
};

}  // namespace graft
