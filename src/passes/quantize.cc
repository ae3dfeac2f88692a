// quantize: a calibrated network in INT8.
//
//   before   y = relu(conv(x, w, b))         after   y8 = relu(conv(x8, w8, b32, scales))
//            z = softmax(y)                          z = softmax(dequantize(y8))
//
// Which ops: quantize_choice.h. A layer whose result only floating ops read stores floats. Values
// keep their names.
#include <array>
#include <cstring>

#include "base/check.h"
#include "ir/quantized.h"
#include "passes/passes.h"
#include "passes/quantize_choice.h"
#include "passes/quantize_weights.h"
#include "passes/unused_ranges.h"

namespace graft::passes {

namespace {

using ir::DstQuant;
using ir::Op;
using ir::ValueId;

bool clamps(const ir::Activation& act) {
  return act.fn == ir::UnaryFn::kIdentity || act.fn == ir::UnaryFn::kRelu ||
         act.fn == ir::UnaryFn::kRelu6 || act.fn == ir::UnaryFn::kClip;
}

class Quantizer {
 public:
  Quantizer(const ir::Network& network, const PassOptions& options, QuantizeChoice choice)
      : net_(network), options_(options), choice_(std::move(choice)) {
    uses_ = ir::compute_uses(network);
    made_.resize(network.values.size());
    out_.dims = network.dims;
  }

  Result<ir::Network> run() {
    for (ValueId id : net_.inputs) {
      const ir::Value& v = net_.values[static_cast<size_t>(id)];
      const ValueId copy = out_.add_value(v.name, v.type);
      out_.values[static_cast<size_t>(copy)].host = v.host;
      out_.inputs.push_back(copy);
      made_[static_cast<size_t>(id)].plain = copy;
    }
    for (size_t i = 0; i < net_.ops.size(); ++i)
      GRAFT_RETURN_IF_ERROR(choice_.int8[i] ? add_int8(net_.ops[i]) : add_plain(net_.ops[i]));
    for (ValueId id : net_.outputs) {
      GRAFT_ASSIGN_OR_RETURN(const ValueId plain, plain_of(id));
      out_.outputs.push_back(plain);
    }
    return std::move(out_);
  }

 private:
  // A value in the new network: as it was, or quantized, or both.
  struct Made {
    ValueId plain = ir::kNoValue, quantized = ir::kNoValue;
  };

  const ir::Value& old(ValueId id) const { return net_.values[static_cast<size_t>(id)]; }
  Made& made(ValueId id) { return made_[static_cast<size_t>(id)]; }

  Result<ValueId> plain_of(ValueId id) {
    Made& m = made(id);
    if (m.plain == ir::kNoValue && old(id).is_const())
      m.plain = out_.add_constant(old(id).name, old(id).type, *old(id).constant);
    if (m.plain == ir::kNoValue) {
      GRAFT_CHECK(m.quantized != ir::kNoValue, old(id).name);
      GRAFT_ASSIGN_OR_RETURN(
          m.plain, out_.append(ir::QuantizeAttrs{}, {m.quantized}, old(id).name + "/dequantize"));
    }
    return m.plain;
  }

  Result<ValueId> quantized_of(ValueId id, const DstQuant& storage) {
    Made& m = made(id);
    const auto fits = [&](ValueId v) {
      const ir::TensorType& type = out_.values[static_cast<size_t>(v)].type;
      return type.dtype == storage.dtype && type.scale == storage.scale;
    };
    if (m.quantized != ir::kNoValue && fits(m.quantized)) return m.quantized;
    const bool requantize = m.quantized != ir::kNoValue;
    const ValueId src = requantize ? m.quantized : m.plain;
    GRAFT_CHECK(src != ir::kNoValue, old(id).name);
    GRAFT_ASSIGN_OR_RETURN(
        const ValueId q,
        out_.append(ir::QuantizeAttrs{}, {src},
                    old(id).name + (requantize ? "/requantize" : "/quantize"), -1, storage));
    if (!requantize) m.quantized = q;
    return q;
  }

  const DstQuant& storage(ValueId id) const { return choice_.storage[static_cast<size_t>(id)]; }

  // The old op's outputs are these new values; the tensors keep their names.
  void bind(const Op& op, const std::vector<ValueId>& values) {
    for (size_t k = 0; k < values.size(); ++k) {
      ir::Value& v = out_.values[static_cast<size_t>(values[k])];
      v.name = old(op.outputs[k]).name;
      Made& m = made(op.outputs[k]);
      (ir::is_quantized(v.type) ? m.quantized : m.plain) = values[k];
    }
  }

