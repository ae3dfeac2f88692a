#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <map>

#include "graft/report.h"

namespace graft {
namespace {

std::string format(const char* pattern, ...) {
  char buffer[512];
  va_list args;
  va_start(args, pattern);
  std::vsnprintf(buffer, sizeof buffer, pattern, args);
  va_end(args);
  return buffer;
}

std::string shape_text(const TensorSpec& spec) {
  std::string text = dtype_name(spec.dtype) + "[";
  for (size_t i = 0; i < spec.dims.size(); ++i)
    text += (i ? "," : "") + (spec.dims[i] < 0 ? "?" : std::to_string(spec.dims[i]));
  return text + "]";
}

// Native nodes by reason, most frequent first; constants and placeholders apart.
std::vector<std::pair<int64_t, std::string>> reasons(const Report& report) {
  std::map<std::string, int64_t> counts;
  for (const NodeVerdict& node : report.nodes)
    if (node.engine < 0 && node.op != "Const")
      ++counts[node.op + ": " + (node.reason.empty() ? node.reason_code : node.reason) +
               (node.hint.empty() ? "" : "; hint: " + node.hint)];
  std::vector<std::pair<int64_t, std::string>> rows;
  rows.reserve(counts.size());
  for (const auto& [reason, count] : counts) rows.emplace_back(count, reason);
  std::stable_sort(rows.begin(), rows.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  return rows;
}

// Nodes that users' converters made, by op and converter.
std::string converted(const Report& report) {
  std::map<std::string, int64_t> counts;
  for (const NodeVerdict& node : report.nodes)
    if (!node.converter.empty()) ++counts[node.op + " by '" + node.converter + "'"];
  if (counts.empty()) return "";
  std::string text = "\nnodes in engines by registered converters\n";
  for (const auto& [what, count] : counts)
    text += format("  %5lld  ", static_cast<long long>(count)) + what + "\n";
  return text;
}

}  // namespace

std::string Report::summary() const {
  return format(
      "%zu engine%s, %lld of %lld nodes, %lld native, %.1f MB -> %.1f MB; graftrt.analyze(...) "
      "says why",
      engines.size(), engines.size() == 1 ? "" : "s", static_cast<long long>(nodes_in_engines),
      static_cast<long long>(nodes_total), static_cast<long long>(nodes_total - nodes_in_engines),
      static_cast<double>(graph_bytes_in) / 1e6, static_cast<double>(graph_bytes_out) / 1e6);
}

std::string Report::text() const {
  std::string out = summary() + "\n";
  for (const std::string& warning : warnings) out += "warning: " + warning + "\n";
  out +=
      format("workspace limit %.1f MB an engine, memory limit ",
             static_cast<double>(max_workspace_bytes) / 1e6) +
      (memory_limit_bytes < 0 ? "none"
                              : format("%.1f MB", static_cast<double>(memory_limit_bytes) / 1e6)) +
      format(", engines take about %.1f MB together\n", static_cast<double>(memory_bytes) / 1e6);
  for (const EngineReport& engine : engines) {
    out += "\nengine " + engine.name +
           (engine.function.empty() ? "" : " in function " + engine.function) +
           format(": %zu nodes, %zu layers, plan %.2f MB (weights %.2f MB), %.3f GFLOP, ",
                  engine.nodes.size(), engine.layers.size(),
                  static_cast<double>(engine.plan_bytes) / 1e6,
                  static_cast<double>(engine.weights_bytes) / 1e6, engine.flops / 1e9);
    out +=
        format("%.2f %% of FLOPs in reference kernels, %.3f MB over the border, built in %.3f s\n",
               engine.reference_flops_share * 100, static_cast<double>(engine.boundary_bytes) / 1e6,
               engine.build_s);
    if (engine.int8_macs_share > 0)
      out += format("  %.1f %% of the multiply-adds in INT8\n", engine.int8_macs_share * 100);
    out += format("  memory about %.3f MB: weights %.3f, activations %.3f, scratch %.3f\n",
                  static_cast<double>(engine.memory_bytes) / 1e6,
                  static_cast<double>(engine.weights_memory_bytes) / 1e6,
                  static_cast<double>(engine.activations_bytes) / 1e6,
                  static_cast<double>(engine.scratch_bytes) / 1e6);
    for (const TensorSpec& spec : engine.inputs)
      out += "  in  " + spec.name + " " + shape_text(spec) + "\n";
    for (const TensorSpec& spec : engine.outputs)
      out += "  out " + spec.name + " " + shape_text(spec) + "\n";
    for (const std::string& warning : engine.warnings) out += "  warning: " + warning + "\n";
    for (const LayerReport& layer : engine.layers)
      out += format("  %-14s %-9s %-9s %10.3f MFLOP  ", layer.op.c_str(), layer.dtype.c_str(),
                    layer.weights_dtype.c_str(), layer.flops / 1e6) +
             layer.name + (layer.winograd_allowed ? "  (Winograd allowed)" : "") + "\n";
  }
  const auto rows = reasons(*this);
  if (!rows.empty()) out += "\nnative nodes by reason\n";
  for (const auto& [count, reason] : rows)
    out += format("  %5lld  ", static_cast<long long>(count)) + reason + "\n";
  out += converted(*this);
  if (!by_min_segment_size.empty()) out += "\nminimum_segment_size -> engines, nodes\n";
  for (const SizeRow& row : by_min_segment_size)
    out += format("  %5lld -> %lld, %lld\n", static_cast<long long>(row.min_segment_size),
                  static_cast<long long>(row.engines), static_cast<long long>(row.nodes));
  return out;
}

}  // namespace graft
