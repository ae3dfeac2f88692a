#include "python_log.h"

#include <nanobind/stl/string.h>

#include "base/log.h"

namespace nb = nanobind;

namespace graft::python {
namespace {

// Leaked on purpose: messages may arrive while the interpreter shuts down.
nb::object* g_sink = nullptr;

void forward(LogLevel level, const std::string& message) {
  if (g_sink == nullptr || !Py_IsInitialized()) return;
  nb::gil_scoped_acquire gil;
  try {
    (*g_sink)(static_cast<int>(level), message);
  } catch (nb::python_error& e) {
    e.discard_as_unraisable("graftrt log sink");
  }
}

}  // namespace

void install_log_sink(nb::object sink) {
  if (g_sink == nullptr) g_sink = new nb::object();
  *g_sink = std::move(sink);
  set_log_sink(&forward);
}

}  // namespace graft::python
