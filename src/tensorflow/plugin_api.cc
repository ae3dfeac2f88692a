#include "tensorflow/plugin_api.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <string>

#include "base/check.h"
#include "base/counters.h"
#include "base/log.h"
#include "base/run_options.h"
#include "tensorflow/registration.h"
#include "tensorflow/tf_log.h"

namespace {

std::atomic<graft_plugin_log_sink> python_sink{nullptr};

void to_python(graft::LogLevel level, const std::string& message) {
  if (const graft_plugin_log_sink sink = python_sink.load())
    sink(static_cast<int>(level), message.c_str());
}

void copy_text(const std::string& text, char* out, size_t out_bytes) {
  if (out == nullptr || out_bytes == 0) return;
  const size_t length = std::min(text.size(), out_bytes - 1);
  std::memcpy(out, text.data(), length);
  out[length] = '\0';
}

}  // namespace

extern "C" {

int graft_plugin_abi_version(void) { return 1; }

const char* graft_plugin_load_error(void) {
  return graft::tensorflow::registration().error.c_str();
}
const char* graft_plugin_engine_op(void) {
  return graft::tensorflow::registration().engine_op.c_str();
}
const char* graft_plugin_calib_op(void) {
  return graft::tensorflow::registration().calib_op.c_str();
}

char* graft_plugin_counters_json(void) {
  try {
    return strdup(graft::counters_json().c_str());
  } catch (...) {
    return nullptr;
  }
}

void graft_plugin_free(void* memory) { std::free(memory); }

void graft_plugin_reset_counters(void) {
  try {
    graft::reset_counters();
  } catch (...) {  // a mutex that can't be locked: the counters stay
    return;
  }
}

int graft_plugin_set_option(const char* name, const char* value, char* error, size_t error_bytes) {
  const graft::Status status = graft::guard([&] {
    return graft::set_run_option(name == nullptr ? "" : name, value == nullptr ? "" : value);
  });
  if (!status.ok()) copy_text(status.message(), error, error_bytes);
  return status.ok() ? 0 : 1;
}

void graft_plugin_set_log_sink(graft_plugin_log_sink sink) {
  python_sink.store(sink);
  if (sink != nullptr)
    graft::set_log_sink(&to_python);
  else
    graft::tensorflow::use_tf_log();
}

}  // extern "C"
