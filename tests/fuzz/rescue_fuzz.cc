// GraphDef bytes with engines: rescue, whose result is a graph without any.
#include <algorithm>

#include "fuzz_target.h"
#include "graft/rescue.h"
#include "graphdef/graph.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto rescued = graft::rescue(std::as_bytes(std::span(data, size)));
  if (!rescued.ok()) return 0;
  const auto graph = graft::graphdef::parse(rescued->graph);
  if (!graph.ok()) __builtin_trap();
  for (const auto& node : graph->nodes)
    if (node.op == "TRTEngineOp" || node.op == "GraftEngineOp") __builtin_trap();
  return 0;
}
