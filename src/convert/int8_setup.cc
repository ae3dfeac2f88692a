#include "convert/int8_setup.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <random>
#include <unordered_set>

#include "base/log.h"
#include "convert/identity.h"
#include "quantize/table_edit.h"
#include "quantize/table_json.h"

namespace graft::convert_detail {
namespace {

constexpr std::array kQuantizeOps = {
    "FakeQuantWithMinMaxArgs",     "FakeQuantWithMinMaxVars", "FakeQuantWithMinMaxVarsPerChannel",
    "QuantizeAndDequantizeV2",     "QuantizeAndDequantizeV3", "QuantizeAndDequantizeV4",
    "QuantizeAndDequantizeV4Grad",
};

bool has_quantize_ops(const graphdef::Graph& graph) {
  return std::any_of(graph.nodes.begin(), graph.nodes.end(), [](const graphdef::Node& node) {
    return std::find(kQuantizeOps.begin(), kQuantizeOps.end(), node.op) != kQuantizeOps.end();
  });
}

std::string random_id() {
  std::random_device device;
  char text[17];
  std::snprintf(text, sizeof text, "%08x%08x", static_cast<unsigned>(device()),
                static_cast<unsigned>(device()));
  return text;
}

}  // namespace

Result<Int8Setup> set_up_int8(const graphdef::Graph& graph, const ConvertOptions& options,
                              Report& report) {
  Int8Setup setup;
  setup.precision = options.precision;
  const bool calibrates = options.calibration != CalibrationMode::kNone;
  if (options.precision != Precision::kInt8) {
    if (calibrates || !options.calibration_table.empty())
      return invalid_argument("calibration: precision is " + precision_name(options.precision) +
                              ", only INT8 is calibrated");
    return setup;
  }
  if (calibrates && !options.calibration_table.empty())
    return invalid_argument("calibration: got a table, so there is nothing to calibrate");
  if (calibrates) {
    setup.precision = Precision::kFp32;
    setup.identity = graph_identity(graph);
    setup.conversion_id = options.conversion_id.empty() ? random_id() : options.conversion_id;
    return setup;
  }
  if (!options.calibration_table.empty()) {
    GRAFT_ASSIGN_OR_RETURN(setup.ranges, quantize::table_from_json(options.calibration_table));
    GRAFT_RETURN_IF_ERROR(quantize::check_identity(*setup.ranges, graph_identity(graph)));
    return setup;
  }
  if (has_quantize_ops(graph)) {
    setup.ranges.emplace();  // the graph says its ranges itself
    return setup;
  }
  setup.precision = Precision::kFp16;
  const std::string text = "Set engine precision to FP16 due to missing QDQ OP";
  report.warnings.push_back(text);
  log(LogLevel::kWarning, text);
  return setup;
}

Result<bool> has_quantize_nodes(std::span<const std::byte> graph) {
  GRAFT_ASSIGN_OR_RETURN(const graphdef::Graph parsed, graphdef::parse(graph));
  return has_quantize_ops(parsed);
}

void warn_unused_ranges(const ir::RangeTable& ranges,
                        const std::vector<std::optional<BuiltEngine>>& engines, Report& report) {
  std::unordered_set<std::string_view> known;
  for (const std::optional<BuiltEngine>& engine : engines)
    if (engine) known.insert(engine->tensors.begin(), engine->tensors.end());
  int64_t unknown = 0;
  for (const auto& [name, range] : ranges.ranges) {
    if (known.contains(name)) continue;
    ++unknown;
    report.warnings.push_back("calibration table: tensor '" + printable(name) +
                              "' is in no engine");
  }
  if (unknown > 0)
    log(LogLevel::kWarning, std::to_string(unknown) + " of " +
                                std::to_string(ranges.ranges.size()) +
                                " tensors of the calibration table are in no engine");
  for (const std::optional<BuiltEngine>& engine : engines) {
    if (!engine) continue;
    for (const std::string& text : engine->unused_ranges) {
      report.warnings.push_back("calibration table: " + text);
      log(LogLevel::kWarning, report.warnings.back());
    }
  }
}

}  // namespace graft::convert_detail
