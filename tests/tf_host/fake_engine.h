// An Engine of the host's tests: x [n] -> (x + 1, 2 x), whose plan bytes say how it misbehaves.
#pragma once

#include <cstdint>
#include <string>

namespace tf_host {

// "ok", "corrupt", "misfit" (a plan with one output), "throw_load", "throw_run",
// "fail_after_output" -> plan bytes.
std::string fake_plan(const std::string& behaviour);
int64_t fake_loads();
void reset_fake_loads();
int last_threads();  // EngineOptions::threads of the last load

}  // namespace tf_host
