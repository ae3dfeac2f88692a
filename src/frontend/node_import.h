// NodeImport: what an importer sees of one node. It counts which attributes are read, so that the
// driver can refuse every attribute that nobody handled, and it turns failures into the three
// kinds: invalid graph, refusal, our bug.
#pragma once

#include <initializer_list>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "frontend/import.h"
#include "graphdef/attr.h"
#include "ir/network.h"

namespace graft::frontend {

class NodeImport;
struct UserConverter;
using ConverterMap = std::map<std::string, std::shared_ptr<const UserConverter>, std::less<>>;
using ImportFn = Status (*)(NodeImport& n);

// One row of a family's registration table.
struct OpEntry {
  std::string_view op;
  ImportFn fn = nullptr;
  int min_inputs = 0, max_inputs = 0;  // data inputs; max -1: any
  int arg = 0;  // for the importer: an enum value that tells the rows of one function apart
  // Inputs may be tensor lists, foreign or of unknown type: the importer looks with known_in(),
  // list() and foreign().
  bool any_inputs = false;
  // The importer refuses every node of the op, with this code: it only tells what is known of them.
  std::string_view always_refused = {};
  // Inputs may be complex tensors, held as their parts: the importer looks with foreign().
  bool complex_inputs = false;
};

// Where a graph is imported: the whole graph, or a function that one of its nodes runs.
struct ImportScope {
  const graphdef::Graph& library;
  WorkContext& work;
  int depth = 0;                   // functions around this one
  int64_t& functions_left;         // work that functions may still cost; below 0: no more
  const ConverterMap* converters;  // of users (converters.h); nullptr: none
  // Element extents of the open lists among the arguments, as far as the function has told them.
  std::map<int32_t, std::vector<ir::Dim>> learned = {};
};

// An importer either adds ops and outputs and returns ok, or returns what refuse() or invalid()
// made.
class NodeImport {
 public:
  NodeImport(const graphdef::Graph& graph, int32_t index, const OpEntry& entry, Imported& imported,
             const Limits& limits, const ImportOptions& options, ImportScope& scope)
      : scope_(scope),
        graph_(graph),
        index_(index),
        entry_(entry),
        imported_(imported),
        limits_(limits),
        options_(options) {}

  const graphdef::Graph& graph() const { return graph_; }
  const graphdef::Node& node() const { return graph_.nodes[static_cast<size_t>(index_)]; }
  const Limits& limits() const { return limits_; }
  const ImportOptions& options() const { return options_; }
  ImportScope& scope() { return scope_; }
  int arg() const { return entry_.arg; }
  ir::Network& network() { return imported_.network; }

  // The node stays native: `code` as in Support.
  Status refuse(std::string code, std::string reason, std::string hint = "");
  // The graph is one that TensorFlow would not accept; the text gets the node's name and op in
  // front.
  Status invalid(const std::string& what) const;
  const Support& refusal() const { return refusal_; }

  // Data inputs; their types are known when the importer runs.
  size_t inputs() const { return node().inputs.size(); }
  ir::ValueId in(size_t i) const;
  ir::ValueId known_in(size_t i) const;  // kNoValue: its type is not known
  const ir::Value& value(size_t i) const { return at(in(i)); }
  const ir::TensorType& type(size_t i) const { return value(i).type; }
  DType dtype(size_t i) const { return type(i).dtype; }
  int rank(size_t i) const { return type(i).rank(); }
  const ir::Value& at(ir::ValueId id) const {
    return imported_.network.values[static_cast<size_t>(id)];
  }

  // What is known of a tensor list; nullptr: the value is none.
  const TensorList* list(ir::ValueId id) const {
    const auto it = imported_.lists.find(id);
    return it == imported_.lists.end() ? nullptr : &it->second;
  }
  void mark_list(ir::ValueId id, TensorList list) { imported_.lists[id] = std::move(list); }

