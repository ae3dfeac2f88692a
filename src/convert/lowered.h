// Lowered control flow within a conversion: what is rebuilt must be in an engine, or the graph
// keeps it as it was.
#pragma once

#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/work.h"
#include "frontend/lowered.h"
#include "graft/convert.h"
#include "graft/report.h"
#include "graft/rope.h"

namespace graft::convert_detail {

// Why a segment or node stays native.
struct Left {
  std::string code, reason, hint;
};

// Loops and conditionals that are not rebuilt.
struct KeptControlFlow {
  bool all = false;                             // none is
  int rounds = 0;                               // conversions that were given up for one
  std::unordered_set<std::string> anchors;      // see frontend::RebuiltOp
  std::unordered_map<std::string, Left> nodes;  // their nodes
  std::vector<std::string> warnings;            // of the conversions that were given up
};

void keep_native(const graphdef::Graph& source, const frontend::RebuiltOp& op, const Left& why,
                 KeptControlFlow& kept);

Status rebuild(const ConvertOptions& options, WorkContext& work,
               const std::vector<graphdef::InputRef>& fetched, KeptControlFlow& kept,
               const graphdef::Graph& source, graphdef::Graph& graph,
               std::vector<graphdef::InputRef>& rebuilt_fetched,
               std::vector<frontend::RebuiltOp>& ops);

// Verdicts of graph's nodes -> those of the source's.
std::vector<NodeVerdict> source_verdicts(const graphdef::Graph& source,
                                         const graphdef::Graph& graph,
                                         const std::vector<frontend::RebuiltOp>& ops,
                                         const KeptControlFlow& kept,
                                         const std::vector<NodeVerdict>& verdicts);

// The same bytes, with what the graph's owners keep alive kept alive by the rope.
Rope owning(const Rope& rope, const graphdef::Graph& graph);

}  // namespace graft::convert_detail
