// How a transform of a length is computed: passes of small radices, or, where the length has a
// large prime factor, a convolution (Bluestein) by transforms of a longer length that has none.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "backends/cpu/spectral/spectral_table.h"

namespace graft::cpu {

struct FftPass {
  int64_t radix, groups, width;    // width: in cells
  size_t twiddles = 0, roots = 0;  // where they begin in FftPlan::numbers
};

struct FftPlan {
  int64_t length = 1;
  std::vector<FftPass> passes;
  std::vector<float> numbers;
  // Bluestein: exp(-pi j i^2 / length), and the transform of their conjugates, divided by its
  // length.
  std::unique_ptr<FftPlan> longer;
  std::vector<float> chirp, spectrum;

  int64_t cells() const { return longer ? longer->length : length; }
};

FftPlan plan_fft(int64_t length);
// The longest length that plan_fft takes: four times as many cells may be needed.
constexpr int64_t kMaxFftLength = int64_t{1} << 24;

// exp(-2 pi j i / n) for i < count, computed in double.
std::vector<float> roots_of_unity(int64_t n, int64_t count);

// Cells of one transform at a time, in two buffers.
struct FftBuffers {
  float *re, *im, *other_re, *other_im;
};
// Transforms the cells in re and im, where the result is, too; what `other` holds is lost. The
// inverse, not divided by the length, is that of (im, re).
void run_fft(const FftPlan& plan, const SpectralTable& table, int64_t lanes, FftBuffers& cells);

}  // namespace graft::cpu
