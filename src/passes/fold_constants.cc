// fold_constants: an op whose inputs are all constants becomes a constant.
//
//   before   c = rsqrt(var + eps)            after   c: constant
//
// Evaluated by the reference evaluator. Chains of floating elementwise ops are carried in double
// and rounded once at their end. A splat stays one element. Nothing larger than max_folded_bytes is
// made (views of constants are free).
#include <cmath>
#include <cstring>
#include <memory>
#include <unordered_map>

#include "base/checked.h"
#include "base/dtype.h"
#include "passes/editor.h"
#include "passes/passes.h"
#include "reference/evaluate.h"

namespace graft::passes {

namespace {

constexpr int64_t kMaxDoubleElems = 1 << 16;  // beyond this a chain is rounded at each op

std::vector<int64_t> extents(const ir::TensorType& type) {
  std::vector<int64_t> dims;
  for (ir::Dim d : type.dims) dims.push_back(d.value());
  return dims;
}

bool is_elementwise(const ir::Op& op) {
  return op.get_if<ir::UnaryAttrs>() || op.get_if<ir::BinaryAttrs>() ||
         op.get_if<ir::SelectAttrs>() || op.get_if<ir::CastAttrs>();
}
bool is_view(const ir::Op& op) {
  return op.get_if<ir::ReshapeAttrs>() || op.get_if<ir::ExpandDimsAttrs>() ||
         op.get_if<ir::SqueezeAttrs>();
}

class Folder {
 public:
  Folder(ir::Network& net, PassContext& context) : net_(net), context_(context) {}

  Result<bool> run() {
    bool changed = false;
    std::vector<ir::Op> kept;
    for (ir::Op& op : net_.ops) {
      GRAFT_ASSIGN_OR_RETURN(const bool folded, fold(op));
      changed = changed || folded;
      if (!folded) kept.push_back(std::move(op));
    }
    net_.ops = std::move(kept);
    if (changed) ir::compact(net_);
    return changed;
  }

 private:
  ir::Value& value(ir::ValueId id) { return net_.values[static_cast<size_t>(id)]; }

  Result<bool> fold(const ir::Op& op) {
    if (!op.bodies.empty()) return false;  // a loop may take any time
    for (ir::ValueId id : op.inputs) {
      if (!value(id).is_const()) return false;
    }
    for (ir::ValueId id : op.outputs) {
      for (ir::Dim d : value(id).type.dims) {
        if (!d.is_const()) return false;
      }
    }
    if (is_view(op)) return fold_view(op);
    if (fold_splat(op)) return true;
    return evaluate(op);
  }

  void set(ir::ValueId id, std::shared_ptr<const std::vector<std::byte>> bytes, bool splat) {
    ir::Constant constant;
    constant.bytes = std::span<const std::byte>(bytes->data(), bytes->size());
    constant.splat = splat;
    constant.owner = std::move(bytes);
    set(id, std::move(constant));
  }
  void set(ir::ValueId id, ir::Constant constant) {
    ir::Value& v = value(id);
    v.constant = std::move(constant);
    if (v.type.dtype == DType::kBool) v.host.reset();  // constants have host elements of integers
    if (v.host) return;
    // As Network::add_constant does for small integers.
    if (auto ints = ir::constant_ints(v, 64);
        ints && (v.type.dtype == DType::kInt32 || v.type.dtype == DType::kInt64))
      v.host.emplace(ints->begin(), ints->end());
  }

  bool fold_view(const ir::Op& op) {
    ir::Constant constant = *value(op.inputs[0]).constant;
    set(op.outputs[0], std::move(constant));
    if (auto it = doubles_.find(op.inputs[0]); it != doubles_.end())
      doubles_[op.outputs[0]] = it->second;
    return true;
  }

  // Fill, BroadcastTo and Tile of one element, and elementwise ops of splats, stay one element.
  bool fold_splat(const ir::Op& op) {
    if (op.get_if<ir::FillAttrs>() || op.get_if<ir::BroadcastToAttrs>() ||
        op.get_if<ir::TileAttrs>()) {
      const ir::Value& src = value(op.inputs[op.get_if<ir::FillAttrs>() ? 1 : 0]);
      const size_t size = dtype_size(src.type.dtype);
      if (src.constant->bytes.size() < size) return false;
      if (!src.constant->splat && src.constant->bytes.size() != size) return false;
      ir::Constant constant = *src.constant;
      constant.bytes = constant.bytes.first(size);
      constant.splat = true;
      set(op.outputs[0], std::move(constant));
      return true;
    }
    if (op.outputs.size() != 1 || !is_elementwise(op) ||
        ir::const_elems(value(op.outputs[0]).type) < 2)
      return false;
    std::vector<std::vector<std::byte>> bytes;
    std::vector<reference::ConstTensor> inputs;
    for (ir::ValueId id : op.inputs) {
      const ir::Value& v = value(id);
      const size_t size = dtype_size(v.type.dtype);
      if (!v.constant->splat && v.constant->bytes.size() != size) return false;
      bytes.emplace_back(v.constant->bytes.begin(),
                         v.constant->bytes.begin() + static_cast<std::ptrdiff_t>(size));
    }
    for (size_t i = 0; i < bytes.size(); ++i)
      inputs.push_back({value(op.inputs[i]).type.dtype, {}, bytes[i].data()});
    const DType t = value(op.outputs[0]).type.dtype;
    auto out = std::make_shared<std::vector<std::byte>>(dtype_size(t));
    const reference::MutTensor output{t, {}, out->data()};
    if (!reference::evaluate(op, inputs, {&output, 1}).ok()) return false;
    set(op.outputs[0], std::move(out), true);
    return true;
  }

