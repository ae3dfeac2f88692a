// The driver: bytes -> Graph -> verdicts -> segments -> networks -> plans -> mixed graph -> bytes.
#include "graft/convert.h"

#include <algorithm>
#include <chrono>
#include <optional>

#include "base/check.h"
#include "base/checked.h"
#include "base/log.h"
#include "base/work.h"
#include "convert/build.h"
#include "convert/function_bodies.h"
#include "convert/hints.h"
#include "convert/int8_setup.h"
#include "convert/memory.h"
#include "convert/outputs.h"
#include "convert/partitioned.h"
#include "convert/report_edges.h"
#include "partition/calib.h"
#include "partition/splice.h"
#include "passes/pipeline.h"

namespace graft {

using namespace convert_detail;
using Clock = std::chrono::steady_clock;

namespace {

Status check_options(const ConvertOptions& options) {
  if (options.min_segment_size < -1 || options.min_segment_size == 0)
    return invalid_argument(
        "minimum_segment_size: got " + std::to_string(options.min_segment_size) +
        ", expected a positive number, or -1 to leave the main graph unconverted");
  if (options.max_batch_size < 1 || options.max_batch_size > INT32_MAX)
    return invalid_argument("max_batch_size: got " + std::to_string(options.max_batch_size) +
                            ", expected 1 to 2147483647");
  if (options.max_workspace_bytes < 0)
    return invalid_argument("max_workspace_size_bytes: got " +
                            std::to_string(options.max_workspace_bytes) + ", expected 0 or more");
  if (options.memory_limit_bytes < -1)
    return invalid_argument("memory_limit_bytes: got " +
                            std::to_string(options.memory_limit_bytes) +
                            ", expected 0 or more, or -1 for none");
  const std::vector<std::string> passes = passes::pass_names();
  for (const std::string& name : options.disabled_passes)
    if (std::find(passes.begin(), passes.end(), name) == passes.end())
      return invalid_argument("disabled_passes: there is no pass '" + printable(name) + "'");
  return ok_status();
}

class Progress {
 public:
  explicit Progress(const ConvertOptions& options) : options_(options), start_(Clock::now()) {}
  void report(const char* stage, int64_t done, int64_t total) const {
    if (!options_.progress) return;
    const double elapsed = std::chrono::duration<double>(Clock::now() - start_).count();
    const double eta =
        done > 0 ? elapsed * static_cast<double>(total - done) / static_cast<double>(done) : 0;
    options_.progress(stage, done, total, eta);
  }

