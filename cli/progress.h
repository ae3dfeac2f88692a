// How far a long command is, on stderr.
#pragma once

#include <chrono>
#include <string>

#include "graft/convert.h"

namespace graft::cli {

// On a terminal one line that is written over, elsewhere a plain line every ten seconds. Silent
// through a command's first two seconds. Not thread-safe.
class ProgressLine {
 public:
  // How a stage of `total` is when `done` are.
  void show(const std::string& text, int64_t done, int64_t total);
  double elapsed_s() const;

 private:
  using Clock = std::chrono::steady_clock;
  const Clock::time_point start_ = Clock::now();
  Clock::time_point shown_ = start_;
};

// For the stages of a conversion; empty when quiet.
ProgressFn progress_fn(bool quiet);

}  // namespace graft::cli
