// gather, one_hot, range.
#include "reference/values.h"

namespace graft::reference {

Status evaluate_gather(const Call& c) {
  const auto& a = c.op.as<ir::GatherAttrs>();
  const auto axis = static_cast<size_t>(a.axis), batch = static_cast<size_t>(a.batch_dims);
  const std::span<const int64_t> params = c.in[0].dims;
  const std::vector<int64_t> index = ints(c.in[1]);
  const int64_t batches = elems(params.first(batch)),
                outer = elems(params.subspan(batch, axis - batch));
  const int64_t n = params[axis], inner = elems(params.subspan(axis + 1));
  const int64_t picks = elems(c.in[1].dims.subspan(batch));
  int64_t to = 0;
  for (int64_t row = 0; row < batches * outer; ++row) {
    for (int64_t j = 0; j < picks; ++j) {
      const int64_t at = index[static_cast<size_t>(row / outer * picks + j)];
      if (at < 0 || at >= n)
        return c.fail("index " + std::to_string(at) + " is not in [0, " + std::to_string(n) + ")");
      for (int64_t k = 0; k < inner; ++k)
        copy_element(c.out[0], to++, c.in[0], (row * n + at) * inner + k);
    }
  }
  return ok_status();
}

Status evaluate_one_hot(const Call& c) {
  const auto axis = static_cast<size_t>(c.op.as<ir::OneHotAttrs>().axis);
  const std::vector<int64_t> index = ints(c.in[0]);
  const int64_t depth = c.out[0].dims[axis], inner = elems(c.out[0].dims.subspan(axis + 1));
  for (int64_t i = 0; i < elems(c.out[0].dims); ++i) {
    const int64_t k = i / inner % depth, at = i / inner / depth * inner + i % inner;
    copy_element(c.out[0], i, c.in[index[static_cast<size_t>(at)] == k ? 2 : 3], 0);
  }
  return ok_status();
}

Status evaluate_range(const Call& c) {
  visit_wide(c.out[0].dtype, [&]<typename W>() {
    std::vector<W> y(static_cast<size_t>(elems(c.out[0].dims)));
    W v = load<W>(c.in[0])[0];
    const W delta = load<W>(c.in[2])[0];
    for (W& e : y) {
      e = v;
      if constexpr (std::is_same_v<W, double>)
        v += delta;
      else
        v = static_cast<W>(static_cast<uint64_t>(v) + static_cast<uint64_t>(delta));
    }
    store(c.out[0], y);
  });
  return ok_status();
}

}  // namespace graft::reference
