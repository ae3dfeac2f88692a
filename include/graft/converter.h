// Converters for ops of your own: functions that write one TensorFlow node as IR ops
// (docs/converters.md).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "graft/host_tensor.h"
#include "graft/status.h"
#include "graft/types.h"

namespace graft {

// A tensor of the engine, within one call of a converter; of no use outside of it.
struct ConverterTensor {
  uint64_t call = 0;
  int32_t value = -1;
};

// One node, as a converter sees it, and what the converter makes of it. Used within the call and on
// its thread alone. A failed call adds nothing, so that another way may be tried.
class ConverterNode {
 public:
  virtual ~ConverterNode() = default;

  virtual std::string_view name() const = 0;
  virtual std::string_view op() const = 0;

  // Attributes. Without `fallback` one that is missing is an error. Each that the node has must be
  // read or ignored, but those that begin with '_'.
  virtual bool has_attr(std::string_view name) const = 0;
  virtual Result<int64_t> attr_int(std::string_view name, std::optional<int64_t> fallback = {}) = 0;
  virtual Result<float> attr_float(std::string_view name, std::optional<float> fallback = {}) = 0;
  virtual Result<bool> attr_bool(std::string_view name, std::optional<bool> fallback = {}) = 0;
  virtual Result<std::string> attr_string(std::string_view name,
                                          std::optional<std::string> fallback = {}) = 0;
  virtual Result<DType> attr_type(std::string_view name, std::optional<DType> fallback = {}) = 0;
  // Extents, -1: not known. A shape of unknown rank is an error.
  virtual Result<std::vector<int64_t>> attr_shape(
      std::string_view name, std::optional<std::vector<int64_t>> fallback = {}) = 0;
  virtual Result<HostTensor> attr_tensor(std::string_view name) = 0;
  virtual Result<std::vector<int64_t>> attr_ints(
      std::string_view name, std::optional<std::vector<int64_t>> fallback = {}) = 0;
  virtual Result<std::vector<float>> attr_floats(
      std::string_view name, std::optional<std::vector<float>> fallback = {}) = 0;
  virtual Result<std::vector<std::string>> attr_strings(
      std::string_view name, std::optional<std::vector<std::string>> fallback = {}) = 0;
  virtual Result<std::vector<DType>> attr_types(
      std::string_view name, std::optional<std::vector<DType>> fallback = {}) = 0;
  // Attributes that do not change the answer.
  virtual void ignore(std::initializer_list<std::string_view> names) = 0;

  // Data inputs: tensors of dtypes that engines take and of known rank.
  virtual size_t inputs() const = 0;
  virtual Result<ConverterTensor> input(size_t index) const = 0;
  // Of inputs and of what was made here; extents that are not known while converting are -1.
  virtual Result<TensorSpec> type(ConverterTensor tensor) const = 0;
  // Elements that are known while converting; Unsupported where they are not.
  virtual Result<HostTensor> constant_of(ConverterTensor tensor) const = 0;

  // A constant that holds a copy of the elements.
  virtual Result<ConverterTensor> constant(const TensorRef& elements) = 0;
  // The number as a scalar of that dtype.
  virtual Result<ConverterTensor> constant_scalar(double number, DType dtype) = 0;
  // int64 [n]: axes, permutations, shapes.
  virtual Result<ConverterTensor> constant_ints(std::span<const int64_t> elements) = 0;

  // Adds an IR op by its name (docs/ops.md, src/ir/ops.def); `attrs` as in "fn=clip(0,6)" or
  // "axes=[1,2] keep_dims=true" (src/ir/attrs.h). Its rules are checked here.
  virtual Result<ConverterTensor> emit(std::string_view ir_op,
                                       std::span<const ConverterTensor> inputs,
                                       std::string_view attrs = {}) = 0;
  // Of ops with several outputs.
  virtual Result<std::vector<ConverterTensor>> emit_many(std::string_view ir_op,
                                                         std::span<const ConverterTensor> inputs,
                                                         std::string_view attrs,
                                                         size_t outputs) = 0;

  // The node's next output, in TensorFlow's order. All that the graph reads must be there.
  virtual Status output(ConverterTensor tensor) = 0;
  // The node stays native, whatever was made, and the report says why. Return what this returns.
  virtual Status refuse(std::string reason, std::string hint = "") = 0;
};

// Makes the node's outputs and returns ok. Any other status, and an exception, leaves the node
// native with that text as the reason. May be called several times for one node, on any thread and
// on several at once; the same node must give the same ops.
using ConverterFn = std::function<Status(ConverterNode& node)>;

struct ConverterOptions {
  std::string name = {};  // in reports; "": the op's
  // The op's output arguments, by their names in its definition; "name*attr": as many as the int
  // attribute says, "name@attr": one per type of the list. Native segments and functions name
  // tensors by them. Without them an engine with such a node has no native segment.
  std::vector<std::string> outputs = {};
  bool override_existing = false;  // replaces Graft's own importer, or the converter that is there
};

// Conversions and sessions made from now on use the converter for every node of the op, in
// functions too. Process-wide and thread-safe; conversions that run already are not changed.
// InvalidArgument when the op has an importer or a converter and `override_existing` is not set,
// and for ops whose nodes are more than what they compute: constants, placeholders, control flow,
// calls, variables, resources, engines.
Status register_converter(const std::string& op, ConverterFn function,
                          const ConverterOptions& options = {});
// Back to what Graft does of its own. InvalidArgument when the op has no converter.
Status unregister_converter(std::string_view op);

}  // namespace graft
