// A graph with its verdicts, networks and segments: what is decided before anything is built.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "base/work.h"
#include "convert/classify.h"
#include "convert/lowered.h"
#include "frontend/import.h"
#include "graft/convert.h"
#include "graphdef/graph.h"
#include "partition/segment.h"

namespace graft::convert_detail {

struct Partitioned {
  graphdef::Graph source;  // pruned; views the bytes
  graphdef::Graph graph;   // the same, with its lowered control flow rebuilt
  std::vector<frontend::RebuiltOp> rebuilt;
  std::vector<graphdef::InputRef> fetched;
  frontend::Imported imported;
  Classified classified;
  partition::Segmentation segmentation;
};

// Fills outputs, warnings and by_min_segment_size of the report. The result views `bytes`. What was
// rebuilt and is in no segment is rebuilt no more, and enters `kept`.
Result<Partitioned> partition_graph(std::span<const std::byte> bytes, const ConvertOptions& options,
                                    WorkContext& work, Report& report, KeptControlFlow& kept);

}  // namespace graft::convert_detail
