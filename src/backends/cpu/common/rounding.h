// Whole multiples of sizes and counts that are not negative.
#pragma once

#include <cstdint>

namespace graft::cpu {

constexpr int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }
constexpr int64_t round_up(int64_t n, int64_t multiple) { return ceil_div(n, multiple) * multiple; }
// To whole cache lines.
constexpr int64_t align64(int64_t bytes) { return round_up(bytes, 64); }

}  // namespace graft::cpu
