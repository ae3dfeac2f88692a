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

// Expected SQNR below which 127 levels are not worth having: the error is a third of the signal.
// Bell-shaped and ReLU tensors reach 30 to 40 dB; rare huge values among small ones end here.
inline constexpr double kLeastSqnrDb = 10;

struct FinishOptions {
  CalibratorKind calibrator = CalibratorKind::kAuto;
  CalibratorOptions calibrator_options;
  bool ignore_non_finite = false;  // true: NaN and infinities are counted in a warning and left out
  // With kAuto: tensors for which no calibrator expects this much stay floating point. 0: none do.
  double least_sqnr_db = 0;
  UserRanges user_ranges;  // before what was seen; those of other tensors are passed over
};

struct Finished {
  ir::RangeTable table;
  std::vector<std::string> warnings;    // each names its tensor
  std::vector<std::string> left_float;  // by least_sqnr_db: absent from the table, with a warning
};

// Only reads: finishing twice gives the same. Tensors without data (a branch never taken) are
// absent from the table, with a warning; a range of the user counts even then. CalibrationError
// when no tensor has data ("no calibration data for engine X"), when a tensor held a value that is
// not finite, for an option out of range. InvalidArgument for a range of the user that is not
// usable.
Result<Finished> finish(const ObserverSet& observers, std::string_view engine,
                        const FinishOptions& options);

}  // namespace graft::quantize
