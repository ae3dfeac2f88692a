#include "graphdef/writer.h"

#include "base/check.h"
#include "graphdef/rope_fields.h"
#include "graphdef/wire.h"

namespace graft::graphdef {

Rope serialize_node(const NodeSpec& node) {
  Rope out;
  append_text(out, 1, node.name);
  append_text(out, 2, node.op);
  for (const std::string& input : node.inputs) append_text(out, 3, input);
  if (!node.device.empty()) append_text(out, 4, node.device);
  for (const auto& [name, value] : node.attrs) out.append(serialize_attr(name, value));
  return out;
}

Rope serialize_attr(std::string_view name, const Rope& attr_value) {
  Rope entry, out;
  append_text(entry, 1, name);
  append_field(entry, 2, attr_value);
  append_field(out, 5, entry);
  return out;
}

Rope serialize_node_with_inputs(const Node& node, const std::vector<std::string>& inputs,
                                bool (*drop)(const FieldReader& field)) {
  Rope out;
  bool written = false;
  const auto write_inputs = [&] {
    if (written) return;
    for (const std::string& input : inputs) append_text(out, 3, input);
    written = true;
  };
  FieldReader reader(node.raw);
  while (reader.next()) {
    if (reader.key() == bytes_key(3)) {
      write_inputs();
    } else if (!drop || !drop(reader)) {
      out.append_view(reader.raw());
    }
  }
  GRAFT_CHECK(reader.status().ok(), reader.status().message());
  write_inputs();
  return out;
}

void GraphWriter::add_raw(Bytes node_def) {
  append_head(nodes_, 1, node_def.size());
  nodes_.append_view(node_def);
}

void GraphWriter::add_with_inputs(const Node& node, const std::vector<std::string>& inputs) {
  append_field(nodes_, 1, serialize_node_with_inputs(node, inputs));
}

void GraphWriter::add(const NodeSpec& node) { append_field(nodes_, 1, serialize_node(node)); }

void GraphWriter::add_node(const Rope& node_def) { append_field(nodes_, 1, node_def); }

void GraphWriter::add_function_raw(Bytes function_def) {
  append_head(library_, 1, function_def.size());
  library_.append_view(function_def);
}

void GraphWriter::add_library_rest(Bytes rest) { library_.append_view(rest); }

void GraphWriter::add_rest(Bytes rest) { rest_.append_view(rest); }

Result<Rope> GraphWriter::finish_rope() {
  const Limits limits;
  Rope out = std::exchange(nodes_, Rope());
  const Rope library = std::exchange(library_, Rope()), rest = std::exchange(rest_, Rope());
  if (library.size() > 0) append_field(out, 2, library);
  out.append(rest);
  if (out.size() > static_cast<size_t>(limits.max_graph_bytes))
    return invalid_graph(
        "the resulting graph would have " + std::to_string(out.size()) +
        " bytes, a GraphDef may have " + std::to_string(limits.max_graph_bytes) +
        ": keep plans in files beside the graph, or convert without native segments");
  return out;
}

Result<std::vector<std::byte>> GraphWriter::finish() {
  GRAFT_ASSIGN_OR_RETURN(const Rope rope, finish_rope());
  return rope.flatten();
}

}  // namespace graft::graphdef
