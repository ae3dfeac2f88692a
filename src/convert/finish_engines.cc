#include "convert/finish_engines.h"

#include <chrono>
#include <unordered_map>

#include "base/log.h"
#include "base/work.h"
#include "convert/layers.h"
#include "convert/memory.h"
#include "convert/report_edges.h"
#include "engine/plan/plan.h"
#include "graphdef/wire.h"
#include "graphdef/writer.h"
#include "passes/pipeline.h"
#include "quantize/table_json.h"

namespace graft::convert_detail {
namespace {

using namespace graphdef;

struct FinishedEngine {
  Rope plan;
  EngineReport report;
};

Result<FinishedEngine> quantize_plan(const CalibrationSite& site, const ir::RangeTable& table,
                                     WorkContext& work) {
  const auto start = std::chrono::steady_clock::now();
  const ConvertOptions& options = site.record.options;
  GRAFT_ASSIGN_OR_RETURN(engine::Plan plan, engine::read_plan(std::as_bytes(std::span(site.plan))));
  passes::PassOptions pass_options;
  std::vector<passes::KeptLayer> kept;
  std::vector<std::string> notes, unused_ranges;
  pass_options.disabled = options.disabled_passes;
  pass_options.strict_math = options.strict_math;
  pass_options.int8 = true;
  pass_options.ranges = &table;
  pass_options.quantize = quantize_options(plan.network, options);
  pass_options.kept_float = &kept;
  pass_options.notes = &notes;
  pass_options.unused_ranges = &unused_ranges;
  GRAFT_RETURN_IF_ERROR(passes::quantize_network(plan.network, pass_options, work));

  engine::PlanOptions plan_options = plan.options;
  plan_options.precision = Precision::kInt8;
  GRAFT_ASSIGN_OR_RETURN(engine::WrittenPlan written,
                         engine::write_plan(plan.network, plan_options));
  FinishedEngine result;
  EngineReport& report = result.report;
  report.name = site.node->name;
  report.identity = written.identity;
  report.plan_bytes = static_cast<int64_t>(written.bytes.size());
  report.weights_bytes = written.weights_bytes;
  report.warnings = std::move(notes);
  report.warnings.insert(report.warnings.end(), unused_ranges.begin(), unused_ranges.end());
  report.warnings.insert(report.warnings.end(), written.warnings.begin(), written.warnings.end());
  for (const passes::KeptLayer& layer : kept)
    report.warnings.push_back("layer '" + layer.name +
                              "' stays in floating point: " + layer.reason);
  const TuningShapes shapes(plan.network, options.max_batch_size);
  report.layers = describe_layers(plan.network, shapes, written, options.strict_math);
  report.int8_macs_share = int8_macs_share(report.layers);
  report.reference_flops_share = reference_share(plan.network, shapes, report.layers);
  for (const LayerReport& layer : report.layers) report.flops += layer.flops;
  report.boundary_bytes = boundary_bytes(plan.network, shapes);
  estimate_memory(plan.network, shapes, options.max_workspace_bytes, report);
  result.plan.append_copy(written.bytes);
  report.build_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return result;
}

std::string_view entry_name(Bytes attr_entry) {
  std::string_view name;
  for (FieldReader reader(attr_entry); reader.next();)
    if (reader.key() == bytes_key(1)) name = reader.text();
  return name;
}

bool is_replaced(const FieldReader& field) {
  if (field.key() != bytes_key(5)) return false;
  const std::string_view name = entry_name(field.bytes());
  return name == "serialized_segment" || name == "plan_identity" || name == "calibration_data" ||
         name == "resource_name" || name == kRecordAttr;
}

Rope finished_node(const Graph& graph, const Node& node, const FinishedEngine& engine,
                   const std::string& table_json) {
  std::vector<std::string> inputs;
  for (InputRef ref : node.inputs) inputs.push_back(tensor_name(graph, ref));
  for (int32_t source : node.control_inputs)
    inputs.push_back("^" + std::string(graph.nodes[static_cast<size_t>(source)].name));
  Rope out = serialize_node_with_inputs(node, inputs, &is_replaced);
  out.append(serialize_attr("calibration_data", attr_of_string(table_json)));
  out.append(serialize_attr("plan_identity", attr_of_string(engine.report.identity)));
  out.append(serialize_attr("serialized_segment", attr_of_rope(engine.plan)));
  return out;
}

// The nodes that became engines are no longer in the graph: every other node is native.
void fill_nodes(const Graph& graph, Report& report) {
  for (const Node& node : graph.nodes) {
    NodeVerdict verdict;
    verdict.name = node.name;
    verdict.op = node.op;
    for (size_t e = 0; e < report.engines.size(); ++e)
      if (report.engines[e].name == node.name) verdict.engine = static_cast<int>(e);
    if (verdict.engine < 0) {
      verdict.reason_code = "native";
      verdict.reason = "native in the calibration graph";
      verdict.hint = "the report of the calibration graph says why";
    }
    report.nodes_in_engines += verdict.engine >= 0;
    report.nodes.push_back(std::move(verdict));
  }
  add_edges(graph, report.nodes);
  report.nodes_total = static_cast<int64_t>(report.nodes.size());
}

}  // namespace

Result<Conversion> finish_engines(const Graph& graph, const std::vector<CalibrationSite>& sites,
                                  const std::vector<ir::RangeTable>& tables,
                                  const ProgressFn& progress, const std::stop_token& stop) {
  const auto start = std::chrono::steady_clock::now();
  WorkContext work(stop);
  Conversion result;
  Report& report = result.report;
  std::unordered_map<const Node*, Rope> replaced;
  for (size_t i = 0; i < sites.size(); ++i) {
    GRAFT_RETURN_IF_ERROR(work.spend(1, "building engines"));
    if (progress) progress("build", static_cast<int64_t>(i), static_cast<int64_t>(sites.size()), 0);
    Result<FinishedEngine> engine = quantize_plan(sites[i], tables[i], work);
    if (!engine.ok())
      return engine.status().with_context("engine '" + printable(sites[i].node->name) + "'");
    replaced.emplace(sites[i].node, finished_node(graph, *sites[i].node, *engine,
                                                  quantize::table_to_json(tables[i])));
    report.memory_bytes += engine->report.memory_bytes;
    report.engines.push_back(std::move(engine->report));
  }
  if (progress)
    progress("build", static_cast<int64_t>(sites.size()), static_cast<int64_t>(sites.size()), 0);
  GraphWriter writer;
  for (const Node& node : graph.nodes) {
    const auto it = replaced.find(&node);
    if (it == replaced.end())
      writer.add_raw(node.raw);
    else
      writer.add_node(it->second);
  }
  for (const auto& function : graph.functions) writer.add_function_raw(function.raw);
  writer.add_library_rest(graph.library_rest);
  writer.add_rest(graph.rest);
  GRAFT_ASSIGN_OR_RETURN(result.graph, writer.finish_rope());
  const ConvertOptions& options = sites[0].record.options;
  report.outputs = options.outputs;
  report.max_workspace_bytes = options.max_workspace_bytes;
  report.memory_limit_bytes = options.memory_limit_bytes;
  fill_nodes(graph, report);
  report.graph_bytes_out = static_cast<int64_t>(result.graph.size());
  report.total_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return result;
}

}  // namespace graft::convert_detail
