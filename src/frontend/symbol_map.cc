#include "frontend/symbol_map.h"

namespace graft::frontend {

SymbolMap::SymbolMap(NodeImport& n, const std::vector<FunctionArg>& args, ir::Network& network)
    : n_(n), outer_(inputs_of(args)) {
  for (ir::ValueId outer : outer_) {
    ir::TensorType type = n.at(outer).type;
    const auto number = static_cast<int64_t>(network.inputs.size());
    for (int axis = 0; axis < type.rank(); ++axis) {
      ir::Dim& dim = type.dims[static_cast<size_t>(axis)];
      if (dim.is_const()) continue;
      const Place first = places_.try_emplace(dim.id(), Place{number, axis}).first->second;
      dim = network.dims.input(first.input, first.axis);
    }
    network.inputs.push_back(network.add_value(n.at(outer).name, std::move(type)));
  }
}

Result<ir::ValueId> SymbolMap::from_extents(const ir::Value& outer, ir::Network& network) const {
  const DType dtype = outer.type.dtype;
  if (!outer.host || outer.host->empty() || outer.type.rank() > 1 ||
      (dtype != DType::kInt32 && dtype != DType::kInt64))
    return ir::kNoValue;
  for (const ir::Dim d : *outer.host)
    if (!d.is_const() && !places_.contains(d.id())) return ir::kNoValue;
  const auto numbers = [&](int64_t elem) {
    const std::vector<int64_t> wide{elem}, dims{1};
    const std::vector<int32_t> narrow{static_cast<int32_t>(elem)};
    return dtype == DType::kInt64 ? network.add_constant_of<int64_t>(outer.name, dims, wide)
                                  : network.add_constant_of<int32_t>(outer.name, dims, narrow);
  };
  std::vector<ir::ValueId> elements;
  for (const ir::Dim d : *outer.host) {
    if (d.is_const()) {
      elements.push_back(numbers(d.value()));
      continue;
    }
    const Place place = places_.at(d.id());
    const ir::ValueId src = network.inputs[static_cast<size_t>(place.input)];
    GRAFT_ASSIGN_OR_RETURN(const ir::ValueId shape,
                           network.append(ir::ShapeAttrs{dtype}, {src}, outer.name));
    GRAFT_ASSIGN_OR_RETURN(
        const ir::ValueId extent,
        network.append(ir::SliceAttrs{}, {shape, numbers(place.axis), numbers(1)}, outer.name));
    elements.push_back(extent);
  }
  if (outer.type.rank() == 0)
    return network.append(ir::SqueezeAttrs{{0}}, {elements[0]}, outer.name);
  if (elements.size() == 1) return elements[0];
  return network.append(ir::ConcatAttrs{0}, std::move(elements), outer.name);
}

std::optional<ir::Dim> SymbolMap::outward(const ir::Network& network, ir::Dim dim) {
  if (dim.is_const()) return dim;
  ir::DimTable& outer = n_.network().dims;
  // Expressions refer to smaller ids only; they may be deep, so there is no recursion.
  std::vector<std::optional<ir::Dim>> found(static_cast<size_t>(dim.id()) + 1);
  const auto get = [&](ir::Dim d) -> std::optional<ir::Dim> {
    return d.is_const() ? d : found[static_cast<size_t>(d.id())];
  };
  for (int32_t id = 0; id <= dim.id(); ++id) {
    const ir::DimTable::Expr& e = network.dims.expr(ir::Dim::symbol(id));
    auto& to = found[static_cast<size_t>(id)];
    if (e.op == ir::DimOp::kOpaque) continue;
    if (e.op == ir::DimOp::kInput) {
      const auto& dims = n_.at(outer_[static_cast<size_t>(e.a.value())]).type.dims;
      to = dims[static_cast<size_t>(e.b.value())];
      continue;
    }
    const auto a = get(e.a), b = get(e.b);
    if (!a || !b) continue;
    switch (e.op) {
      case ir::DimOp::kAdd:
        to = outer.add(*a, *b);
        break;
      case ir::DimOp::kSub:
        to = outer.sub(*a, *b);
        break;
      case ir::DimOp::kMul:
        to = outer.mul(*a, *b);
        break;
      case ir::DimOp::kFloorDiv:
        to = outer.floor_div(*a, *b);
        break;
      case ir::DimOp::kCeilDiv:
        to = outer.ceil_div(*a, *b);
        break;
      case ir::DimOp::kMax:
        to = outer.max(*a, *b);
        break;
      case ir::DimOp::kMin:
        to = outer.min(*a, *b);
        break;
      case ir::DimOp::kBroadcast:
        to = outer.broadcast(*a, *b);
        break;
      default:
        break;
    }
  }
  return found.back();
}

}  // namespace graft::frontend
