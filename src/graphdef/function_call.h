// A GraphDef that runs one function of a library: how an engine's native segment is run outside its
// graph.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "graft/types.h"
#include "graphdef/graph.h"

namespace graft::graphdef {

// Name in a serialized NameAttrList; "" when it names none. InvalidGraph for malformed bytes.
Result<std::string> function_name_of(Bytes name_attr_list);

// The functions of a serialized FunctionDefLibrary that `root` reaches through op names and
// function attributes, and their gradients, as a FunctionDefLibrary. Unsupported ("... not in the
// function library") when `root` is not there; InvalidGraph for malformed bytes. Linear in the
// library's size; no recursion over functions.
Result<std::string> library_closure(Bytes library, std::string_view root,
                                    const Limits& limits = {});

struct CallNames {
  std::vector<std::string> inputs,
      outputs;  // node names of the feeds, "node" of the fetched (port 0) nodes
};
// Names that graphs of a native segment use: TensorRTInputPH_<i>, TensorRTOutputPH_<i>.
CallNames call_names(size_t inputs, size_t outputs);

// Placeholders, one PartitionedCall of `name_attr_list` and an Identity per output, with `library`.
std::string call_graph(Bytes name_attr_list, std::span<const DType> inputs,
                       std::span<const DType> outputs, std::string_view library, int32_t producer);

// A ConfigProto for a session that runs inside a kernel of a session with config `outer`: its
// intra-op threads, GPU and graph options; every op in the calling thread, because a wait for the
// inter-op pool inside that pool can deadlock. Malformed bytes count as empty.
std::string nested_session_config(Bytes outer);
// intra_op_parallelism_threads of a ConfigProto; 0 when absent or malformed.
int32_t intra_op_threads(Bytes config);

}  // namespace graft::graphdef
