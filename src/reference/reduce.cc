// Reductions, arg reductions, and the normalizations over the last axis.
#include <cmath>
#include <limits>

#include "base/fault.h"
#include "reference/values.h"

namespace graft::reference {

using ir::ReduceFn;

namespace {

template <typename W>
W step(ReduceFn fn, W acc, W v) {
  switch (fn) {
    case ReduceFn::kSum:
    case ReduceFn::kMean:
      return static_cast<W>(acc + v);
    case ReduceFn::kProd:
      return static_cast<W>(acc * v);
    // NaN wins, as in TensorFlow.
    case ReduceFn::kMax:
      return v > acc || v != v ? v : acc;
    case ReduceFn::kMin:
      return v < acc || v != v ? v : acc;
    case ReduceFn::kAll:
      return acc != 0 && v != 0;
    default:
      return acc != 0 || v != 0;
  }
}
// Signed overflow wraps.
template <>
int64_t step(ReduceFn fn, int64_t acc, int64_t v) {
  if (fn == ReduceFn::kMax) return v > acc ? v : acc;
  if (fn == ReduceFn::kMin) return v < acc ? v : acc;
  return static_cast<int64_t>(step(fn, static_cast<uint64_t>(acc), static_cast<uint64_t>(v)));
}

template <typename W>
W extreme(DType t, bool lowest) {
  if constexpr (std::is_same_v<W, double>) {
    return lowest ? -INFINITY : INFINITY;
  } else {
    return visit_dtype(t, [lowest]<typename T>() -> W {
      if constexpr (std::is_integral_v<T>)
        return static_cast<W>(lowest ? std::numeric_limits<T>::lowest()
                                     : std::numeric_limits<T>::max());
      else
        return W{0};
    });
  }
}

template <typename W>
W initial(ReduceFn fn, DType t) {
  switch (fn) {
    case ReduceFn::kProd:
    case ReduceFn::kAll:
      return W{1};
    case ReduceFn::kMax:
      return extreme<W>(t, true);
    case ReduceFn::kMin:
      return extreme<W>(t, false);
    default:
      return W{0};
  }
}

}  // namespace

Status evaluate_reduce(const Call& c) {
  const auto& a = c.op.as<ir::ReduceAttrs>();
  const std::span<const int64_t> dims = c.in[0].dims;
  // Strides of the output seen from the input: 0 along the reduced axes.
  Dims strides{};
  int64_t out_step = 1, count = 1;
  for (size_t i = dims.size(); i-- > 0;) {
    bool reduced = false;
    for (int64_t axis : a.axes) reduced |= axis == static_cast<int64_t>(i);
    strides[i] = reduced ? 0 : out_step;
    (reduced ? count : out_step) *= dims[i];
  }
  visit_wide(c.in[0].dtype, [&]<typename W>() {
    const std::vector<W> x = load<W>(c.in[0]);
    std::vector<W> y(static_cast<size_t>(elems(c.out[0].dims)), initial<W>(a.fn, c.in[0].dtype));
    walk(dims, strides, 0, [&](int64_t i, int64_t o) {
      W& acc = y[static_cast<size_t>(o)];
      acc = step(a.fn, acc, x[static_cast<size_t>(i)]);
    });
    if (a.fn == ReduceFn::kMean) {
      for (W& v : y) {
        if constexpr (std::is_same_v<W, double>)
          v /= static_cast<double>(GRAFT_FAULT(mean_of_wrong_axis) ? dims.front() : count);
        else
          v = count == 0 ? 0 : v / static_cast<W>(count);
      }
    }
    store(c.out[0], y);
  });
  return ok_status();
}

Status evaluate_arg_reduce(const Call& c) {
  const auto& a = c.op.as<ir::ArgReduceAttrs>();
  const auto axis = static_cast<size_t>(a.axis);
  const std::span<const int64_t> dims = c.in[0].dims;
  const int64_t n = dims[axis], inner = elems(dims.subspan(axis + 1)),
                outer = elems(dims.first(axis));
  if (n == 0) return c.fail("reduction axis " + std::to_string(a.axis) + " is empty");
  std::vector<int64_t> y(static_cast<size_t>(outer * inner));
  visit_wide(c.in[0].dtype, [&]<typename W>() {
    const std::vector<W> x = load<W>(c.in[0]);
    for (size_t i = 0; i < y.size(); ++i) {
      const int64_t base =
          static_cast<int64_t>(i) / inner * n * inner + static_cast<int64_t>(i) % inner;
      W best = extreme<W>(c.in[0].dtype, a.max);  // NaN never wins
      for (int64_t j = 0; j < n; ++j) {
        const W v = x[static_cast<size_t>(base + j * inner)];
        if (a.max ? v > best : v < best) {
          best = v;
          y[i] = j;
        }
      }
    }
  });
  store(c.out[0], y);
  return ok_status();
}

Status evaluate_softmax(const Call& c) {
  std::vector<double> x = load<double>(c.in[0]);
  const bool log = c.op.as<ir::SoftmaxAttrs>().log;
  const auto n = static_cast<size_t>(c.in[0].dims.back());
  for (size_t at = 0; n != 0 && at < x.size(); at += n) {
    double* row = &x[at];
    double top = -INFINITY, sum = 0;
    for (size_t j = 0; j < n; ++j) top = std::fmax(top, row[j]);
    for (size_t j = 0; j < n; ++j) sum += std::exp(row[j] - top);
    for (size_t j = 0; j < n; ++j)
      row[j] = log ? row[j] - top - std::log(sum) : std::exp(row[j] - top) / sum;
  }
  store(c.out[0], x);
  return ok_status();
}

Status evaluate_layer_norm(const Call& c) {
  std::vector<double> x = load<double>(c.in[0]);
  const std::vector<double> gamma = load<double>(c.in[1]), beta = load<double>(c.in[2]);
  const double epsilon = c.op.as<ir::LayerNormAttrs>().epsilon;
  const size_t n = gamma.size();
  for (size_t at = 0; n != 0 && at < x.size(); at += n) {
    double* row = &x[at];
    double mean = 0, var = 0;
    for (size_t j = 0; j < n; ++j) mean += row[j];
    mean /= static_cast<double>(n);
    for (size_t j = 0; j < n; ++j) var += (row[j] - mean) * (row[j] - mean);
    var /= static_cast<double>(n);
    for (size_t j = 0; j < n; ++j)
      row[j] = (row[j] - mean) / std::sqrt(var + epsilon) * gamma[j] + beta[j];
  }
  store(c.out[0], x);
  return ok_status();
}

}  // namespace graft::reference