 private:
  const ConvertOptions& options_;
  Clock::time_point start_;
};

// Takes away the engines that do not fit into the limit together.
void apply_memory_limit(const ConvertOptions& options,
                        std::vector<std::optional<BuiltEngine>>& built, std::vector<Left>& left) {
  std::vector<EngineCost> costs;
  int64_t needed = 0;
  for (const std::optional<BuiltEngine>& engine : built) {
    costs.push_back(engine ? EngineCost{engine->report.flops, engine->report.memory_bytes}
                           : EngineCost{});
    needed = checked_add(needed, costs.back().memory_bytes).value_or(INT64_MAX);
  }
  const std::vector<bool> kept = keep_within(costs, options.memory_limit_bytes);
  for (size_t s = 0; s < built.size(); ++s) {
    if (kept[s] || !built[s]) continue;
    left[s] = {"memory_limit",
               "its engine would take about " + std::to_string(costs[s].memory_bytes) +
                   " bytes, memory_limit_bytes is " + std::to_string(options.memory_limit_bytes) +
                   " for all engines and more valuable ones come first",
               "all engines together need memory_limit_bytes=" + std::to_string(needed)};
    built[s].reset();
  }
}

// Verdicts of the nodes that are supported and yet in no engine.
void finish_verdicts(Partitioned& p, const std::vector<int>& engine_of_segment,
                     const std::vector<Left>& left, const KeptControlFlow& kept, Report& report) {
  report.nodes = std::move(p.classified.verdicts);
  std::vector<int> engine_of_const(report.nodes.size(), -1);
  for (size_t s = 0; s < p.segmentation.segments.size(); ++s)
    if (engine_of_segment[s] >= 0)
      for (int32_t node : p.segmentation.segments[s].consts)
        engine_of_const[node] = engine_of_segment[s];
  for (size_t i = 0; i < report.nodes.size(); ++i) {
    NodeVerdict& verdict = report.nodes[i];
    const int32_t segment = p.segmentation.segment_of[i];
    if (segment >= 0)
      verdict.engine = engine_of_segment[segment];
    else if (engine_of_const[i] >= 0)
      verdict.engine = engine_of_const[i];
    if (verdict.engine >= 0) {
      verdict.reason_code.clear();
      verdict.reason.clear();
      verdict.hint.clear();
      continue;
    }
    verdict.converter.clear();
    if (segment >= 0) {
      verdict.reason_code = left[segment].code;
      verdict.reason = left[segment].reason;
      verdict.hint = left[segment].hint;
    } else if (verdict.reason_code.empty()) {
      verdict.reason_code = "segment";
      verdict.reason = p.segmentation.dropped_reason[i].empty() ? "a constant that no engine uses"
                                                                : p.segmentation.dropped_reason[i];
    }
  }
  if (frontend::has_lowered_control_flow(p.source))
    report.nodes = source_verdicts(p.source, p.graph, p.rebuilt, kept, report.nodes);
  for (NodeVerdict& verdict : report.nodes)
    if (verdict.engine < 0 && verdict.hint.empty())
      verdict.hint = default_hint(verdict.reason_code, verdict.reason);
  report.nodes_total = static_cast<int64_t>(report.nodes.size());
  report.nodes_in_engines = std::count_if(report.nodes.begin(), report.nodes.end(),
                                          [](const NodeVerdict& v) { return v.engine >= 0; });
}

// Enters the rebuilt control flow of segments that got no engine; whether there is any.
bool keep_unbuilt(const Partitioned& p, const std::vector<std::optional<BuiltEngine>>& built,
                  const std::vector<Left>& left, KeptControlFlow& kept) {
  bool any = false;
  for (const frontend::RebuiltOp& op : p.rebuilt) {
    const int32_t segment = p.segmentation.segment_of[p.graph.find(op.name)];
    if (built[segment]) continue;
    keep_native(p.source, op, left[segment], kept);
    any = true;
  }
  return any;
}

Result<Rope> insert_calibration(const graphdef::Graph& graph,
                                const std::vector<partition::EngineNode>& engines,
                                std::vector<std::string>& names) {
  std::vector<partition::CalibNode> nodes;
  for (const partition::EngineNode& engine : engines)
    nodes.push_back({engine.segment, engine.name + "_calib",
                     engine.op == "GraftEngineOp" ? "GraftCalibOp" : "TRTCalibOp", engine.device,
                     engine.attrs});
  return partition::insert_calib_nodes(graph, nodes, names);
}

Result<Conversion> convert_impl(std::span<const std::byte> bytes, const ConvertOptions& options,
                                bool build_plans, KeptControlFlow kept = {},
                                std::vector<CallSite>* body_sites = nullptr);

// Bodies of functions that stay in the library; what they become is in p.graph.functions.
Status convert_functions(Partitioned& p, const ConvertOptions& options, bool build_plans,
                         Clock::time_point start, std::vector<CallSite>* body_sites,
                         Report& report) {
  std::vector<CallSite> sites = call_sites(p.graph, p.imported);
  if (body_sites) {  // the graph is a body itself: its caller goes on
    *body_sites = std::move(sites);
    return ok_status();
  }
  const ConvertBody convert = [&](std::span<const std::byte> body,
                                  const ConvertOptions& body_options,
                                  std::vector<CallSite>& inner) {
    ConvertOptions rest = body_options;
    if (rest.time_budget_s >= 0)
      rest.time_budget_s = std::max(
          0.0, rest.time_budget_s - std::chrono::duration<double>(Clock::now() - start).count());
    return convert_impl(body, rest, build_plans, {}, &inner);
  };
  return convert_bodies(sites, options, convert, p.graph, report);
}

// `body_sites`: the graph is the body of a function.
Result<Conversion> convert_impl(std::span<const std::byte> bytes, const ConvertOptions& options,
                                bool build_plans, KeptControlFlow kept,
                                std::vector<CallSite>* body_sites) {
  const auto start = Clock::now();
  GRAFT_RETURN_IF_ERROR(check_options(options));
  WorkContext work(options.stop);
  const Progress progress(options);
  Conversion result;
  Report& report = result.report;
  report.graph_bytes_in = static_cast<int64_t>(bytes.size());
  report.max_workspace_bytes = options.max_workspace_bytes;
  report.memory_limit_bytes = options.memory_limit_bytes;
  progress.report("import", 0, 1);
  GRAFT_ASSIGN_OR_RETURN(Partitioned p, partition_graph(bytes, options, work, report, kept));
  report.warnings.insert(report.warnings.end(), kept.warnings.begin(), kept.warnings.end());
  GRAFT_ASSIGN_OR_RETURN(const Int8Setup int8, set_up_int8(p.graph, options, report));
  const BuildSetup setup{options, int8.precision, int8.ranges ? &*int8.ranges : nullptr,
                         int8.identity, int8.conversion_id};
  progress.report("import", 1, 1);

  const auto before_building = static_cast<std::ptrdiff_t>(report.warnings.size());
  const std::vector<partition::Segment>& segments = p.segmentation.segments;
  std::vector<int> engine_of_segment(segments.size(), -1);
  std::vector<Left> left(segments.size());
  std::vector<std::optional<BuiltEngine>> built(segments.size());
  for (size_t s = 0; s < segments.size(); ++s) {
    progress.report("build", static_cast<int64_t>(s), static_cast<int64_t>(segments.size()));
    GRAFT_RETURN_IF_ERROR(work.spend(1, "building engines"));
    const double elapsed = std::chrono::duration<double>(Clock::now() - start).count();
    Result<BuiltEngine> engine =
        options.time_budget_s >= 0 && elapsed > options.time_budget_s
            ? Result<BuiltEngine>(resource_exhausted(
                  "time_budget_s of " + std::to_string(options.time_budget_s) + " s is spent"))
            : guard([&] {
                return build_engine(p.graph, p.imported, segments[s], setup,
                                    static_cast<int64_t>(s), work);
              });
    if (!engine.ok()) {
      if (engine.status().code() == Code::kCancelled) return engine.status();
      left[s] = {"build_failed", engine.status().message(), ""};
      const std::string text = "segment " + std::to_string(s) + " of " +
                               std::to_string(segments[s].nodes.size()) +
                               " nodes stays native: " + left[s].reason;
      if (options.strict) return Status(Code::kNotConverted, text);
      report.warnings.push_back(text);
      log(LogLevel::kWarning, text);
      continue;
    }
    built[s] = std::move(*engine);
  }
  if (int8.ranges) warn_unused_ranges(*int8.ranges, built, report);
  if (options.memory_limit_bytes >= 0) apply_memory_limit(options, built, left);
  if (keep_unbuilt(p, built, left, kept)) {  // the others are converted anew without it
    kept.warnings.insert(kept.warnings.end(), report.warnings.begin() + before_building,
                         report.warnings.end());
    return convert_impl(bytes, options, build_plans, std::move(kept), body_sites);
  }
  std::vector<partition::EngineNode> engines;
  for (size_t s = 0; s < segments.size(); ++s) {
    if (!built[s]) continue;
    engine_of_segment[s] = static_cast<int>(report.engines.size());
    report.memory_bytes =
        checked_add(report.memory_bytes, built[s]->report.memory_bytes).value_or(INT64_MAX);
    built[s]->report.name = built[s]->node.name;
    report.engines.push_back(std::move(built[s]->report));
    engines.push_back(std::move(built[s]->node));
  }
  progress.report("build", static_cast<int64_t>(segments.size()),
                  static_cast<int64_t>(segments.size()));
  finish_verdicts(p, engine_of_segment, left, kept, report);
  add_edges(p.source, report.nodes);

  const size_t in_graph = report.engines.size();
  const size_t functions = p.graph.functions.size();
  GRAFT_RETURN_IF_ERROR(convert_functions(p, options, build_plans, start, body_sites, report));
  if (report.engines.empty()) {
    if (options.strict && options.min_segment_size != -1)
      return Status(Code::kNotConverted, "nothing was converted: " + report.summary());
    if (build_plans) result.graph.append_view(bytes);
  } else if (build_plans) {
    progress.report("write", 0, 1);
    std::vector<std::string> names;
    if (options.calibration != CalibrationMode::kCalibOps && !options.native_segments)
      // What was rebuilt is in engines alone.
      p.graph.functions.erase(
          p.graph.functions.begin() + static_cast<std::ptrdiff_t>(p.source.functions.size()),
          p.graph.functions.begin() + static_cast<std::ptrdiff_t>(functions));
    GRAFT_ASSIGN_OR_RETURN(result.graph,
                           options.calibration == CalibrationMode::kCalibOps
                               ? insert_calibration(p.graph, engines, names)
                               : partition::splice(p.graph, engines, p.fetched, names));
    if (!p.rebuilt.empty() || report.engines.size() > in_graph)
      result.graph = owning(result.graph, p.graph);
    if (int8.ranges) result.calibration_table = options.calibration_table;
    for (size_t e = 0; e < names.size(); ++e) report.engines[e].name = names[e];
    progress.report("write", 1, 1);
  }
  if (options.strict_all)
    for (const NodeVerdict& verdict : report.nodes)
      if (verdict.engine < 0 && !is_placeholder(verdict.op))
        return Status(Code::kNotConverted, "node '" + verdict.name + "' (" + verdict.op +
                                               ") stays native: " + verdict.reason);
  report.graph_bytes_out = static_cast<int64_t>(result.graph.size());
  report.total_s = std::chrono::duration<double>(Clock::now() - start).count();
  const bool calibrates = options.calibration != CalibrationMode::kNone && !report.engines.empty();
  if (!body_sites)
    log(LogLevel::kInfo, (calibrates ? "calibration graph: " : "") + report.summary());
  return result;
}

// Calibration of a graph whose quantization nodes give every range would have nothing to find: the
// final graph then; nullopt where some layer still needs a range.
Result<std::optional<Conversion>> convert_by_quantize_nodes(std::span<const std::byte> bytes,
                                                            const ConvertOptions& options) {
  ConvertOptions final_options = options;
  final_options.calibration = CalibrationMode::kNone;
  GRAFT_ASSIGN_OR_RETURN(Conversion conversion, convert_impl(bytes, final_options, true));
  for (const EngineReport& engine : conversion.report.engines) {
    for (const LayerReport& layer : engine.layers) {
      if ((layer.op == "conv" || layer.op == "matmul") && layer.dtype != dtype_name(DType::kInt8))
        return std::optional<Conversion>();
    }
  }
  if (conversion.report.engines.empty()) return std::optional<Conversion>();
  conversion.report.warnings.push_back(
      "the graph's quantization nodes give every range: there is nothing to calibrate");
  return std::optional<Conversion>(std::move(conversion));
}

}  // namespace

Result<Conversion> convert(std::span<const std::byte> graph, const ConvertOptions& options) {
  return guard([&]() -> Result<Conversion> {
    if (options.precision == Precision::kInt8 && options.calibration != CalibrationMode::kNone) {
      GRAFT_ASSIGN_OR_RETURN(const bool quantized, has_quantize_nodes(graph));
      if (quantized) {
        GRAFT_ASSIGN_OR_RETURN(std::optional<Conversion> final,
                               convert_by_quantize_nodes(graph, options));
        if (final) return std::move(*final);
      }
    }
    return convert_impl(graph, options, true);
  });
}

std::vector<std::string> pass_names() { return passes::pass_names(); }

Result<Report> analyze(std::span<const std::byte> graph, const ConvertOptions& options) {
  Result<Conversion> conversion = guard([&] { return convert_impl(graph, options, false); });
  if (!conversion.ok()) return conversion.status();
  return std::move(conversion->report);
}

}  // namespace graft
