#include "graphdef/function_body.h"

#include <string>
#include <unordered_set>

#include "base/log.h"
#include "graphdef/output_names.h"
#include "graphdef/pb.h"
#include "graphdef/rope_fields.h"
#include "graphdef/wire.h"
#include "graphdef/writer.h"

namespace graft::graphdef {
namespace {

// A body in the form of functions.
class Body {
 public:
  Body(const FunctionGraph& function, const Graph& body) : function_(function), body_(body) {
    for (size_t i = 0; i < function.arg_dtypes.size(); ++i)
      args_.insert(function.graph.nodes[i].name);
  }

  bool is_arg(const Node& node) const {
    return node.op == "Placeholder" && args_.contains(node.name);
  }

  Result<std::string> input(InputRef ref) const {
    const Node& node = body_.nodes[static_cast<size_t>(ref.node)];
    if (is_arg(node)) return std::string(node.name);
    GRAFT_ASSIGN_OR_RETURN(const std::string port, output_name(node, ref.port));
    return std::string(node.name) + ":" + port;
  }

  Result<Rope> node(const Node& node) const {
    std::vector<std::string> inputs;
    for (InputRef ref : node.inputs) {
      GRAFT_ASSIGN_OR_RETURN(std::string text, input(ref));
      inputs.push_back(std::move(text));
    }
    for (int32_t control : node.control_inputs) {
      const Node& source = body_.nodes[static_cast<size_t>(control)];
      if (!is_arg(source)) inputs.push_back("^" + std::string(source.name));
    }
    return serialize_node_with_inputs(node, inputs);
  }

  // An entry of the map `ret`.
  Result<std::string> entry(size_t i, const std::string& tensor) const {
    GRAFT_ASSIGN_OR_RETURN(const InputRef ref, find_tensor(body_, tensor));
    GRAFT_ASSIGN_OR_RETURN(const std::string value, input(ref));
    std::string out;
    protozero::pbf_writer writer(out);
    writer.add_string(1, function_.return_names[i]);
    writer.add_string(2, value);
    return out;
  }

