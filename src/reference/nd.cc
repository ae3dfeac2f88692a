// gather_nd, scatter_nd, scan, top_k.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "reference/values.h"

namespace graft::reference {

namespace {

// Row (of the axes behind the first K) of `dims` under index vector i.
Result<int64_t> row_of(const Call& c, std::span<const int64_t> dims,
                       const std::vector<int64_t>& index, int64_t k, int64_t i) {
  int64_t row = 0;
  for (int64_t d = 0; d < k; ++d) {
    const int64_t v = index[static_cast<size_t>(i * k + d)], n = dims[static_cast<size_t>(d)];
    if (v < 0 || v >= n)
      return c.fail("index " + std::to_string(v) + " is not in [0, " + std::to_string(n) + ")");
    row = row * n + v;
  }
  return row;
}

template <typename W>
W combine(ir::ScatterFn fn, W a, W b) {
  const auto wrapped = [](auto f, W x, W y) {
    if constexpr (std::is_same_v<W, double>)
      return f(x, y);
    else
      return static_cast<W>(f(static_cast<uint64_t>(x), static_cast<uint64_t>(y)));
  };
  switch (fn) {
    case ir::ScatterFn::kAdd:
      return wrapped([](auto x, auto y) { return x + y; }, a, b);
    case ir::ScatterFn::kSub:
      return wrapped([](auto x, auto y) { return x - y; }, a, b);
    case ir::ScatterFn::kMax:
      return a < b ? b : a;
    case ir::ScatterFn::kMin:
      return b < a ? b : a;
    default:
      return b;
  }
}

}  // namespace

Status evaluate_gather_nd(const Call& c) {
  const std::vector<int64_t> index = ints(c.in[1]);
  const int64_t k = c.in[1].dims.back(), picks = elems(c.in[1].dims.first(c.in[1].dims.size() - 1));
  const int64_t inner = elems(c.in[0].dims.subspan(static_cast<size_t>(k)));
  if (picks > 0 && elems(c.in[0].dims) == 0)  // as TensorFlow, though the answer is empty
    return c.fail("params have no elements, indices name " + std::to_string(picks) +
                  ", expected 0");
  for (int64_t i = 0; i < picks; ++i) {
    GRAFT_ASSIGN_OR_RETURN(const int64_t row, row_of(c, c.in[0].dims, index, k, i));
    for (int64_t j = 0; j < inner; ++j)
      copy_element(c.out[0], i * inner + j, c.in[0], row * inner + j);
  }
  return ok_status();
}

Status evaluate_scatter_nd(const Call& c) {
  const ir::ScatterFn fn = c.op.as<ir::ScatterNdAttrs>().fn;
  const std::vector<int64_t> index = ints(c.in[1]);
  const int64_t k = c.in[1].dims.back(), count = elems(c.in[1].dims.first(c.in[1].dims.size() - 1));
  const int64_t inner = elems(c.in[0].dims.subspan(static_cast<size_t>(k)));
  const int64_t indices = elems(c.in[1].dims), given = elems(c.in[2].dims);
  const bool nothing = indices == 0 && given == 0;
  if (!nothing && (elems(c.in[0].dims) == 0 || indices == 0 || given == 0))  // as TensorFlow
    return c.fail("src has " + std::to_string(elems(c.in[0].dims)) + " elements, indices " +
                  std::to_string(indices) + ", updates " + std::to_string(given) +
                  ": expected some in each, or no indices and no updates");
  return visit_wide(c.in[0].dtype, [&]<typename W>() -> Status {
    std::vector<W> y = load<W>(c.in[0]);
    const std::vector<W> updates = load<W>(c.in[2]);
    for (int64_t i = 0; i < count; ++i) {
      GRAFT_ASSIGN_OR_RETURN(const int64_t row, row_of(c, c.in[0].dims, index, k, i));
      for (int64_t j = 0; j < inner; ++j) {
        W& at = y[static_cast<size_t>(row * inner + j)];
        at = wrap(c.in[0].dtype, combine(fn, at, updates[static_cast<size_t>(i * inner + j)]));
      }
    }
    store(c.out[0], y);
    return ok_status();
  });
}

Status evaluate_scan(const Call& c) {
  const auto& a = c.op.as<ir::ScanAttrs>();
  const auto axis = static_cast<size_t>(a.axis);
  const int64_t n = c.in[0].dims[axis], inner = elems(c.in[0].dims.subspan(axis + 1)),
                outer = elems(c.in[0].dims.first(axis));
  visit_wide(c.in[0].dtype, [&]<typename W>() {
    const std::vector<W> x = load<W>(c.in[0]);
    std::vector<W> y(x.size());
    using A = std::conditional_t<std::is_same_v<W, double>, double, uint64_t>;
    for (int64_t o = 0; o < outer * inner; ++o) {
      A sum = a.fn == ir::ReduceFn::kSum ? 0 : 1;
      for (int64_t i = 0; i < n; ++i) {
        const auto at =
            static_cast<size_t>((o / inner * n + (a.reverse ? n - 1 - i : i)) * inner + o % inner);
        if (a.exclusive) y[at] = static_cast<W>(sum);
        if (a.fn == ir::ReduceFn::kSum)
          sum += static_cast<A>(x[at]);
        else
          sum *= static_cast<A>(x[at]);
        if (!a.exclusive) y[at] = static_cast<W>(sum);
      }
    }
    store(c.out[0], y);
  });
  return ok_status();
}

Status evaluate_top_k(const Call& c) {
  const int64_t n = c.in[0].dims.back(), k = c.out[0].dims.back();
  if (k > n)
    return c.fail("k is " + std::to_string(k) + ", the rows have " + std::to_string(n) +
                  " elements");
  const int64_t rows = elems(c.in[0].dims.first(c.in[0].dims.size() - 1));
  std::vector<int64_t> picks;
  visit_wide(c.in[0].dtype, [&]<typename W>() {
    const std::vector<W> x = load<W>(c.in[0]);
    for (int64_t r = 0; r < rows; ++r) {
      const W* row = x.data() + r * n;
      std::vector<int64_t> order(static_cast<size_t>(n));
      std::iota(order.begin(), order.end(), 0);
      std::stable_sort(order.begin(), order.end(), [&](int64_t i, int64_t j) {
        if constexpr (std::is_same_v<W, double>) {
          if (std::isnan(row[i]) || std::isnan(row[j]))
            return !std::isnan(row[i]) && std::isnan(row[j]);
        }
        return row[i] > row[j];
      });
      for (int64_t i = 0; i < k; ++i) {
        copy_element(c.out[0], r * k + i, c.in[0], r * n + order[static_cast<size_t>(i)]);
        picks.push_back(order[static_cast<size_t>(i)]);
      }
    }
  });
  store(c.out[1], picks);
  return ok_status();
}

}  // namespace graft::reference
