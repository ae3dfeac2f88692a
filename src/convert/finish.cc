// The end of a calibration: statistics -> table -> INT8 graph.
#include "graft/finish.h"

#include <chrono>
#include <memory>

#include "base/check.h"
#include "base/log.h"
#include "convert/calibration_nodes.h"
#include "convert/choose_ranges.h"
#include "convert/finish_engines.h"
#include "convert/site_ranges.h"
#include "partition/calib.h"
#include "quantize/calibrators.h"
#include "quantize/table_json.h"

namespace graft {

using namespace convert_detail;

namespace {

struct Ranges {
  ir::RangeTable all;                   // identity of the converted graph
  std::vector<ir::RangeTable> by_site;  // identities of the calibration plans
  std::vector<std::string> warnings;
};

Result<Ranges> collect_ranges(const std::vector<CalibrationSite>& sites,
                              const CalibrationStates& states, const FinishOptions& options) {
  if (!quantize::parse_calibrator(options.calibrator))
    return invalid_argument("calibrator: got '" + printable(options.calibrator) +
                            "', expected 'auto', 'entropy', 'percentile', 'minmax' or 'mse'");
  Ranges result;
  result.all.identity = sites[0].record.identity;
  const auto start = std::chrono::steady_clock::now();
  const int64_t total = kChooseSteps * static_cast<int64_t>(sites.size());
  int64_t site_begin = 0;
  const auto progress = [&](int steps) {
    if (!options.progress) return;
    const double elapsed =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    const int64_t done = site_begin + steps;
    options.progress("ranges", done, total,
                     done > 0 ? elapsed * static_cast<double>(total - done) / done : 0);
  };
  for (const CalibrationSite& site : sites) {
    progress(0);
    if (options.stop.stop_requested()) return cancelled("the finish of a calibration was stopped");
    if (site.record.identity != result.all.identity)
      return Status(Code::kCalibrationError,
                    "the graph holds calibration nodes of two conversions: engines '" +
                        printable(sites[0].record.engine) + "' of graph " + result.all.identity +
                        " and '" + printable(site.record.engine) + "' of graph " +
                        site.record.identity);
    GRAFT_ASSIGN_OR_RETURN(quantize::Finished finished,
                           site_ranges(site, states, options, progress));
    result.all.ranges.insert(finished.table.ranges.begin(), finished.table.ranges.end());
    result.by_site.push_back(std::move(finished.table));
    result.warnings.insert(result.warnings.end(), finished.warnings.begin(),
                           finished.warnings.end());
    site_begin += kChooseSteps;
  }
  progress(0);
  for (const auto& [name, range] : options.ranges) {
    if (!result.all.ranges.contains(name))
      result.warnings.push_back("the range given for '" + printable(name) +
                                "' is not used: no engine has this tensor");
  }
  return result;
}

Result<Conversion> finish_nodes(const graphdef::Graph& graph,
                                const std::vector<CalibrationSite>& sites, const Ranges& ranges,
                                const FinishOptions& options) {
  GRAFT_ASSIGN_OR_RETURN(const Rope restored, partition::remove_calib_nodes(graph));
  const auto bytes = std::make_shared<const std::vector<std::byte>>(restored.flatten());
  ConvertOptions convert_options = sites[0].record.options;
  convert_options.calibration_table = quantize::table_to_json(ranges.all);
  convert_options.progress = options.progress;
  convert_options.stop = options.stop;
  GRAFT_ASSIGN_OR_RETURN(Conversion result, convert(*bytes, convert_options));
  Rope owned;
  for (const Rope::Piece& piece : result.graph.pieces()) {
    if (piece.owner == nullptr)
      owned.append_view(piece.bytes, bytes);
    else
      owned.append_view(piece.bytes, piece.owner);
  }
  result.graph = std::move(owned);
  return result;
}

Result<Conversion> finish_impl(std::span<const std::byte> bytes, const CalibrationStates& states,
                               const FinishOptions& options) {
  GRAFT_ASSIGN_OR_RETURN(const graphdef::Graph graph, graphdef::parse(bytes));
  GRAFT_ASSIGN_OR_RETURN(const std::vector<CalibrationSite> sites, calibration_sites(graph));
  GRAFT_ASSIGN_OR_RETURN(const Ranges ranges, collect_ranges(sites, states, options));
  for (const std::string& warning : ranges.warnings) log(LogLevel::kWarning, warning);
  Conversion result;
  if (sites[0].engine) {
    GRAFT_ASSIGN_OR_RETURN(
        result, finish_engines(graph, sites, ranges.by_site, options.progress, options.stop));
    const auto owner = std::make_shared<const std::vector<std::byte>>(result.graph.flatten());
    result.graph = Rope();
    result.graph.append_view(*owner, owner);
    result.report.graph_bytes_in = static_cast<int64_t>(bytes.size());
    log(LogLevel::kInfo, result.report.summary());
  } else {
    GRAFT_ASSIGN_OR_RETURN(result, finish_nodes(graph, sites, ranges, options));
  }
  result.report.warnings.insert(result.report.warnings.end(), ranges.warnings.begin(),
                                ranges.warnings.end());
  result.calibration_table = quantize::table_to_json(ranges.all);
  return result;
}

}  // namespace

Result<std::vector<CalibrationResource>> calibration_resources(std::span<const std::byte> bytes) {
  return guard([&]() -> Result<std::vector<CalibrationResource>> {
    GRAFT_ASSIGN_OR_RETURN(const graphdef::Graph graph, graphdef::parse(bytes));
    GRAFT_ASSIGN_OR_RETURN(const std::vector<CalibrationSite> sites, calibration_sites(graph));
    std::vector<CalibrationResource> result;
    for (const CalibrationSite& site : sites)
      result.push_back({std::string(site.resource), site.record.engine});
    return result;
  });
}

Result<CalibrationTable> calibration_table(std::span<const std::byte> bytes,
                                           const CalibrationStates& states,
                                           const FinishOptions& options) {
  return guard([&]() -> Result<CalibrationTable> {
    GRAFT_ASSIGN_OR_RETURN(const graphdef::Graph graph, graphdef::parse(bytes));
    GRAFT_ASSIGN_OR_RETURN(const std::vector<CalibrationSite> sites, calibration_sites(graph));
    GRAFT_ASSIGN_OR_RETURN(Ranges ranges, collect_ranges(sites, states, options));
    return CalibrationTable{quantize::table_to_json(ranges.all), std::move(ranges.warnings)};
  });
}

Result<Conversion> finish_calibration(std::span<const std::byte> graph,
                                      const CalibrationStates& states,
                                      const FinishOptions& options) {
  return guard([&] { return finish_impl(graph, states, options); });
}

}  // namespace graft
