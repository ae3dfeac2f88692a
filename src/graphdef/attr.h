// Attribute and tensor values of the wire format, decoded on demand.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "graphdef/graph.h"

namespace graft::graphdef {

// A TensorProto. `content` holds the elements in row-major little-endian order, unaligned: memcpy,
// never cast. When `splat`, content is one element that stands for all (protobuf's short form),
// however many there are.
struct TensorView {
  DType dtype = DType::kInvalid;
  std::vector<int64_t> dims;
  Bytes content;
  bool splat = false;
  std::shared_ptr<const void>
      owner;              // set when the values had to be decoded into memory of their own
  int64_t elems() const;  // product of dims, checked when the view was made
};

struct ShapeView {
  bool unknown_rank = false;
  std::vector<int64_t> dims;  // -1: unknown
};

struct FuncView {
  std::string_view name;
  std::vector<AttrView> attrs;
};

struct AttrValue {
  enum class Kind {
    kNone,
    kString,
    kInt,
    kFloat,
    kBool,
    kType,
    kShape,
    kTensor,
    kList,
    kFunc,
    kPlaceholder
  };
  Kind kind = Kind::kNone;
  std::string_view s;
  int64_t i = 0;
  float f = 0;
  bool b = false;
  DType type = DType::kInvalid;
  ShapeView shape;
  Bytes tensor;  // TensorProto message; decode_tensor reads it
  FuncView func;
  // Lists (kind == kList): at most one of these is non-empty.
  std::vector<std::string_view> list_s;
  std::vector<int64_t> list_i;
  std::vector<float> list_f;
  std::vector<bool> list_b;
  std::vector<DType> list_type;
  std::vector<ShapeView> list_shape;
  int64_t list_messages = 0;  // tensors and functions in the list, which stay undecoded
};

Result<AttrValue> decode_attr(Bytes attr_value, const Limits& limits = {});
// InvalidGraph gives both numbers when the content length does not fit dtype x dims. String
// tensors: Unsupported.
Result<TensorView> decode_tensor(Bytes tensor_proto, const Limits& limits = {});

// Typed access by node; InvalidGraph names node, attr, got and expected kinds. The `_or` forms
// return the default when the attribute is absent (TensorFlow strips default-valued attributes),
// never when it has the wrong kind.
Result<int64_t> attr_int(const Node& node, std::string_view name);
Result<int64_t> attr_int_or(const Node& node, std::string_view name, int64_t fallback);
Result<float> attr_float_or(const Node& node, std::string_view name, float fallback);
Result<bool> attr_bool_or(const Node& node, std::string_view name, bool fallback);
Result<DType> attr_type(const Node& node, std::string_view name);
Result<DType> attr_type_or(const Node& node, std::string_view name, DType fallback);
Result<std::string_view> attr_string_or(const Node& node, std::string_view name,
                                        std::string_view fallback);
Result<std::vector<int64_t>> attr_int_list(const Node& node, std::string_view name);
Result<std::vector<int64_t>> attr_int_list_or(const Node& node, std::string_view name,
                                              std::vector<int64_t> fallback);
Result<std::vector<DType>> attr_type_list(const Node& node, std::string_view name);
Result<ShapeView> attr_shape(const Node& node, std::string_view name);
Result<TensorView> attr_tensor(const Node& node, std::string_view name);

}  // namespace graft::graphdef