  Status add_plain(const Op& op) {
    std::vector<ValueId> inputs;
    for (ValueId id : op.inputs) {
      GRAFT_ASSIGN_OR_RETURN(const ValueId plain, plain_of(id));
      inputs.push_back(plain);
    }
    GRAFT_ASSIGN_OR_RETURN(const auto values,
                           out_.append_multi(op.attrs, std::move(inputs), op.outputs.size(),
                                             op.name, op.source, {}, op.bodies));
    bind(op, values);
    return ok_status();
  }

  Status add_int8(const Op& op) {
    if (op.kind() == ir::OpKind::kAttention) return add_attention(op);
    if (op.kind() == ir::OpKind::kMatMul && !old(op.inputs[1]).is_const())
      return add_product_of_two(op);
    if (op.kind() == ir::OpKind::kConv || op.kind() == ir::OpKind::kMatMul) return add_layer(op);
    if (op.kind() == ir::OpKind::kFakeQuant) return add_fake_quant(op);
    const size_t data = joins(op) ? op.inputs.size() : op.kind() == ir::OpKind::kBinary ? 2 : 1;
    std::vector<ValueId> inputs;
    for (size_t k = 0; k < op.inputs.size(); ++k) {
      const ValueId id = op.inputs[k];
      ValueId input = ir::kNoValue;
      if (k < data) {
        GRAFT_ASSIGN_OR_RETURN(input,
                               quantized_of(id, joins(op) ? storage(op.outputs[0]) : storage(id)));
      } else if (op.kind() == ir::OpKind::kPad && k == 2) {
        input = zero_of(storage(op.inputs[0]).dtype, old(id).name);
      } else {
        GRAFT_ASSIGN_OR_RETURN(input, plain_of(id));
      }
      inputs.push_back(input);
    }
    GRAFT_ASSIGN_OR_RETURN(
        const auto values,
        out_.append_multi(op.attrs, std::move(inputs), op.outputs.size(), op.name, op.source,
                          keeps_scale(op) ? DstQuant{} : storage(op.outputs[0])));
    bind(op, values);
    return ok_status();
  }

  // Storing its grid is all that is left of it; its maker may have done so already.
  Status add_fake_quant(const Op& op) {
    GRAFT_ASSIGN_OR_RETURN(made(op.outputs[0]).quantized,
                           quantized_of(op.inputs[0], storage(op.outputs[0])));
    return ok_status();
  }

  ValueId zero_of(DType dtype, const std::string& name) {
    const std::byte zero{0};
    return out_.add_constant_bytes(name, dtype, {}, std::span(&zero, 1));
  }

  bool read_int8(ValueId id) const {
    for (int32_t c : uses_.consumers[static_cast<size_t>(id)]) {
      if (choice_.int8[static_cast<size_t>(c)]) return true;
    }
    return false;
  }

  // Softmax stays inside; the mask floats.
  Status add_attention(const Op& op) {
    std::vector<ValueId> inputs;
    for (size_t k = 0; k < op.inputs.size(); ++k) {
      const ValueId id = op.inputs[k];
      GRAFT_ASSIGN_OR_RETURN(const ValueId input,
                             k < 3 ? quantized_of(id, storage(id)) : plain_of(id));
      inputs.push_back(input);
    }
    return append_core(op, std::move(inputs), read_int8(op.outputs[0]));
  }

  // A matrix product without constant weights, which has no bias either.
  Status add_product_of_two(const Op& op) {
    const auto& attrs = op.as<ir::MatMulAttrs>();
    const bool store_int8 = storage(op.outputs[0]) && read_int8(op.outputs[0]) &&
                            clamps(attrs.act) && (!attrs.has_residual || storage(op.inputs[2]));
    std::vector<ValueId> inputs;
    for (size_t k = 0; k < op.inputs.size(); ++k) {
      const ValueId id = op.inputs[k];
      GRAFT_ASSIGN_OR_RETURN(const ValueId input,
                             k < 2 || store_int8 ? quantized_of(id, storage(id)) : plain_of(id));
      inputs.push_back(input);
    }
    return append_core(op, std::move(inputs), store_int8);
  }

  Status append_core(const Op& op, std::vector<ValueId> inputs, bool store_int8) {
    GRAFT_ASSIGN_OR_RETURN(const ValueId dst,
                           out_.append(op.attrs, std::move(inputs), op.name, op.source,
                                       store_int8 ? storage(op.outputs[0]) : DstQuant{}));
    bind(op, {dst});
    return ok_status();
  }

