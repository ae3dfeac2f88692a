// Fourier transforms, arithmetic on complex numbers and dilation, against the reference evaluator,
// on one and on several threads.
#include <complex>

#include "step_testing.h"

namespace graft::cpu::testing {
namespace {

using ir::ComplexFn;
using ir::FftFn;

// Errors grow with the square root of the length, as the sums do.
void check_fft(std::mt19937& rng, FftFn fn, int64_t axis, const std::vector<int64_t>& dims,
               int32_t length = 0) {
  SCOPED_TRACE(std::string(ir::name_of(fn)) + " of length " + std::to_string(length) + ", axis " +
               std::to_string(axis));
  Case c{ir::FftAttrs{fn, axis}, {draw(rng, DType::kFloat, dims)}};
  if (length > 0) c.inputs.push_back(ints({}, {length}));
  const bool inverse = fn == FftFn::kInverse || fn == FftFn::kInverseReal;
  const auto extent = static_cast<double>(dims[static_cast<size_t>(axis)]);
  check(c, {inverse ? 2e-6 : 2e-6 * std::sqrt(extent + 1), 1e-6});
}

TEST(Fft, lengths) {
  std::mt19937 rng(1);
  for (int64_t n :
       {1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12,  13,  15,  16,  17,  20,  21,  25, 29,
        30, 31, 32, 33, 35, 37, 49, 60, 64, 74, 77, 101, 121, 127, 128, 200, 202, 256, 400}) {
    for (int64_t rows : {1, 3, 21}) {
      check_fft(rng, FftFn::kForward, 1, {rows, n, 2});
      check_fft(rng, FftFn::kInverse, 1, {rows, n, 2});
      check_fft(rng, FftFn::kReal, 1, {rows, n}, static_cast<int32_t>(n));
      check_fft(rng, FftFn::kInverseReal, 1, {rows, n / 2 + 1, 2}, static_cast<int32_t>(n));
    }
  }
}

TEST(Fft, long_rows_and_many_rows) {
  std::mt19937 rng(2);
  for (int64_t n : {1009, 1024, 2048, 4096, 6561, 10007, 16384}) {
    check_fft(rng, FftFn::kForward, 1, {2, n, 2});
    check_fft(rng, FftFn::kReal, 1, {5, n}, static_cast<int32_t>(n));
    check_fft(rng, FftFn::kInverseReal, 1, {5, n / 2 + 1, 2}, static_cast<int32_t>(n));
  }
  check_fft(rng, FftFn::kReal, 2, {3, 97, 512}, 512);
}

TEST(Fft, columns) {
  std::mt19937 rng(3);
  for (int64_t inner : {1, 2, 3, 16, 37}) {
    for (int64_t n : {8, 9, 37, 60}) {
      const auto length = static_cast<int32_t>(n);
      check_fft(rng, FftFn::kForward, 1, {3, n, inner, 2});
      check_fft(rng, FftFn::kInverse, 1, {3, n, inner, 2});
      check_fft(rng, FftFn::kReal, 1, {3, n, inner}, length);
      check_fft(rng, FftFn::kInverseReal, 1, {3, n / 2 + 1, inner, 2}, length);
    }
  }
  check_fft(rng, FftFn::kForward, 0, {64, 5, 7, 2});
}

TEST(Fft, src_is_longer_than_the_length) {
  std::mt19937 rng(4);
  for (int32_t n : {1, 2, 7, 8, 12}) {
    check_fft(rng, FftFn::kReal, 1, {5, 20}, n);
    check_fft(rng, FftFn::kReal, 0, {20, 5}, n);
    check_fft(rng, FftFn::kInverseReal, 1, {5, 20, 2}, n);
    check_fft(rng, FftFn::kInverseReal, 0, {20, 5, 2}, n);
  }
}

TEST(Fft, nothing) {
  std::mt19937 rng(5);
  check_fft(rng, FftFn::kForward, 1, {0, 8, 2});
  check_fft(rng, FftFn::kForward, 1, {3, 0, 2});
  check_fft(rng, FftFn::kReal, 1, {0, 8}, 8);
  check_fft(rng, FftFn::kReal, 0, {8, 0}, 8);
}

TEST(Fft, rows_do_not_meet) {
  std::mt19937 rng(6);
  Tensor x = draw(rng, DType::kFloat, {40, 64});
  for (int64_t i = 0; i < 64; ++i) {
    const float nan = NAN;
    std::memcpy(x.bytes.data() + (7 * 64 + i) * 4, &nan, 4);
  }
  const Case c{ir::FftAttrs{FftFn::kReal, 1}, {x, ints({}, {64})}};
  const Tensor y = run_kernel(c, {})[0];
  for (int64_t i = 0; i < y.elems(); ++i)
    EXPECT_EQ(std::isnan(y.at<float>(i)), i / 66 == 7 && i % 66 != 1 && i % 66 != 65) << i;
}

TEST(Complex, parts_and_arithmetic) {
  std::mt19937 rng(7);
  for (int64_t n : {0, 1, 7, 33, 5000}) {
    const Tensor x = draw(rng, DType::kFloat, {3, n, 2});
    for (ComplexFn fn :
         {ComplexFn::kReal, ComplexFn::kImag, ComplexFn::kAbs, ComplexFn::kAngle, ComplexFn::kExp})
      check({ir::ComplexAttrs{fn}, {x}}, {2e-6, 1e-6});
    for (const std::vector<int64_t>& other :
         {std::vector<int64_t>{3, n}, {n}, {3, 1}, {}, {1, 1}, {4, 1, 1}}) {
      std::vector<int64_t> pairs = other;
      pairs.push_back(2);
      const Tensor y = draw(rng, DType::kFloat, pairs);
      check({ir::ComplexAttrs{ComplexFn::kMul}, {x, y}}, {2e-6, 2e-6});
      check({ir::ComplexAttrs{ComplexFn::kMul}, {y, x}}, {2e-6, 2e-6});
      const Tensor re = draw(rng, DType::kFloat, {3, n}), im = draw(rng, DType::kFloat, other);
      check({ir::ComplexAttrs{ComplexFn::kMake}, {re, im}}, {0, 0});
      check({ir::ComplexAttrs{ComplexFn::kMake}, {im, re}}, {0, 0});
    }
  }
}

TEST(Complex, exp_of_large_angles_and_what_is_no_number) {
  const float inf = INFINITY;
  const Tensor x = floats({10, 2}, {0.5f, 1e5f, -3, 1e30f, inf, 1, -inf, 2, NAN, 0,
                                    1,    inf,  88, 1.5f,  -80, 3, 200,  1, 0,   -0.0f});
  for (ir::Isa isa : isa_levels()) {
    const Tensor y = run_kernel({ir::ComplexAttrs{ComplexFn::kExp}, {x}}, {.isa = isa})[0];
    for (int64_t i = 0; i < 10; ++i) {
      const std::complex<double> e =
          std::exp(std::complex<double>(x.at<float>(2 * i), x.at<float>(2 * i + 1)));
      for (int64_t part = 0; part < 2; ++part) {
        const auto want = static_cast<float>(part ? e.imag() : e.real());
        const float got = y.at<float>(2 * i + part);
        if (std::isnan(want))
          EXPECT_TRUE(std::isnan(got)) << i;
        else
          EXPECT_FLOAT_EQ(got, want) << i;
      }
    }
  }
}

TEST(Complex, abs_of_what_is_large_small_or_infinite) {
  const float inf = INFINITY;
  const Tensor x = floats({9, 2}, {3e38f, 3e38f, 1e-30f, 1e-30f, inf, NAN, NAN, -inf, NAN, 1, 3e30f,
                                   -4e30f, 0, 0, -inf, 2, 3, -4});
  const Tensor y = run_kernel({ir::ComplexAttrs{ComplexFn::kAbs}, {x}}, {})[0];
  const float want[] = {inf, 1.41421356e-30f, inf, inf, NAN, 5e30f, 0, inf, 5};
  for (int64_t i = 0; i < 9; ++i) {
    if (std::isnan(want[i]))
      EXPECT_TRUE(std::isnan(y.at<float>(i)));
    else
      EXPECT_FLOAT_EQ(y.at<float>(i), want[i]) << i;
  }
}

TEST(Dilation, windows_channels_and_nan) {
  std::mt19937 rng(8);
  for (int64_t channels : {1, 3, 16, 70}) {
    for (ir::Padding padding : {ir::Padding::kValid, ir::Padding::kSame}) {
      for (const auto& [strides, rates] :
           {std::pair<std::vector<int64_t>, std::vector<int64_t>>{{1, 1}, {1, 1}},
            {{2, 3}, {1, 1}},
            {{1, 1}, {2, 3}},
            {{3, 1}, {1, 2}},
            {{9, 11}, {2, 1}}}) {
        const ir::Dilation2DAttrs a{strides, rates, padding};
        Tensor src = draw(rng, DType::kFloat, {2, 9, 37, channels});
        const Tensor filter = draw(rng, DType::kFloat, {3, 4, channels});
        check({a, {src, filter}});
        for (int64_t i = 0; i < src.elems(); i += 5) {
          const float odd = i % 2 ? NAN : -INFINITY;
          std::memcpy(src.bytes.data() + i * 4, &odd, 4);
        }
        check({a, {src, filter}});
      }
    }
  }
}

TEST(Dilation, windows_larger_than_the_image) {
  std::mt19937 rng(9);
  const Tensor src = draw(rng, DType::kFloat, {2, 3, 4, 5});
  check({ir::Dilation2DAttrs{{1, 1}, {1, 1}, ir::Padding::kSame},
         {src, draw(rng, DType::kFloat, {9, 11, 5})}});
  check({ir::Dilation2DAttrs{{1, 1}, {5, 7}, ir::Padding::kSame},
         {src, draw(rng, DType::kFloat, {3, 3, 5})}});
}

}  // namespace
}  // namespace graft::cpu::testing
