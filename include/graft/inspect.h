// inspect: human-readable text of a GraphDef or a plan.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "graft/status.h"

namespace graft {

// Tells a plan (GRFT) from a GraphDef by its first bytes. `full` adds every op of every plan.
Result<std::string> inspect(std::span<const std::byte> bytes, bool full);

}  // namespace graft
