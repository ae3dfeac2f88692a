#include "base/check.h"

namespace graft {

void throw_internal_error(const char* file, int line, const std::string& what) {
  std::string path = file;
  const size_t src = path.rfind("src/");
  if (src != std::string::npos) path = path.substr(src);
  throw InternalError(path + ":" + std::to_string(line) + ": check failed: " + what);
}

Status status_from_current_exception() noexcept {
  try {
    throw;
  } catch (const std::bad_alloc&) {
    return resource_exhausted("out of memory");
  } catch (const std::exception& e) {
    return internal_error(e.what());
  } catch (...) {
    return internal_error("unknown exception");
  }
}

}  // namespace graft
