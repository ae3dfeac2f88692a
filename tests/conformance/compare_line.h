// A problem line run by the kernels of an instruction level and by the reference evaluator.
#pragma once

#include <string>

#include "base/status.h"

namespace graft::conformance {

struct LineVerdict {
  std::string kernel;  // of the op; "" when every output is empty
  double error = 0;  // largest difference / largest element of the reference; 0 where both are NaN
                     // or the same infinity
  double allowed = 0;     // the line's rtol
  bool constant = false;  // the reference answers one number for all: the line shows nothing
  double seconds = 0;     // least of a run by the kernels; 0 without `runs`
  bool passed() const { return error <= allowed && !constant && kernel != "reference"; }
  std::string text() const;
};

// isa: as EngineOptions. runs: timed ones, after the comparison.
Result<LineVerdict> compare_line(const std::string& line, const std::string& isa, int threads,
                                 int runs = 0);

}  // namespace graft::conformance
