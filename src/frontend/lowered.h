// Control flow of the first version: loops as frames (Enter, Merge, LoopCond, Switch,
// NextIteration, Exit), conditionals as Switch and Merge. What is recognised as a whole is rebuilt
// as one StatelessWhile or StatelessIf with its functions; all else stays as it is, with the
// reason.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <unordered_set>
#include <vector>

#include "base/work.h"
#include "graphdef/graph.h"

namespace graft::frontend {

// A node that was made for a loop or a conditional.
struct RebuiltOp {
  std::string name, what;        // of the node; what it was: "the loop 'while/context'"
  std::vector<int32_t> members;  // nodes of the source that it stands for
  // What keeps it from being rebuilt, in LoweredRequest::excluded; of what is within it, too.
  std::vector<std::string> anchors;
};

struct Rebuilt {
  // Merges and Exits of what was rebuilt keep their names, as Identity; the members that nothing
  // else needs are gone. What was made is viewed by the graph and kept alive by its owners.
  graphdef::Graph graph;
  std::vector<graphdef::InputRef> fetched;
  std::vector<RebuiltOp> ops;     // those that are nodes of the graph
  std::vector<std::string> left;  // per node of the source: why it was not rebuilt; "": see its op
};

struct LoweredRequest {
  std::span<const graphdef::InputRef> fetched;
  const std::vector<bool>& fed;  // per node
  const std::unordered_set<std::string>& excluded;
};

bool has_lowered_control_flow(const graphdef::Graph& graph);
// `graph` holds nothing that no fetched tensor needs, placeholders apart.
Result<Rebuilt> rebuild_control_flow(const graphdef::Graph& graph, const LoweredRequest& request,
                                     WorkContext& work);

}  // namespace graft::frontend
