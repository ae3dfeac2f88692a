// Graphs as GraphDef bytes, node by node, and what the importer says of them.
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "frontend/import.h"
#include "graphdef/attr.h"
#include "graphdef/writer.h"
#include "ir/verify.h"

namespace graft::frontend {

using AttrList = decltype(graphdef::NodeSpec::attrs);

inline std::string type_attr(DType t) { return graphdef::attr_of_type(t); }

// A TensorProto attribute; protobuf's wire format by hand, so that bad ones can be written too.
inline std::string tensor_attr(DType dtype, const std::vector<int64_t>& dims,
                               const std::string& content) {
  auto varint = [](uint64_t v) {
    std::string s;
    do {
      s += static_cast<char>((v & 0x7f) | (v > 0x7f ? 0x80 : 0));
      v >>= 7;
    } while (v != 0);
    return s;
  };
  auto field = [&](int number, const std::string& bytes) {
    return varint(static_cast<uint64_t>(number) << 3 | 2) + varint(bytes.size()) + bytes;
  };
  std::string shape;
  for (int64_t d : dims) shape += field(2, varint(1 << 3) + varint(static_cast<uint64_t>(d)));
  const std::string tensor =
      varint(1 << 3) + varint(static_cast<uint64_t>(dtype)) + field(2, shape) + field(4, content);
  return field(8, tensor);
}

class GraphBuilder {
 public:
  GraphBuilder& add(std::string op, std::string name, std::vector<std::string> inputs,
                    AttrList attrs) {
    nodes_.push_back({std::move(name), std::move(op), "", std::move(inputs), std::move(attrs)});
    return *this;
  }
  GraphBuilder& placeholder(std::string name, DType dtype, std::vector<int64_t> dims) {
    graphdef::ShapeView shape;
    shape.dims = std::move(dims);
    return add("Placeholder", std::move(name), {},
               {{"dtype", type_attr(dtype)}, {"shape", graphdef::attr_of_shape(shape)}});
  }
  template <typename T>
  GraphBuilder& constant(std::string name, DType dtype, std::vector<int64_t> dims,
                         std::vector<T> elems) {
    std::string content(elems.size() * sizeof(T), '\0');
    if (!elems.empty()) std::memcpy(content.data(), elems.data(), content.size());
    return add("Const", std::move(name), {},
               {{"dtype", type_attr(dtype)}, {"value", tensor_attr(dtype, dims, content)}});
  }
  GraphBuilder& floats(std::string name, std::vector<int64_t> dims) {
    int64_t n = 1;
    for (int64_t d : dims) n *= d;
    std::vector<float> v(static_cast<size_t>(n));
    for (size_t i = 0; i < v.size(); ++i) v[i] = 0.25f * static_cast<float>(i % 7) + 0.5f;
    return constant<float>(std::move(name), DType::kFloat, std::move(dims), v);
  }
  GraphBuilder& ints(std::string name, std::vector<int64_t> dims, std::vector<int32_t> elems) {
    return constant<int32_t>(std::move(name), DType::kInt32, std::move(dims), std::move(elems));
  }
  graphdef::NodeSpec& last() { return nodes_.back(); }
  graphdef::NodeSpec& find(const std::string& name) {
    for (graphdef::NodeSpec& node : nodes_)
      if (node.name == name) return node;
    ADD_FAILURE() << "no node " << name;
    return nodes_.front();
  }

  std::vector<std::byte> bytes() const {
    graphdef::GraphWriter writer;
    for (const auto& n : nodes_) writer.add(n);
    static const unsigned char kVersions[] = {0x22, 0x03, 0x08, 0x86,
                                              0x0a};  // versions { producer: 1286 }
    writer.add_rest(std::as_bytes(std::span<const unsigned char>(kVersions)));
    auto bytes = writer.finish();
    EXPECT_TRUE(bytes.ok());
    return bytes.ok() ? std::move(*bytes) : std::vector<std::byte>{};
  }
  graphdef::Graph graph() const {
    auto owner = std::make_shared<std::vector<std::byte>>(bytes());
    auto graph = graphdef::parse(*owner, owner);
    EXPECT_TRUE(graph.ok()) << graph.status().message();
    return graph.ok() ? std::move(*graph) : graphdef::Graph{};
  }

 private:
  std::vector<graphdef::NodeSpec> nodes_;
};

// The verdict on the last node.
struct Verdict {
  Status status;                      // of the import
  Support support;                    // of the node, when the import went well
  std::vector<ir::TensorType> types;  // of its outputs
};

inline Verdict import_last(const GraphBuilder& builder) {
  Verdict verdict;
  const graphdef::Graph graph = builder.graph();
  WorkContext work;
  auto imported = import_all(graph, work);
  verdict.status = imported.ok() ? ok_status() : imported.status();
  if (!imported.ok()) return verdict;
  EXPECT_TRUE(ir::verify(imported->network).ok()) << ir::verify(imported->network).message();
  verdict.support = imported->support.back();
  for (ir::ValueId id : imported->values.back())
    verdict.types.push_back(id == ir::kNoValue
                                ? ir::TensorType{}
                                : imported->network.values[static_cast<size_t>(id)].type);
  return verdict;
}

inline void expect_supported(const GraphBuilder& builder) {
  const Verdict v = import_last(builder);
  ASSERT_TRUE(v.status.ok()) << v.status.message();
  EXPECT_TRUE(v.support.yes) << v.support.code << ": " << v.support.reason;
}

inline void expect_refused(const GraphBuilder& builder, const std::string& code,
                           const std::string& part = "") {
  const Verdict v = import_last(builder);
  ASSERT_TRUE(v.status.ok()) << v.status.message();
  EXPECT_FALSE(v.support.yes);
  EXPECT_EQ(v.support.code, code) << v.support.reason;
  EXPECT_NE(v.support.reason.find(part), std::string::npos) << v.support.reason;
}

// InvalidGraph that names the node "n" and every given part.
inline void expect_invalid(const GraphBuilder& builder, const std::vector<std::string>& parts) {
  const Verdict v = import_last(builder);
  ASSERT_EQ(v.status.code(), Code::kInvalidGraph)
      << v.status.message() << v.support.code << v.support.reason;
  EXPECT_NE(v.status.message().find("node \"n\""), std::string::npos) << v.status.message();
  for (const std::string& part : parts)
    EXPECT_NE(v.status.message().find(part), std::string::npos)
        << part << " not in: " << v.status.message();
}

}  // namespace graft::frontend
