// The end of a calibration: statistics -> table of ranges.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "ir/range_table.h"
#include "quantize/calibrators.h"
#include "quantize/observer.h"
#include "quantize/table_edit.h"

namespace graft::quantize {

struct FinishOptions {
  CalibratorKind calibrator = CalibratorKind::kAuto;
  CalibratorOptions calibrator_options;
  bool ignore_non_finite = false;  // true: NaN and infinities are counted in a warning and left out
  UserRanges user_ranges;          // before what was seen; those of other tensors are passed over
};

struct Finished {
  ir::RangeTable table;
  std::vector<std::string> warnings;  // each names its tensor
};

// Only reads: finishing twice gives the same. Tensors without data (a branch never taken) are
// absent from the table, with a warning. CalibrationError when no tensor has data ("no calibration
// data for engine X"), when a tensor held a value that is not finite, for an option out of range.
// InvalidArgument for a range of the user that is not usable.
Result<Finished> finish(const ObserverSet& observers, std::string_view engine,
                        const FinishOptions& options);

}  // namespace graft::quantize
