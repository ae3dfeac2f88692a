// Planted faults: GRAFT_FAULT(id) is true when the fault of that id is switched on (test builds and
// the GRAFT_PLANTED_FAULT variable of the test configuration only), so that each check can be shown
// to turn red.
#pragma once

namespace graft {
#ifdef GRAFT_ENABLE_FAULTS
bool planted_fault(const char* id);
#define GRAFT_FAULT(id) (::graft::planted_fault(#id))
#else
#define GRAFT_FAULT(id) (false)
#endif
}  // namespace graft
