// The instruction sets and caches of this machine.
#pragma once

#include "ir/target.h"

namespace graft::cpu {

// The highest level that processor and operating system support; cache sizes of one core as the C
// library tells them, the defaults of Target where it tells none. Detected once.
const ir::Target& machine_target();

}  // namespace graft::cpu
