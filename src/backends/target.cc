// What this machine can do and how many threads a run gets; the only readers of GRAFT_ISA and
// GRAFT_THREADS. A value that cannot be honoured is an error, never a silent default.
#include "backends/backend.h"
#include "backends/cpu/cpu_features.h"
#include "backends/cpu/threads/thread_count.h"

#include <charconv>
#include <cstdlib>

#include "base/log.h"

namespace graft::backends {
namespace {

constexpr int kMaxThreads = 1024;
constexpr std::string_view kIsaNames[] = {"baseline", "avx2", "avx512", "avx512_vnni", "amx"};

std::string quoted(std::string_view text) { return "'" + printable(text) + "'"; }

Result<ir::Isa> cap_of(std::string_view text, std::string_view origin, ir::Isa machine) {
  for (int i = 0; i < static_cast<int>(std::size(kIsaNames)); ++i) {
    if (text != kIsaNames[i]) continue;
    if (i > static_cast<int>(machine)) {
      return invalid_argument(std::string(origin) + ": " + quoted(text) +
                              " is above what this machine has (" +
                              std::string(kIsaNames[static_cast<int>(machine)]) + ")");
    }
    return static_cast<ir::Isa>(i);
  }
  return invalid_argument(std::string(origin) + ": got " + quoted(text) +
                          ", expected baseline, avx2, avx512, avx512_vnni or amx");
}

}  // namespace

Result<ir::Target> detect_target(std::string_view isa) {
  ir::Target target = cpu::machine_target();
  std::string_view origin = "isa";
  if (isa.empty()) {
    const char* text = std::getenv("GRAFT_ISA");
    if (text == nullptr || *text == '\0') return target;
    isa = text;
    origin = "GRAFT_ISA";
  }
  GRAFT_ASSIGN_OR_RETURN(target.isa, cap_of(isa, origin, target.isa));
  target.avx_vnni = false;  // a level that is named is no more than its name
  target.avx512_bf16 = target.avx512_bf16 && target.isa >= ir::Isa::kAvx512;
  target.fast_bf16_dot = target.fast_bf16_dot && target.avx512_bf16;
  return target;
}

Result<int> resolve_threads(int option) {
  const auto range = [] {
    return ", expected a number in [1, " + std::to_string(kMaxThreads) + "]";
  };
  if (option != 0) {
    if (option < 1 || option > kMaxThreads) {
      return invalid_argument("threads: got " + std::to_string(option) + range());
    }
    return option;
  }
  const char* text = std::getenv("GRAFT_THREADS");
  if (text == nullptr || *text == '\0') return cpu::usable_cores();
  const std::string_view view(text);
  int n = 0;
  const auto r = std::from_chars(view.data(), view.data() + view.size(), n);
  if (r.ec != std::errc() || r.ptr != view.data() + view.size() || n < 1 || n > kMaxThreads) {
    return invalid_argument("GRAFT_THREADS: got " + quoted(view) + range());
  }
  return n;
}

}  // namespace graft::backends
