// fft and complex.
#include <cmath>
#include <complex>
#include <numbers>

#include "reference/values.h"

namespace graft::reference {

namespace {

using Complex = std::complex<double>;
using Row = std::vector<Complex>;

// As four real products: the operator of std::complex looks for infinities.
Complex times(Complex a, Complex b) {
  return {a.real() * b.real() - a.imag() * b.imag(), a.real() * b.imag() + a.imag() * b.real()};
}

int64_t smallest_factor(int64_t n) {
  for (int64_t p = 2; p * p <= n; ++p)
    if (n % p == 0) return p;
  return n;
}

// exp(-2 pi j i / n) for i < n.
Row roots_of(int64_t n) {
  Row roots;
  for (int64_t i = 0; i < n; ++i) {
    const double angle = -2 * std::numbers::pi * static_cast<double>(i) / static_cast<double>(n);
    roots.emplace_back(std::cos(angle), std::sin(angle));
  }
  return roots;
}

// The sums over x[i] * root^(i * k), by the smallest prime factor: transforms of every p-th
// element, then sums over these. `roots` are those of x.size() * step.
Row transform(const Row& x, const Row& roots, int64_t step) {
  const auto n = static_cast<int64_t>(x.size());
  const int64_t p = smallest_factor(n), m = n / std::max<int64_t>(p, 1);
  if (n <= 1) return x;
  std::vector<Row> parts;
  for (int64_t r = 0; r < p; ++r) {
    Row part;
    for (int64_t i = 0; i < m; ++i) part.push_back(x[static_cast<size_t>(i * p + r)]);
    parts.push_back(transform(part, roots, step * p));
  }
  Row y;
  for (int64_t k = 0; k < n; ++k) {
    Complex sum = 0;
    for (int64_t r = 0; r < p; ++r)
      sum += times(parts[static_cast<size_t>(r)][static_cast<size_t>(k % m)],
                   roots[static_cast<size_t>(r * k % n * step)]);
    y.push_back(sum);
  }
  return y;
}

// Both ways: the inverse is the conjugate of the transform of the conjugates, divided by n.
Row both_ways(Row x, const Row& roots, bool inverse) {
  if (inverse)
    for (Complex& e : x) e = std::conj(e);
  Row y = transform(x, roots, 1);
  if (inverse)
    for (Complex& e : y) e = std::conj(e) / static_cast<double>(y.size());
  return y;
}

}  // namespace

Status evaluate_fft(const Call& c) {
  const auto& a = c.op.as<ir::FftAttrs>();
  const bool from_real = a.fn == ir::FftFn::kReal, to_real = a.fn == ir::FftFn::kInverseReal;
  const auto axis = static_cast<size_t>(a.axis);
  const auto s = c.in[0].dims, d = c.out[0].dims;
  const int64_t length = from_real || to_real ? ints(c.in[1])[0] : s[axis];
  const int64_t needed = to_real ? length / 2 + 1 : length;
  if (s[axis] < needed)
    return c.fail("axis " + std::to_string(a.axis) + " has " + std::to_string(s[axis]) +
                  " elements, expected " + std::to_string(needed));
  const std::vector<double> x = load<double>(c.in[0]);
  std::vector<double> y(static_cast<size_t>(elems(d)));
  const size_t axes = from_real ? s.size() : s.size() - 1;
  const int64_t outer = elems(s.first(axis)), inner = elems(s.subspan(axis + 1, axes - axis - 1));
  const Row roots = roots_of(length);
  for (int64_t row = 0; row < outer * inner; ++row) {
    const auto at = [&](std::span<const int64_t> dims, int64_t i) {
      return static_cast<size_t>((row / inner * dims[axis] + i) * inner + row % inner);
    };
    Row values(static_cast<size_t>(length));
    for (int64_t i = 0; i < needed; ++i) {
      const size_t from = at(s, i);
      auto& v = values[static_cast<size_t>(i)];
      v = from_real ? Complex(x[from]) : Complex(x[2 * from], x[2 * from + 1]);
      if (!to_real) continue;
      if (i == 0 || 2 * i == length) v = v.real();
      if (i > 0) values[static_cast<size_t>(length - i)] = std::conj(v);
    }
    values = both_ways(std::move(values), roots, a.fn == ir::FftFn::kInverse || to_real);
    for (int64_t i = 0; i < d[axis]; ++i) {
      Complex v = values[static_cast<size_t>(i)];
      // Sums of real numbers.
      if (from_real && (i == 0 || 2 * i == length)) v = v.real();
      const size_t to = at(d, i);
      if (to_real) {
        y[to] = v.real();
      } else {
        y[2 * to] = v.real();
        y[2 * to + 1] = v.imag();
      }
    }
  }
  store(c.out[0], y);
  return ok_status();
}

Status evaluate_complex(const Call& c) {
  using ir::ComplexFn;
  const ComplexFn fn = c.op.as<ir::ComplexAttrs>().fn;
  const std::vector<double> x = load<double>(c.in[0]);
  std::vector<double> y(static_cast<size_t>(elems(c.out[0].dims)));
  if (fn == ComplexFn::kMake || fn == ComplexFn::kMul) {
    const bool make = fn == ComplexFn::kMake;
    const auto numbers = [&](std::span<const int64_t> dims) {
      return make ? dims : dims.first(dims.size() - 1);
    };
    const auto out = c.out[0].dims.first(c.out[0].dims.size() - 1);
    const std::vector<double> z = load<double>(c.in[1]);
    std::vector<size_t> other;
    walk(out, broadcast_strides(numbers(c.in[1].dims), out), 0,
         [&](int64_t, int64_t at) { other.push_back(static_cast<size_t>(at)); });
    walk(out, broadcast_strides(numbers(c.in[0].dims), out), 0, [&](int64_t i, int64_t at) {
      const auto to = static_cast<size_t>(2 * i), a = static_cast<size_t>(at);
      const size_t b = other[static_cast<size_t>(i)];
      const Complex v =
          make ? Complex(x[a], z[b]) : times({x[2 * a], x[2 * a + 1]}, {z[2 * b], z[2 * b + 1]});
      y[to] = v.real();
      y[to + 1] = v.imag();
    });
    store(c.out[0], y);
    return ok_status();
  }
  for (size_t i = 0; i < x.size() / 2; ++i) {
    const Complex v(x[2 * i], x[2 * i + 1]);
    switch (fn) {
      case ComplexFn::kReal:
        y[i] = v.real();
        break;
      case ComplexFn::kImag:
        y[i] = v.imag();
        break;
      case ComplexFn::kAbs:
        y[i] = std::hypot(v.real(), v.imag());
        break;
      case ComplexFn::kAngle:
        y[i] = std::atan2(v.imag(), v.real());
        break;
      default: {
        const Complex e = std::exp(v);
        y[2 * i] = e.real();
        y[2 * i + 1] = e.imag();
      }
    }
  }
  store(c.out[0], y);
  return ok_status();
}

}  // namespace graft::reference
