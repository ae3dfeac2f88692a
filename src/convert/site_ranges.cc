#include "convert/site_ranges.h"

#include "base/log.h"
#include "convert/choose_ranges.h"
#include "engine/calibrate/state.h"
#include "graphdef/attr.h"
#include "quantize/calibration_error.h"

namespace graft::convert_detail {
namespace {

Status no_data(const CalibrationSite& site) {
  return quantize::calibration_error(
      "no calibration data for engine " + printable(site.record.engine) +
      ": run the calibration graph on representative data first, in this process or with the same "
      "GRAFT_CALIBRATION_DIR");
}

Result<engine::CalibrationState> merged_state(const CalibrationSite& site,
                                              const CalibrationStates& states) {
  GRAFT_ASSIGN_OR_RETURN(const std::vector<std::vector<std::byte>> all,
                         states(std::string(site.resource)));
  if (all.empty()) return no_data(site);
  GRAFT_ASSIGN_OR_RETURN(engine::CalibrationState merged, engine::parse_state(all[0]));
  for (size_t i = 1; i < all.size(); ++i) {
    GRAFT_ASSIGN_OR_RETURN(const engine::CalibrationState more, engine::parse_state(all[i]));
    GRAFT_RETURN_IF_ERROR(merged.merge(more));
  }
  GRAFT_ASSIGN_OR_RETURN(const std::string_view plan,
                         graphdef::attr_string_or(*site.node, "plan_identity", ""));
  if (merged.observers->identity() != plan)
    return quantize::calibration_error(
        "the statistics belong to another engine: their identity is " +
        merged.observers->identity() + ", its calibration plan's " + std::string(plan));
  return merged;
}

}  // namespace

Result<quantize::Finished> site_ranges(const CalibrationSite& site, const CalibrationStates& states,
                                       const FinishOptions& options,
                                       const std::function<void(int)>& progress) {
  auto state = merged_state(site, states);
  if (!state.ok())
    return state.status().with_context("engine '" + printable(site.record.engine) + "'");
  if (state->observers->batches() == 0) return no_data(site);
  quantize::FinishOptions finish_options;
  finish_options.calibrator = *quantize::parse_calibrator(options.calibrator);
  finish_options.calibrator_options.percentile = options.percentile;
  finish_options.ignore_non_finite = options.ignore_non_finite;
  for (const auto& [name, range] : options.ranges)
    finish_options.user_ranges[name] = {range.first, range.second};
  return choose_ranges(std::as_bytes(std::span(site.plan)), *state, site.record.engine,
                       finish_options, progress, options.stop);
}

}  // namespace graft::convert_detail
