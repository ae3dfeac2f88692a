// Whether this process may use tile registers.
#pragma once

namespace graft::cpu {

// Asks the kernel at the first call, which gives them on request only.
bool amx_permitted();

}  // namespace graft::cpu
