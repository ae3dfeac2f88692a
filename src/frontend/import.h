// import_all: runs the importer of every node of a graph once; support is decided by doing, never
// by a list.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/work.h"
#include "graphdef/graph.h"
#include "ir/network.h"

namespace graft::frontend {

// Whether a node may be in an engine; else why not.
struct Support {
  bool yes = false;
  std::string code;  // "unsupported_op", "unsupported_attr", "dtype", "rank", "shape", "stateful",
                     // "control_flow", "input_node", ...
  std::string reason;  // names the exact attribute or dtype: got and expected
  std::string hint;
  bool free =
      false;  // costs nothing and belongs to its consumers (Const): joined to segments that use it
};

// A value that stands for a TensorFlow tensor list: the dense tensor [elements, element
// extents...]. An open list is one whose element extents nothing has told yet: its value is its
// length, int32 [1].
struct TensorList {
  bool open = false;
  int32_t arg = -1;  // open: the argument of the function that it is; -1: it was reserved here
  DType dtype = DType::kInvalid;
  // Element extents as the list was made with; a negative one is not known. Absent: nor the rank.
  std::optional<std::vector<ir::Dim>> declared;
};

// A node of a function that was inlined where it is called.
struct InlinedNode {
  std::string name, op;  // name: "caller/node"
};

// The whole graph as one Network; ops carry `source` = node index. Outputs of unsupported nodes
// appear as inputs of the network when their type is known.
struct Imported {
  ir::Network network;
  std::vector<Support> support;  // per node
  std::vector<std::vector<ir::ValueId>>
      values;                             // per node, per output port; kNoValue: type unknown
  std::vector<std::vector<int32_t>> ops;  // per node: indices into network.ops
  std::unordered_map<ir::ValueId, TensorList> lists;
  // Values of a dtype (TensorFlow's number) that no border of an engine can have, kept as another:
  // quantized integers as the integers of their width.
  std::unordered_map<ir::ValueId, DType> foreign;
  // The nodes that a call stands for.
  std::unordered_map<int32_t, std::vector<InlinedNode>> inlined;
  // Names of the users' converters that made something of a node, or of the functions that it runs.
  std::unordered_map<int32_t, std::set<std::string>> converters;
  // Per node: nodes of one number >= 0 hand tensor lists or foreign values to each other, which no
  // border of an engine can pass.
  std::vector<int32_t> bond;
};

struct ImportOptions {
  // FakeQuantWithMinMax* and QuantizeAndDequantizeV2-V4, which engines of precision INT8 alone
  // take, as TF-TRT's do.
  bool quantization_ops = false;
  // Names of nodes that are fed: what they compute says nothing about their outputs, whose dtypes
  // and constant extents stay.
  std::unordered_set<std::string_view> fed = {};
  // Tensors that are fetched: users' converters must make them.
  std::span<const graphdef::InputRef> fetched = {};
};

// Refuses the nodes whose tensor lists or foreign values are fetched, and fills Imported::bond.
void bond_lists(const graphdef::Graph& graph, std::span<const graphdef::InputRef> fetched,
                Imported& imported);

// InvalidGraph for a node that no TensorFlow would accept (missing attr, wrong input count,
// contradiction); a node that is merely not supported gets its Support and the import goes on.
Result<Imported> import_all(const graphdef::Graph& graph, WorkContext& work,
                            const Limits& limits = {}, const ImportOptions& options = {});

// A tensor at the border of a segment.
struct Boundary {
  graphdef::InputRef tensor;
  ir::TensorType type;
};

// The Network of `nodes` (all supported): inputs in `inputs`' order, outputs in `outputs`' order;
// input dims that are not constant become symbols of the new network. Constants keep viewing the
// graph's bytes. Verified.
Result<ir::Network> extract(const graphdef::Graph& graph, const Imported& imported,
                            std::span<const int32_t> nodes,
                            std::span<const graphdef::InputRef> inputs,
                            std::span<const graphdef::InputRef> outputs);

// Names of all TensorFlow ops of which an engine may take a node, sorted.
std::vector<std::string> supported_ops();
// The ops that are known and stay native whatever their attributes, sorted, by reason code.
std::map<std::string, std::vector<std::string>> native_ops();

}  // namespace graft::frontend