  // TensorFlow's dtype of a value that is kept as another; kInvalid: the value is what it says.
  DType foreign(ir::ValueId id) const {
    const auto it = imported_.foreign.find(id);
    return it == imported_.foreign.end() ? DType::kInvalid : it->second;
  }
  void mark_foreign(ir::ValueId id, DType dtype) { imported_.foreign[id] = dtype; }
  // A tensor of a known plan dtype: neither a list nor foreign.
  bool is_plain(ir::ValueId id) const {
    return id != ir::kNoValue && !list(id) && foreign(id) == DType::kInvalid;
  }

  // Attributes; reading one marks it as handled. Without `fallback` a missing attribute is an
  // invalid graph.
  Result<int64_t> attr_int(std::string_view name, std::optional<int64_t> fallback = {});
  Result<float> attr_float(std::string_view name, float fallback);
  Result<bool> attr_bool(std::string_view name, bool fallback);
  Result<std::string_view> attr_string(std::string_view name, std::string_view fallback);
  Result<DType> attr_type(std::string_view name, std::optional<DType> fallback = {});
  Result<std::vector<int64_t>> attr_ints(std::string_view name,
                                         std::optional<std::vector<int64_t>> fallback = {});
  bool has_attr(std::string_view name) const { return node().find_attr(name) != nullptr; }
  // Attributes that do not change the answer.
  void ignore(std::initializer_list<std::string_view> names) {
    handled_.insert(handled_.end(), names);
  }
  // Attribute `name` must be the dtype of all the given inputs. `fallback`: TensorFlow's default,
  // for graphs saved without the attributes that have their defaults.
  Status check_type(std::string_view name, std::initializer_list<size_t> inputs,
                    std::optional<DType> fallback = {});
  // ... of all inputs from `first` to before `last`.
  Status check_types(std::string_view name, size_t first, size_t last);
  // Refuses other dtypes than floating ones.
  Status require_floating(size_t input);
  // Name of the first attribute that was not read and does not begin with '_'; empty: none.
  std::string_view unhandled_attr() const;

  // Elements of an integer input that must be known while converting; refuses otherwise.
  Result<std::vector<int64_t>> const_ints(size_t input, const char* what);
  Result<int64_t> const_int(size_t input, const char* what);
  // Axis in -rank..rank-1, normalized; invalid otherwise.
  Result<int64_t> axis(int64_t value, int rank, const char* what) const;

  // Adds an op; errors of inference become invalid() or refuse("shape").
  Result<ir::ValueId> emit(ir::Attrs attrs, std::vector<ir::ValueId> inputs);
  Result<std::vector<ir::ValueId>> emit_many(
      ir::Attrs attrs, std::vector<ir::ValueId> inputs, size_t outputs,
      std::vector<std::shared_ptr<const ir::Network>> bodies = {});
  Result<ir::ValueId> transpose(ir::ValueId src, std::vector<int64_t> perm);
  // To the given dims (at most one -1); a constant is viewed anew, not copied.
  Result<ir::ValueId> reshape(ir::ValueId src, std::vector<int64_t> dims);
  Result<ir::ValueId> cast(ir::ValueId src, DType to);
  ir::ValueId constant_ints(const std::vector<int64_t>& elems, DType dtype);
  ir::ValueId constant_int(int64_t elem, DType dtype);
  ir::ValueId constant_scalar(double value, DType dtype);
  ir::ValueId constant_floats(const std::vector<float>& elems);

  void output(ir::ValueId id) { outputs_.push_back(id); }
  // emit + output
  Status finish(ir::Attrs attrs, std::vector<ir::ValueId> inputs);
  const std::vector<ir::ValueId>& outputs() const { return outputs_; }

  // For nodes that stay native but whose output type is known.
  void native_output(ir::TensorType type) { native_outputs_.push_back(std::move(type)); }
  std::vector<ir::TensorType>& native_outputs() { return native_outputs_; }
  // The node is a call, and these nodes are imported in its place.
  void mark_inlined(std::vector<InlinedNode> nodes) {
    imported_.inlined[index_] = std::move(nodes);
  }
  // What users' converters made is part of what the node stands for.
  void mark_converted(const std::unordered_map<int32_t, std::set<std::string>>& inner) {
    for (const auto& [node, names] : inner)
      imported_.converters[index_].insert(names.begin(), names.end());
  }
  void mark_free() { free_ = true; }
  bool is_free() const { return free_; }

