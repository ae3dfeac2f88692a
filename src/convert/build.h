// One segment -> plan bytes and the node that carries them.
#pragma once

#include <string>

#include "base/work.h"
#include "frontend/import.h"
#include "graft/convert.h"
#include "graphdef/graph.h"
#include "ir/range_table.h"
#include "partition/splice.h"

namespace graft::convert_detail {

// What all segments of one conversion are built by.
struct BuildSetup {
  const ConvertOptions& options;
  Precision precision;                     // of the plans; differs from options.precision at times
  const ir::RangeTable* ranges = nullptr;  // INT8
  std::string identity;                    // graph_identity; calibration graphs only
  std::string conversion_id;               // calibration graphs only
};

struct BuiltEngine {
  partition::EngineNode node;  // without a final name
  EngineReport report;
  std::vector<std::string> tensors;        // INT8: all that a table may give a range for
  std::vector<std::string> unused_ranges;  // INT8: ranges of the user without effect
};

// Errors leave the segment native. `index` numbers the segment for names and dumps.
Result<BuiltEngine> build_engine(const graphdef::Graph& graph, const frontend::Imported& imported,
                                 const partition::Segment& segment, const BuildSetup& setup,
                                 int64_t index, WorkContext& work);

std::string engine_name(const ConvertOptions& options, int64_t index);

}  // namespace graft::convert_detail
