// Sends the library's log to a Python callable (level, message).
#pragma once

#include <nanobind/nanobind.h>

namespace graft::python {
void install_log_sink(nanobind::object sink);
}  // namespace graft::python
