#include "base/log.h"

#include <unistd.h>

#include <atomic>
#include <cstdlib>

namespace graft {
namespace {

constexpr int kDropAll = 1000;

std::string_view level_name(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarning:
      return "warning";
    case LogLevel::kError:
      return "error";
  }
  return "log";
}

// One write per message keeps lines of several threads apart. A full or closed stderr is nobody's
// error.
void write_line(LogLevel level, const std::string& message) {
  const std::string line = "graft " + std::string(level_name(level)) + ": " + message + "\n";
  if (::write(STDERR_FILENO, line.data(), line.size()) < 0) return;
}

int parse_threshold() {
  const char* env = std::getenv("GRAFT_LOG");
  if (env == nullptr || *env == '\0') return kDropAll;
  const std::string_view text = env;
  for (LogLevel level : {LogLevel::kDebug, LogLevel::kInfo, LogLevel::kWarning, LogLevel::kError})
    if (text == level_name(level) || text == std::to_string(static_cast<int>(level)))
      return static_cast<int>(level);
  if (text == "off" || text == "none") return kDropAll;
  write_line(LogLevel::kWarning,
             "GRAFT_LOG=\"" + printable(text) +
                 "\" is none of debug, info, warning, error, off; warning is used");
  return static_cast<int>(LogLevel::kWarning);
}

void default_sink(LogLevel level, const std::string& message) {
  static const int threshold = parse_threshold();
  if (static_cast<int>(level) >= threshold) write_line(level, message);
}

std::atomic<LogSink> sink{&default_sink};

}  // namespace

void set_log_sink(LogSink new_sink) { sink.store(new_sink != nullptr ? new_sink : &default_sink); }

void log(LogLevel level, const std::string& message) { sink.load()(level, message); }

std::string printable(std::string_view text) {
  constexpr size_t kMaxBytes = 200;
  constexpr std::string_view kCut = "...";
  std::string out;
  size_t keep = 0;  // whole characters that leave room for kCut
  for (const char ch : text) {
    const auto c = static_cast<unsigned char>(ch);
    if (c == '\\') {
      out += "\\\\";
    } else if (c >= 0x20 && c < 0x7f) {
      out += ch;
    } else {
      out += {'\\', 'x', "0123456789abcdef"[c >> 4], "0123456789abcdef"[c & 15]};
    }
    if (out.size() + kCut.size() <= kMaxBytes) keep = out.size();
    if (out.size() > kMaxBytes) return out.substr(0, keep).append(kCut);
  }
  return out;
}

}  // namespace graft
