#include "graft/doctor.h"

#include <cstdlib>

#include "backends/backend.h"

namespace graft {

std::vector<DoctorLine> doctor() {
  std::vector<DoctorLine> lines;
  Result<ir::Target> target = backends::detect_target("");
  if (target.ok()) {
    static const char* const kNames[] = {"baseline x86-64", "AVX2", "AVX-512", "AVX-512 VNNI",
                                         "AMX"};
    lines.push_back(
        {"instructions", kNames[static_cast<int>(target->isa)], target->isa >= ir::Isa::kAvx2});
    lines.push_back({"caches",
                     "L1d " + std::to_string(target->l1d_bytes >> 10) + " KiB, L2 " +
                         std::to_string(target->l2_bytes >> 10) + " KiB, L3 " +
                         std::to_string(target->l3_bytes >> 20) + " MiB",
                     true});
  } else {
    lines.push_back({"instructions", target.status().message(), false});
  }
  Result<int> threads = backends::resolve_threads(0);
  lines.push_back({"threads", threads.ok() ? std::to_string(*threads) : threads.status().message(),
                   threads.ok()});
  for (const char* name : {"GRAFT_LOG", "GRAFT_THREADS", "GRAFT_ISA", "GRAFT_STRICT"})
    if (const char* value = std::getenv(name)) lines.push_back({name, value, true});
  lines.push_back({"CUDA", "not in this version; engines run on the CPU", true});
  return lines;
}

}  // namespace graft
