// Functions that native nodes run are converted in their bodies: engines stand in the function,
// which keeps its name, and every node that runs it sees them.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "frontend/import.h"
#include "graft/convert.h"
#include "graphdef/attr.h"

namespace graft::convert_detail {

using ArgShapes = std::vector<std::optional<graphdef::ShapeView>>;  // absent: of unknown rank

// A node that names a function of the library.
struct CallSite {
  std::string node, function;
  // Of the arguments that it hands over; absent: the node is none that is known to call it.
  std::optional<ArgShapes> shapes;
  bool refused = false;  // no importer takes the node, whatever the options say
};

std::vector<CallSite> call_sites(const graphdef::Graph& graph, const frontend::Imported& imported);

// Converts the graph of a body, and tells its call sites.
using ConvertBody = std::function<Result<Conversion>(
    std::span<const std::byte> graph, const ConvertOptions& options, std::vector<CallSite>& sites)>;

// Puts converted bodies into graph.functions where refused nodes run them, and what became of them
// into the report. Left as they are: functions that call each other in a circle, that something
// else than a call, a loop or a conditional names, or whose callers are not known.
Status convert_bodies(const std::vector<CallSite>& sites, const ConvertOptions& options,
                      const ConvertBody& convert, graphdef::Graph& graph, Report& report);

}  // namespace graft::convert_detail
