#include "tensorflow/node_attrs.h"

#include "base/counters.h"
#include "base/log.h"
#include "graphdef/function_call.h"
#include "tensorflow/tf_handles.h"

namespace graft::tensorflow {
namespace {

class AttrReader {
 public:
  explicit AttrReader(TF_OpKernelConstruction* ctx) : ctx_(ctx), status_(new_status()) {}

  bool has(const char* name) {
    const bool yes = TF_OpKernelConstruction_HasAttr(ctx_, name, status_.get());
    return TF_GetCode(status_.get()) == TF_OK && yes;
  }
  Result<std::string> string(const char* name) {
    if (!has(name)) return std::string();
    int32_t list_size = 0, total_bytes = 0;
    TF_OpKernelConstruction_GetAttrSize(ctx_, name, &list_size, &total_bytes, status_.get());
    GRAFT_RETURN_IF_ERROR(check(name));
    if (total_bytes < 0)
      return invalid_argument(std::string("attribute ") + name + " is larger than 2 GiB");
    std::string value(static_cast<size_t>(total_bytes), '\0');
    TF_OpKernelConstruction_GetAttrString(ctx_, name, value.data(), value.size(), status_.get());
    GRAFT_RETURN_IF_ERROR(check(name));
    return value;
  }
  Result<int64_t> integer(const char* name, int64_t fallback) {
    if (!has(name)) return fallback;
    int64_t value = 0;
    TF_OpKernelConstruction_GetAttrInt64(ctx_, name, &value, status_.get());
    GRAFT_RETURN_IF_ERROR(check(name));
    return value;
  }
  Result<bool> boolean(const char* name, bool fallback) {
    if (!has(name)) return fallback;
    TF_Bool value = 0;
    TF_OpKernelConstruction_GetAttrBool(ctx_, name, &value, status_.get());
    GRAFT_RETURN_IF_ERROR(check(name));
    return value != 0;
  }
  Result<std::vector<DType>> types(const char* name) {
    int32_t list_size = 0, total_bytes = 0;
    TF_OpKernelConstruction_GetAttrSize(ctx_, name, &list_size, &total_bytes, status_.get());
    GRAFT_RETURN_IF_ERROR(check(name));
    std::vector<TF_DataType> values(list_size > 0 ? static_cast<size_t>(list_size) : 0);
    TF_OpKernelConstruction_GetAttrTypeList(ctx_, name, values.data(),
                                            static_cast<int>(values.size()), status_.get());
    GRAFT_RETURN_IF_ERROR(check(name));
    std::vector<DType> types;
    for (const TF_DataType value : values)
      types.push_back(static_cast<DType>(static_cast<int>(value)));
    return types;
  }
  Result<std::string> function(const char* name) {
    if (!has(name)) return std::string();
    const TfBuffer buffer(TF_OpKernelConstruction_GetAttrFunction(ctx_, name, status_.get()));
    GRAFT_RETURN_IF_ERROR(check(name));
    const auto bytes = bytes_of(buffer.get());
    GRAFT_ASSIGN_OR_RETURN(const std::string function_name, graphdef::function_name_of(bytes));
    if (function_name.empty()) return std::string();
    return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }

 private:
  Status check(const char* name) {
    return from_tf(status_.get()).with_context(std::string("attribute ") + name);
  }
  TF_OpKernelConstruction* ctx_;
  TfStatus status_;
};

// A serialized NameAttrList that holds only a name: field 1, length-delimited.
std::string name_attr_list(const std::string& name) {
  std::string bytes = "\x0a";
  for (size_t rest = name.size(); true; rest >>= 7) {
    if (rest < 0x80) {
      bytes += static_cast<char>(rest);
      return bytes + name;
    }
    bytes += static_cast<char>((rest & 0x7f) | 0x80);
  }
}

bool is_hex_digest(const std::string& text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

Status check_values(AttrReader& reader, NodeAttrs& attrs) {
  GRAFT_ASSIGN_OR_RETURN(const int64_t workspace, reader.integer("workspace_size_bytes", 0));
  if (workspace < 0)
    return invalid_argument("attribute workspace_size_bytes is " + std::to_string(workspace) +
                            ", expected 0 or more");
  attrs.workspace_bytes = workspace == 0 ? -1 : workspace;
  for (const char* name : {"max_batch_size", "max_cached_engines_count"}) {
    GRAFT_ASSIGN_OR_RETURN(const int64_t value, reader.integer(name, 1));
    if (value < 1)
      return invalid_argument(std::string("attribute ") + name + " is " + std::to_string(value) +
                              ", expected 1 or more");
  }
  if (!attrs.plan_identity.empty() && !is_hex_digest(attrs.plan_identity))
    return invalid_argument("attribute plan_identity is \"" + printable(attrs.plan_identity) +
                            "\", expected 64 lower-case hexadecimal digits or nothing");
  if (!attrs.plan_file.empty() && attrs.plan_identity.empty())
    return invalid_argument(
        "attribute plan_file is set without plan_identity, which says what the file must hold");
  if (!attrs.plan_file.empty() && !attrs.plan.empty())
    return invalid_argument(
        "attributes plan_file and serialized_segment are both set, expected one of them");
  return ok_status();
}

Status read_into(TF_OpKernelConstruction* ctx, NodeAttrs& attrs) {
  AttrReader reader(ctx);
  GRAFT_ASSIGN_OR_RETURN(attrs.inputs, reader.types("InT"));
  GRAFT_ASSIGN_OR_RETURN(attrs.outputs, reader.types("OutT"));
  GRAFT_ASSIGN_OR_RETURN(attrs.plan, reader.string("serialized_segment"));
  if (attrs.plan.empty()) {
    GRAFT_ASSIGN_OR_RETURN(attrs.plan, reader.string("serialized_engine"));
  }
  GRAFT_ASSIGN_OR_RETURN(attrs.plan_file, reader.string("plan_file"));
  GRAFT_ASSIGN_OR_RETURN(attrs.plan_identity, reader.string("plan_identity"));
  GRAFT_ASSIGN_OR_RETURN(attrs.native_segment, reader.string("native_segment"));
  GRAFT_ASSIGN_OR_RETURN(attrs.segment_func, reader.function("segment_func"));
  if (attrs.segment_func.empty()) {
    GRAFT_ASSIGN_OR_RETURN(std::string name, reader.string("segment_funcdef_name"));
    if (name.empty()) name = attrs.engine_name + "_native_segment";
    attrs.segment_func = name_attr_list(name);
  }
  GRAFT_ASSIGN_OR_RETURN(attrs.strict, reader.boolean("strict", false));
  return check_values(reader, attrs);
}

}  // namespace

Result<NodeAttrs> read_node_attrs(TF_OpKernelConstruction* ctx) {
  NodeAttrs attrs;
  const TF_StringView name = TF_OpKernelConstruction_GetName(ctx);
  attrs.node_name.assign(name.data, name.len);
  attrs.engine_name = engine_name_of(attrs.node_name);
  const Status status = read_into(ctx, attrs);
  if (!status.ok()) return status.with_context("engine node " + printable(attrs.node_name));
  return attrs;
}

}  // namespace graft::tensorflow
