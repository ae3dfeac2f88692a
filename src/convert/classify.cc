#include "convert/classify.h"

#include <algorithm>
#include <span>
#include <string_view>
#include <unordered_set>

#include "base/fault.h"
#include "convert/glob.h"

namespace graft::convert_detail {
namespace {

// The part of a device string that separates segments: job, replica and task. CPU and GPU of one
// task do not, since the engine runs on the CPU whatever the node says.
std::string device_key(std::string_view device) {
  const size_t at = device.find("/device:");
  return std::string(device.substr(0, at));
}

bool counts_as_effective(std::string_view op) {
  return op != "Const" && op != "Identity" && op != "Snapshot" && op != "StopGradient";
}

void warn_unmatched(const graphdef::Graph& graph, const frontend::Imported& imported,
                    const std::vector<std::string>& patterns, bool by_op, const char* option,
                    std::vector<std::string>& warnings) {
  for (const std::string& pattern : patterns) {
    const auto matches = [&](const auto& node) {
      return glob_match(pattern, by_op ? std::string_view(node.op) : std::string_view(node.name));
    };
    const bool hit = std::any_of(graph.nodes.begin(), graph.nodes.end(), matches) ||
                     std::any_of(imported.inlined.begin(), imported.inlined.end(), [&](auto& call) {
                       return std::any_of(call.second.begin(), call.second.end(), matches);
                     });
    if (!hit)
      warnings.push_back(std::string(option) + ": '" + pattern + "' matches nothing in the graph");
  }
}

}  // namespace

Classified classify(const graphdef::Graph& graph, const frontend::Imported& imported,
                    const ConvertOptions& options) {
  Classified result;
  const size_t n = graph.nodes.size();
  result.classes.resize(n);
  result.verdicts.resize(n);
  result.devices.reserve(n);
  const std::unordered_set<std::string_view> slow(options.slow_nodes.begin(),
                                                  options.slow_nodes.end());
  std::vector<bool> fed(n);
  for (const std::string& name : options.inputs) {
    const int32_t node = graph.find(std::string_view(name).substr(0, name.find(':')));
    if (node >= 0)
      fed[node] = true;
    else
      result.warnings.push_back("inputs: '" + name + "' is not in the graph");
  }
  const auto is_denied = [&](const frontend::InlinedNode& inner) {
    return any_glob_match(options.deny_nodes, inner.name) ||
           any_glob_match(options.deny_ops, inner.op);
  };
  for (size_t i = 0; i < n; ++i) {
    const graphdef::Node& node = graph.nodes[i];
    const frontend::Support& support = imported.support[i];
    NodeVerdict& verdict = result.verdicts[i];
    partition::NodeClass& node_class = result.classes[i];
    verdict.name = node.name;
    verdict.op = node.op;
    node_class.supported = support.yes;
    node_class.free = support.free;
    if (!imported.bond.empty()) node_class.bond = imported.bond[i];
    node_class.effective = counts_as_effective(node.op);
    const auto call = imported.inlined.find(static_cast<int32_t>(i));
    const std::span<const frontend::InlinedNode> inlined =
        call == imported.inlined.end() ? std::span<const frontend::InlinedNode>() : call->second;
    if (!inlined.empty())
      node_class.effective = std::count_if(
          inlined.begin(), inlined.end(),
          [](const frontend::InlinedNode& inner) { return counts_as_effective(inner.op); });
    result.devices.push_back(device_key(node.device));
    node_class.device = result.devices.back();
    verdict.reason_code = support.code;
    verdict.reason = support.reason;
    verdict.hint = support.hint;
    if (const auto own = imported.converters.find(static_cast<int32_t>(i));
        own != imported.converters.end())
      for (const std::string& name : own->second)
        verdict.converter += (verdict.converter.empty() ? "" : ", ") + name;
    const auto refuse = [&](const char* code, std::string reason) {
      node_class.supported = false;
      verdict.reason_code = code;
      verdict.reason = std::move(reason);
    };
    if (!support.yes) continue;
    if (slow.contains(node.name) ||
        std::any_of(inlined.begin(), inlined.end(),
                    [&](const frontend::InlinedNode& inner) { return slow.contains(inner.name); }))
      refuse("slower", "measured: TensorFlow runs these nodes faster than their engine");
    else if (fed[i])
      refuse("input_node", "named in inputs: it is fed");
    else if (any_glob_match(options.deny_nodes, node.name) && !GRAFT_FAULT(deny_list_ignored))
      refuse("denied", "denied by node name");
    else if (any_glob_match(options.deny_ops, node.op))
      refuse("denied", "op type " + std::string(node.op) + " is denied");
    else if (const auto inner = std::find_if(inlined.begin(), inlined.end(), is_denied);
             inner != inlined.end())
      refuse("denied", "node '" + inner->name + "' (" + inner->op +
                           ") of the function that it calls is denied");
    else if (!options.allow_nodes.empty() && !any_glob_match(options.allow_nodes, node.name) &&
             !support.free)
      refuse("denied", "not in the allow list of node names");
    else if (!options.allow_ops.empty() && !any_glob_match(options.allow_ops, node.op) &&
             !support.free)
      refuse("denied", "op type is not in the allow list");
  }
  warn_unmatched(graph, imported, options.deny_ops, true, "deny_ops", result.warnings);
  warn_unmatched(graph, imported, options.deny_nodes, false, "deny_nodes", result.warnings);
  warn_unmatched(graph, imported, options.allow_ops, true, "allow_ops", result.warnings);
  warn_unmatched(graph, imported, options.allow_nodes, false, "allow_nodes", result.warnings);
  return result;
}

}  // namespace graft::convert_detail