  Status add_layer(const Op& op) {
    const auto* conv = op.get_if<ir::ConvAttrs>();
    const auto* matmul = op.get_if<ir::MatMulAttrs>();
    const ir::Activation& act = conv ? conv->act : matmul->act;
    const bool has_bias = conv ? conv->has_bias : matmul->has_bias;
    const bool has_residual = conv ? conv->has_residual : matmul->has_residual;
    const ValueId residual = has_residual ? op.inputs[2u + has_bias] : ir::kNoValue;
    const bool store_int8 = storage(op.outputs[0]) && read_int8(op.outputs[0]) && clamps(act) &&
                            (!has_residual || storage(residual));
    const ir::Value& weights = old(op.inputs[1]);
    const ChannelLayout layout = channel_layout(op, weights);
    auto quantized = quantize_weights(weights, layout, options_.quantize.per_tensor_weights);
    if (!quantized.ok()) return quantized.status().with_context(op.name);
    std::vector<double> bias(layout.channels, 0);
    if (has_bias) {
      const std::vector<std::byte> bytes = ir::materialize(old(op.inputs[2]));
      for (size_t c = 0; c < bias.size(); ++c) {
        float b;
        std::memcpy(&b, bytes.data() + c * sizeof b, sizeof b);
        bias[c] = b;
      }
    }
    const bool corrected = correct_bias(op, weights, *quantized, bias);
    const DstQuant& src = storage(op.inputs[0]);
    const bool with_bias = has_bias || corrected;
    std::vector<int32_t> bias_q;
    if (with_bias) bias_q = quantize_bias(bias, src.scale, weights, layout, *quantized);

    GRAFT_ASSIGN_OR_RETURN(const ValueId src_q, quantized_of(op.inputs[0], src));
    std::vector<ValueId> inputs{src_q, add_weights(weights, quantized->q)};
    const std::array<int64_t, 1> channels{static_cast<int64_t>(layout.channels)};
    if (with_bias)
      inputs.push_back(out_.add_constant_of<int32_t>(op.name + "/bias", channels, bias_q));
    if (has_residual) {
      GRAFT_ASSIGN_OR_RETURN(const ValueId r, store_int8 ? quantized_of(residual, storage(residual))
                                                         : plain_of(residual));
      inputs.push_back(r);
    }
    inputs.push_back(out_.add_constant_of<float>(op.name + "/scales", channels, quantized->scales));
    ir::Attrs attrs = op.attrs;
    if (conv) std::get<ir::ConvAttrs>(attrs).has_bias = with_bias;
    if (matmul) std::get<ir::MatMulAttrs>(attrs).has_bias = with_bias;
    GRAFT_ASSIGN_OR_RETURN(const ValueId dst,
                           out_.append(std::move(attrs), std::move(inputs), op.name, op.source,
                                       store_int8 ? storage(op.outputs[0]) : DstQuant{}));
    bind(op, {dst});
    return ok_status();
  }

  // What the rounding of the weights adds to the mean of dst is taken from the bias.
  bool correct_bias(const Op& op, const ir::Value& weights, const QuantizedWeights& quantized,
                    std::vector<double>& bias) const {
    if (!options_.quantize.bias_correction) return false;
    const auto range = options_.ranges->ranges.find(old(op.inputs[0]).name);
    if (range == options_.ranges->ranges.end()) return false;
    const std::vector<float>& means = range->second.channel_means;
    const ir::Dim channels = old(op.inputs[0]).type.dims.back();
    if (means.empty() || !channels.is_const() ||
        channels.value() != static_cast<int64_t>(means.size()))
      return false;
    const std::vector<double> shift = mean_shift(op, weights, quantized, means);
    for (size_t c = 0; c < bias.size(); ++c) bias[c] -= shift[c];
    return true;
  }

  ValueId add_weights(const ir::Value& weights, const std::vector<int8_t>& q) {
    std::vector<int64_t> dims;
    for (ir::Dim d : weights.type.dims) dims.push_back(d.value());
    return out_.add_constant_bytes(weights.name, DType::kInt8, dims,
                                   std::as_bytes(std::span(q.data(), q.size())));
  }

  const ir::Network& net_;
  const PassOptions& options_;
  const QuantizeChoice choice_;
  ir::Uses uses_;
  std::vector<Made> made_;
  ir::Network out_;
};

}  // namespace

Result<bool> quantize(ir::Network& network, PassContext& context) {
  const PassOptions& options = context.options;
  if (!options.ranges) return false;
  QuantizeChoice choice =
      choose_int8(network, {*options.ranges, options.quantize, options.kept_float, options.notes});
  if (options.unused_ranges)
    *options.unused_ranges = unused_ranges(network, *options.ranges, choice);
  int64_t cost = 1;
  for (const ir::Value& v : network.values) {
    if (v.is_const()) cost += static_cast<int64_t>(v.constant->bytes.size() / 64);
  }
  GRAFT_RETURN_IF_ERROR(context.work.spend(cost, "quantizing weights"));
  GRAFT_ASSIGN_OR_RETURN(network, Quantizer(network, options, std::move(choice)).run());
  return true;
}

}  // namespace graft::passes
