#include "tensorflow/tf_log.h"

#include "base/log.h"
#include "tensorflow/session_api.h"

namespace graft::tensorflow {
namespace {

using TfLog = void (*)(int level, const char* format, ...);
TfLog tf_log = nullptr;

void to_tf_log(LogLevel level, const std::string& message) {
  constexpr int kTfInfo = 0, kTfWarning = 1, kTfError = 2;
  const int tf_level = level >= LogLevel::kError     ? kTfError
                       : level >= LogLevel::kWarning ? kTfWarning
                                                     : kTfInfo;
  if (level >= LogLevel::kInfo) tf_log(tf_level, "Graft: %s", message.c_str());
}

}  // namespace

void use_tf_log() {
  static const bool found = [] {
    tf_log = reinterpret_cast<TfLog>(find_tf_symbol("TF_Log"));
    return tf_log != nullptr;
  }();
  set_log_sink(found ? &to_tf_log : nullptr);
}

}  // namespace graft::tensorflow
