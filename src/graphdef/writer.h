// GraphWriter: serializes a GraphDef node by node; untouched nodes are copied byte for byte.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "graft/rope.h"
#include "graphdef/attr.h"
#include "graphdef/graph.h"
#include "graphdef/wire.h"

namespace graft::graphdef {

// Serialized AttrValue messages, to be put into NodeSpec::attrs.
std::string attr_of_string(std::string_view bytes);
Rope attr_of_rope(const Rope& bytes);  // a string too
std::string attr_of_int(int64_t value);
std::string attr_of_float(float value);
std::string attr_of_bool(bool value);
std::string attr_of_type(DType value);
std::string attr_of_shape(const ShapeView& value);
std::string attr_of_types(const std::vector<DType>& values);
std::string attr_of_ints(const std::vector<int64_t>& values);
std::string attr_of_strings(const std::vector<std::string>& values);
std::string attr_of_shapes(const std::vector<ShapeView>& values);
std::string attr_of_func(std::string_view function_name);

struct NodeSpec {
  std::string name, op, device;
  std::vector<std::string> inputs;  // as in NodeDef: "a", "a:1", "^c"; data before control
  std::vector<std::pair<std::string, Rope>>
      attrs;  // name, serialized AttrValue; written in this order
};

struct FunctionSpec {
  std::string name;
  struct Arg {
    std::string name;
    DType dtype;
  };
  std::vector<Arg> inputs, outputs;
  std::vector<Rope> nodes;  // serialized NodeDefs, inputs in function form
                            // ("node:output_name:index", "arg", "^n")
  std::vector<std::pair<std::string, std::string>>
      returns;  // output arg -> "node:output_name:index" or an arg name
  std::vector<std::pair<std::string, std::string>> control_returns;  // name -> node
};

// Long bytes are viewed, not copied: what is added must stay valid until finish(), and as long as
// the rope of finish_rope().
class GraphWriter {
 public:
  void add_raw(Bytes node_def);  // one NodeDef, unchanged
  void add_with_inputs(const Node& node,
                       const std::vector<std::string>& inputs);  // all else byte for byte
  void add(const NodeSpec& node);
  void add_node(const Rope& node_def);
  void add_function_raw(Bytes function_def);
  void add_function(const FunctionSpec& function);
  void add_library_rest(Bytes rest);
  void add_rest(Bytes rest);  // versions and unknown fields of the source graph
  // InvalidGraph when the result would exceed 2^31 - 1 bytes, with the size and what to do. Leaves
  // the writer empty.
  Result<Rope> finish_rope();
  Result<std::vector<std::byte>> finish();  // in one piece

 private:
  Rope nodes_, library_, rest_;
};

Rope serialize_node(const NodeSpec& node);  // NodeDef bytes
// One attribute as a field of NodeDef, to append to NodeDef bytes.
Rope serialize_attr(std::string_view name, const Rope& attr_value);
// Views the long fields of node.raw; leaves out those that `drop` (null: none) says.
Rope serialize_node_with_inputs(const Node& node, const std::vector<std::string>& inputs,
                                bool (*drop)(const FieldReader& field) = nullptr);

}  // namespace graft::graphdef
