// The calibrator "auto": of several tables of ranges, the one that serves the whole network best.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <stop_token>
#include <string_view>

#include "engine/calibrate/state.h"
#include "quantize/finish.h"

namespace graft::convert_detail {

// As quantize::finish. With the calibrator auto and samples of the engine's inputs, every
// calibrator's table (and that of the best calibrator for each tensor alone) quantizes the
// network of `calibration_plan`, and the one whose float outputs have the highest
// signal-to-noise ratio over the samples, against the plan itself, is taken; min-max at a tie.
// `progress` gets the number of steps done, up to kChooseSteps, where there are several.
inline constexpr int kChooseSteps = 6;
Result<quantize::Finished> choose_ranges(std::span<const std::byte> calibration_plan,
                                         const engine::CalibrationState& state,
                                         std::string_view engine,
                                         const quantize::FinishOptions& options,
                                         const std::function<void(int)>& progress,
                                         const std::stop_token& stop);

}  // namespace graft::convert_detail