 private:
  void handle(std::string_view name) { handled_.push_back(name); }

  ImportScope& scope_;
  const graphdef::Graph& graph_;
  int32_t index_;
  const OpEntry& entry_;
  Imported& imported_;
  const Limits& limits_;
  const ImportOptions& options_;
  Support refusal_;
  std::vector<std::string_view> handled_;
  std::vector<ir::ValueId> outputs_;
  std::vector<ir::TensorType> native_outputs_;
  bool free_ = false;
};

// The families' tables; import.cc joins them.
std::span<const OpEntry> structure_ops();  // Const, Placeholder, Identity, ...
std::span<const OpEntry> unary_ops();
std::span<const OpEntry> binary_ops();
std::span<const OpEntry> convolution_ops();
std::span<const OpEntry> pooling_ops();
std::span<const OpEntry> matmul_ops();
std::span<const OpEntry> einsum_ops();
std::span<const OpEntry> normalization_ops();
std::span<const OpEntry> reduction_ops();
std::span<const OpEntry> reshaping_ops();   // Reshape, Squeeze, Transpose, ...
std::span<const OpEntry> joining_ops();     // Concat, Split, Pack, Unpack
std::span<const OpEntry> slicing_ops();     // Slice, Gather, Pad, OneHot
std::span<const OpEntry> generating_ops();  // Fill, Range, Shape, ...
std::span<const OpEntry> image_ops();       // Resize, DepthToSpace
std::span<const OpEntry> transposed_conv_ops();
std::span<const OpEntry> volume_conv_ops();             // Conv3D
std::span<const OpEntry> volume_pooling_ops();          // MaxPool3D, AvgPool3D
std::span<const OpEntry> volume_transposed_conv_ops();  // Conv3DBackpropInputV2
std::span<const OpEntry> segment_ops();                 // SegmentSum, UnsortedSegmentSum, ...
std::span<const OpEntry> patch_ops();                   // ExtractImagePatches
std::span<const OpEntry> data_format_ops();             // DataFormatVecPermute, DataFormatDimMap
std::span<const OpEntry> batch_space_ops();             // SpaceToBatchND, BatchToSpaceND
std::span<const OpEntry> rearranging_ops();             // ReverseV2, Roll, InvertPermutation
std::span<const OpEntry> matrix_part_ops();     // MatrixBandPart, MatrixDiag*, MatrixSetDiag*
std::span<const OpEntry> composed_math_ops();   // LRN, L2Loss, Xdivy, Xlogy, ...
std::span<const OpEntry> counting_ops();        // Bincount, DenseBincount
std::span<const OpEntry> indexed_ops();         // GatherNd, ScatterNd, Cumsum, TopK, ...
std::span<const OpEntry> recurrent_ops();       // LSTMBlockCell, GRUBlockCell, BlockLSTM*
std::span<const OpEntry> control_flow_ops();    // While, If, Case, PartitionedCall
std::span<const OpEntry> tensor_list_ops();     // TensorList*
std::span<const OpEntry> quantization_ops();    // FakeQuantWithMinMax*, QuantizeAndDequantizeV2-V4
std::span<const OpEntry> quantized_type_ops();  // QuantizeV2, Dequantize
std::span<const OpEntry> detection_ops();       // NonMaxSuppression*, CropAndResize
std::span<const OpEntry> spectral_ops();        // FFT, RFFT, IRFFT, ...
std::span<const OpEntry> complex_ops();         // Complex, Real, ComplexAbs, ...

// The row of an op; nullptr: there is no importer for it.
const OpEntry* importer_of(std::string_view op);

// Why an op without importer stays native: a class of ops ("stateful", "control_flow", ...) or
// "unsupported_op".
Support refusal_of_unknown_op(const graphdef::Node& node);
// Code -> the ops that it names.
std::map<std::string, std::vector<std::string>> native_classes();
// Output types of a native node, where attributes and inputs tell them; kInvalid dtype: not known.
std::vector<ir::TensorType> native_output_types(const graphdef::Graph& graph, int32_t index,
                                                Imported& imported);

}  // namespace graft::frontend
