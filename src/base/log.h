// Log sink: the library never prints. Messages go to the sink that the front (Python, CLI, plugin)
// installs; the default sink drops everything below GRAFT_LOG (unset: drops all).
#pragma once

#include <string>
#include <string_view>

namespace graft {

enum class LogLevel {
  kDebug = 10,
  kInfo = 20,
  kWarning = 30,
  kError = 40
};  // Python's logging numbers

using LogSink = void (*)(LogLevel level, const std::string& message);

void set_log_sink(LogSink sink);  // nullptr: back to the default
void log(LogLevel level, const std::string& message);
// Message text that comes from untrusted bytes: control characters escaped, cut to 200 bytes.
std::string printable(std::string_view text);

}  // namespace graft
