// retype: types and host values of every op's outputs inferred anew, after a pass has proved dims
// equal.
#pragma once

#include "base/status.h"
#include "ir/network.h"

namespace graft::passes {

Status retype(ir::Network& network);

}  // namespace graft::passes
