// verify: every invariant of a Network. Run after import, after each pass and on every plan before use.
#pragma once

#include "base/status.h"
#include "ir/network.h"

namespace graft::ir {

// Ids in range; one producer a value; topological order; inputs/constants without producer; input counts by the op
// table; attributes in range; types equal to infer()'s; constant sizes fit. InvalidGraph names op, value and rule.
Status verify(const Network& network);

// Text form, one op a line, that parse_text reads back (constants above 16 elements as their size and hash).
std::string print(const Network& network);

}  // namespace graft::ir
