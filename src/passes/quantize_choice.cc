#include "passes/quantize_choice.h"

#include <algorithm>

#include "ir/quantized.h"
#include "passes/given_storage.h"
#include "passes/nonnegative.h"

namespace graft::passes {

namespace {

using ir::Op;
using ir::OpKind;
using ir::ValueId;

bool is_core(OpKind kind) {
  return kind == OpKind::kConv || kind == OpKind::kMatMul || kind == OpKind::kAttention;
}
bool is_view(OpKind kind) {
  return kind == OpKind::kReshape || kind == OpKind::kExpandDims || kind == OpKind::kSqueeze;
}

class Choice {
 public:
  Choice(const ir::Network& network, const ChoiceInput& input)
      : net_(network),
        ranges_(input.ranges),
        options_(input.options),
        kept_(input.kept),
        notes_(input.notes),
        uses_(ir::compute_uses(network)),
        unsigned_(never_negative(network)) {}

  QuantizeChoice run() {
    result_.storage.resize(net_.values.size());
    for (size_t id = 0; id < net_.values.size(); ++id) result_.storage[id] = storage_of(id);
    // Calibration observes no tensor twice.
    for (const Op& op : net_.ops) {
      if (is_view(op.kind()) && !has_storage(op.outputs[0]) && has_storage(op.inputs[0]))
        result_.storage[static_cast<size_t>(op.outputs[0])] = at(op.inputs[0]);
    }
    given_ = take_given_storage(net_, uses_, unsigned_, result_.storage);
    for (const Op& op : net_.ops) result_.int8.push_back(may_be_int8(op));
    while (drop_isolated()) {
    }
    keep_scales();
    join_scales();
    note_losses();
    return std::move(result_);
  }

 private:
  ir::DstQuant storage_of(size_t id) const {
    const ir::Value& value = net_.values[id];
    if (value.is_const() || value.type.dtype != DType::kFloat) return {};
    const auto range = ranges_.ranges.find(value.name);
    if (range == ranges_.ranges.end()) return {};
    return {unsigned_[id] ? DType::kUint8 : DType::kInt8, range->second.threshold / 127};
  }

  bool has_storage(ValueId id) const { return bool{result_.storage[static_cast<size_t>(id)]}; }
  const ir::Value& value(ValueId id) const { return net_.values[static_cast<size_t>(id)]; }

  void keep(const Op& op, const std::string& reason) const {
    if (kept_) kept_->push_back({op.name, reason});
  }

  bool asked_float(const Op& op) const {
    const auto& names = options_.keep_float;
    return std::find(names.begin(), names.end(), op.name) != names.end();
  }

  bool may_be_int8(const Op& op) const {
    if (is_core(op.kind())) return core_may_be_int8(op);
    if (op.kind() == OpKind::kRecurrent) keep(op, "recurrent layers have no INT8 form");
    if (asked_float(op) || op.outputs.empty() || !has_storage(op.outputs[0])) return false;
    switch (op.kind()) {
      case OpKind::kUnary:
        return has_storage(op.inputs[0]);
      case OpKind::kFakeQuant:
        return given(op.outputs[0]);
      case OpKind::kBinary: {
        const ir::BinaryFn fn = op.as<ir::BinaryAttrs>().fn;
        return (fn == ir::BinaryFn::kAdd || fn == ir::BinaryFn::kSub || fn == ir::BinaryFn::kMul ||
                fn == ir::BinaryFn::kMax || fn == ir::BinaryFn::kMin) &&
               has_storage(op.inputs[0]) && has_storage(op.inputs[1]);
      }
      case OpKind::kPool:
        return has_storage(op.inputs[0]);
      case OpKind::kReduce:
        return op.as<ir::ReduceAttrs>().fn == ir::ReduceFn::kMean && has_storage(op.inputs[0]);
      case OpKind::kPad:
        return has_storage(op.inputs[0]) && pads_with_zero(op);
      case OpKind::kConcat:
      case OpKind::kPack:
        return std::all_of(op.inputs.begin(), op.inputs.end(),
                           [&](ValueId id) { return has_storage(id); });
      default:
        return ir::moves_quantized(op.kind()) && has_storage(op.inputs[0]);
    }
  }

  bool pads_with_zero(const Op& op) const {
    if (op.as<ir::PadAttrs>().mode != ir::PadMode::kConstant || op.inputs.size() < 3) return true;
    const ir::Value& v = value(op.inputs[2]);
    if (!v.is_const()) return false;
    return std::all_of(v.constant->bytes.begin(), v.constant->bytes.end(),
                       [](std::byte b) { return b == std::byte{0}; });
  }

  bool core_may_be_int8(const Op& op) const {
    const ir::Value& weights = value(op.inputs[1]);
    if (value(op.inputs[0]).type.dtype != DType::kFloat) return false;
    if (asked_float(op)) {
      keep(op, "asked for");
      return false;
    }
    if (op.kind() == OpKind::kAttention) return ranges_known(op, 3) && terms_fit(op);
    if (!weights.is_const()) {
      if (op.kind() == OpKind::kMatMul && !has_bias(op))
        return ranges_known(op, 2) && terms_fit(op);
      keep(op, "its weights are not constant");
      return false;
    }
    if (op.kind() == OpKind::kMatMul && weights.type.rank() != 2) {
      keep(op, "its weights have rank " + std::to_string(weights.type.rank()));
      return false;
    }
    if (op.kind() == OpKind::kMatMul && op.as<ir::MatMulAttrs>().transpose_a) {
      keep(op, "its src is transposed");
      return false;
    }
    if (!terms_fit(op)) return false;
    if (has_bias(op) && !value(op.inputs[2]).is_const()) {
      keep(op, "its bias is not constant");
      return false;
    }
    return ranges_known(op, 1);
  }

