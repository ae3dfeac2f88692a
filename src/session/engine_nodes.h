// Engine nodes of a mixed graph.
#pragma once

#include <memory>

#include "graft/engine.h"
#include "graphdef/graph.h"

namespace graft::session {

bool is_engine_op(std::string_view op);

// Loads the plan that the node carries. PlanError naming the node; Unsupported naming `graft
// rescue` for a TensorRT plan.
Result<std::shared_ptr<Engine>> load_engine_node(const graphdef::Node& node,
                                                 const EngineOptions& options);

}  // namespace graft::session
