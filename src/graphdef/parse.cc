#include <limits>
#include <string>

#include "base/fault.h"
#include "base/log.h"
#include "graphdef/graph.h"
#include "graphdef/inputs.h"
#include "graphdef/nesting.h"
#include "graphdef/order.h"
#include "graphdef/sniff.h"
#include "graphdef/wire.h"

namespace graft::graphdef {
namespace {

constexpr int32_t kConsumerVersion = 2474;  // TF_GRAPH_DEF_VERSION of TensorFlow 2.21
constexpr size_t kMinNodeBytes = 6;         // name and op of one character each

// Pieces of bytes as one span: a view when they are neighbours, else joined into memory that the
// graph owns.
class Joined {
 public:
  void add(Bytes piece) {
    if (!copied_ && view_.empty()) {
      view_ = piece;
    } else if (!copied_ && view_.data() + view_.size() == piece.data()) {
      view_ = Bytes(view_.data(), view_.size() + piece.size());
    } else {
      if (!copied_) copied_ = std::make_shared<std::string>(as_text(view_));
      copied_->append(as_text(piece));
    }
  }
  Bytes finish(Graph& graph) {
    if (!copied_) return view_;
    graph.owners.push_back(copied_);
    return as_bytes(*copied_);
  }

 private:
  Bytes view_;
  std::shared_ptr<std::string> copied_;
};

Status parse_attr_entry(Bytes bytes, const std::byte* origin, AttrView& attr) {
  FieldReader reader(bytes, origin);
  bool has_value = false;
  while (reader.next()) {
    if (reader.key() == bytes_key(1)) attr.name = reader.text();
    if (reader.key() == bytes_key(2)) {
      if (has_value)
        return invalid_graph("attribute \"" + printable(attr.name) +
                             "\" has two values in one entry, at byte " +
                             std::to_string(reader.raw().data() - origin));
      has_value = true;
      attr.value = reader.bytes();
    }
  }
  return reader.status();
}

Status parse_node(Bytes bytes, const std::byte* origin, size_t number, const Limits& limits,
                  Node& node) {
  node.raw = bytes;
  size_t attrs = 0;
  FieldReader counter(bytes, origin);
  while (counter.next()) attrs += counter.key() == bytes_key(5);
  GRAFT_RETURN_IF_ERROR(counter.status());
  node.attrs.reserve(attrs);
  FieldReader reader(bytes, origin);
  while (reader.next()) {
    switch (reader.key()) {
      case bytes_key(1):
        node.name = reader.text();
        break;
      case bytes_key(2):
        node.op = reader.text();
        break;
      case bytes_key(4):
        node.device = reader.text();
        break;
      case bytes_key(5):
        GRAFT_RETURN_IF_ERROR(parse_attr_entry(reader.bytes(), origin, node.attrs.emplace_back()));
        break;
      default:
        break;  // inputs are resolved when every name is known; the rest stays in raw
    }
  }
  const std::string at = " at byte " + std::to_string(bytes.data() - origin);
  if (node.name.empty())
    return invalid_graph("node " + std::to_string(number) + at + " has no name");
  if (static_cast<int64_t>(node.name.size()) > limits.max_name_bytes)
    return invalid_graph("node " + std::to_string(number) + at + " has a name of " +
                         std::to_string(node.name.size()) + " bytes, the limit is " +
                         std::to_string(limits.max_name_bytes));
  if (!is_legal_name(node.name))
    return invalid_graph("node " + std::to_string(number) + at + " has the illegal name \"" +
                         printable(node.name) + "\"");
  if (node.op.empty())
    return invalid_graph("node \"" + printable(node.name) + "\"" + at + " has no op");
  return ok_status();
}

Status parse_function(Bytes bytes, const std::byte* origin, Function& function) {
  function.raw = bytes;
  FieldReader reader(bytes, origin);
  while (reader.next()) {
    if (reader.key() != bytes_key(1)) continue;
    FieldReader signature(reader.bytes(), origin);
    while (signature.next())
      if (signature.key() == bytes_key(1)) function.name = signature.text();
    GRAFT_RETURN_IF_ERROR(signature.status());
  }
  GRAFT_RETURN_IF_ERROR(reader.status());
  if (function.name.empty())
    return invalid_graph("the function at byte " + std::to_string(bytes.data() - origin) +
                         " has no name");
  return ok_status();
}

Status parse_library(Bytes bytes, const std::byte* origin, Graph& graph, Joined& rest) {
  FieldReader reader(bytes, origin);
  while (reader.next()) {
    if (reader.key() == bytes_key(1)) {
      GRAFT_RETURN_IF_ERROR(parse_function(reader.bytes(), origin, graph.functions.emplace_back()));
    } else {
      rest.add(reader.raw());
    }
  }
  return reader.status();
}

Status parse_versions(Bytes bytes, const std::byte* origin, Graph& graph) {
  int32_t bad = 0;
  const auto check_bad = [&](uint64_t value) {
    if (static_cast<int32_t>(value) == kConsumerVersion) bad = kConsumerVersion;
  };
  FieldReader reader(bytes, origin);
  while (reader.next()) {
    switch (reader.key()) {
      case varint_key(1):
        graph.producer = reader.int32();
        break;
      case varint_key(2):
        graph.min_consumer = reader.int32();
        break;
      case varint_key(3):
        check_bad(reader.varint());
        break;
      case bytes_key(3):
        GRAFT_RETURN_IF_ERROR(for_each_varint(reader.bytes(), origin, check_bad));
        break;
      default:
        break;
    }
  }
  GRAFT_RETURN_IF_ERROR(reader.status());
  if (bad != 0)
    return invalid_graph("the graph's versions.bad_consumers lists version " + std::to_string(bad) +
                         ", which is ours: its producer knows that this version reads it wrongly");
  return ok_status();
}

Status build_index(Graph& graph) {
  graph.index.reserve(graph.nodes.size());
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    const auto [entry, fresh] = graph.index.emplace(graph.nodes[i].name, static_cast<int32_t>(i));
    if (!fresh && !GRAFT_FAULT(duplicate_names_accepted))
      return invalid_graph("nodes " + std::to_string(entry->second) + " and " + std::to_string(i) +
                           " have the same name \"" + printable(graph.nodes[i].name) + "\"");
  }
  return ok_status();
}

Status parse_fields(Bytes bytes, const Limits& limits, Graph& graph) {
  const std::byte* const origin = bytes.data();
  int64_t nodes = 0;
  FieldReader counter(bytes);
  while (counter.next()) {
    if (counter.key() != bytes_key(1)) continue;
    // Refused before memory is booked for it, so that memory stays within a multiple of the file's
    // size.
    if (counter.bytes().size() < kMinNodeBytes)
      return invalid_graph("node " + std::to_string(nodes) + " at byte " +
                           std::to_string(counter.bytes().data() - origin) +
                           " has no name or no op");
    ++nodes;
  }
  GRAFT_RETURN_IF_ERROR(counter.status());
  if (nodes > limits.max_nodes)
    return resource_exhausted("the graph has " + std::to_string(nodes) + " nodes, the limit is " +
                              std::to_string(limits.max_nodes));
  GRAFT_RETURN_IF_ERROR(check_nesting(bytes, Message::kGraph, 0, origin, limits));
  graph.nodes.reserve(static_cast<size_t>(nodes));
  Joined rest, library_rest;
  FieldReader reader(bytes);
  while (reader.next()) {
    switch (reader.key()) {
      case bytes_key(1): {
        const size_t number = graph.nodes.size();
        GRAFT_RETURN_IF_ERROR(
            parse_node(reader.bytes(), origin, number, limits, graph.nodes.emplace_back()));
        break;
      }
      case bytes_key(2):
        GRAFT_RETURN_IF_ERROR(parse_library(reader.bytes(), origin, graph, library_rest));
        break;
      case bytes_key(4):
        GRAFT_RETURN_IF_ERROR(parse_versions(reader.bytes(), origin, graph));
        rest.add(reader.raw());
        break;
      default:
        rest.add(reader.raw());
        break;
    }
  }
  GRAFT_RETURN_IF_ERROR(reader.status());
  graph.rest = rest.finish(graph);
  graph.library_rest = library_rest.finish(graph);
  if (graph.nodes.empty()) return invalid_graph("the graph has no nodes");
  if (graph.min_consumer > kConsumerVersion)
    return invalid_graph("the graph needs a consumer of GraphDef version " +
                         std::to_string(graph.min_consumer) + " or newer, this one reads up to " +
                         std::to_string(kConsumerVersion));
  return ok_status();
}

Status check_acyclic(const Graph& graph) {
  const GraphOrder order = order_graph(graph);
  if (order.cycle.empty()) return ok_status();
  constexpr size_t kShown = 6;
  std::string text;
  for (size_t i = 0; i < order.cycle.size() && i < kShown; ++i)
    text += "\"" + printable(graph.nodes[static_cast<size_t>(order.cycle[i])].name) + "\" -> ";
  text += order.cycle.size() > kShown
              ? "... (" + std::to_string(order.cycle.size()) + " nodes)"
              : "\"" + printable(graph.nodes[static_cast<size_t>(order.cycle[0])].name) + "\"";
  return invalid_graph("the graph has a cycle without NextIteration: " + text);
}

}  // namespace

