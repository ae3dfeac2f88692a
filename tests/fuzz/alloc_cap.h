// Fuzzed bytes may ask for much memory: refusing it is right, having it is slow.
#pragma once

#include "base/alloc.h"

namespace graft {
inline void cap_allocations() { set_alloc_cap(int64_t{256} << 20); }
}  // namespace graft
