// Matrix product and attention.
#include <cmath>

#include "reference/values.h"

namespace graft::reference {

namespace {

template <typename W>
void multiply(const Call& c) {
  const auto& a = c.op.as<ir::MatMulAttrs>();
  using Acc = std::conditional_t<std::is_same_v<W, double>, double, uint64_t>;
  const std::vector<W> x = load<W>(c.in[0]), w = load<W>(c.in[1]);
  const std::vector<W> bias = a.has_bias ? load<W>(c.in[2]) : std::vector<W>{};
  const std::vector<W> residual =
      a.has_residual ? load<W>(c.in[a.has_bias ? 3 : 2]) : std::vector<W>{};
  const auto xd = c.in[0].dims, wd = c.in[1].dims, d = c.out[0].dims;
  const size_t rx = xd.size(), rw = wd.size(), r = d.size();
  const int64_t m = d[r - 2], n = d[r - 1], k = xd[rx - (a.transpose_a ? 2 : 1)];
  const int64_t xm = a.transpose_a ? 1 : k, xk = a.transpose_a ? m : 1;
  const int64_t wk = a.transpose_b ? 1 : n, wn = a.transpose_b ? k : 1;
  const auto batch = d.first(r - 2);
  std::vector<int64_t> xs(static_cast<size_t>(elems(batch))), ws(xs.size());
  walk(batch, broadcast_strides(xd.first(rx - 2), batch), 0,
       [&](int64_t i, int64_t o) { xs[static_cast<size_t>(i)] = o; });
  walk(batch, broadcast_strides(wd.first(rw - 2), batch), 0,
       [&](int64_t i, int64_t o) { ws[static_cast<size_t>(i)] = o; });
  std::vector<W> y(static_cast<size_t>(elems(d)));
  std::vector<Acc> acc(static_cast<size_t>(n));
  for (size_t b = 0; b < xs.size(); ++b) {
    const W *xb = x.data() + xs[b] * m * k, *wb = w.data() + ws[b] * k * n;
    for (int64_t i = 0; i < m; ++i) {
      acc.assign(static_cast<size_t>(n), Acc{0});
      for (int64_t p = 0; p < k; ++p) {
        const Acc v = static_cast<Acc>(xb[i * xm + p * xk]);
        for (int64_t j = 0; j < n; ++j)
          acc[static_cast<size_t>(j)] += v * static_cast<Acc>(wb[p * wk + j * wn]);
      }
      for (int64_t j = 0; j < n; ++j) {
        const size_t at = static_cast<size_t>((static_cast<int64_t>(b) * m + i) * n + j);
        Acc v = acc[static_cast<size_t>(j)];
        if (a.has_bias) v += static_cast<Acc>(bias[static_cast<size_t>(j)]);
        if (a.has_residual) v += static_cast<Acc>(residual[at]);
        y[at] = apply(a.act, wrap(c.out[0].dtype, static_cast<W>(v)));
      }
    }
  }
  store(c.out[0], y);
}

}  // namespace

Status evaluate_matmul(const Call& c) {
  visit_wide(c.in[0].dtype, [&]<typename W>() { multiply<W>(c); });
  return ok_status();
}

Status evaluate_attention(const Call& c) {
  const auto& a = c.op.as<ir::AttentionAttrs>();
  const std::vector<double> q = load<double>(c.in[0]), k = load<double>(c.in[1]),
                            v = load<double>(c.in[2]);
  const auto qd = c.in[0].dims, vd = c.in[2].dims;
  const int64_t batch = qd[0], sq = qd[1], heads = qd[2], depth = qd[3], sk = vd[1], dv = vd[3];
  const int64_t scores_dims[] = {batch, heads, sq, sk};
  std::vector<double> p(static_cast<size_t>(batch * heads * sq * sk), 0.0);
  if (a.has_mask) {
    const std::vector<double> mask = load<double>(c.in[3]);
    walk(scores_dims, broadcast_strides(c.in[3].dims, scores_dims), 0,
         [&](int64_t i, int64_t o) { p[static_cast<size_t>(i)] = mask[static_cast<size_t>(o)]; });
  }
  std::vector<double> y(static_cast<size_t>(batch * sq * heads * dv), 0.0);
  for (int64_t row = 0; row < batch * heads * sq; ++row) {
    const int64_t i = row % sq, h = row / sq % heads, b = row / sq / heads;
    double* s = p.data() + row * sk;
    double top = -INFINITY, sum = 0;
    for (int64_t j = 0; j < sk; ++j) {
      double dot = 0;
      for (int64_t e = 0; e < depth; ++e)
        dot += q[static_cast<size_t>(((b * sq + i) * heads + h) * depth + e)] *
               k[static_cast<size_t>(((b * sk + j) * heads + h) * depth + e)];
      s[j] += dot * static_cast<double>(a.scale);
      top = std::fmax(top, s[j]);
    }
    for (int64_t j = 0; j < sk; ++j) sum += s[j] = std::exp(s[j] - top);
    double* to = y.data() + ((b * sq + i) * heads + h) * dv;
    for (int64_t j = 0; j < sk; ++j)
      for (int64_t e = 0; e < dv; ++e)
        to[e] += s[j] / sum * v[static_cast<size_t>(((b * sk + j) * heads + h) * dv + e)];
  }
  store(c.out[0], y);
  return ok_status();
}

}  // namespace graft::reference
