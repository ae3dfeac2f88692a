// What a session keeps of a mixed graph once its engines are loaded.
#pragma once

#include "graft/rope.h"
#include "graphdef/graph.h"

namespace graft::session {

// `bytes` (which parse to `graph`) without the plans of engine nodes and without the native
// segments that they name; all else byte for byte. Views `bytes`.
Rope slim_graph(graphdef::Bytes bytes, const graphdef::Graph& graph);

}  // namespace graft::session
