#include "progress.h"

#include <unistd.h>

#include <cstdio>
#include <memory>

namespace graft::cli {
namespace {

constexpr std::chrono::milliseconds kSilent{2000}, kDrawnEvery{100}, kPlainEvery{10'000};

}  // namespace

double ProgressLine::elapsed_s() const {
  return std::chrono::duration<double>(Clock::now() - start_).count();
}

void ProgressLine::show(const std::string& text, int64_t done, int64_t total) {
  const Clock::time_point now = Clock::now();
  if (now - start_ < kSilent) return;
  const bool terminal = isatty(STDERR_FILENO) == 1, end = terminal && done == total;
  if (now - shown_ < (terminal ? kDrawnEvery : kPlainEvery) && !end) return;
  std::fprintf(stderr, terminal ? "\r%s   %s" : "%s%s", text.c_str(), end || !terminal ? "\n" : "");
  shown_ = now;
}

ProgressFn progress_fn(bool quiet) {
  if (quiet) return nullptr;
  return [line = std::make_shared<ProgressLine>()](const std::string& stage, int64_t done,
                                                   int64_t total, double eta_s) {
    char text[128];
    std::snprintf(text, sizeof text, "%-9s %lld/%lld  ETA %.1f s", stage.c_str(),
                  static_cast<long long>(done), static_cast<long long>(total), eta_s);
    line->show(text, done, total);
  };
}

}  // namespace graft::cli
