#include "backends/cpu/spectral/fft_plan.h"

#include <algorithm>
#include <cmath>
#include <complex>
#include <numbers>

namespace graft::cpu {
namespace {

// exp(-2 pi j i / n).
std::complex<double> root_of_unity(int64_t i, int64_t n) {
  const double angle = 2 * std::numbers::pi * static_cast<double>(i % n) / static_cast<double>(n);
  return {std::cos(angle), -std::sin(angle)};
}

void push(std::vector<float>& to, std::complex<double> v) {
  to.push_back(static_cast<float>(v.real()));
  to.push_back(static_cast<float>(v.imag()));
}

// Radices whose product is n, large ones first; empty where a prime factor has no pass.
std::vector<int64_t> radices_of(int64_t n) {
  std::vector<int64_t> radices;
  for (int64_t p = 3; p <= kMaxRadix && n > 1; p += 2)
    for (; n % p == 0; n /= p) radices.push_back(p);
  for (; n % 4 == 0; n /= 4) radices.push_back(4);
  if (n % 2 == 0) {
    radices.push_back(2);
    n /= 2;
  }
  return n == 1 ? radices : std::vector<int64_t>{};
}

// The least length of factors 2, 3 and 5 that is at least n.
int64_t smooth_length(int64_t n) {
  int64_t best = 1;
  while (best < n) best *= 2;
  for (int64_t five = 1; five < best; five *= 5) {
    for (int64_t three = five; three < best; three *= 3) {
      int64_t length = three;
      while (length < n) length *= 2;
      best = std::min(best, length);
    }
  }
  return best;
}

void add_passes(FftPlan& plan, const std::vector<int64_t>& radices) {
  int64_t left = plan.length, width = 1;
  for (const int64_t radix : radices) {
    FftPass pass{radix, left / radix, width};
    pass.roots = plan.numbers.size();
    for (int64_t i = 0; i < radix; ++i) push(plan.numbers, std::conj(root_of_unity(i, radix)));
    pass.twiddles = plan.numbers.size();
    for (int64_t p = 0; p < pass.groups; ++p)
      for (int64_t k = 1; k < radix; ++k) push(plan.numbers, root_of_unity(p * k, left));
    plan.passes.push_back(pass);
    left /= radix;
    width *= radix;
  }
}

using Signal = std::vector<std::complex<double>>;

// In double, for the one spectrum of a plan: by halves, thirds and fifths. `roots`: those of
// x.size() * step.
Signal transform(const Signal& x, const Signal& roots, size_t step) {
  const size_t n = x.size(), r = n % 2 == 0 ? 2 : n % 3 == 0 ? 3 : 5, m = n / r;
  if (n == 1) return x;
  std::vector<Signal> parts;
  for (size_t part = 0; part < r; ++part) {
    Signal every;
    for (size_t i = part; i < n; i += r) every.push_back(x[i]);
    parts.push_back(transform(every, roots, step * r));
  }
  Signal y(n);
  for (size_t k = 0; k < n; ++k)
    for (size_t part = 0; part < r; ++part) y[k] += parts[part][k % m] * roots[part * k % n * step];
  return y;
}

void add_convolution(FftPlan& plan) {
  const int64_t n = plan.length, m = smooth_length(2 * n - 1);
  plan.longer = std::make_unique<FftPlan>(plan_fft(m));
  Signal filter(static_cast<size_t>(m));
  for (int64_t i = 0; i < n; ++i) {
    // i^2 mod 2 n, which may not fit when it is computed in floating point.
    const auto square =
        static_cast<int64_t>(static_cast<unsigned __int128>(i) * static_cast<uint64_t>(i) %
                             (2 * static_cast<uint64_t>(n)));
    const std::complex<double> w = root_of_unity(square, 2 * n);
    push(plan.chirp, w);
    filter[static_cast<size_t>(i)] = std::conj(w) / static_cast<double>(m);
    if (i > 0) filter[static_cast<size_t>(m - i)] = filter[static_cast<size_t>(i)];
  }
  Signal roots;
  for (int64_t i = 0; i < m; ++i) roots.push_back(root_of_unity(i, m));
  for (const std::complex<double>& v : transform(filter, roots, 1)) push(plan.spectrum, v);
}

void run_passes(const FftPlan& plan, const SpectralTable& table, int64_t lanes, FftBuffers& cells) {
  for (const FftPass& pass : plan.passes) {
    const FftPassArgs args{cells.re,
                           cells.im,
                           cells.other_re,
                           cells.other_im,
                           pass.groups,
                           pass.width * lanes,
                           pass.radix,
                           plan.numbers.data() + pass.twiddles,
                           plan.numbers.data() + pass.roots};
    table.pass(&args);
    std::swap(cells.re, cells.other_re);
    std::swap(cells.im, cells.other_im);
  }
}

}  // namespace

FftPlan plan_fft(int64_t length) {
  FftPlan plan;
  plan.length = length;
  if (length == 1) return plan;
  const std::vector<int64_t> radices = radices_of(length);
  if (radices.empty())
    add_convolution(plan);
  else
    add_passes(plan, radices);
  return plan;
}

std::vector<float> roots_of_unity(int64_t n, int64_t count) {
  std::vector<float> roots;
  for (int64_t i = 0; i < count; ++i) push(roots, root_of_unity(i, n));
  return roots;
}

void run_fft(const FftPlan& plan, const SpectralTable& table, int64_t lanes, FftBuffers& cells) {
  if (!plan.longer) return run_passes(plan, table, lanes, cells);
  const int64_t m = plan.longer->length;
  const auto scale = [&](const std::vector<float>& weights, int64_t count) {
    const FftScaleArgs args{cells.re, cells.im, cells.re, cells.im, count, lanes, weights.data()};
    table.scale(&args);
  };
  scale(plan.chirp, plan.length);
  std::fill(cells.re + plan.length * lanes, cells.re + m * lanes, 0.0f);
  std::fill(cells.im + plan.length * lanes, cells.im + m * lanes, 0.0f);
  run_passes(*plan.longer, table, lanes, cells);
  scale(plan.spectrum, m);
  FftBuffers swapped{cells.im, cells.re, cells.other_im, cells.other_re};
  run_passes(*plan.longer, table, lanes, swapped);
  cells = {swapped.im, swapped.re, swapped.other_im, swapped.other_re};
  scale(plan.chirp, plan.length);
}

}  // namespace graft::cpu
