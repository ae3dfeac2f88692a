// The functions of TensorFlow's session API, found by name at run time: they live in
// libtensorflow_cc.so.2, which is in the process wherever TensorFlow is, but which the plugin must
// not link.
#pragma once

#include "base/status.h"
#include "tensorflow/tf_c_api.h"

namespace graft::tensorflow {

struct SessionApi {
  TF_Graph* (*new_graph)(void) = nullptr;
  void (*delete_graph)(TF_Graph*) = nullptr;
  TF_Operation* (*graph_operation_by_name)(TF_Graph*, const char*) = nullptr;
  void (*graph_get_op_def)(TF_Graph*, const char*, TF_Buffer*, TF_Status*) = nullptr;
  TF_ImportGraphDefOptions* (*new_import_options)(void) = nullptr;
  void (*delete_import_options)(TF_ImportGraphDefOptions*) = nullptr;
  void (*graph_import_graph_def)(TF_Graph*, const TF_Buffer*, const TF_ImportGraphDefOptions*,
                                 TF_Status*) = nullptr;
  TF_SessionOptions* (*new_session_options)(void) = nullptr;
  void (*delete_session_options)(TF_SessionOptions*) = nullptr;
  void (*set_config)(TF_SessionOptions*, const void*, size_t, TF_Status*) = nullptr;
  TF_Session* (*new_session)(TF_Graph*, const TF_SessionOptions*, TF_Status*) = nullptr;
  void (*delete_session)(TF_Session*, TF_Status*) = nullptr;
  void (*session_run)(TF_Session*, const TF_Buffer*, const TF_Output*, TF_Tensor* const*, int,
                      const TF_Output*, TF_Tensor**, int, const TF_Operation* const*, int,
                      TF_Buffer*, TF_Status*) = nullptr;
};

// The API of this process, looked up once it is there; Unsupported names the symbol that is
// missing.
Result<const SessionApi*> session_api();

// A symbol of the TensorFlow libraries in this process; nullptr when there is none.
void* find_tf_symbol(const char* name);

}  // namespace graft::tensorflow
