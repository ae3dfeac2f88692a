#include "frontend/symbol_map.h"

namespace graft::frontend {

SymbolMap::SymbolMap(NodeImport& n, const std::vector<FunctionArg>& args, ir::Network& network)
    : n_(n), outer_(inputs_of(args)) {
  std::unordered_map<int32_t, ir::Dim> inner;
  for (ir::ValueId outer : outer_) {
    ir::TensorType type = n.at(outer).type;
    const auto number = static_cast<int64_t>(network.inputs.size());
    for (int axis = 0; axis < type.rank(); ++axis) {
      ir::Dim& dim = type.dims[static_cast<size_t>(axis)];
      if (dim.is_const()) continue;
      auto [known, fresh] = inner.try_emplace(dim.id(), ir::Dim());
      if (fresh) known->second = network.dims.input(number, axis);
      dim = known->second;
    }
    network.inputs.push_back(network.add_value(n.at(outer).name, std::move(type)));
  }
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
