// dilation2d.
#include <algorithm>

#include "reference/values.h"

namespace graft::reference {

// The maximum starts at the dtype's lowest finite number and skips NaN; a sum has the dtype.
Status evaluate_dilation2d(const Call& c) {
  const auto& a = c.op.as<ir::Dilation2DAttrs>();
  const auto s = c.in[0].dims, k = c.in[1].dims, d = c.out[0].dims;
  const auto before = [&](size_t i) -> int64_t {
    if (a.padding == ir::Padding::kValid) return 0;
    const int64_t window = (k[i] - 1) * a.rates[i] + 1;
    return std::max<int64_t>(0, (d[i + 1] - 1) * a.strides[i] + window - s[i + 1]) / 2;
  };
  const int64_t top = before(0), left = before(1);
  visit_wide(c.in[0].dtype, [&]<typename W>() {
    const std::vector<W> x = load<W>(c.in[0]), w = load<W>(c.in[1]);
    std::vector<W> y(static_cast<size_t>(elems(d)), lowest<W>(c.in[0].dtype));
    for (int64_t i = 0; i < elems(d); ++i) {
      const int64_t ch = i % d[3], ow = i / d[3] % d[2], oh = i / d[3] / d[2] % d[1],
                    n = i / d[3] / d[2] / d[1];
      W& best = y[static_cast<size_t>(i)];
      for (int64_t kh = 0; kh < k[0]; ++kh) {
        const int64_t ih = oh * a.strides[0] - top + kh * a.rates[0];
        if (ih < 0 || ih >= s[1]) continue;
        for (int64_t kw = 0; kw < k[1]; ++kw) {
          const int64_t iw = ow * a.strides[1] - left + kw * a.rates[1];
          if (iw < 0 || iw >= s[2]) continue;
          const W v = x[static_cast<size_t>(((n * s[1] + ih) * s[2] + iw) * s[3] + ch)];
          const W f = w[static_cast<size_t>((kh * k[1] + kw) * k[2] + ch)];
          W sum;
          if constexpr (std::is_same_v<W, double>)
            sum = v + f;
          else
            sum = wrap<W>(c.in[0].dtype,
                          static_cast<W>(static_cast<uint64_t>(v) + static_cast<uint64_t>(f)));
          if (sum > best) best = sum;
        }
      }
    }
    store(c.out[0], y);
  });
  return ok_status();
}

}  // namespace graft::reference
