// GraphDef bytes: convert with native segments and every check on, then run the result without
// TensorFlow.
#include "alloc_cap.h"
#include "fuzz_run.h"
#include "fuzz_target.h"
#include "graft/convert.h"
#include "graft/session.h"
#include "graphdef/attr.h"

using namespace graft;

namespace {

// Feeds of zeros for every Placeholder; fetches every node that nothing reads.
void run_session(std::span<const std::byte> bytes) {
  auto graph = graphdef::parse(bytes);
  if (!graph.ok()) return;
  SessionOptions options;
  options.engine.threads = 1;
  auto session = Session::create(bytes, options);
  if (!session.ok()) return;
  std::vector<TensorSpec> specs;
  std::vector<bool> read(graph->nodes.size(), false);
  for (const auto& node : graph->nodes) {
    for (auto ref : node.inputs) read[static_cast<size_t>(ref.node)] = true;
    if (node.op != "Placeholder") continue;
    auto dtype = graphdef::attr_type(node, "dtype");
    auto shape = graphdef::attr_shape(node, "shape");
    if (!dtype.ok() || !shape.ok() || dtype_size(*dtype) == 0) return;
    specs.push_back({std::string(node.name), *dtype, shape->dims});
  }
  std::vector<std::string> fetches;
  for (size_t v = 0; v < read.size(); ++v)
    if (!read[v]) fetches.emplace_back(graph->nodes[v].name);
  const FuzzInputs inputs = make_inputs(specs);
  if (inputs.refs.size() != specs.size()) return;
  std::vector<std::pair<std::string, TensorRef>> feeds;
  for (size_t i = 0; i < specs.size(); ++i) feeds.emplace_back(specs[i].name, inputs.refs[i]);
  (void)(*session)->run(fetches, feeds).ok();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  cap_allocations();
  const auto bytes = std::as_bytes(std::span(data, size));
  ConvertOptions options;
  options.min_segment_size = 1;
  options.verify_each_pass = true;
  options.round_trip_plans = true;
  auto converted = convert(bytes, options);
  if (!converted.ok()) {
    if (converted.status().code() == Code::kInternal) __builtin_trap();  // our bug by definition
    return 0;
  }
  run_session(converted->graph.flatten());
  return 0;
}
