#include "quantize/finish.h"

#include <cstdio>
#include <utility>

#include "base/fault.h"
#include "quantize/calibration_error.h"

namespace graft::quantize {

namespace {

std::string fixed_point(double db) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", db);
  return text;
}

}  // namespace

Result<Finished> finish(const ObserverSet& observers, std::string_view engine,
                        const FinishOptions& options) {
  const double percentile = options.calibrator_options.percentile;
  if (!(percentile > 0 && percentile <= 100))
    return invalid_argument("percentile must be above 0 and at most 100; got " +
                            std::to_string(percentile));
  Finished result;
  result.table.identity = observers.identity();
  bool data = false;
  for (size_t i = 0; i < observers.names().size(); ++i) {
    const std::string& name = observers.names()[i];
    const std::string where = "tensor '" + name + "': ";
    const TensorStatistics seen = observers.value(i);
    const Histogram& h = seen.histogram;
    if (h.non_finite > 0) {
      const std::string what = where + std::to_string(h.non_finite) + " of " +
                               std::to_string(h.finite + h.non_finite) +
                               " values are NaN or infinite";
      if (!options.ignore_non_finite)
        return calibration_error(what + " (engine " + std::string(engine) +
                                 "); the option ignore_non_finite leaves them out");
      result.warnings.push_back(what + "; they were ignored");
    }
    if (h.finite == 0) {
      result.warnings.push_back(where + "no data were seen; its layer keeps floating point");
      continue;
    }
    data = true;
    Calibration chosen = calibrate(h, options.calibrator, options.calibrator_options);
    if (options.calibrator == CalibratorKind::kAuto && chosen.sqnr_db < options.least_sqnr_db &&
        !options.user_ranges.contains(name) && !GRAFT_FAULT(hopeless_tensor_quantized)) {
      result.warnings.push_back(where + "127 levels would keep its values at " +
                                fixed_point(chosen.sqnr_db) +
                                " dB at best (rare large values "
                                "among small ones); its layers keep floating point");
      result.left_float.push_back(name);
      continue;
    }
    if (!chosen.warning.empty()) result.warnings.push_back(where + chosen.warning);
    ir::TensorRange& range = result.table.ranges[name];
    range.threshold = chosen.threshold;
    range.min = h.min;
    range.max = h.max;
    range.calibrator = calibrator_name(chosen.kind);
    range.channel_means = seen.channels.means();
  }
  if (!data) return calibration_error("no calibration data for engine " + std::string(engine));
  UserRanges own;
  for (const std::string& name : observers.names()) {
    const auto given = options.user_ranges.find(name);
    if (given != options.user_ranges.end()) own.insert(*given);
  }
  GRAFT_RETURN_IF_ERROR(merge_user_ranges(own, result.table));
  return result;
}

}  // namespace graft::quantize
