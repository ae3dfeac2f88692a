// Splicer: segments + engine attributes -> the mixed graph. The source graph is never edited.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "graft/rope.h"
#include "graphdef/graph.h"
#include "graphdef/writer.h"
#include "partition/segment.h"

namespace graft::partition {

// One engine node to put in place of a segment.
struct EngineNode {
  const Segment* segment = nullptr;
  std::string name;  // made unique by the splicer
  std::string op;    // "TRTEngineOp"
  std::string device;
  std::vector<std::pair<std::string, Rope>> attrs;  // serialized AttrValues; InT/OutT included
  std::vector<DType> input_dtypes, output_dtypes;
  std::vector<graphdef::ShapeView> output_shapes;  // for EnsureShape behind the engine
  bool native_segment = true;  // add function `<name>_native_segment` and attr segment_func
};

// Fetched nodes keep their names: a fetched tensor that an engine computes is re-exported by an
// Identity of the fetched node's name. Control edges, devices of native nodes, and the function
// library are kept; constants used by engines only are dropped. `names` receives the final names of
// the engines. The result views the bytes that `graph` views.
Result<Rope> splice(const graphdef::Graph& graph, const std::vector<EngineNode>& engines,
                    std::span<const graphdef::InputRef> fetched, std::vector<std::string>& names);

}  // namespace graft::partition
