// verify: every invariant of a Network. Run after import, after each pass and on every plan before
// use.
#pragma once

#include "base/status.h"
#include "ir/network.h"

namespace graft::ir {

// Ids in range; one producer a value; topological order; inputs/constants without producer; input
// counts by the op table; attributes in range; types equal to infer()'s; constant sizes fit.
// InvalidGraph names op, value and rule.
Status verify(const Network& network);

// Text form, one input, constant, op or output a line; attributes only where they differ from the
// default, constants above 16 elements as their size and hash. Safe on a network that verify
// refuses.
std::string print(const Network& network);

}  // namespace graft::ir
