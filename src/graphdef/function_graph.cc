// A FunctionDef names an input "arg", "node:output_name:index" or "^node"; here it is written as a
// GraphDef, where it is "arg", "node:port" or "^node", and parsed as any other.
#include "graphdef/function_graph.h"

#include <charconv>
#include <unordered_map>

#include "base/log.h"
#include "graphdef/output_names.h"
#include "graphdef/wire.h"
#include "graphdef/writer.h"

namespace graft::graphdef {
namespace {

struct Arg {
  std::string_view name;
  DType dtype = DType::kInvalid;
  bool is_plain = true;
};

struct Parts {
  std::vector<Arg> args, outputs;
  std::unordered_map<std::string_view, std::string_view> returns;
  std::vector<std::string_view> control_returns;
  std::vector<Node> nodes;
  std::unordered_map<std::string_view, size_t> index;  // of nodes
};

Status read_arg(Bytes bytes, std::vector<Arg>& args) {
  Arg& arg = args.emplace_back();
  FieldReader reader(bytes);
  while (reader.next()) {
    switch (reader.key()) {
      case bytes_key(1):
        arg.name = reader.text();
        break;
      case varint_key(3):
        arg.dtype = static_cast<DType>(reader.int32());
        break;
      case bytes_key(4):  // type_attr, number_attr, type_list_attr
      case bytes_key(5):
      case bytes_key(6):
        arg.is_plain = arg.is_plain && reader.text().empty();
        break;
      default:
        break;
    }
  }
  return reader.status();
}

Status read_signature(Bytes bytes, Parts& parts) {
  FieldReader reader(bytes);
  while (reader.next()) {
    if (reader.key() == bytes_key(2)) GRAFT_RETURN_IF_ERROR(read_arg(reader.bytes(), parts.args));
    if (reader.key() == bytes_key(3))
      GRAFT_RETURN_IF_ERROR(read_arg(reader.bytes(), parts.outputs));
  }
  return reader.status();
}

// An entry of map<string, string>.
Status read_entry(Bytes bytes, std::string_view& key, std::string_view& value) {
  FieldReader reader(bytes);
  while (reader.next()) {
    if (reader.key() == bytes_key(1)) key = reader.text();
    if (reader.key() == bytes_key(2)) value = reader.text();
  }
  return reader.status();
}

Status read_attr(Bytes bytes, Node& node) {
  AttrView& attr = node.attrs.emplace_back();
  FieldReader reader(bytes);
  while (reader.next()) {
    if (reader.key() == bytes_key(1)) attr.name = reader.text();
    if (reader.key() == bytes_key(2)) attr.value = reader.bytes();
  }
  return reader.status();
}

// Name, op and attributes: what output names depend on.
Status read_node(Bytes bytes, Node& node) {
  node.raw = bytes;
  FieldReader reader(bytes);
  while (reader.next()) {
    if (reader.key() == bytes_key(1)) node.name = reader.text();
    if (reader.key() == bytes_key(2)) node.op = reader.text();
    if (reader.key() == bytes_key(5)) GRAFT_RETURN_IF_ERROR(read_attr(reader.bytes(), node));
  }
  return reader.status();
}

Status read_function(Bytes bytes, Parts& parts) {
  FieldReader reader(bytes);
  std::string_view key, value;
  while (reader.next()) {
    switch (reader.key()) {
      case bytes_key(1):
        GRAFT_RETURN_IF_ERROR(read_signature(reader.bytes(), parts));
        break;
      case bytes_key(3):
        GRAFT_RETURN_IF_ERROR(read_node(reader.bytes(), parts.nodes.emplace_back()));
        break;
      case bytes_key(4):
        GRAFT_RETURN_IF_ERROR(read_entry(reader.bytes(), key, value));
        parts.returns[key] = value;
        break;
      case bytes_key(6):
        GRAFT_RETURN_IF_ERROR(read_entry(reader.bytes(), key, value));
        parts.control_returns.push_back(value);
        break;
      default:
        break;
    }
  }
  for (size_t i = 0; i < parts.nodes.size(); ++i) parts.index.emplace(parts.nodes[i].name, i);
  return reader.status();
}

// "arg" or "node:output_name:index" in the graph's form.
Result<std::string> graph_input(const Parts& parts, std::string_view text) {
  const size_t colon = text.find(':');
  if (colon == std::string_view::npos || text.starts_with('^')) return std::string(text);
  const std::string_view name = text.substr(0, colon), rest = text.substr(colon + 1);
  const size_t second = rest.find(':');
  const auto node = parts.index.find(name);
  int32_t number = -1;
  const std::string_view digits = second == rest.npos ? rest : rest.substr(second + 1);
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (read.ec != std::errc() || read.ptr != digits.data() + digits.size() || number < 0 ||
      (second != rest.npos && node == parts.index.end()))
    return invalid_graph("the input \"" + printable(text) + "\" is malformed");
  if (second == rest.npos) return std::string(text);  // of an argument; parse() checks the rest
  GRAFT_ASSIGN_OR_RETURN(const int32_t port,
                         output_port(parts.nodes[node->second], rest.substr(0, second), number));
  return std::string(name) + ":" + std::to_string(port);
}

Status check_args(const std::vector<Arg>& args) {
  for (const Arg& arg : args) {
    if (!arg.is_plain || arg.dtype == DType::kInvalid)
      return unsupported("argument '" + printable(arg.name) + "' has no dtype of its own");
  }
  return ok_status();
}

Result<FunctionGraph> build(const Parts& parts, const Graph& library, const Limits& limits) {
  GRAFT_RETURN_IF_ERROR(check_args(parts.args));
  GRAFT_RETURN_IF_ERROR(check_args(parts.outputs));
  FunctionGraph result;
  GraphWriter writer;
  for (const Arg& arg : parts.args) {
    writer.add(
        {std::string(arg.name), "Placeholder", "", {}, {{"dtype", attr_of_type(arg.dtype)}}});
    result.arg_dtypes.push_back(arg.dtype);
  }
  for (const Node& node : parts.nodes) {
    std::vector<std::string> inputs;
    FieldReader reader(node.raw);
    while (reader.next()) {
      if (reader.key() != bytes_key(3)) continue;
      GRAFT_ASSIGN_OR_RETURN(std::string input, graph_input(parts, reader.text()));
      inputs.push_back(std::move(input));
    }
    writer.add_with_inputs(node, inputs);
  }
  GRAFT_ASSIGN_OR_RETURN(std::vector<std::byte> flat, writer.finish());
  auto bytes = std::make_shared<const std::vector<std::byte>>(std::move(flat));
  const Bytes view(*bytes);
  GRAFT_ASSIGN_OR_RETURN(result.graph, parse(view, std::move(bytes), limits));
  result.graph.producer = library.producer;
  for (const Arg& output : parts.outputs) {
    const auto source = parts.returns.find(output.name);
    if (source == parts.returns.end())
      return invalid_graph("nothing is returned as '" + printable(output.name) + "'");
    GRAFT_ASSIGN_OR_RETURN(const std::string tensor, graph_input(parts, source->second));
    GRAFT_ASSIGN_OR_RETURN(const InputRef ref, find_tensor(result.graph, tensor));
    result.returns.push_back(ref);
    result.return_dtypes.push_back(output.dtype);
    result.return_names.emplace_back(output.name);
  }
  for (std::string_view name : parts.control_returns) {
    const int32_t node = result.graph.find(name);
    if (node < 0)
      return invalid_graph("the control output '" + printable(name) + "' is no node of it");
    result.control_returns.push_back(node);
  }
  return result;
}

}  // namespace

Result<std::vector<std::string_view>> function_names(Bytes attr_value) {
  std::vector<std::string_view> names;
  FieldReader value(attr_value);
  while (value.next()) {
    if (value.key() != bytes_key(1)) continue;
    FieldReader list(value.bytes(), value.origin());
    while (list.next()) {
      if (list.key() != bytes_key(9)) continue;
      FieldReader function(list.bytes(), list.origin());
      std::string_view& name = names.emplace_back();
      while (function.next())
        if (function.key() == bytes_key(1)) name = function.text();
      GRAFT_RETURN_IF_ERROR(function.status());
    }
    GRAFT_RETURN_IF_ERROR(list.status());
  }
  GRAFT_RETURN_IF_ERROR(value.status());
  return names;
}

Result<FunctionGraph> function_graph(const Graph& library, std::string_view name,
                                     const Limits& limits) {
  const Function* found = nullptr;
  for (const Function& function : library.functions) {
    if (function.name != name) continue;
    if (found) return invalid_graph("the function library has '" + printable(name) + "' twice");
    found = &function;
  }
  if (!found)
    return invalid_graph("the function library has no function '" + printable(name) + "'");
  Parts parts;
  Status status = read_function(found->raw, parts);
  if (status.ok()) {
    auto built = build(parts, library, limits);
    if (built.ok()) return built;
    status = built.status();
  }
  return status.with_context("function '" + printable(name) + "'");
}

}  // namespace graft::graphdef
