// Verdicts + options -> what the segmenter needs to know of each node.
#pragma once

#include <string>
#include <vector>

#include "frontend/import.h"
#include "graft/convert.h"
#include "graphdef/graph.h"
#include "partition/segment.h"

namespace graft::convert_detail {

struct Classified {
  std::vector<partition::NodeClass> classes;
  std::vector<NodeVerdict> verdicts;  // engine = -1, with the reason for what is not supported
  std::vector<std::string> devices;   // storage behind NodeClass::device
  std::vector<std::string> warnings;  // patterns that match nothing
};

Classified classify(const graphdef::Graph& graph, const frontend::Imported& imported,
                    const ConvertOptions& options);

}  // namespace graft::convert_detail