const AttrView* Node::find_attr(std::string_view attr_name) const {
  for (auto it = attrs.rbegin(); it != attrs.rend(); ++it)
    if (it->name == attr_name) return &*it;
  return nullptr;
}

Result<Graph> parse(Bytes bytes, std::shared_ptr<const void> owner, const Limits& limits) {
  if (static_cast<int64_t>(bytes.size()) > limits.max_graph_bytes)
    return invalid_graph("the graph has " + std::to_string(bytes.size()) +
                         " bytes, a GraphDef may have at most " +
                         std::to_string(limits.max_graph_bytes) +
                         ": keep large weights in fewer or smaller constants");
  Graph graph;
  if (owner) graph.owners.push_back(std::move(owner));
  if (Status status = parse_fields(bytes, limits, graph); !status.ok()) {
    if (status.code() != Code::kInvalidGraph) return status;
    const std::string hint = describe_foreign_format(bytes);
    return hint.empty() ? status : invalid_graph(status.message() + "; " + hint);
  }
  GRAFT_RETURN_IF_ERROR(build_index(graph));
  GRAFT_RETURN_IF_ERROR(resolve_inputs(graph));
  GRAFT_RETURN_IF_ERROR(check_acyclic(graph));
  return graph;
}

}  // namespace graft::graphdef
