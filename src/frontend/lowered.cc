#include "frontend/lowered.h"

#include <algorithm>

#include "base/log.h"
#include "frontend/lowered_edit.h"
#include "ir/network.h"

namespace graft::frontend {
namespace {

using graphdef::Graph;
using graphdef::InputRef;
using graphdef::Node;

constexpr int kTooDeep = ir::kMaxBodyDepth + 1;

std::string_view anchor_of(const LoweredEdit& edit, const std::vector<int32_t>& nodes) {
  for (int32_t v : nodes)
    if (edit.node(v).op == "LoopCond") return edit.node(v).name;
  return {};
}

// Those of that depth; of kTooDeep: and of more.
Status rebuild_loops(LoweredEdit& edit, int depth) {
  const size_t count = edit.frames.all.size();
  std::vector<std::vector<int32_t>> nodes(count), exits(count);
  for (size_t i = 0; i < edit.graph.nodes.size(); ++i) {
    const auto v = static_cast<int32_t>(i);
    nodes[static_cast<size_t>(edit.frame_of(v))].push_back(v);
    const Node& node = edit.node(v);
    if ((node.op == "Exit" || node.op == "RefExit") && !node.inputs.empty())
      exits[static_cast<size_t>(edit.frame_of(node.inputs[0].node))].push_back(v);
  }
  for (size_t f = 1; f < count; ++f) {
    const LoopFrame& frame = edit.frames.all[f];
    if (std::min(frame.depth, kTooDeep) != depth) continue;
    Status status = ok_status();
    if (!frame.broken.empty())
      status = unsupported(frame.broken);
    else if (depth == kTooDeep)
      status = unsupported("loops nest more than " + std::to_string(ir::kMaxBodyDepth) + " deep");
    else if (edit.request.excluded.contains(std::string(anchor_of(edit, nodes[f]))))
      continue;
    else
      status = rebuild_loop(edit, static_cast<int32_t>(f), nodes[f], exits[f]);
    if (status.ok()) continue;
    if (status.code() == Code::kCancelled || status.code() == Code::kResourceExhausted)
      return status;
    const std::string why =
        "the loop '" + printable(frame.name) + "' is not rebuilt: " + status.message();
    for (const auto* list : {&nodes[f], &exits[f]})
      for (int32_t v : *list)
        if (static_cast<size_t>(v) < edit.left.size()) edit.left[static_cast<size_t>(v)] = why;
  }
  return ok_status();
}

std::vector<bool> needed(const Graph& graph, std::span<const InputRef> fetched) {
  std::vector<bool> keep(graph.nodes.size(), false);
  std::vector<int32_t> stack;
  const auto need = [&](int32_t v) {
    if (keep[static_cast<size_t>(v)]) return;
    keep[static_cast<size_t>(v)] = true;
    stack.push_back(v);
  };
  for (InputRef ref : fetched) need(ref.node);
  while (!stack.empty()) {
    const Node& node = graph.nodes[static_cast<size_t>(stack.back())];
    stack.pop_back();
    for (InputRef ref : node.inputs) need(ref.node);
    for (int32_t source : node.control_inputs) need(source);
  }
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node& node = graph.nodes[i];
    if (node.op.starts_with("Placeholder") && node.inputs.empty() && node.control_inputs.empty())
      keep[i] = true;  // users import them by name
  }
  return keep;
}

// The graph without the nodes that are not kept; `number` receives the new numbers.
Graph compact(const Graph& graph, const std::vector<bool>& keep, std::vector<int32_t>& number) {
  Graph result = graph;
  result.nodes.clear();
  result.index.clear();
  number.assign(graph.nodes.size(), -1);
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    if (!keep[i]) continue;
    number[i] = static_cast<int32_t>(result.nodes.size());
    result.index.emplace(graph.nodes[i].name, number[i]);
    result.nodes.push_back(graph.nodes[i]);
  }
  for (Node& node : result.nodes) {
    for (InputRef& input : node.inputs) input.node = number[static_cast<size_t>(input.node)];
    for (int32_t& source : node.control_inputs) source = number[static_cast<size_t>(source)];
  }
  return result;
}

