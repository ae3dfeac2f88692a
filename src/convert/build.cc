#include "convert/build.h"

#include <algorithm>
#include <chrono>
#include <cstdio>

#include "base/file_io.h"
#include "base/log.h"
#include "convert/layers.h"
#include "convert/memory.h"
#include "convert/node_attrs.h"
#include "engine/plan/plan.h"
#include "graphdef/output_names.h"
#include "ir/verify.h"
#include "passes/pipeline.h"

namespace graft::convert_detail {

using graphdef::ShapeView;

namespace {

void replace_all(std::string& text, const std::string& from, const std::string& to) {
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
}

// Symbolic dims become -1: unknown to TensorFlow.
ShapeView partial_shape(const ir::TensorType& type) {
  ShapeView shape;
  for (ir::Dim dim : type.dims) shape.dims.push_back(dim.is_const() ? dim.value() : -1);
  return shape;
}

TensorSpec spec_of(const ir::Network& network, ir::ValueId id, std::string name) {
  const ir::TensorType& type = network.values[id].type;
  return {std::move(name), type.dtype, partial_shape(type).dims};
}

Status dump(const ConvertOptions& options, int64_t index, const char* stage,
            const ir::Network& network) {
  if (options.dump_dir.empty()) return ok_status();
  GRAFT_RETURN_IF_ERROR(make_directory(options.dump_dir));
  char name[64];
  std::snprintf(name, sizeof name, "/segment_%03d_%s.txt", static_cast<int>(index), stage);
  const std::string text = ir::print(network);
  return write_file_atomic(options.dump_dir + name, std::as_bytes(std::span(text)));
}

}  // namespace

std::string engine_name(const ConvertOptions& options, int64_t index) {
  std::string name = options.engine_name_format;
  if (name.empty()) {
    char text[64];
    std::snprintf(text, sizeof text, "TRTEngineOp_%03d_%03d",
                  static_cast<int>(options.graph_number), static_cast<int>(index));
    return text;
  }
  const bool has_index = name.find("{index}") != std::string::npos;
  replace_all(name, "{graph}", std::to_string(options.graph_number));
  replace_all(name, "{index}", std::to_string(index));
  return has_index || index == 0 ? name : name + "_" + std::to_string(index);
}

namespace {

// Tensors that calibration observes and a table may give a range for.
std::vector<std::string> float_tensors(const ir::Network& network) {
  std::vector<std::string> names;
  const auto add = [&](ir::ValueId v) {
    const ir::Value& value = network.values[v];
    if (value.type.dtype == DType::kFloat && !value.is_const()) names.push_back(value.name);
  };
  for (ir::ValueId v : network.inputs) add(v);
  for (const ir::Op& op : network.ops)
    for (ir::ValueId v : op.outputs) add(v);
  return names;
}

Status canonicalize(ir::Network& network, const BuildSetup& setup, int64_t index, WorkContext& work,
                    BuiltEngine& built) {
  const ConvertOptions& options = setup.options;
  passes::PassOptions pass_options;
  pass_options.disabled = options.disabled_passes;
  pass_options.verify_each = options.verify_each_pass;
  pass_options.strict_math = options.strict_math;
  pass_options.int8 = setup.ranges != nullptr || options.calibration != CalibrationMode::kNone;
  if (!options.dump_dir.empty()) {
    char name[64];
    std::snprintf(name, sizeof name, "/segment_%03d_passes", static_cast<int>(index));
    pass_options.dump_dir = options.dump_dir + name;
    GRAFT_RETURN_IF_ERROR(make_directory(pass_options.dump_dir));
  }
  std::vector<passes::PassRecord> records;
  GRAFT_RETURN_IF_ERROR(passes::canonicalize(network, pass_options, work, &records));
  for (const passes::PassRecord& record : records)
    if (record.changed || record.disabled)
      built.report.passes.push_back(
          record.name + (record.disabled ? ": disabled"
                                         : ": " + std::to_string(record.ops_before) + " -> " +
                                               std::to_string(record.ops_after) + " ops"));
  if (setup.ranges == nullptr) return ok_status();
  built.tensors = float_tensors(network);
  std::vector<passes::KeptLayer> kept;
  pass_options.notes = &built.report.warnings;
  pass_options.unused_ranges = &built.unused_ranges;
  pass_options.ranges = setup.ranges;
  pass_options.quantize = quantize_options(network, options);
  pass_options.kept_float = &kept;
  GRAFT_RETURN_IF_ERROR(passes::quantize_network(network, pass_options, work));
  for (const passes::KeptLayer& layer : kept)
    built.report.warnings.push_back("layer '" + layer.name +
                                    "' stays in floating point: " + layer.reason);
  return ok_status();
}

// An op of the segment whose output names nobody has told; empty: none.
std::string_view unnamed_outputs(const graphdef::Graph& graph, const frontend::Imported& imported,
                                 const partition::Segment& segment) {
  if (imported.converters.empty()) return {};
  for (int32_t v : segment.nodes) {
    const graphdef::Node& node = graph.nodes[v];
    if (!imported.converters.contains(v)) continue;
    for (size_t port = 0; port < imported.values[v].size(); ++port)
      if (!graphdef::output_name(node, static_cast<int32_t>(port)).ok()) return node.op;
  }
  return {};
}

}  // namespace

Result<BuiltEngine> build_engine(const graphdef::Graph& graph, const frontend::Imported& imported,
                                 const partition::Segment& segment, const BuildSetup& setup,
                                 int64_t index, WorkContext& work) {
  const ConvertOptions& options = setup.options;
  const auto start = std::chrono::steady_clock::now();
  std::vector<int32_t> nodes = segment.nodes;
  nodes.insert(nodes.end(), segment.consts.begin(), segment.consts.end());
  std::sort(nodes.begin(), nodes.end());
  GRAFT_ASSIGN_OR_RETURN(ir::Network network, frontend::extract(graph, imported, nodes,
                                                                segment.inputs, segment.outputs));
  GRAFT_RETURN_IF_ERROR(dump(options, index, "imported", network));

  BuiltEngine built;
  GRAFT_RETURN_IF_ERROR(canonicalize(network, setup, index, work, built));
  GRAFT_RETURN_IF_ERROR(dump(options, index, "canonical", network));

  engine::PlanOptions plan_options;
  plan_options.precision = setup.precision;
  plan_options.strict_math = options.strict_math;
  plan_options.max_workspace_bytes = options.max_workspace_bytes;
  plan_options.tuning_batch = options.max_batch_size;
  GRAFT_ASSIGN_OR_RETURN(engine::PlanPieces plan, engine::write_plan_pieces(network, plan_options));
  if (options.round_trip_plans) {
    const std::vector<std::byte> bytes = plan.bytes.flatten();
    GRAFT_ASSIGN_OR_RETURN(engine::Plan read, engine::read_plan(bytes));
    GRAFT_ASSIGN_OR_RETURN(engine::WrittenPlan again,
                           engine::write_plan(read.network, plan_options));
    if (again.bytes != bytes)
      return internal_error("a plan changed when it was read and written again");
  }

  EngineReport& report = built.report;
  report.identity = plan.identity;
  report.plan_bytes = static_cast<int64_t>(plan.bytes.size());
  report.weights_bytes = plan.weights_bytes;
  report.warnings.insert(report.warnings.end(), plan.warnings.begin(), plan.warnings.end());
  const TuningShapes shapes(network, options.max_batch_size);
  report.layers = describe_layers(network, shapes, plan, options.strict_math);
  report.int8_macs_share = int8_macs_share(report.layers);
  report.reference_flops_share = reference_share(network, shapes, report.layers);
  for (const LayerReport& layer : report.layers) report.flops += layer.flops;
  report.boundary_bytes = boundary_bytes(network, shapes);
  estimate_memory(network, shapes, options.max_workspace_bytes, report);
  if (options.memory_limit_bytes >= 0 && shapes.guessed())
    report.warnings.emplace_back(
        "memory_limit_bytes: unknown extents other than the batch are counted as 1; a run at "
        "larger "
        "ones takes more memory");
  for (int32_t node : segment.nodes) report.nodes.emplace_back(graph.nodes[node].name);

  partition::EngineNode& node = built.node;
  node.segment = &segment;
  node.name = engine_name(options, index);
  node.op = options.op_name;
  node.native_segment = options.native_segments;
  if (const std::string_view op = unnamed_outputs(graph, imported, segment);
      options.native_segments && !op.empty()) {
    node.native_segment = false;
    report.warnings.push_back("no native segment: the names of the outputs of op " + printable(op) +
                              " are not known; register its converter with them");
  }
  std::vector<ShapeView> input_shapes;
  for (size_t i = 0; i < network.inputs.size(); ++i) {
    const ir::TensorType& type = network.values[network.inputs[i]].type;
    node.input_dtypes.push_back(type.dtype);
    input_shapes.push_back(partial_shape(type));
    report.inputs.push_back(
        spec_of(network, network.inputs[i], graphdef::tensor_name(graph, segment.inputs[i])));
  }
  for (size_t i = 0; i < network.outputs.size(); ++i) {
    const ir::TensorType& type = network.values[network.outputs[i]].type;
    node.output_dtypes.push_back(type.dtype);
    node.output_shapes.push_back(partial_shape(type));
    report.outputs.push_back(
        spec_of(network, network.outputs[i], graphdef::tensor_name(graph, segment.outputs[i])));
  }
  std::string resource;
  if (options.calibration != CalibrationMode::kNone)
    resource =
        plan.identity.substr(0, 32) + "-" + setup.conversion_id + "-" + std::to_string(index);
  if (options.calibration == CalibrationMode::kCalibOps)
    node.attrs = calib_attrs(node, graph, plan.bytes, plan.identity, setup, resource);
  else
    node.attrs = engine_attrs(node, input_shapes, plan.bytes, plan.identity, setup, resource);
  report.build_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return built;
}

}  // namespace graft::convert_detail
