#include "tensorflow/session_api.h"

#include <dlfcn.h>

#include <mutex>
#include <string>

namespace graft::tensorflow {
namespace {

// RTLD_NOLOAD: only what is in the process already; a second TensorFlow must never be loaded.
void* loaded_symbol(const char* library, const char* name) {
  void* handle = dlopen(library, RTLD_LAZY | RTLD_NOLOAD);
  if (handle == nullptr) return nullptr;
  void* symbol = dlsym(handle, name);
  dlclose(handle);
  return symbol;
}

template <typename Fn>
void look_up(const char* name, Fn& fn, std::string& missing) {
  fn = reinterpret_cast<Fn>(find_tf_symbol(name));
  if (fn == nullptr && missing.empty()) missing = name;
}

std::string look_up_all(SessionApi& api) {
  std::string missing;
  look_up("TF_NewGraph", api.new_graph, missing);
  look_up("TF_DeleteGraph", api.delete_graph, missing);
  look_up("TF_GraphOperationByName", api.graph_operation_by_name, missing);
  look_up("TF_GraphGetOpDef", api.graph_get_op_def, missing);
  look_up("TF_NewImportGraphDefOptions", api.new_import_options, missing);
  look_up("TF_DeleteImportGraphDefOptions", api.delete_import_options, missing);
  look_up("TF_GraphImportGraphDef", api.graph_import_graph_def, missing);
  look_up("TF_NewSessionOptions", api.new_session_options, missing);
  look_up("TF_DeleteSessionOptions", api.delete_session_options, missing);
  look_up("TF_SetConfig", api.set_config, missing);
  look_up("TF_NewSession", api.new_session, missing);
  look_up("TF_DeleteSession", api.delete_session, missing);
  look_up("TF_SessionRun", api.session_run, missing);
  return missing;
}

}  // namespace

void* find_tf_symbol(const char* name) {
  if (void* symbol = dlsym(RTLD_DEFAULT, name)) return symbol;
  for (const char* library :
       {"libtensorflow_cc.so.2", "libtensorflow_framework.so.2", "libtensorflow.so.2"})
    if (void* symbol = loaded_symbol(library, name)) return symbol;
  return nullptr;
}

Result<const SessionApi*> session_api() {
  static std::mutex mutex;
  static SessionApi api;
  static bool complete = false;
  std::lock_guard lock(mutex);
  if (!complete) {
    const std::string missing = look_up_all(api);
    if (!missing.empty())
      return unsupported("TensorFlow's session API is not in this process (no symbol " + missing +
                         ")");
    complete = true;
  }
  return &api;
}

}  // namespace graft::tensorflow
