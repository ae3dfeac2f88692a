// Percentile: the upper edge of the first bin up to which at least that share of all values lies,
// and at most max|x|. Few values (10,000 for 99.99) make it min-max.
#include <algorithm>
#include <cmath>

#include "base/fault.h"
#include "quantize/calibrators.h"

namespace graft::quantize {

double percentile_threshold(const Histogram& h, double percentile) {
  // 99.9 is not exact in binary: without the margin 99.9 % of 1000 would be 1000.
  const double needed = std::ceil(static_cast<double>(h.total) * (percentile / 100) * (1 - 1e-12));
  uint64_t seen = 0;
  for (int bin = 0; bin < kHistogramBins; ++bin) {
    seen += h.counts[bin];
    if (static_cast<double>(seen) >= needed && seen > 0)
      return std::min<double>((bin + !GRAFT_FAULT(percentile_lower_edge)) * h.bin_width(),
                              h.max_abs());
  }
  return h.max_abs();
}

}  // namespace graft::quantize
