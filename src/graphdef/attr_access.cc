#include "base/log.h"
#include "graphdef/attr.h"

namespace graft::graphdef {
namespace {

using Kind = AttrValue::Kind;

constexpr int kLastDataType = 33;  // of TensorFlow 2.21
constexpr int kFirstRefType = 101;

std::string_view kind_name(Kind kind) {
  switch (kind) {
    case Kind::kNone:
      return "nothing";
    case Kind::kString:
      return "a string";
    case Kind::kInt:
      return "an int";
    case Kind::kFloat:
      return "a float";
    case Kind::kBool:
      return "a bool";
    case Kind::kType:
      return "a type";
    case Kind::kShape:
      return "a shape";
    case Kind::kTensor:
      return "a tensor";
    case Kind::kList:
      return "a list";
    case Kind::kFunc:
      return "a function";
    case Kind::kPlaceholder:
      return "a placeholder of a function";
  }
  return "unknown";
}

std::string prefix(const Node& node, std::string_view name) {
  return "node \"" + printable(node.name) + "\" (" + printable(node.op) + "): attribute \"" +
         printable(name) + "\"";
}

Status missing(const Node& node, std::string_view name, std::string_view expected) {
  return invalid_graph(prefix(node, name) + " is missing; expected " + std::string(expected));
}

Result<AttrValue> decode(const Node& node, std::string_view name, const AttrView& attr, Kind kind,
                         std::string_view expected) {
  auto value = decode_attr(attr.value);
  if (!value.ok())
    return Status(value.status().code(), prefix(node, name) + ": " + value.status().message());
  if (value->kind != kind)
    return invalid_graph(prefix(node, name) + " is " + std::string(kind_name(value->kind)) +
                         "; expected " + std::string(expected));
  return value;
}

Status check_type(const Node& node, std::string_view name, DType type) {
  const int number = static_cast<int>(type);
  if (number > 0 && number <= kLastDataType) return ok_status();
  const bool ref = number >= kFirstRefType && number <= kFirstRefType + kLastDataType - 1;
  return invalid_graph(prefix(node, name) + " is " + std::to_string(number) +
                       (ref ? ", a reference type" : ", which is no data type"));
}

// The elements of list kinds other than the wanted one: a list of floats is no list of ints.
size_t other_elements(const AttrValue& value, size_t wanted) {
  return value.list_s.size() + value.list_i.size() + value.list_f.size() + value.list_b.size() +
         value.list_type.size() + value.list_shape.size() +
         static_cast<size_t>(value.list_messages) - wanted;
}

Result<std::vector<int64_t>> int_list(const Node& node, std::string_view name,
                                      const AttrView& attr) {
  GRAFT_ASSIGN_OR_RETURN(AttrValue value, decode(node, name, attr, Kind::kList, "a list of ints"));
  if (other_elements(value, value.list_i.size()) != 0)
    return invalid_graph(prefix(node, name) +
                         " is a list of something else; expected a list of ints");
  return std::move(value.list_i);
}

}  // namespace

Result<int64_t> attr_int(const Node& node, std::string_view name) {
  const AttrView* attr = node.find_attr(name);
  if (!attr) return missing(node, name, "an int");
  GRAFT_ASSIGN_OR_RETURN(const AttrValue value, decode(node, name, *attr, Kind::kInt, "an int"));
  return value.i;
}

Result<int64_t> attr_int_or(const Node& node, std::string_view name, int64_t fallback) {
  if (!node.find_attr(name)) return fallback;
  return attr_int(node, name);
}

Result<float> attr_float_or(const Node& node, std::string_view name, float fallback) {
  const AttrView* attr = node.find_attr(name);
  if (!attr) return fallback;
  GRAFT_ASSIGN_OR_RETURN(const AttrValue value, decode(node, name, *attr, Kind::kFloat, "a float"));
  return value.f;
}

Result<bool> attr_bool_or(const Node& node, std::string_view name, bool fallback) {
  const AttrView* attr = node.find_attr(name);
  if (!attr) return fallback;
  GRAFT_ASSIGN_OR_RETURN(const AttrValue value, decode(node, name, *attr, Kind::kBool, "a bool"));
  return value.b;
}

Result<DType> attr_type(const Node& node, std::string_view name) {
  const AttrView* attr = node.find_attr(name);
  if (!attr) return missing(node, name, "a type");
  GRAFT_ASSIGN_OR_RETURN(const AttrValue value, decode(node, name, *attr, Kind::kType, "a type"));
  GRAFT_RETURN_IF_ERROR(check_type(node, name, value.type));
  return value.type;
}

Result<DType> attr_type_or(const Node& node, std::string_view name, DType fallback) {
  if (!node.find_attr(name)) return fallback;
  return attr_type(node, name);
}

Result<std::string_view> attr_string_or(const Node& node, std::string_view name,
                                        std::string_view fallback) {
  const AttrView* attr = node.find_attr(name);
  if (!attr) return fallback;
  GRAFT_ASSIGN_OR_RETURN(const AttrValue value,
                         decode(node, name, *attr, Kind::kString, "a string"));
  return value.s;
}

Result<std::vector<int64_t>> attr_int_list(const Node& node, std::string_view name) {
  const AttrView* attr = node.find_attr(name);
  if (!attr) return missing(node, name, "a list of ints");
  return int_list(node, name, *attr);
}

Result<std::vector<int64_t>> attr_int_list_or(const Node& node, std::string_view name,
                                              std::vector<int64_t> fallback) {
  const AttrView* attr = node.find_attr(name);
  if (!attr) return fallback;
  return int_list(node, name, *attr);
}

Result<std::vector<DType>> attr_type_list(const Node& node, std::string_view name) {
  const AttrView* attr = node.find_attr(name);
  if (!attr) return missing(node, name, "a list of types");
  GRAFT_ASSIGN_OR_RETURN(AttrValue value,
                         decode(node, name, *attr, Kind::kList, "a list of types"));
  if (other_elements(value, value.list_type.size()) != 0)
    return invalid_graph(prefix(node, name) +
                         " is a list of something else; expected a list of types");
  for (DType type : value.list_type) GRAFT_RETURN_IF_ERROR(check_type(node, name, type));
  return std::move(value.list_type);
}

Result<ShapeView> attr_shape(const Node& node, std::string_view name) {
  const AttrView* attr = node.find_attr(name);
  if (!attr) return missing(node, name, "a shape");
  GRAFT_ASSIGN_OR_RETURN(AttrValue value, decode(node, name, *attr, Kind::kShape, "a shape"));
  return std::move(value.shape);
}

Result<TensorView> attr_tensor(const Node& node, std::string_view name) {
  const AttrView* attr = node.find_attr(name);
  if (!attr) return missing(node, name, "a tensor");
  GRAFT_ASSIGN_OR_RETURN(const AttrValue value,
                         decode(node, name, *attr, Kind::kTensor, "a tensor"));
  auto tensor = decode_tensor(value.tensor);
  if (!tensor.ok())
    return Status(tensor.status().code(), prefix(node, name) + ": " + tensor.status().message());
  return tensor;
}

}  // namespace graft::graphdef
