// One segment -> plan bytes and the engine node that carries them.
#pragma once

#include <string>

#include "base/work.h"
#include "frontend/import.h"
#include "graft/convert.h"
#include "graphdef/graph.h"
#include "partition/splice.h"

namespace graft::convert_detail {

struct BuiltEngine {
  partition::EngineNode node;  // without a final name
  EngineReport report;
};

// Errors leave the segment native. `index` numbers the segment for names and dumps.
Result<BuiltEngine> build_engine(const graphdef::Graph& graph, const frontend::Imported& imported,
                                 const partition::Segment& segment, const ConvertOptions& options,
                                 int64_t index, WorkContext& work);

std::string engine_name(const ConvertOptions& options, int64_t index);

}  // namespace graft::convert_detail
