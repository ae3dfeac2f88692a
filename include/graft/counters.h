// Run-time counters: who answered, engine by engine. Process-wide, thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace graft {

struct EngineCounts {
  int64_t engine = 0;       // runs answered by the engine
  int64_t native = 0;       // runs answered by the native segment
  int64_t calibration = 0;  // calibration runs (each also counts as native)
};

std::map<std::string, EngineCounts> counters();
void reset_counters();

}  // namespace graft