  bool ranges_known(const Op& op, size_t inputs) const {
    for (size_t i = 0; i < inputs; ++i) {
      if (has_storage(op.inputs[i])) continue;
      keep(op, "no range is known for '" + value(op.inputs[i]).name + "'");
      return false;
    }
    return true;
  }

  bool terms_fit(const Op& op) const {
    if (terms(op) <= ir::kMaxQuantizedTerms) return true;
    keep(op, "it sums more than " + std::to_string(ir::kMaxQuantizedTerms) + " products");
    return false;
  }

  static bool has_bias(const Op& op) {
    const auto* conv = op.get_if<ir::ConvAttrs>();
    return conv ? conv->has_bias : op.as<ir::MatMulAttrs>().has_bias;
  }

  // Of the longest sum, as far as extents are known.
  int64_t terms(const Op& op) const {
    const auto extent = [&](size_t input, size_t axis) {
      const ir::Dim d = value(op.inputs[input]).type.dims[axis];
      return d.is_const() ? d.value() : 1;
    };
    if (op.kind() == OpKind::kConv) return extent(1, 0) * extent(1, 1) * extent(1, 2);
    if (op.kind() == OpKind::kAttention) return std::max(extent(0, 3), extent(2, 1));
    const size_t rank = value(op.inputs[1]).type.dims.size();
    return extent(1, rank - (op.as<ir::MatMulAttrs>().transpose_b ? 1 : 2));
  }

  bool made_int8(ValueId id) const {
    const int32_t p = uses_.producer[static_cast<size_t>(id)];
    return p >= 0 && result_.int8[static_cast<size_t>(p)];
  }
  bool read_int8(ValueId id) const {
    for (int32_t c : uses_.consumers[static_cast<size_t>(id)]) {
      if (result_.int8[static_cast<size_t>(c)]) return true;
    }
    return false;
  }

  // An op between two layers is worth integers only if its inputs come as integers and a reader
  // wants them.
  bool drop_isolated() {
    bool changed = false;
    for (size_t i = 0; i < net_.ops.size(); ++i) {
      const Op& op = net_.ops[i];
      if (!result_.int8[i] || is_core(op.kind())) continue;
      const size_t data = op.kind() == OpKind::kBinary ? 2 : joins(op) ? op.inputs.size() : 1;
      bool fed = true;
      for (size_t k = 0; k < data && op.kind() != OpKind::kFakeQuant; ++k)
        fed = fed && made_int8(op.inputs[k]);
      bool read = false;
      for (ValueId id : op.outputs) read = read || read_int8(id);
      if (fed && read) continue;
      result_.int8[i] = false;
      changed = true;
    }
    return changed;
  }

  // In op order, so that chains of movement carry the scale of their first tensor.
  void keep_scales() {
    for (size_t i = 0; i < net_.ops.size(); ++i) {
      const Op& op = net_.ops[i];
      if (!result_.int8[i] || !keeps_scale(op)) continue;
      if (joins(op)) continue;
      for (ValueId id : op.outputs) result_.storage[static_cast<size_t>(id)] = at(op.inputs[0]);
    }
  }

  bool given(ValueId id) const { return given_.given[static_cast<size_t>(id)]; }

  void note_losses() const {
    for (size_t i = 0; notes_ && i < net_.ops.size(); ++i) {
      const Op& op = net_.ops[i];
      const auto loss = given_.losses.find(static_cast<int32_t>(i));
      if (result_.int8[i] && loss != given_.losses.end())
        notes_->push_back("'" + op.name + "': " + loss->second);
    }
  }

  ir::DstQuant at(ValueId id) const { return result_.storage[static_cast<size_t>(id)]; }

  // What is joined is stored as the result wants it, where its maker is free to; the rest is
  // requantized before the concat.
  void join_scales() {
    for (size_t i = net_.ops.size(); i-- > 0;) {
      const Op& op = net_.ops[i];
      if (!result_.int8[i] || !joins(op)) continue;
      const ir::DstQuant joined = at(op.outputs[0]);
      for (ValueId id : op.inputs) {
        const int32_t p = uses_.producer[static_cast<size_t>(id)];
        const bool free = p >= 0 && !keeps_scale(net_.ops[static_cast<size_t>(p)]) && !given(id);
        const bool only = uses_.consumers[static_cast<size_t>(id)].size() == 1;
        if (free && only) result_.storage[static_cast<size_t>(id)] = joined;
      }
    }
    // Movement behind a concat whose storage is final by now.
    keep_scales();
  }

  const ir::Network& net_;
  const ir::RangeTable& ranges_;
  const QuantizeOptions& options_;
  std::vector<KeptLayer>* kept_;
  std::vector<std::string>* notes_;
  const ir::Uses uses_;
  const std::vector<bool> unsigned_;
  GivenStorages given_;
  QuantizeChoice result_;
};

}  // namespace

bool joins(const Op& op) { return op.kind() == OpKind::kConcat || op.kind() == OpKind::kPack; }

bool keeps_scale(const Op& op) {
  return ir::moves_quantized(op.kind()) ||
         (op.kind() == OpKind::kPool && op.as<ir::PoolAttrs>().fn == ir::PoolFn::kMax);
}

QuantizeChoice choose_int8(const ir::Network& network, const ChoiceInput& input) {
  return Choice(network, input).run();
}

}  // namespace graft::passes