// Per node of the source: the op that stands for it; -1: none.
std::vector<int32_t> ops_of_nodes(const Graph& source, const LoweredEdit& edit,
                                  const std::vector<bool>& keep) {
  const auto outermost = [&](int32_t op) {
    while (op >= 0 && !keep[static_cast<size_t>(edit.ops[static_cast<size_t>(op)].node)])
      op = edit.owner[static_cast<size_t>(edit.ops[static_cast<size_t>(op)].node)];
    return op;
  };
  std::vector<int32_t> result(source.nodes.size(), -1);
  for (size_t i = 0; i < source.nodes.size(); ++i) {
    if (!keep[i]) {
      result[i] = outermost(edit.owner[i]);
    } else if (edit.renamed[i]) {
      const auto made = edit.op_of_node.find(edit.graph.nodes[i].inputs[0].node);
      if (made != edit.op_of_node.end()) result[i] = made->second;
    }
  }
  // What was needed by nodes of an op only, such as the Identity of a predicate.
  const std::vector<int32_t> order = graphdef::topological_order(source);
  for (auto it = order.rbegin(); it != order.rend(); ++it) {
    const auto i = static_cast<size_t>(*it);
    if (result[i] < 0) continue;
    const auto give = [&](int32_t v) {
      const auto s = static_cast<size_t>(v);
      if (!keep[s] && result[s] < 0) result[s] = result[i];
    };
    for (InputRef ref : source.nodes[i].inputs) give(ref.node);
    for (int32_t control : source.nodes[i].control_inputs) give(control);
  }
  return result;
}

}  // namespace

bool has_lowered_control_flow(const Graph& graph) {
  return std::any_of(graph.nodes.begin(), graph.nodes.end(),
                     [](const Node& node) { return is_frame_op(node.op); });
}

Result<Rebuilt> rebuild_control_flow(const Graph& graph, const LoweredRequest& request,
                                     WorkContext& work) {
  LoweredEdit edit(graph, request, work);
  int deepest = 0;
  for (const LoopFrame& frame : edit.frames.all)
    deepest = std::max(deepest, std::min(frame.depth, kTooDeep));
  for (int depth = deepest; depth >= 0; --depth) {
    GRAFT_RETURN_IF_ERROR(work.spend(1, "rebuilding control flow"));
    if (depth < kTooDeep) GRAFT_RETURN_IF_ERROR(rebuild_conditionals(edit, depth));
    if (depth > 0) GRAFT_RETURN_IF_ERROR(rebuild_loops(edit, depth));
  }
  Rebuilt result;
  const std::vector<bool> keep = needed(edit.graph, request.fetched);
  std::vector<int32_t> number;
  result.graph = compact(edit.graph, keep, number);
  result.left = std::move(edit.left);
  for (InputRef ref : request.fetched)
    result.fetched.push_back({number[static_cast<size_t>(ref.node)], ref.port});
  const std::vector<int32_t> op_of = ops_of_nodes(graph, edit, keep);
  std::vector<int32_t> place(edit.ops.size(), -1);
  for (size_t i = 0; i < edit.ops.size(); ++i) {
    LoweredOp& op = edit.ops[i];
    if (!keep[static_cast<size_t>(op.node)]) continue;
    place[i] = static_cast<int32_t>(result.ops.size());
    result.ops.push_back(
        {std::string(edit.node(op.node).name), std::move(op.what), {}, std::move(op.anchors)});
  }
  for (size_t v = 0; v < op_of.size(); ++v)
    if (op_of[v] >= 0 && place[static_cast<size_t>(op_of[v])] >= 0)
      result.ops[static_cast<size_t>(place[static_cast<size_t>(op_of[v])])].members.push_back(
          static_cast<int32_t>(v));
  return result;
}

}  // namespace graft::frontend
