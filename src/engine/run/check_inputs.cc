#include "engine/run/check_inputs.h"

#include "base/checked.h"
#include "base/log.h"

namespace graft::engine {
namespace {

std::string text_of(std::span<const int64_t> dims) {
  std::string text = "[";
  for (size_t i = 0; i < dims.size(); ++i)
    text += (i ? "," : "") + (dims[i] < 0 ? std::string("?") : std::to_string(dims[i]));
  return text + "]";
}

Status wrong(size_t index, const TensorSpec& spec, const std::string& what) {
  return invalid_argument("input " + std::to_string(index) + " '" + printable(spec.name) + "' " +
                          what);
}

Status check_one(const ir::Network& network, size_t index, const TensorSpec& spec,
                 std::span<const TensorRef> inputs) {
  const TensorRef& input = inputs[index];
  if (input.dtype != spec.dtype)
    return wrong(index, spec,
                 "is " + dtype_name(input.dtype) + ", expected " + dtype_name(spec.dtype));
  const auto shape = [&] {
    return "has shape " + text_of(input.dims) + ", expected " + text_of(spec.dims);
  };
  if (input.dims.size() != spec.dims.size()) return wrong(index, spec, shape());
  const ir::TensorType& type = network.values[network.inputs[index]].type;
  for (size_t axis = 0; axis < spec.dims.size(); ++axis) {
    if (input.dims[axis] < 0) return wrong(index, spec, shape());
    if (spec.dims[axis] >= 0) {
      if (input.dims[axis] != spec.dims[axis]) return wrong(index, spec, shape());
      continue;
    }
    const ir::DimTable::Expr& expr = network.dims.expr(type.dims[axis]);
    if (expr.op != ir::DimOp::kInput) continue;
    const auto other = static_cast<size_t>(expr.a.value());
    const auto other_axis = static_cast<size_t>(expr.b.value());
    if (other >= inputs.size() || other_axis >= inputs[other].dims.size()) continue;
    if (inputs[other].dims[other_axis] != input.dims[axis])
      return wrong(index, spec,
                   "has " + std::to_string(input.dims[axis]) + " at axis " + std::to_string(axis) +
                       ", expected " + std::to_string(inputs[other].dims[other_axis]) +
                       " as axis " + std::to_string(other_axis) + " of input " +
                       std::to_string(other));
  }
  const auto elems = checked_product(input.dims);
  const auto bytes =
      elems ? checked_mul(*elems, static_cast<int64_t>(dtype_size(spec.dtype))) : std::nullopt;
  if (!bytes)
    return wrong(index, spec, "has shape " + text_of(input.dims) + ", whose size overflows");
  if (static_cast<uint64_t>(*bytes) != input.size_bytes)
    return wrong(index, spec,
                 "has " + std::to_string(input.size_bytes) + " bytes, expected " +
                     std::to_string(*bytes) + " for shape " + text_of(input.dims));
  if (!input.data && *bytes != 0) return wrong(index, spec, "has no data");
  return ok_status();
}

}  // namespace

std::vector<TensorSpec> border_specs(const ir::Network& network,
                                     const std::vector<ir::ValueId>& values) {
  std::vector<TensorSpec> specs;
  for (ir::ValueId id : values) {
    TensorSpec& spec = specs.emplace_back();
    spec.name = network.values[id].name;
    spec.dtype = network.values[id].type.dtype;
    for (ir::Dim d : network.values[id].type.dims)
      spec.dims.push_back(d.is_const() ? d.value() : -1);
  }
  return specs;
}

Status check_inputs(const ir::Network& network, std::span<const TensorSpec> specs,
                    std::span<const TensorRef> inputs) {
  if (inputs.size() != specs.size())
    return invalid_argument("got " + std::to_string(inputs.size()) + " inputs, expected " +
                            std::to_string(specs.size()));
  for (size_t i = 0; i < specs.size(); ++i)
    GRAFT_RETURN_IF_ERROR(check_one(network, i, specs[i], inputs));
  return ok_status();
}

}  // namespace graft::engine
