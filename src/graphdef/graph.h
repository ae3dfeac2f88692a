// Graph: a parsed GraphDef as a value. Strings and tensors are views into the parsed bytes, which
// the Graph keeps alive; nothing of the wire format that is not understood gets lost, since each
// node keeps its raw bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/limits.h"
#include "base/status.h"
#include "graft/types.h"

namespace graft::graphdef {

using Bytes = std::span<const std::byte>;

// A data input: output `port` of node `node` (index into Graph::nodes).
struct InputRef {
  int32_t node = -1;
  int32_t port = 0;
  bool operator==(const InputRef&) const = default;
};

struct AttrView {
  std::string_view name;
  Bytes value;  // serialized AttrValue; decode_attr (attr.h) reads it
};

struct Node {
  std::string_view name, op, device;
  std::vector<InputRef> inputs;         // data inputs in order
  std::vector<int32_t> control_inputs;  // node indices
  std::vector<AttrView> attrs;          // last of equal names wins, as in protobuf maps
  Bytes raw;                            // the NodeDef message
  const AttrView* find_attr(std::string_view attr_name) const;
};

struct Function {
  std::string_view name;  // signature.name
  Bytes raw;              // the FunctionDef message
};

struct Graph {
  std::vector<Node> nodes;
  std::vector<Function> functions;
  Bytes library_rest;  // fields of `library` other than `function`, as bytes
  Bytes rest;  // fields of GraphDef other than node and library (versions, unknown), as bytes
  int32_t producer = 0, min_consumer = 0;
  std::vector<std::shared_ptr<const void>> owners;  // keep the viewed bytes alive

  std::unordered_map<std::string_view, int32_t> index;  // node name -> index
  int32_t find(std::string_view name) const {           // -1 when absent
    auto it = index.find(name);
    return it == index.end() ? -1 : it->second;
  }
};

// Parses and validates structure: names present, legal and unique, every input resolved to an
// existing node, data inputs before control inputs, no cycle except through NextIteration.
// InvalidGraph names node, input and value, with the byte offset for wire errors; says what foreign
// formats (pbtxt, SavedModel, ONNX, zip, gzip) look like. `bytes` must stay valid as long as the
// Graph; pass `owner` to tie their lifetime to it.
Result<Graph> parse(Bytes bytes, std::shared_ptr<const void> owner = nullptr,
                    const Limits& limits = {});

// Node indices, producers first; ties in graph order. NextIteration edges are ignored. Linear time,
// no recursion.
std::vector<int32_t> topological_order(const Graph& graph);

// "name" or "name:port" -> reference; InvalidArgument with the nearest names when there is none.
Result<InputRef> find_tensor(const Graph& graph, std::string_view tensor_name);
std::string tensor_name(const Graph& graph, InputRef ref);  // "node" for port 0, else "node:port"

}  // namespace graft::graphdef
