// A supported region of plain nodes -> an engine in memory.
#pragma once

#include <memory>

#include "frontend/import.h"
#include "graft/session.h"
#include "partition/segment.h"

namespace graft::session {

// convert_plain: through the passes and the machine's kernels; else as imported, by the reference
// evaluator.
Result<std::shared_ptr<Engine>> build_region(const graphdef::Graph& graph,
                                             const frontend::Imported& imported,
                                             const partition::Segment& segment,
                                             const SessionOptions& options);

}  // namespace graft::session
