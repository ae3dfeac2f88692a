// doctor: what this machine and process offer to Graft.
#pragma once

#include <string>
#include <vector>

namespace graft {

struct DoctorLine {
  std::string what, finding;
  bool good = true;
};

std::vector<DoctorLine> doctor();

}  // namespace graft
