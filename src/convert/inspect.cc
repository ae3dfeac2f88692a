#include "graft/inspect.h"

#include <cstring>
#include <map>

#include "base/check.h"
#include "base/log.h"
#include "engine/plan/plan.h"
#include "frontend/import.h"
#include "graphdef/attr.h"
#include "ir/verify.h"

namespace graft {
namespace {

std::string describe_plan(const engine::Plan& plan, size_t size_bytes, bool full) {
  std::string text = "plan: format " + std::to_string(plan.format_version) + ", written by " +
                     printable(plan.writer) + ", " + precision_name(plan.options.precision) + ", " +
                     std::to_string(size_bytes) + " bytes, " +
                     std::to_string(plan.network.ops.size()) + " ops\n  identity " + plan.identity +
                     "\n";
  std::map<std::string, int> histogram;
  for (const ir::Op& op : plan.network.ops) ++histogram[ir::op_info(op.kind()).text_name];
  for (const auto& [name, count] : histogram)
    text += "  " + std::to_string(count) + " x " + name + "\n";
  if (full) text += ir::print(plan.network);
  return text;
}

Result<std::string> inspect_impl(std::span<const std::byte> bytes, bool full) {
  if (bytes.size() >= 4 && std::memcmp(bytes.data(), "GRFT", 4) == 0) {
    GRAFT_ASSIGN_OR_RETURN(engine::Plan plan, engine::read_plan(bytes));
    return describe_plan(plan, bytes.size(), full);
  }
  GRAFT_ASSIGN_OR_RETURN(graphdef::Graph graph, graphdef::parse(bytes));
  std::string text = "GraphDef: " + std::to_string(graph.nodes.size()) + " nodes, " +
                     std::to_string(graph.functions.size()) + " functions, producer " +
                     std::to_string(graph.producer) + "\n";
  std::map<std::string, int> histogram;
  for (const graphdef::Node& node : graph.nodes) ++histogram[printable(node.op)];
  for (const auto& [name, count] : histogram)
    text += "  " + std::to_string(count) + " x " + name + "\n";
  for (const graphdef::Node& node : graph.nodes) {
    if (node.op != "TRTEngineOp" && node.op != "GraftEngineOp") continue;
    text += "engine " + printable(node.name) + "\n";
    GRAFT_ASSIGN_OR_RETURN(std::string_view segment,
                           graphdef::attr_string_or(node, "serialized_segment", ""));
    const std::span<const std::byte> plan_bytes = std::as_bytes(std::span(segment));
    Result<engine::Plan> plan = engine::read_plan(plan_bytes);
    text += plan.ok() ? describe_plan(*plan, plan_bytes.size(), full)
                      : "  no Graft plan: " + plan.status().message() + "\n";
  }
  return text;
}

}  // namespace

Result<std::string> inspect(std::span<const std::byte> bytes, bool full) {
  return guard([&] { return inspect_impl(bytes, full); });
}

KnownOps known_ops() { return {frontend::supported_ops(), frontend::native_ops()}; }

}  // namespace graft