  Result<bool> evaluate(const ir::Op& op) {
    int64_t total = 0;
    for (ir::ValueId id : op.outputs) {
      const auto elems = checked_product(extents(value(id).type));
      const auto bytes =
          elems ? checked_mul(*elems, static_cast<int64_t>(dtype_size(value(id).type.dtype)))
                : std::nullopt;
      if (!bytes || *bytes > context_.options.max_folded_bytes) return false;
      total += *bytes;
    }
    for (ir::ValueId id : op.inputs) {  // a splat may stand for more than there is memory
      const auto elems = checked_product(extents(value(id).type));
      if (!elems || (value(id).constant->splat && *elems > context_.options.max_folded_bytes / 8))
        return false;
    }
    GRAFT_RETURN_IF_ERROR(context_.work.spend(1 + total / 16, "folding constants"));
    if (evaluate_in_double(op)) return true;
    std::vector<std::vector<std::byte>> in_bytes;
    std::vector<std::vector<int64_t>> dims;
    std::vector<reference::ConstTensor> inputs;
    for (ir::ValueId id : op.inputs) {
      in_bytes.push_back(ir::materialize(value(id)));
      dims.push_back(extents(value(id).type));
    }
    for (size_t i = 0; i < op.inputs.size(); ++i)
      inputs.push_back({value(op.inputs[i]).type.dtype, dims[i], in_bytes[i].data()});
    std::vector<std::shared_ptr<std::vector<std::byte>>> out_bytes;
    std::vector<std::vector<int64_t>> out_dims;
    std::vector<reference::MutTensor> outputs;
    for (ir::ValueId id : op.outputs) {
      out_dims.push_back(extents(value(id).type));
      const auto elems = static_cast<size_t>(*checked_product(out_dims.back()));
      out_bytes.push_back(
          std::make_shared<std::vector<std::byte>>(elems * dtype_size(value(id).type.dtype)));
    }
    for (size_t i = 0; i < op.outputs.size(); ++i)
      outputs.push_back({value(op.outputs[i]).type.dtype, out_dims[i], out_bytes[i]->data()});
    const Status status = reference::evaluate(op, inputs, outputs);
    if (!status.ok())
      return false;  // stays an op: what fails at run time must fail there (integer division by
                     // zero)
    for (size_t i = 0; i < op.outputs.size(); ++i) set(op.outputs[i], out_bytes[i], false);
    return true;
  }

  // float32 elementwise ops: the exact chain is kept beside the rounded constant.
  bool evaluate_in_double(const ir::Op& op) {
    if (!op.get_if<ir::UnaryAttrs>() && !op.get_if<ir::BinaryAttrs>()) return false;
    const ir::TensorType& type = value(op.outputs[0]).type;
    if (type.dtype != DType::kFloat || ir::const_elems(type) > kMaxDoubleElems) return false;
    std::vector<std::shared_ptr<std::vector<double>>> wide;
    std::vector<std::vector<int64_t>> dims;
    for (ir::ValueId id : op.inputs) {
      if (value(id).type.dtype != DType::kFloat ||
          ir::const_elems(value(id).type) > kMaxDoubleElems)
        return false;
      wide.push_back(doubles_of(id));
      dims.push_back(extents(value(id).type));
    }
    std::vector<reference::ConstTensor> inputs;
    for (size_t i = 0; i < wide.size(); ++i)
      inputs.push_back({DType::kDouble, dims[i], wide[i]->data()});
    auto result = std::make_shared<std::vector<double>>(static_cast<size_t>(ir::const_elems(type)));
    const std::vector<int64_t> out_dims = extents(type);
    const reference::MutTensor output{DType::kDouble, out_dims, result->data()};
    if (!reference::evaluate(op, inputs, {&output, 1}).ok()) return false;
    auto bytes = std::make_shared<std::vector<std::byte>>(result->size() * sizeof(float));
    for (size_t i = 0; i < result->size(); ++i) {
      const float f = static_cast<float>((*result)[i]);
      // An overflow that float has and double has not must stay: the chain goes on with what float
      // has.
      if (!std::isfinite(f)) (*result)[i] = f;
      std::memcpy(bytes->data() + i * sizeof f, &f, sizeof f);
    }
    set(op.outputs[0], std::move(bytes), false);
    doubles_[op.outputs[0]] = std::move(result);
    return true;
  }

  std::shared_ptr<std::vector<double>> doubles_of(ir::ValueId id) {
    if (auto it = doubles_.find(id); it != doubles_.end()) return it->second;
    return std::make_shared<std::vector<double>>(*constant_doubles(value(id)));
  }

  ir::Network& net_;
  PassContext& context_;
  std::unordered_map<ir::ValueId, std::shared_ptr<std::vector<double>>> doubles_;
};

}  // namespace

Result<bool> fold_constants(ir::Network& network, PassContext& context) {
  return Folder(network, context).run();
}

}  // namespace graft::passes
