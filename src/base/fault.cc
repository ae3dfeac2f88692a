#include "base/fault.h"

#include <cstdlib>
#include <string_view>

namespace graft {
#ifdef GRAFT_ENABLE_FAULTS
// The variable is read at every call, so that one test process can switch faults on and off.
bool planted_fault(const char* id) {
  const char* env = std::getenv("GRAFT_PLANTED_FAULT");
  if (env == nullptr) return false;
  std::string_view list = env;
  const std::string_view wanted = id;
  while (!list.empty()) {
    const size_t comma = list.find(',');
    if (list.substr(0, comma) == wanted) return true;
    if (comma == std::string_view::npos) break;
    list.remove_prefix(comma + 1);
  }
  return false;
}
#endif
}  // namespace graft
