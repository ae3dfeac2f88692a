// Hand-made protobuf bytes for the tests of the wire format.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "graphdef/attr.h"
#include "graphdef/graph.h"
#include "graphdef/wire.h"
#include "graphdef/writer.h"

namespace graft::graphdef {

inline std::string varint(uint64_t value) {
  std::string out;
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
  return out + static_cast<char>(value);
}
inline std::string field(uint32_t number, const std::string& payload) {
  return varint(bytes_key(number)) + varint(payload.size()) + payload;
}
inline std::string field(uint32_t number, int64_t value) {
  return varint(varint_key(number)) + varint(static_cast<uint64_t>(value));
}
inline std::string fixed32(uint32_t number, float value) {
  return varint(fixed32_key(number)) + std::string(reinterpret_cast<const char*>(&value), 4);
}

inline std::string node_body(const std::string& name, const std::string& op,
                             const std::vector<std::string>& inputs = {}) {
  std::string out = field(1, name) + field(2, op);
  for (const auto& input : inputs) out += field(3, input);
  return out;
}
inline std::string node_field(const std::string& name, const std::string& op,
                              const std::vector<std::string>& inputs = {}) {
  return field(1, node_body(name, op, inputs));
}
inline std::string attr_field(const std::string& name, const std::string& value) {
  return field(5, field(1, name) + field(2, value));
}

inline Result<Graph> parse_text(const std::string& text) {
  auto owner = std::make_shared<std::string>(text);
  return parse(as_bytes(*owner), owner);
}

// The message of the refusal; "" when the bytes are accepted.
inline std::string refusal(const std::string& text) {
  const auto graph = parse_text(text);
  if (graph.ok()) return "";
  EXPECT_EQ(graph.status().code(), Code::kInvalidGraph) << graph.status().message();
  return graph.status().message();
}

inline std::string small_graph_bytes() {
  return node_field("x", "Placeholder") +
         field(1, node_body("w", "Const") + attr_field("dtype", attr_of_type(DType::kFloat)) +
                      attr_field("value", field(8, field(1, 1) + field(2, field(2, field(1, 2))) +
                                                       field(4, std::string(8, '\1'))))) +
         node_field("y", "AddV2", {"x", "w:0", "^x"}) + field(4, field(1, 2474) + field(2, 12));
}

}  // namespace graft::graphdef
