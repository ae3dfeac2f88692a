// recurrent.
#include <algorithm>

#include "reference/values.h"

namespace graft::reference {

namespace {

using Numbers = std::vector<double>;

// One row of the batch through all steps.
struct Row {
  const ir::RecurrentAttrs& a;
  const Numbers &weights, &bias, &peephole;
  int64_t units;
  Numbers h, c;

  // Of gate g, unit u: x * weights.
  double product(const Numbers& x, int64_t g, int64_t u) const {
    const int64_t columns = ir::gates_of(a.fn) * units;
    double sum = 0;
    for (int64_t k = 0; k < units; ++k)
      sum += x[static_cast<size_t>(k)] * weights[static_cast<size_t>(k * columns + g * units + u)];
    return sum;
  }

  void step(const double* gates) {
    const Numbers before = h;
    Numbers scaled(before.size());  // kGru: r h
    if (a.fn == ir::RecurrentFn::kGru) {
      for (int64_t u = 0; u < units; ++u)
        scaled[static_cast<size_t>(u)] = apply(a.gate, gates[units + u] + product(before, 1, u)) *
                                         before[static_cast<size_t>(u)];
    }
    for (int64_t u = 0; u < units; ++u) {
      const auto at = static_cast<size_t>(u);
      const auto p = [&](int64_t g) { return gates[g * units + u] + product(before, g, u); };
      const auto hole = [&](int64_t i, double cell) {
        return peephole.empty() ? 0.0 : peephole[static_cast<size_t>(i * units + u)] * cell;
      };
      switch (a.fn) {
        case ir::RecurrentFn::kLstm: {
          const double old = c[at];
          double cell = apply(a.gate, p(1) + hole(1, old)) * old +
                        apply(a.gate, p(0) + hole(0, old)) * apply(a.act, p(2));
          if (a.cell_clip > 0) cell = std::clamp(cell, -double{a.cell_clip}, double{a.cell_clip});
          c[at] = cell;
          h[at] = apply(a.gate, p(3) + hole(2, cell)) * apply(a.act, cell);
          break;
        }
        case ir::RecurrentFn::kGru: {
          const double z = apply(a.gate, p(0));
          const double g = apply(a.act, gates[2 * units + u] + product(scaled, 2, u));
          h[at] = z * before[at] + (1 - z) * g;
          break;
        }
        case ir::RecurrentFn::kGruResetAfter: {
          const double z = apply(a.gate, p(0)), r = apply(a.gate, p(1));
          const double inner = product(before, 2, u) + (bias.empty() ? 0.0 : bias[at]);
          h[at] = z * before[at] + (1 - z) * apply(a.act, gates[2 * units + u] + r * inner);
          break;
        }
        default:
          h[at] = apply(a.act, p(0));
      }
    }
  }
};

}  // namespace

Status evaluate_recurrent(const Call& c) {
  const auto& a = c.op.as<ir::RecurrentAttrs>();
  const bool lstm = a.fn == ir::RecurrentFn::kLstm;
  const int64_t steps = c.in[0].dims[0], batch = c.in[0].dims[1], columns = c.in[0].dims[2],
                units = c.in[1].dims[0];
  const Numbers gates = load<double>(c.in[0]), weights = load<double>(c.in[1]),
                h0 = load<double>(c.in[2]), c0 = lstm ? load<double>(c.in[3]) : Numbers();
  const size_t extra = 3u + lstm;
  const Numbers bias = a.has_bias ? load<double>(c.in[extra]) : Numbers(),
                peephole = a.has_peephole ? load<double>(c.in[extra]) : Numbers();
  Numbers y(static_cast<size_t>(elems(c.out[0].dims))), h = h0, cell = c0;
  if (lstm && a.cells) cell.assign(static_cast<size_t>(elems(c.out[2].dims)), 0);
  const auto put = [&](const Numbers& from, Numbers& to, int64_t row) {
    std::copy(from.begin(), from.end(), to.begin() + row * units);
  };
  for (int64_t b = 0; b < batch; ++b) {
    const auto part = [&](const Numbers& all) {
      return all.empty() ? Numbers()
                         : Numbers(all.begin() + b * units, all.begin() + (b + 1) * units);
    };
    Row row{a, weights, bias, peephole, units, part(h0), part(c0)};
    for (int64_t t = 0; t < steps; ++t) {
      row.step(gates.data() + (t * batch + b) * columns);
      put(row.h, y, a.sequence ? t * batch + b : b);
      if (a.cells) put(row.c, cell, t * batch + b);
    }
    put(row.h, h, b);
    if (lstm && !a.cells) put(row.c, cell, b);
  }
  store(c.out[0], y);
  store(c.out[1], h);
  if (lstm) store(c.out[2], cell);
  return ok_status();
}

}  // namespace graft::reference
