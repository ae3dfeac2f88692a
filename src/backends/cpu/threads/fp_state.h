// The floating-point state of every computing thread: round to nearest, all exceptions masked,
// denormals flushed to zero on output and input. Restored on destruction.
#pragma once

#include <xmmintrin.h>

namespace graft::cpu {

inline constexpr unsigned kComputeMxcsr =
    0x9fc0;                                      // default state plus FTZ (bit 15) and DAZ (bit 6)
inline constexpr unsigned kExactMxcsr = 0x1f80;  // default state: for folding and the reference

class FpStateScope {
 public:
  explicit FpStateScope(unsigned state = kComputeMxcsr) : saved_(_mm_getcsr()) {
    if (saved_ != state) _mm_setcsr(state);
  }
  ~FpStateScope() { _mm_setcsr(saved_); }
  FpStateScope(const FpStateScope&) = delete;
  FpStateScope& operator=(const FpStateScope&) = delete;

 private:
  unsigned saved_;
};

}  // namespace graft::cpu
