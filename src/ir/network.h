// Network: the IR of one segment (or of a whole graph while importing). Plain data, edited by
// passes, read by everybody else. Values are addressed by index; ops are kept in topological order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/dtype.h"
#include "base/status.h"
#include "graft/types.h"
#include "ir/attrs.h"
#include "ir/dim.h"

namespace graft::ir {

enum class OpKind : int {
#define GRAFT_OP(Name, text, min_in, max_in) k##Name,
#include "ir/ops.def"
#undef GRAFT_OP
  kCount
};

// The alternative's index is the OpKind.
using Attrs = std::variant<
#define GRAFT_OP(Name, text, min_in, max_in) Name##Attrs,
#include "ir/ops.def"
#undef GRAFT_OP
    std::monostate>;

struct OpInfo {
  const char* text_name;
  int min_inputs, max_inputs;  // max -1: any
};
const OpInfo& op_info(OpKind kind);
// How many outputs an op of this kind has; 0: one or more, as its rule decides.
size_t output_count(OpKind kind);
// Whether an op of this kind may have so many outputs.
bool may_have_outputs(OpKind kind, size_t outputs);
std::optional<OpKind> op_kind_from_text(std::string_view text_name);
Attrs default_attrs(OpKind kind);

using ValueId = int32_t;
constexpr ValueId kNoValue = -1;

// Rank is static. Dims may be symbolic. scale > 0: an int8 or uint8 tensor that stands for the real
// numbers scale * q; 0: elements are what they are.
struct TensorType {
  DType dtype = DType::kInvalid;
  std::vector<Dim> dims;
  float scale = 0;
  int rank() const { return static_cast<int>(dims.size()); }
  bool operator==(const TensorType&) const = default;
};

// Elements in row-major order; unaligned views into the graph's bytes are allowed: memcpy, never
// cast. splat: `bytes` is one element that stands for all.
struct Constant {
  std::span<const std::byte> bytes;
  bool splat = false;
  std::shared_ptr<const void> owner;
};

struct Value {
  std::string
      name;  // TensorFlow name "node" or "node:1", kept through passes where the tensor survives
  TensorType type;
  std::optional<Constant> constant;  // then no producer
  // Elements of a small integer tensor as dims, where they are known (constants and shape
  // arithmetic).
  std::optional<std::vector<Dim>> host;
  bool is_const() const { return constant.has_value(); }
};

// How an op stores its dst: int8 with |q| <= 127, or uint8 with q <= 127 (no negative numbers);
// real = scale * q. kInvalid: as it is. Rules: ir/quantized.h.
struct DstQuant {
  DType dtype = DType::kInvalid;
  float scale = 0;
  explicit operator bool() const { return dtype != DType::kInvalid; }
  bool operator==(const DstQuant&) const = default;
};

struct Network;
// Bodies within bodies, at most.
constexpr int kMaxBodyDepth = 8;

struct Op {
  Attrs attrs;
  std::vector<ValueId> inputs, outputs;
  std::string name;     // TensorFlow node name, of the last node that was fused into it
  int32_t source = -1;  // node index in the graph while importing; -1 when made by a pass
  DstQuant quant;       // of dst 0
  // Of While and Branch: networks that the op runs, never changed once they are here. Their symbols
  // and values are their own.
  std::vector<std::shared_ptr<const Network>> bodies;
  OpKind kind() const { return static_cast<OpKind>(attrs.index()); }
  template <class A>
  A& as() {
    return std::get<A>(attrs);
  }
  template <class A>
  const A& as() const {
    return std::get<A>(attrs);
  }
  template <class A>
  const A* get_if() const {
    return std::get_if<A>(&attrs);
  }
};

struct Network {
  std::vector<Value> values;
  std::vector<Op> ops;
  std::vector<ValueId> inputs,
      outputs;  // inputs have no producer; an output may be an input or a constant
  DimTable dims;

  ValueId add_value(std::string name, TensorType type);
  ValueId add_constant(std::string name, TensorType type,
                       Constant constant);  // sets host for small integers
  // A constant that owns a copy of `elems`; their number must be the product of `dims`.
  template <typename T>
  ValueId add_constant_of(const std::string& name, std::span<const int64_t> dims,
                          std::span<const T> elems) {
    return add_constant_bytes(name, dtype_of<T>(), dims, std::as_bytes(elems));
  }
  ValueId add_constant_bytes(std::string name, DType dtype, std::span<const int64_t> dims,
                             std::span<const std::byte> bytes);
  // Appends an op with one new output of the inferred type; the op's inputs must exist.
  // Returns the output's id; errors are infer()'s.
  Result<ValueId> append(Attrs attrs, std::vector<ValueId> inputs, std::string name,
                         int32_t source = -1, DstQuant quant = {});
  // The same for ops with any number of outputs (Split, Unpack); values are named name, name:1,
  // name:2, ...
  Result<std::vector<ValueId>> append_multi(
      Attrs attrs, std::vector<ValueId> inputs, size_t outputs, std::string name,
      int32_t source = -1, DstQuant quant = {},
      std::vector<std::shared_ptr<const Network>> bodies = {});
};

// Aligned copy of a constant's elements, splat expanded.
std::vector<std::byte> materialize(const Value& constant);
// Elements of a small integer constant; nullopt when not an integer constant or more than
// max_elems.
std::optional<std::vector<int64_t>> constant_ints(const Value& value, int64_t max_elems = 4096);
int64_t const_elems(const TensorType& type);  // product of constant dims; GRAFT_CHECK that all are

// Producer op index of every value, -1 for inputs and constants; and number of uses (outputs count
// as one use each).
struct Uses {
  std::vector<int32_t> producer;
  std::vector<int32_t> count;
  std::vector<std::vector<int32_t>> consumers;  // op indices, one entry a use
};
Uses compute_uses(const Network& network);
// Drops ops whose outputs nobody uses and values that nothing refers to; renumbers. Inputs and
// outputs stay.
void compact(Network& network);

}  // namespace graft::ir
