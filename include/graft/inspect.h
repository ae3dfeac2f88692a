// inspect: human-readable text of a GraphDef or a plan. known_ops: what the converter knows.
#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "graft/status.h"

namespace graft {

// Tells a plan (GRFT) from a GraphDef by its first bytes. `full` adds every op of every plan.
Result<std::string> inspect(std::span<const std::byte> bytes, bool full);

struct KnownOps {
  // TensorFlow ops of which an engine may take a node; attributes, dtypes and shapes decide.
  std::vector<std::string> accepted;
  // Those that stay native always, by reason code. Any other op is "unsupported_op".
  std::map<std::string, std::vector<std::string>> native;
};
KnownOps known_ops();

}  // namespace graft
