#include "backends/cpu/threads/thread_count.h"

#include <sched.h>

#include <charconv>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <thread>

#include "base/file_io.h"

namespace graft::cpu {
namespace {

// "max 100000" or "150000 100000": quota and period in microseconds. 0: no limit.
int quota_cores(std::string_view text) {
  long long quota = 0, period = 0;
  const char* end = text.data() + text.size();
  auto r = std::from_chars(text.data(), end, quota);
  if (r.ec != std::errc() || r.ptr == end) return 0;
  r = std::from_chars(r.ptr + 1, end, period);
  if (r.ec != std::errc() || quota <= 0 || period <= 0) return 0;
  const long long cores = (quota + period - 1) / period;
  return cores > 1024 ? 1024 : static_cast<int>(cores);
}

}  // namespace

int usable_cores() {
  int cores = 0;
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof(set), &set) == 0) cores = CPU_COUNT(&set);
  if (cores < 1) cores = static_cast<int>(std::thread::hardware_concurrency());
  if (cores < 1) cores = 1;
  if (auto bytes = read_file("/sys/fs/cgroup/cpu.max", 256); bytes.ok()) {
    const std::string_view text(reinterpret_cast<const char*>(bytes.value().data()),
                                bytes.value().size());
    if (const int limit = quota_cores(text); limit > 0 && limit < cores) cores = limit;
  }
  return cores;
}

int default_thread_count() {
  if (const char* text = std::getenv("GRAFT_THREADS")) {
    int n = 0;
    const char* end = text + std::strlen(text);
    const auto r = std::from_chars(text, end, n);
    if (r.ec == std::errc() && r.ptr == end && n >= 1 && n <= 1024) return n;
  }
  return usable_cores();
}

}  // namespace graft::cpu
