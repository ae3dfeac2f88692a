#include "convert/report_edges.h"

#include "base/check.h"

namespace graft::convert_detail {

void add_edges(const graphdef::Graph& graph, std::vector<NodeVerdict>& nodes) {
  GRAFT_CHECK(nodes.size() == graph.nodes.size(), "one verdict per node");
  // The consumer that a producer was last noted for: linear for a node of any number of inputs.
  std::vector<int32_t> data_of(nodes.size(), -1), control_of(nodes.size(), -1);
  for (size_t i = 0; i < nodes.size(); ++i) {
    const graphdef::Node& node = graph.nodes[i];
    const auto consumer = static_cast<int32_t>(i);
    nodes[i].inputs.reserve(node.inputs.size());
    for (const graphdef::InputRef& input : node.inputs) {
      if (data_of[input.node] == consumer) continue;
      data_of[input.node] = consumer;
      nodes[i].inputs.push_back(input.node);
    }
    for (int32_t source : node.control_inputs) {
      if (control_of[source] == consumer) continue;
      control_of[source] = consumer;
      nodes[i].control_inputs.push_back(source);
    }
  }
}

}  // namespace graft::convert_detail
