#include "graphdef/writer.h"

#include "graphdef/pb.h"
#include "graphdef/wire.h"

namespace graft::graphdef {
namespace {

using protozero::pbf_writer;

void append_field(std::string& out, uint32_t number, std::string_view payload) {
  pbf_writer(out).add_bytes(number, payload.data(), payload.size());
}

std::string_view view(Bytes bytes) { return as_text(bytes); }

}  // namespace

std::string serialize_node(const NodeSpec& node) {
  std::string out;
  append_field(out, 1, node.name);
  append_field(out, 2, node.op);
  for (const std::string& input : node.inputs) append_field(out, 3, input);
  if (!node.device.empty()) append_field(out, 4, node.device);
  for (const auto& [name, value] : node.attrs) out += serialize_attr(name, value);
  return out;
}

std::string serialize_attr(std::string_view name, std::string_view attr_value) {
  std::string entry, out;
  append_field(entry, 1, name);
  append_field(entry, 2, attr_value);
  append_field(out, 5, entry);
  return out;
}

std::string serialize_node_with_inputs(const Node& node, const std::vector<std::string>& inputs) {
  std::string out;
  out.reserve(node.raw.size() + 64);
  bool written = false;
  const auto write_inputs = [&] {
    if (written) return;
    for (const std::string& input : inputs) append_field(out, 3, input);
    written = true;
  };
  FieldReader reader(node.raw);
  while (reader.next()) {
    if (reader.key() == bytes_key(3)) {
      write_inputs();
    } else {
      out.append(view(reader.raw()));
    }
  }
  GRAFT_CHECK(reader.status().ok(), reader.status().message());
  write_inputs();
  return out;
}

void GraphWriter::add_raw(Bytes node_def) { append_field(nodes_, 1, view(node_def)); }

void GraphWriter::add_with_inputs(const Node& node, const std::vector<std::string>& inputs) {
  append_field(nodes_, 1, serialize_node_with_inputs(node, inputs));
}

void GraphWriter::add(const NodeSpec& node) { append_field(nodes_, 1, serialize_node(node)); }

void GraphWriter::add_function_raw(Bytes function_def) {
  append_field(library_, 1, view(function_def));
}

void GraphWriter::add_library_rest(Bytes rest) { library_.append(view(rest)); }

void GraphWriter::add_rest(Bytes rest) { rest_.append(view(rest)); }

Result<std::vector<std::byte>> GraphWriter::finish() {
  const Limits limits;
  std::string library;
  if (!library_.empty()) {
    // The library's own length comes first, so the field is put together from its head and the
    // bytes.
    library.push_back(static_cast<char>(bytes_key(2)));
    protozero::add_varint_to_buffer(&library, library_.size());
  }
  const size_t total = nodes_.size() + library.size() + library_.size() + rest_.size();
  std::vector<std::byte> out;
  Status status;
  if (total > static_cast<size_t>(limits.max_graph_bytes)) {
    status =
        invalid_graph("the resulting graph would have " + std::to_string(total) +
                      " bytes, a GraphDef may have " + std::to_string(limits.max_graph_bytes) +
                      ": keep plans in files beside the graph, or convert without native segments");
  } else {
    out.reserve(total);
    // Each part is freed as soon as it is copied, which bounds the peak.
    for (std::string* part : {&nodes_, &library, &library_, &rest_}) {
      const Bytes bytes = as_bytes(*part);
      out.insert(out.end(), bytes.begin(), bytes.end());
      std::string().swap(*part);
    }
  }
  nodes_.clear();
  library_.clear();
  rest_.clear();
  if (!status.ok()) return status;
  return out;
}

}  // namespace graft::graphdef
