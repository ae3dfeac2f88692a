#include <nlohmann/json.hpp>

#include "graft/report.h"

namespace graft {
namespace {

using Json = nlohmann::ordered_json;

Json specs(const std::vector<TensorSpec>& tensors) {
  Json list = Json::array();
  for (const TensorSpec& t : tensors)
    list.push_back({{"name", t.name}, {"dtype", dtype_name(t.dtype)}, {"shape", t.dims}});
  return list;
}

Json layers(const std::vector<LayerReport>& rows) {
  Json list = Json::array();
  for (const LayerReport& l : rows)
    list.push_back({{"name", l.name},
                    {"op", l.op},
                    {"dtype", l.dtype},
                    {"weights_dtype", l.weights_dtype},
                    {"flops", l.flops},
                    {"winograd_allowed", l.winograd_allowed}});
  return list;
}

}  // namespace

std::string Report::json() const {
  Json root;
  root["schema"] = 1;
  root["summary"] = summary();
  root["totals"] = {{"nodes", nodes_total},
                    {"nodes_in_engines", nodes_in_engines},
                    {"engines", engines.size()},
                    {"graph_bytes_in", graph_bytes_in},
                    {"graph_bytes_out", graph_bytes_out},
                    {"total_s", total_s}};
  root["memory"] = {{"max_workspace_bytes", max_workspace_bytes},
                    {"memory_limit_bytes", memory_limit_bytes},
                    {"memory_bytes", memory_bytes}};
  root["outputs"] = outputs;
  root["warnings"] = warnings;
  root["engines"] = Json::array();
  for (const EngineReport& e : engines)
    root["engines"].push_back({{"name", e.name},
                               {"function", e.function},
                               {"identity", e.identity},
                               {"nodes", e.nodes},
                               {"inputs", specs(e.inputs)},
                               {"outputs", specs(e.outputs)},
                               {"plan_bytes", e.plan_bytes},
                               {"weights_bytes", e.weights_bytes},
                               {"boundary_bytes", e.boundary_bytes},
                               {"memory_bytes", e.memory_bytes},
                               {"weights_memory_bytes", e.weights_memory_bytes},
                               {"activations_bytes", e.activations_bytes},
                               {"scratch_bytes", e.scratch_bytes},
                               {"flops", e.flops},
                               {"reference_flops_share", e.reference_flops_share},
                               {"int8_macs_share", e.int8_macs_share},
                               {"build_s", e.build_s},
                               {"passes", e.passes},
                               {"warnings", e.warnings},
                               {"layers", layers(e.layers)}});
  root["nodes"] = Json::array();
  for (const NodeVerdict& n : nodes) {
    Json row = {{"name", n.name}, {"op", n.op}, {"engine", n.engine}};
    if (n.engine < 0) {
      row["code"] = n.reason_code;
      row["reason"] = n.reason;
      if (!n.hint.empty()) row["hint"] = n.hint;
    }
    if (!n.inputs.empty()) row["inputs"] = n.inputs;
    if (!n.control_inputs.empty()) row["control_inputs"] = n.control_inputs;
    if (!n.converter.empty()) row["converter"] = n.converter;
    root["nodes"].push_back(std::move(row));
  }
  root["by_minimum_segment_size"] = Json::array();
  for (const SizeRow& r : by_min_segment_size)
    root["by_minimum_segment_size"].push_back(
        {{"minimum_segment_size", r.min_segment_size}, {"engines", r.engines}, {"nodes", r.nodes}});
  // Names from the graph may hold any bytes.
  return root.dump(1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace graft
