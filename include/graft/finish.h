// finish_calibration: a calibration graph and what was collected -> the INT8 graph.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <span>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "graft/convert.h"
#include "graft/status.h"

namespace graft {

// Where one engine's statistics are found. Unique to the conversion that made the graph.
struct CalibrationResource {
  std::string resource;  // attribute resource_name
  std::string engine;    // name of the engine
};

// CalibrationError "Graph doesn't contain any calibration nodes" when there are none.
Result<std::vector<CalibrationResource>> calibration_resources(std::span<const std::byte> graph);

// The states (CalibrationCollector::state) of a resource, one a process; none: nothing was fed.
using CalibrationStates =
    std::function<Result<std::vector<std::vector<std::byte>>>(const std::string& resource)>;

struct FinishOptions {
  std::string calibrator = "auto";  // auto | entropy | percentile | minmax | mse
  double percentile = 99.99;        // for "percentile"
  bool ignore_non_finite = false;   // leave NaN and infinities out instead of refusing them
  // Tensor -> lowest and highest value: instead of what its data say.
  std::map<std::string, std::pair<float, float>> ranges;
  ProgressFn progress;  // stages "ranges", then those of convert
  std::stop_token stop;
};

struct CalibrationTable {
  std::string json;                   // docs/calibration.md
  std::vector<std::string> warnings;  // each names its tensor
};

// The ranges of all engines in one table that belongs to the graph that was converted. Only reads.
// CalibrationError: no calibration nodes; no data for an engine, which is named; statistics of
// another engine; a tensor that held NaN or infinities.
Result<CalibrationTable> calibration_table(std::span<const std::byte> graph,
                                           const CalibrationStates& states,
                                           const FinishOptions& options);

// Calibration nodes before segments: they go, and the graph of before is converted with the table
// by the options that it was converted with. Engines that observe themselves: their plans are
// quantized, and calibration_data holds each one's part of the table. Only reads: finishing twice
// gives the same. The result doesn't view `graph`.
Result<Conversion> finish_calibration(std::span<const std::byte> graph,
                                      const CalibrationStates& states,
                                      const FinishOptions& options);

}  // namespace graft
