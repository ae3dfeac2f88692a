// The native segment: a segment as a FunctionDef that TensorFlow runs when the engine cannot.
#pragma once

#include <string>

#include "graphdef/writer.h"
#include "partition/segment.h"
#include "partition/splice.h"

namespace graft::partition {

// Inputs TensorRTInputPH_<i> and outputs TensorRTOutputPH_<i> in the segment's order, its nodes and
// copies of its constants under their own names. Control edges from outside belong to the engine
// node and are left out.
Result<graphdef::FunctionSpec> native_segment(const graphdef::Graph& graph,
                                              const EngineNode& engine,
                                              const std::string& function_name);

}  // namespace graft::partition
