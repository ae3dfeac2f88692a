// Mixed graphs with their native segments, without the plans, which rescue does not read.
#include "graft/convert.h"
#include "graphdef/graph.h"
#include "graphdef/writer.h"
#include "seeds.h"

namespace graft {
namespace {

Result<std::vector<std::byte>> without_plans(std::span<const std::byte> bytes) {
  GRAFT_ASSIGN_OR_RETURN(const graphdef::Graph graph, graphdef::parse(bytes));
  graphdef::GraphWriter writer;
  for (const graphdef::Node& node : graph.nodes) {
    graphdef::NodeSpec spec{std::string(node.name), std::string(node.op), "", {}, {}};
    for (graphdef::InputRef ref : node.inputs) spec.inputs.push_back(tensor_name(graph, ref));
    for (int32_t source : node.control_inputs)
      spec.inputs.push_back("^" + tensor_name(graph, {source, 0}));
    for (const graphdef::AttrView& attr : node.attrs) {
      if (attr.name == "serialized_segment") continue;
      Rope value;
      value.append_view(attr.value);
      spec.attrs.emplace_back(std::string(attr.name), std::move(value));
    }
    writer.add(spec);
  }
  for (const graphdef::Function& function : graph.functions) writer.add_function_raw(function.raw);
  writer.add_rest(graph.rest);
  return writer.finish();
}

}  // namespace

Seeds seeds() {
  Seeds out;
  for (const auto& [name, bytes] : graph_seeds()) {
    ConvertOptions options;
    options.min_segment_size = 1;
    auto converted = convert(std::as_bytes(std::span(bytes.data(), bytes.size())), options);
    if (!converted.ok()) continue;
    auto seed = without_plans(converted->graph.flatten());
    if (!seed.ok()) continue;
    out.emplace_back(name, std::string(reinterpret_cast<const char*>(seed->data()), seed->size()));
  }
  return out;
}

}  // namespace graft
