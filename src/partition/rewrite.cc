#include "partition/rewrite.h"

#include "graphdef/attr.h"
#include "graphdef/wire.h"
#include "graphdef/writer.h"

namespace graft::partition {
namespace {

using namespace graphdef;

constexpr std::string_view kColocation = "_class";
constexpr std::string_view kLocation = "loc:@";

bool dangles(std::string_view location, const NodeExists& exists) {
  return location.starts_with(kLocation) && !exists(location.substr(kLocation.size()));
}

// The entries of "_class"; empty when it is absent or malformed (TensorFlow will say so).
std::vector<std::string_view> locations(const Node& node) {
  const AttrView* attr = node.find_attr(kColocation);
  if (!attr) return {};
  auto value = decode_attr(attr->value);
  if (!value.ok()) return {};
  return std::move(value->list_s);
}

std::string_view entry_name(Bytes attr_entry) {
  std::string_view name;
  FieldReader reader(attr_entry);
  while (reader.next())
    if (reader.key() == bytes_key(1)) name = reader.text();
  return name;
}

}  // namespace

bool has_dangling_colocation(const Node& node, const NodeExists& exists) {
  for (std::string_view location : locations(node))
    if (dangles(location, exists)) return true;
  return false;
}

Rope rewrite_node(const Node& node, const std::vector<std::string>& inputs,
                  const NodeExists& exists) {
  if (!has_dangling_colocation(node, exists)) return serialize_node_with_inputs(node, inputs);
  std::vector<std::string> kept;
  for (std::string_view location : locations(node))
    if (!dangles(location, exists)) kept.emplace_back(location);
  const auto is_class = [](const FieldReader& field) {
    return field.key() == bytes_key(5) && entry_name(field.bytes()) == kColocation;
  };
  Rope out = serialize_node_with_inputs(node, inputs, is_class);
  if (!kept.empty()) out.append(serialize_attr(kColocation, attr_of_strings(kept)));
  return out;
}

}  // namespace graft::partition
