// How many threads the process may use.
#pragma once

namespace graft::cpu {

// GRAFT_THREADS if it is a number in [1, 1024]; else the cores of the affinity mask, cut to the
// cgroup's CPU quota (rounded up). At least 1.
int default_thread_count();

// The cores of the affinity mask and quota, without the variable.
int usable_cores();

}  // namespace graft::cpu