 private:
  const FunctionGraph& function_;
  const Graph& body_;
  std::unordered_set<std::string_view> args_;
};

}  // namespace

Result<std::vector<std::byte>> body_graph(const FunctionGraph& function,
                                          const std::vector<std::optional<ShapeView>>& shapes,
                                          const Graph& library) {
  GraphWriter writer;
  const size_t args = function.arg_dtypes.size();
  for (size_t i = 0; i < function.graph.nodes.size(); ++i) {
    const Node& node = function.graph.nodes[i];
    if (i >= args) {
      writer.add_raw(node.raw);
      continue;
    }
    NodeSpec spec{std::string(node.name),
                  "Placeholder",
                  "",
                  {},
                  {{"dtype", attr_of_type(function.arg_dtypes[i])}}};
    if (shapes[i]) spec.attrs.emplace_back("shape", attr_of_shape(*shapes[i]));
    writer.add(spec);
  }
  for (const Function& f : library.functions) writer.add_function_raw(f.raw);
  writer.add_library_rest(library.library_rest);
  writer.add_rest(library.rest);
  return writer.finish();
}

Result<std::vector<std::byte>> with_body(Bytes function_def, const FunctionGraph& function,
                                         const Graph& body,
                                         const std::vector<std::string>& returns) {
  const Body form(function, body);
  Rope out;
  FieldReader reader(function_def);
  while (reader.next())
    if (reader.key() != bytes_key(3) && reader.key() != bytes_key(4)) out.append_view(reader.raw());
  GRAFT_RETURN_IF_ERROR(reader.status());
  for (const Node& node : body.nodes) {
    if (form.is_arg(node)) continue;
    GRAFT_ASSIGN_OR_RETURN(const Rope bytes, form.node(node));
    append_field(out, 3, bytes);
  }
  for (size_t i = 0; i < returns.size(); ++i) {
    GRAFT_ASSIGN_OR_RETURN(const std::string entry, form.entry(i, returns[i]));
    append_text(out, 4, entry);
  }
  for (int32_t node : function.control_returns) {
    const std::string_view name = function.graph.nodes[static_cast<size_t>(node)].name;
    if (body.find(name) < 0)
      return invalid_graph("the control output '" + printable(name) + "' is no node any more");
  }
  return out.flatten();
}

std::vector<std::string> return_tensors(const FunctionGraph& function) {
  std::vector<std::string> names;
  for (InputRef ref : function.returns) names.push_back(tensor_name(function.graph, ref));
  return names;
}

Result<std::vector<std::string_view>> functions_of(const Node& node) {
  std::vector<std::string_view> names{node.op};
  for (const AttrView& attr : node.attrs) {
    GRAFT_ASSIGN_OR_RETURN(const AttrValue value, decode_attr(attr.value));
    if (value.kind == AttrValue::Kind::kFunc) names.push_back(value.func.name);
    if (value.kind != AttrValue::Kind::kList || value.list_messages == 0) continue;
    GRAFT_ASSIGN_OR_RETURN(const auto list, function_names(attr.value));
    names.insert(names.end(), list.begin(), list.end());
  }
  return names;
}

namespace {

AttrView read_entry(Bytes bytes) {
  AttrView attr;
  FieldReader reader(bytes);
  while (reader.next()) {
    if (reader.key() == bytes_key(1)) attr.name = reader.text();
    if (reader.key() == bytes_key(2)) attr.value = reader.bytes();
  }
  return attr;
}

}  // namespace

Result<std::vector<std::string_view>> functions_in(Bytes function_def) {
  std::vector<std::string_view> names;
  FieldReader function(function_def);
  while (function.next()) {
    if (function.key() != bytes_key(3)) continue;
    Node node;
    FieldReader reader(function.bytes());
    while (reader.next()) {
      if (reader.key() == bytes_key(2)) node.op = reader.text();
      if (reader.key() == bytes_key(5)) node.attrs.push_back(read_entry(reader.bytes()));
    }
    GRAFT_RETURN_IF_ERROR(reader.status());
    GRAFT_ASSIGN_OR_RETURN(const auto of_node, functions_of(node));
    names.insert(names.end(), of_node.begin(), of_node.end());
  }
  GRAFT_RETURN_IF_ERROR(function.status());
  return names;
}

namespace {

constexpr std::string_view kOriginal = "_graft_function";

// `message` with the payload of each `field` changed by fn(payload) -> Result<std::string>.
template <typename Fn>
Result<std::string> with_field(Bytes message, uint32_t field, const Fn& fn) {
  std::string out;
  FieldReader reader(message);
  while (reader.next()) {
    if (reader.key() != bytes_key(field)) {
      out += as_text(reader.raw());
      continue;
    }
    GRAFT_ASSIGN_OR_RETURN(const std::string payload, fn(reader.bytes()));
    protozero::pbf_writer(out).add_string(field, payload);
  }
  GRAFT_RETURN_IF_ERROR(reader.status());
  return out;
}

Result<std::string> with_name(Bytes message, std::string_view name) {
  return with_field(message, 1, [&](Bytes) -> Result<std::string> { return std::string(name); });
}

// A NameAttrList.
Result<std::string> renamed(Bytes function, const FunctionNames& names) {
  return with_field(function, 1, [&](Bytes name) -> Result<std::string> {
    const auto it = names.find(as_text(name));
    return it == names.end() ? std::string(as_text(name)) : it->second;
  });
}

Result<std::string> renamed_value(Bytes attr_value, const FunctionNames& names) {
  GRAFT_ASSIGN_OR_RETURN(const std::string one, with_field(attr_value, 10, [&](Bytes function) {
                           return renamed(function, names);
                         }));
  return with_field(as_bytes(one), 1, [&](Bytes list) {
    return with_field(list, 9, [&](Bytes function) { return renamed(function, names); });
  });
}

}  // namespace

Result<std::string> rename_functions(Bytes node_def, const FunctionNames& names) {
  return with_field(node_def, 5, [&](Bytes entry) -> Result<std::string> {
    GRAFT_ASSIGN_OR_RETURN(const AttrValue value, decode_attr(read_entry(entry).value));
    if (value.kind != AttrValue::Kind::kFunc &&
        (value.kind != AttrValue::Kind::kList || value.list_messages == 0))
      return std::string(as_text(entry));
    return with_field(entry, 2, [&](Bytes bytes) { return renamed_value(bytes, names); });
  });
}

Result<std::string> rename_function(Bytes function_def, std::string_view name,
                                    std::string_view original, const FunctionNames& names) {
  GRAFT_ASSIGN_OR_RETURN(std::string out, with_field(function_def, 1, [&](Bytes signature) {
                           return with_name(signature, name);
                         }));
  GRAFT_ASSIGN_OR_RETURN(
      out, with_field(as_bytes(out), 3, [&](Bytes node) { return rename_functions(node, names); }));
  if (original.empty()) {  // what it was called is what it is called
    std::string kept;
    FieldReader reader(as_bytes(out));
    while (reader.next())
      if (reader.key() != bytes_key(5) || read_entry(reader.bytes()).name != kOriginal)
        kept += as_text(reader.raw());
    return kept;
  }
  std::string entry;
  protozero::pbf_writer writer(entry);
  writer.add_string(1, std::string(kOriginal));
  writer.add_string(2, attr_of_string(original));
  protozero::pbf_writer(out).add_string(5, entry);
  return out;
}

std::string_view original_name(Bytes function_def) {
  FieldReader reader(function_def);
  while (reader.next()) {
    if (reader.key() != bytes_key(5)) continue;
    const AttrView attr = read_entry(reader.bytes());
    if (attr.name != kOriginal) continue;
    const auto value = decode_attr(attr.value);
    return value.ok() ? value->s : std::string_view();
  }
  return {};
}

bool function_flag(Bytes function_def, std::string_view name) {
  FieldReader reader(function_def);
  while (reader.next()) {
    if (reader.key() != bytes_key(5)) continue;
    const AttrView attr = read_entry(reader.bytes());
    if (attr.name != name) continue;
    const auto value = decode_attr(attr.value);
    return value.ok() && value->b;
  }
  return false;
}

}  // namespace graft::graphdef
