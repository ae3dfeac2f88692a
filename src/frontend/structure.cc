// Const, placeholders and the ops that only pass a tensor on.
#include <algorithm>

#include "base/dtype.h"
#include "base/log.h"
#include "frontend/complex_values.h"
#include "frontend/quantized_types.h"

namespace graft::frontend {

namespace {

// A complex tensor as its parts; one that is written as one element becomes all of them unless the
// two parts are the same.
Status import_complex_const(NodeImport& n, graphdef::TensorView& tensor) {
  const DType part = part_of(tensor.dtype);
  const size_t part_bytes = dtype_size(part), elems = static_cast<size_t>(tensor.elems());
  ir::Constant constant{tensor.content, tensor.splat, std::move(tensor.owner)};
  if (!constant.owner && !n.graph().owners.empty()) constant.owner = n.graph().owners.front();
  const auto real = constant.bytes.first(std::min(part_bytes, constant.bytes.size()));
  if (tensor.splat && std::ranges::equal(real, constant.bytes.subspan(real.size()))) {
    constant.bytes = real;
  } else if (tensor.splat) {
    if (elems > static_cast<size_t>(n.limits().max_folded_bytes) / (2 * part_bytes))
      return n.refuse("unsupported_value", "it is one complex number " + std::to_string(elems) +
                                               " times over, which are no constant of real ones");
    auto all = std::make_shared<std::vector<std::byte>>();
    all->reserve(elems * 2 * part_bytes);
    for (size_t i = 0; i < elems; ++i)
      all->insert(all->end(), constant.bytes.begin(), constant.bytes.end());
    constant = {*all, false, all};
  }
  ir::TensorType type{part, {tensor.dims.begin(), tensor.dims.end()}};
  type.dims.emplace_back(2);
  const ir::ValueId id =
      n.network().add_constant(std::string(n.node().name), std::move(type), std::move(constant));
  output_complex(n, id, tensor.dtype);
  return ok_status();
}

Status import_const(NodeImport& n) {
  GRAFT_ASSIGN_OR_RETURN(const DType dtype, n.attr_type("dtype"));
  n.ignore({"value"});
  auto decoded = graphdef::attr_tensor(n.node(), "value");
  if (!decoded.ok()) {
    if (decoded.status().code() == Code::kUnsupported)
      return n.refuse("dtype", decoded.status().message());
    return decoded.status();
  }
  graphdef::TensorView& tensor = *decoded;
  if (tensor.dtype != dtype)
    return n.invalid("attribute 'dtype' is " + dtype_name(dtype) + ", attribute 'value' holds " +
                     dtype_name(tensor.dtype));
  if (part_of(dtype) != DType::kInvalid) return import_complex_const(n, tensor);
  const DType held = held_as(dtype);
  if (!is_plan_dtype(dtype) && held == DType::kInvalid)
    return n.refuse("dtype", "attribute 'dtype' is " + dtype_name(dtype));
  ir::Constant constant{tensor.content, tensor.splat, std::move(tensor.owner)};
  if (!constant.owner && !n.graph().owners.empty()) constant.owner = n.graph().owners.front();
  ir::TensorType type{held == DType::kInvalid ? dtype : held,
                      {tensor.dims.begin(), tensor.dims.end()}};
  const ir::ValueId id =
      n.network().add_constant(std::string(n.node().name), std::move(type), std::move(constant));
  n.output(id);
  if (held != DType::kInvalid) {
    n.mark_foreign(id, dtype);
  } else {
    n.mark_free();
  }
  return ok_status();
}

// A fed tensor: stays native, and is an input of the network where its rank is known.
Status import_placeholder(NodeImport& n) {
  GRAFT_ASSIGN_OR_RETURN(const DType dtype, n.attr_type("dtype"));
  graphdef::ShapeView shape;
  shape.unknown_rank = true;
  if (n.has_attr("shape")) {
    GRAFT_ASSIGN_OR_RETURN(shape, graphdef::attr_shape(n.node(), "shape"));
  }
  // Before producer 24 an absent shape was written as a scalar's.
  if (n.graph().producer < 24 && shape.dims.empty()) shape.unknown_rank = true;
  for (int64_t dim : shape.dims) {
    if (dim < -1)
      return n.invalid("attribute 'shape' has dimension " + std::to_string(dim) +
                       ", expected -1 or more");
  }
  if (shape.unknown_rank)
    return n.refuse("input_node", "it is fed", "give the placeholder a shape");
  n.native_output({dtype, {shape.dims.begin(), shape.dims.end()}});
  return n.refuse("input_node", "it is fed");
}

// Fed or defaulted at run time: its type is that of its default, less the dims that the attribute
// leaves open.
Status import_placeholder_with_default(NodeImport& n) {
  GRAFT_ASSIGN_OR_RETURN(const graphdef::ShapeView shape, graphdef::attr_shape(n.node(), "shape"));
  if (!shape.unknown_rank) n.native_output({n.dtype(0), {shape.dims.begin(), shape.dims.end()}});
  return n.refuse("input_node", "it may be fed");
}

Status import_identity(NodeImport& n) {
  if (n.list(n.known_in(0))) {
    GRAFT_ASSIGN_OR_RETURN(const DType type, n.attr_type("T"));
    if (type != DType::kVariant)
      return n.invalid("attribute 'T' is " + dtype_name(type) + ", the edge is a tensor list");
    n.output(n.in(0));
    return ok_status();
  }
  if (const DType foreign = n.foreign(n.in(0)); foreign != DType::kInvalid) {
    GRAFT_ASSIGN_OR_RETURN(const DType type, n.attr_type("T"));
    if (type != foreign)
      return n.invalid("attribute 'T' is " + dtype_name(type) + ", the edge is " +
                       dtype_name(foreign));
    n.output(n.in(0));
    return ok_status();
  }
  GRAFT_RETURN_IF_ERROR(n.check_type("T", {0}));
  n.ignore({"message", "shape"});
  n.output(n.in(0));
  return ok_status();
}

// The input, where it has the shape; an extent that is not known now is checked when a schedule is
// made: by a reshape where it is the only such one, else as that of the only part of a split.
Status import_ensure_shape(NodeImport& n) {
  GRAFT_RETURN_IF_ERROR(n.check_type("T", {0}));
  n.ignore({"shape"});
  GRAFT_ASSIGN_OR_RETURN(const graphdef::ShapeView shape, graphdef::attr_shape(n.node(), "shape"));
  ir::ValueId y = n.in(0);
  if (!shape.unknown_rank && static_cast<int>(shape.dims.size()) != n.rank(0))
    return n.refuse("shape", "input 0 has rank " + std::to_string(n.rank(0)) +
                                 ", attribute 'shape' " + std::to_string(shape.dims.size()));
  for (size_t i = 0; i < shape.dims.size(); ++i) {
    const ir::Dim d = n.at(y).type.dims[i];
    if (shape.dims[i] < 0 || d == ir::Dim(shape.dims[i])) continue;
    if (d.is_const())
      return n.refuse("shape", "dimension " + std::to_string(i) + " of input 0 is " +
                                   std::to_string(d.value()) + ", attribute 'shape' has " +
                                   std::to_string(shape.dims[i]));
    GRAFT_ASSIGN_OR_RETURN(y,
                           n.emit(ir::SplitAttrs{static_cast<int64_t>(i), {shape.dims[i]}}, {y}));
  }
  n.output(y);
  return ok_status();
}

Status import_identity_n(NodeImport& n) {
  n.ignore({"T"});
  GRAFT_ASSIGN_OR_RETURN(const std::vector<DType> types, graphdef::attr_type_list(n.node(), "T"));
  if (types.size() != n.inputs())
    return n.invalid("attribute 'T' lists " + std::to_string(types.size()) +
                     " dtypes, the node has " + std::to_string(n.inputs()) + " inputs");
  for (size_t i = 0; i < n.inputs(); ++i) {
    if (types[i] != n.dtype(i))
      return n.invalid("attribute 'T' says " + dtype_name(types[i]) + " for input " +
                       std::to_string(i) + ", the edge is " + dtype_name(n.dtype(i)));
    n.output(n.in(i));
  }
  return ok_status();
}

Status import_no_op(NodeImport& n) { return n.refuse("no_op", "it only orders other nodes"); }

constexpr OpEntry kRows[] = {
    {"Const", import_const, 0, 0},
    {.op = "Placeholder", .fn = import_placeholder, .always_refused = "input_node"},
    {.op = "PlaceholderV2", .fn = import_placeholder, .always_refused = "input_node"},
    {.op = "PlaceholderWithDefault",
     .fn = import_placeholder_with_default,
     .min_inputs = 1,
     .max_inputs = 1,
     .always_refused = "input_node"},
    {"Identity", import_identity, 1, 1},
    {"StopGradient", import_identity, 1, 1},
    {"PreventGradient", import_identity, 1, 1},
    {"Snapshot", import_identity, 1, 1},
    {"GuaranteeConst", import_identity, 1, 1},
    {"EnsureShape", import_ensure_shape, 1, 1},
    {"IdentityN", import_identity_n, 1, -1},
    {.op = "NoOp", .fn = import_no_op, .always_refused = "no_op"},
};

}  // namespace

std::span<const OpEntry> structure_ops() { return kRows; }

}  // namespace graft::frontend
