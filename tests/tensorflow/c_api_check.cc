// Compiles tensorflow/tf_c_api.h after TensorFlow's own headers: a declaration that differs does
// not compile. Built only where the headers are found; nothing runs.
#include <type_traits>

#include "tensorflow/c/c_api.h"
#include "tensorflow/c/kernels.h"
#include "tensorflow/c/ops.h"

#define GRAFT_WITH_TF_HEADERS
#include "../../src/tensorflow/tf_c_api.h"

// What tf_c_api.h defines itself when TensorFlow's headers are not there.
static_assert(TF_OK == 0 && TF_CANCELLED == 1 && TF_UNKNOWN == 2 && TF_INVALID_ARGUMENT == 3 &&
              TF_NOT_FOUND == 5);
static_assert(TF_RESOURCE_EXHAUSTED == 8 && TF_FAILED_PRECONDITION == 9 && TF_ABORTED == 10);
static_assert(TF_UNIMPLEMENTED == 12 && TF_INTERNAL == 13 && TF_DATA_LOSS == 15 && TF_FLOAT == 1);
static_assert(sizeof(TF_Bool) == 1 && sizeof(TF_DataType) == sizeof(int) &&
              sizeof(TF_Code) == sizeof(int));
static_assert(sizeof(TF_Buffer) == 24 && offsetof(TF_Buffer, length) == 8 &&
              offsetof(TF_Buffer, data_deallocator) == 16);
static_assert(sizeof(TF_StringView) == 16 && offsetof(TF_StringView, len) == 8);
static_assert(sizeof(TF_AllocatorAttributes) == 16 &&
              offsetof(TF_AllocatorAttributes, on_host) == 8);
static_assert(sizeof(TF_Output) == 16 && offsetof(TF_Output, index) == 8);
static_assert(TF_ALLOCATOR_ATTRIBUTES_STRUCT_SIZE ==
              offsetof(TF_AllocatorAttributes, on_host) + sizeof(TF_Bool));

// The functions of session_api.h, as pointers.
#include "../../src/tensorflow/session_api.h"
using graft::tensorflow::SessionApi;
static_assert(std::is_same_v<decltype(SessionApi::new_graph), decltype(&TF_NewGraph)>);
static_assert(std::is_same_v<decltype(SessionApi::delete_graph), decltype(&TF_DeleteGraph)>);
static_assert(std::is_same_v<decltype(SessionApi::graph_operation_by_name),
                             decltype(&TF_GraphOperationByName)>);
static_assert(std::is_same_v<decltype(SessionApi::graph_get_op_def), decltype(&TF_GraphGetOpDef)>);
static_assert(std::is_same_v<decltype(SessionApi::new_import_options),
                             decltype(&TF_NewImportGraphDefOptions)>);
static_assert(std::is_same_v<decltype(SessionApi::delete_import_options),
                             decltype(&TF_DeleteImportGraphDefOptions)>);
static_assert(std::is_same_v<decltype(SessionApi::graph_import_graph_def),
                             decltype(&TF_GraphImportGraphDef)>);
static_assert(
    std::is_same_v<decltype(SessionApi::new_session_options), decltype(&TF_NewSessionOptions)>);
static_assert(std::is_same_v<decltype(SessionApi::delete_session_options),
                             decltype(&TF_DeleteSessionOptions)>);
static_assert(std::is_same_v<decltype(SessionApi::set_config), decltype(&TF_SetConfig)>);
static_assert(std::is_same_v<decltype(SessionApi::new_session), decltype(&TF_NewSession)>);
static_assert(std::is_same_v<decltype(SessionApi::delete_session), decltype(&TF_DeleteSession)>);
static_assert(std::is_same_v<decltype(SessionApi::session_run), decltype(&TF_SessionRun)>);
