#include "base/half.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace graft {
namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();

// The value of a small binary format from its definition: 1 sign, exp_bits, man_bits.
double decode(uint32_t bits, int exp_bits, int man_bits) {
  const uint32_t exp_max = (1u << exp_bits) - 1, exp = (bits >> man_bits) & exp_max,
                 man = bits & ((1u << man_bits) - 1);
  const int bias = (1 << (exp_bits - 1)) - 1;
  const double sign = (bits >> (exp_bits + man_bits)) & 1 ? -1 : 1;
  if (exp == exp_max) return man ? std::nan("") : sign * std::numeric_limits<double>::infinity();
  if (exp == 0) return sign * std::ldexp(man, 1 - bias - man_bits);
  return sign * std::ldexp((1u << man_bits) + man, static_cast<int>(exp) - bias - man_bits);
}

template <typename ToFloat, typename FromFloat>
void check_all(int exp_bits, int man_bits, ToFloat to_float, FromFloat from_float) {
  for (uint32_t bits = 0; bits < 65536; ++bits) {
    const auto value = static_cast<uint16_t>(bits);
    const double want = decode(bits, exp_bits, man_bits);
    const float got = to_float(value);
    if (std::isnan(want)) {
      ASSERT_TRUE(std::isnan(got)) << bits;
      ASSERT_TRUE(std::isnan(to_float(from_float(got)))) << bits;
      continue;
    }
    ASSERT_EQ(static_cast<double>(got), want) << bits;
    ASSERT_EQ(std::signbit(got), (bits >> 15) != 0) << bits;
    ASSERT_EQ(from_float(got), value) << bits;
  }
}

// Between two neighbours a < b of a format: below the middle a, above it b, at the middle the even
// one.
template <typename ToFloat, typename FromFloat>
void check_rounding(uint32_t last_finite, ToFloat to_float, FromFloat from_float) {
  for (uint32_t bits = 0; bits < last_finite; ++bits) {
    const auto low = static_cast<uint16_t>(bits), high = static_cast<uint16_t>(bits + 1);
    const double a = to_float(low), b = to_float(high);
    const double exact = (a + b) / 2;
    const auto middle = static_cast<float>(exact);
    if (static_cast<double>(middle) != exact) continue;
    ASSERT_EQ(from_float(middle), bits % 2 == 0 ? low : high) << bits;
    ASSERT_EQ(from_float(std::nextafter(middle, -kInf)), low) << bits;
    ASSERT_EQ(from_float(std::nextafter(middle, kInf)), high) << bits;
    ASSERT_EQ(from_float(-middle), (bits % 2 == 0 ? low : high) | 0x8000) << bits;
  }
}

TEST(Half, all_65536_values_convert_and_return) { check_all(5, 10, half_to_float, float_to_half); }
TEST(Half, rounds_to_nearest_even) { check_rounding(0x7bff, half_to_float, float_to_half); }
TEST(Half, overflow_and_underflow) {
  EXPECT_EQ(float_to_half(65504.0f), 0x7bff);
  EXPECT_EQ(float_to_half(std::nextafter(65520.0f, 0.0f)), 0x7bff);
  EXPECT_EQ(float_to_half(65520.0f), 0x7c00);
  EXPECT_EQ(float_to_half(-1e30f), 0xfc00);
  EXPECT_EQ(float_to_half(0x1p-25f), 0);  // tie between 0 and the smallest: even
  EXPECT_EQ(float_to_half(std::nextafter(0x1p-25f, 1.0f)), 1);
  EXPECT_EQ(float_to_half(-0.0f), 0x8000);
  EXPECT_EQ(float_to_half(std::numeric_limits<float>::denorm_min()), 0);
}

TEST(Bfloat16, all_65536_values_convert_and_return) {
  check_all(8, 7, bfloat16_to_float, float_to_bfloat16);
}
TEST(Bfloat16, rounds_to_nearest_even) {
  check_rounding(0x7f7f, bfloat16_to_float, float_to_bfloat16);
}
TEST(Bfloat16, overflow_and_nan) {
  EXPECT_EQ(float_to_bfloat16(std::numeric_limits<float>::max()), 0x7f80);
  // A NaN whose payload lies in the dropped bits only must not become Inf.
  EXPECT_TRUE(std::isnan(bfloat16_to_float(float_to_bfloat16(std::bit_cast<float>(0x7f800001u)))));
  EXPECT_TRUE(std::isnan(half_to_float(float_to_half(std::bit_cast<float>(0xff800001u)))));
}

}  // namespace
}  // namespace graft
