#include "convert/outputs.h"

#include <algorithm>

#include "base/log.h"
#include "graphdef/writer.h"

namespace graft::convert_detail {

using graphdef::Graph;
using graphdef::InputRef;
using graphdef::Node;

bool is_placeholder(std::string_view op) {
  return op == "Placeholder" || op == "PlaceholderV2" || op == "PlaceholderWithDefault";
}

Result<std::vector<InputRef>> resolve_outputs(const Graph& graph, const ConvertOptions& options) {
  std::vector<InputRef> fetched;
  for (const std::string& name : options.outputs) {
    if (name.empty()) return invalid_argument("outputs: a name is empty");
    if (name[0] == '^')
      return invalid_argument("outputs: '" + printable(name) +
                              "' is a control input; give a tensor, \"node\" or \"node:0\"");
    GRAFT_ASSIGN_OR_RETURN(InputRef ref, graphdef::find_tensor(graph, name));
    if (std::find(fetched.begin(), fetched.end(), ref) == fetched.end()) fetched.push_back(ref);
  }
  if (!options.outputs.empty()) return fetched;

  std::vector<bool> used(graph.nodes.size());
  for (const Node& node : graph.nodes) {
    for (const InputRef& input : node.inputs) used[input.node] = true;
    for (int32_t control : node.control_inputs) used[control] = true;
  }
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node& node = graph.nodes[i];
    if (!used[i] && node.op != "NoOp" && !is_placeholder(node.op))
      fetched.push_back({static_cast<int32_t>(i), 0});
  }
  if (fetched.empty())
    return invalid_argument(
        "outputs: none given and the graph has no sink to take; name the nodes to fetch");
  return fetched;
}

Result<Graph> prune(const Graph& graph, const std::vector<InputRef>& fetched,
                    int64_t* pruned_nodes) {
  std::vector<bool> keep(graph.nodes.size());
  std::vector<int32_t> stack;
  const auto visit = [&](int32_t node) {
    if (!keep[node]) {
      keep[node] = true;
      stack.push_back(node);
    }
  };
  for (const InputRef& ref : fetched) visit(ref.node);
  while (!stack.empty()) {
    const Node& node = graph.nodes[stack.back()];
    stack.pop_back();
    for (const InputRef& input : node.inputs) visit(input.node);
    for (int32_t control : node.control_inputs) visit(control);
  }
  int64_t dropped = 0;
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    if (is_placeholder(graph.nodes[i].op) && graph.nodes[i].inputs.empty() &&
        graph.nodes[i].control_inputs.empty())
      keep[i] = true;
    dropped += !keep[i];
  }
  *pruned_nodes = dropped;
  Graph result = graph;
  if (dropped == 0) return result;
  std::vector<int32_t> renumbered(graph.nodes.size(), -1);
  result.nodes.clear();
  result.index.clear();
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    if (!keep[i]) continue;
    renumbered[i] = static_cast<int32_t>(result.nodes.size());
    result.index.emplace(graph.nodes[i].name, renumbered[i]);
    result.nodes.push_back(graph.nodes[i]);
  }
  for (Node& node : result.nodes) {
    for (InputRef& input : node.inputs) input.node = renumbered[input.node];
    for (int32_t& control : node.control_inputs) control = renumbered[control];
  }
  return result;
}

Status check_frozen(const Graph& graph) {
  for (const Node& node : graph.nodes) {
    if (node.op == "Variable" || node.op == "VariableV2" || node.op == "VarHandleOp" ||
        node.op == "AutoReloadVariable" || node.op == "TemporaryVariable")
      return invalid_graph("node '" + printable(node.name) + "' (" + std::string(node.op) +
                           ") is a variable: the input graph must be frozen. Freeze it "
                           "(convert_variables_to_constants_v2) or "
                           "convert the SavedModel, which freezes it");
  }
  return ok_status();
}

}  // namespace graft::convert_detail
