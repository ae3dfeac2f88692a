// Arithmetic on rows of complex numbers, which the compiler turns into vectors.
#pragma once

#include <math.h>

#include "backends/cpu/spectral/cells_vec.h"
#include "backends/cpu/spectral/fft_vec.h"

namespace graft::cpu {
inline namespace GRAFT_ISA_NAMESPACE {

static void complex_part(const ComplexArgs* args) {
  const float* a = args->a;
  float* dst = args->dst;
  for (ptrdiff_t i = 0; i < args->n; ++i) dst[i] = a[2 * i];
}

// In double, where no square overflows; infinite where a part is, even beside NaN.
static void complex_abs(const ComplexArgs* args) {
  const float* a = args->a;
  float* dst = args->dst;
  for (ptrdiff_t i = 0; i < args->n; ++i) {
    const double re = a[2 * i], im = a[2 * i + 1];
    const double size = __builtin_sqrt(re * re + im * im);
    const bool infinite = (__builtin_fabs(re) == HUGE_VAL) | (__builtin_fabs(im) == HUGE_VAL);
    dst[i] = static_cast<float>(infinite ? HUGE_VAL : size);
  }
}

static void complex_make(const ComplexArgs* args) {
  const float *a = args->a, *b = args->b;
  float* dst = args->dst;
  const ptrdiff_t a_step = args->a_step, b_step = args->b_step;
  if (a_step == 1 && b_step == 1) {
    for (ptrdiff_t i = 0; i < args->n; ++i) {
      dst[2 * i] = a[i];
      dst[2 * i + 1] = b[i];
    }
    return;
  }
  for (ptrdiff_t i = 0; i < args->n; ++i) {
    dst[2 * i] = a[i * a_step];
    dst[2 * i + 1] = b[i * b_step];
  }
}

static void complex_mul(const ComplexArgs* args) {
  const float *a = args->a, *b = args->b;
  float* dst = args->dst;
  if (args->a_step == 1 && args->b_step == 1) {
    for (ptrdiff_t i = 0; i < args->n; ++i) {
      const float ar = a[2 * i], ai = a[2 * i + 1], br = b[2 * i], bi = b[2 * i + 1];
      dst[2 * i] = ar * br - ai * bi;
      dst[2 * i + 1] = ar * bi + ai * br;
    }
    return;
  }
  const float* one = args->a_step ? b : a;  // the operand that stays
  const float* many = args->a_step ? a : b;
  const ptrdiff_t step = args->a_step || args->b_step ? 2 : 0;
  const float br = one[0], bi = one[1];
  for (ptrdiff_t i = 0; i < args->n; ++i) {
    const float ar = many[i * step], ai = many[i * step + 1];
    dst[2 * i] = ar * br - ai * bi;
    dst[2 * i + 1] = ar * bi + ai * br;
  }
}

// exp(re) times cosine and sine of im, in double, for |im| < kMaxExpAngle: the nearest integer of x
// is what adding 1.5 * 2^52 leaves in the low bits.
static void complex_exp(const ComplexArgs* args) {
  constexpr double kNearest = 6755399441055744.0;
  const float* a = args->a;
  float* dst = args->dst;
  for (ptrdiff_t i = 0; i < args->n; ++i) {
    double x = a[2 * i];
    const double y = a[2 * i + 1];
    x = x < -700.0 ? -700.0 : x;
    x = x > 700.0 ? 700.0 : x;
    const double n = x * 1.4426950408889634 + kNearest;
    const double r = x - (n - kNearest) * 0.6931471805599453;
    double e = 1.0 / 5040;
    e = e * r + 1.0 / 720;
    e = e * r + 1.0 / 120;
    e = e * r + 1.0 / 24;
    e = e * r + 1.0 / 6;
    e = e * r + 0.5;
    e = e * r + 1.0;
    e = e * r + 1.0;
    const uint64_t exponent = (__builtin_bit_cast(uint64_t, n) + 1023) << 52;
    e *= __builtin_bit_cast(double, exponent);
    const double k = y * 0.6366197723675814 + kNearest;
    const double t = y - (k - kNearest) * 1.5707963267948966;
    const double z = t * t;
    double s = 1.0 / 362880;
    s = s * z - 1.0 / 5040;
    s = s * z + 1.0 / 120;
    s = s * z - 1.0 / 6;
    s = s * z * t + t;
    double c = -1.0 / 3628800;
    c = c * z + 1.0 / 40320;
    c = c * z - 1.0 / 720;
    c = c * z + 1.0 / 24;
    c = c * z - 0.5;
    c = c * z + 1.0;
    // A quarter turn a step: (c, s), (-s, c), (-c, -s), (s, -c).
    const uint64_t quarter = __builtin_bit_cast(uint64_t, k);
    const bool odd = (quarter & 1) != 0;
    const double re = odd ? s : c, im = odd ? c : s;
    const uint64_t flip_re = ((quarter + 1) & 2) << 62, flip_im = (quarter & 2) << 62;
    const double cosine = __builtin_bit_cast(double, __builtin_bit_cast(uint64_t, re) ^ flip_re);
    const double sine = __builtin_bit_cast(double, __builtin_bit_cast(uint64_t, im) ^ flip_im);
    dst[2 * i] = static_cast<float>(e * cosine);
    dst[2 * i + 1] = static_cast<float>(e * sine);
  }
}

static constexpr SpectralTable make_spectral_table() {
  return {kLanes,     &fft_pass,     &fft_load,    &fft_store,    &fft_split,   &fft_merge,
          &fft_scale, &complex_part, &complex_abs, &complex_make, &complex_mul, &complex_exp};
}

}  // namespace GRAFT_ISA_NAMESPACE
}  // namespace graft::cpu
