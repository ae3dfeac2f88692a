// Statistics of one calibration site -> its ranges.
#pragma once

#include "convert/calibration_nodes.h"
#include "graft/finish.h"
#include "quantize/finish.h"

namespace graft::convert_detail {

// CalibrationError naming the engine: no data, statistics of another plan, unusable values.
// `progress`: see choose_ranges.
Result<quantize::Finished> site_ranges(const CalibrationSite& site, const CalibrationStates& states,
                                       const FinishOptions& options,
                                       const std::function<void(int)>& progress);

}  // namespace graft::convert_detail
