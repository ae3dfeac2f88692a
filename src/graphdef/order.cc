#include "graphdef/order.h"

#include <algorithm>

namespace graft::graphdef {
namespace {

bool closes_loops(const Node& node) {
  return node.op == "NextIteration" || node.op == "RefNextIteration";
}

// The i-th node that `node` depends on, data inputs first.
int32_t dependency(const Node& node, size_t i) {
  return i < node.inputs.size() ? node.inputs[i].node : node.control_inputs[i - node.inputs.size()];
}

struct Frame {
  int32_t node;
  uint32_t next;  // dependency to look at
};

}  // namespace

GraphOrder order_graph(const Graph& graph) {
  enum : uint8_t { kNew, kOpen, kDone };
  GraphOrder order;
  order.nodes.reserve(graph.nodes.size());
  std::vector<uint8_t> state(graph.nodes.size(), kNew);
  std::vector<Frame> stack;
  for (size_t root = 0; root < graph.nodes.size(); ++root) {
    if (state[root] != kNew) continue;
    state[root] = kOpen;
    stack.push_back({static_cast<int32_t>(root), 0});
    while (!stack.empty()) {
      Frame& top = stack.back();
      const Node& node = graph.nodes[static_cast<size_t>(top.node)];
      if (top.next == node.inputs.size() + node.control_inputs.size()) {
        state[static_cast<size_t>(top.node)] = kDone;
        order.nodes.push_back(top.node);
        stack.pop_back();
        continue;
      }
      const int32_t source = dependency(node, top.next++);
      if (closes_loops(graph.nodes[static_cast<size_t>(source)])) continue;
      uint8_t& source_state = state[static_cast<size_t>(source)];
      if (source_state == kNew) {
        source_state = kOpen;
        stack.push_back({source, 0});
      } else if (source_state == kOpen) {
        // The stack from `source` up is the cycle, consumers first.
        auto begin = std::find_if(stack.begin(), stack.end(),
                                  [&](const Frame& f) { return f.node == source; });
        for (auto it = stack.end(); it != begin;) order.cycle.push_back((--it)->node);
        return order;
      }
    }
  }
  return order;
}

std::vector<int32_t> topological_order(const Graph& graph) { return order_graph(graph).nodes; }

}  // namespace graft::graphdef
