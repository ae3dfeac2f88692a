// GraphDef bytes: parse, decode every attribute and tensor, order, and write again.
#include <vector>

#include "fuzz_target.h"
#include "graphdef/attr.h"
#include "graphdef/graph.h"
#include "graphdef/writer.h"

using namespace graft::graphdef;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  auto graph = parse(std::as_bytes(std::span(data, size)));
  if (!graph.ok()) return 0;
  GraphWriter writer;
  for (const Node& node : graph->nodes) {
    for (const AttrView& attr : node.attrs) {
      auto value = decode_attr(attr.value);
      if (!value.ok() || value->kind != AttrValue::Kind::kTensor) continue;
      auto tensor = decode_tensor(value->tensor);
      // Bytes outside the view are the sanitizer's to find.
      unsigned sum = 0;
      if (tensor.ok())
        for (std::byte b : tensor->content) sum += std::to_integer<unsigned>(b);
      if (sum == 1) (void)find_tensor(*graph, node.op).ok();
    }
    std::vector<std::string> inputs;
    for (InputRef ref : node.inputs) inputs.push_back(tensor_name(*graph, ref));
    for (int32_t source : node.control_inputs)
      inputs.push_back("^" + tensor_name(*graph, {source, 0}));
    writer.add_with_inputs(node, inputs);
  }
  for (const Function& function : graph->functions) writer.add_function_raw(function.raw);
  writer.add_library_rest(graph->library_rest);
  writer.add_rest(graph->rest);
  auto again_bytes = writer.finish();
  if (topological_order(*graph).size() != graph->nodes.size() || !again_bytes.ok())
    __builtin_trap();
  auto again = parse(*again_bytes);
  if (!again.ok() || again->nodes.size() != graph->nodes.size()) __builtin_trap();
  return 0;
}
