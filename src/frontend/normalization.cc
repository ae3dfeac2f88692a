// FusedBatchNorm in inference mode: y = x * scale + shift per channel.
#include <cmath>
#include <cstring>

#include "base/dtype.h"
#include "base/fault.h"
#include "base/log.h"
#include "frontend/volume.h"
#include "frontend/window_attrs.h"

namespace graft::frontend {

namespace {

std::vector<float> floats(const ir::Value& value) {
  const std::vector<std::byte> bytes = ir::materialize(value);
  std::vector<float> elems(bytes.size() / sizeof(float));
  if (!elems.empty()) std::memcpy(elems.data(), bytes.data(), elems.size() * sizeof(float));
  return elems;
}

struct ScaleShift {
  ir::ValueId scale, shift;
};

// Constants: computed in double and rounded once. Otherwise by ops on vectors of C elements.
Result<ScaleShift> scale_and_shift(NodeImport& n, float epsilon) {
  bool constant = true;
  for (size_t i = 1; i < 5; ++i) constant = constant && n.value(i).is_const();
  if (constant) {
    const auto gamma = floats(n.value(1)), beta = floats(n.value(2)), mean = floats(n.value(3)),
               variance = floats(n.value(4));
    std::vector<float> scale(gamma.size()), shift(gamma.size());
    for (size_t c = 0; c < gamma.size(); ++c) {
      const double s = double(gamma[c]) / std::sqrt(double(variance[c]) + double(epsilon));
      scale[c] = static_cast<float>(s);
      shift[c] = static_cast<float>(double(beta[c]) - double(mean[c]) * s);
    }
    return ScaleShift{n.constant_floats(scale), n.constant_floats(shift)};
  }
  using ir::BinaryAttrs, ir::BinaryFn;
  const ir::ValueId eps = n.constant_scalar(double(epsilon), DType::kFloat);
  GRAFT_ASSIGN_OR_RETURN(ir::ValueId scale, n.emit(BinaryAttrs{BinaryFn::kAdd}, {n.in(4), eps}));
  GRAFT_ASSIGN_OR_RETURN(scale, n.emit(ir::UnaryAttrs{{ir::UnaryFn::kRsqrt}}, {scale}));
  GRAFT_ASSIGN_OR_RETURN(scale, n.emit(BinaryAttrs{BinaryFn::kMul}, {scale, n.in(1)}));
  GRAFT_ASSIGN_OR_RETURN(ir::ValueId shift, n.emit(BinaryAttrs{BinaryFn::kMul}, {n.in(3), scale}));
  GRAFT_ASSIGN_OR_RETURN(shift, n.emit(BinaryAttrs{BinaryFn::kSub}, {n.in(2), shift}));
  return ScaleShift{scale, shift};
}

// FusedBatchNormV3 takes volumes, too, of which only the place of the channels matters here.
Result<bool> read_channels_first(NodeImport& n) {
  if (n.node().op != "FusedBatchNormV3" || n.rank(0) != 5) {
    if (n.rank(0) != 4)
      return n.invalid("input 0 has rank " + std::to_string(n.rank(0)) + ", expected 4");
    return read_is_nchw(n);
  }
  return read_is_ncdhw(n);
}

// Of _FusedBatchNormEx: what is added behind the normalization, and the activation.
Result<ir::ValueId> add_side_input(NodeImport& n, ir::ValueId dst, bool nchw) {
  GRAFT_ASSIGN_OR_RETURN(const int64_t sides, n.attr_int("num_side_inputs", 0));
  GRAFT_ASSIGN_OR_RETURN(const std::string_view mode, n.attr_string("activation_mode", "Identity"));
  if (sides != static_cast<int64_t>(n.inputs()) - 5)
    return n.invalid("attribute 'num_side_inputs' is " + std::to_string(sides) + ", the node has " +
                     std::to_string(n.inputs()) + " inputs");
  if (sides == 1) {
    if (n.dtype(5) != n.dtype(0))
      return n.invalid("input 5 is " + dtype_name(n.dtype(5)) + ", input 0 is " +
                       dtype_name(n.dtype(0)));
    if (n.type(5).dims != n.type(0).dims)
      return n.refuse("shape", "input 5 is not known to have the shape of input 0");
    GRAFT_ASSIGN_OR_RETURN(const ir::ValueId side, to_nhwc(n, n.in(5), nchw));
    GRAFT_ASSIGN_OR_RETURN(dst, n.emit(ir::BinaryAttrs{ir::BinaryFn::kAdd}, {dst, side}));
  }
  if (mode == "Identity") return dst;
  if (mode == "Relu") return n.emit(ir::UnaryAttrs{{ir::UnaryFn::kRelu}}, {dst});
  return n.refuse("unsupported_attr", "attribute 'activation_mode' is '" + printable(mode) +
                                          "', expected Identity or Relu");
}

// Outputs: y; the statistics are copies that inference graphs do not use, so their consumers stay
// native.
Status import_batch_norm(NodeImport& n) {
  GRAFT_RETURN_IF_ERROR(n.check_type("T", {0}));
  if (n.node().op == "FusedBatchNorm") {
    GRAFT_RETURN_IF_ERROR(n.check_type("T", {1, 2, 3, 4}));
  } else {
    GRAFT_RETURN_IF_ERROR(n.check_type("U", {1, 2, 3, 4}));
  }
  GRAFT_ASSIGN_OR_RETURN(const bool training, n.attr_bool("is_training", true));
  GRAFT_ASSIGN_OR_RETURN(const float epsilon, n.attr_float("epsilon", 1e-4f));
  n.ignore({"exponential_avg_factor"});
  GRAFT_ASSIGN_OR_RETURN(const bool nchw, read_channels_first(n));
  if (training)
    return n.refuse("unsupported_attr", "attribute 'is_training' is true, expected false",
                    "export the model for inference");
  if (n.dtype(0) != DType::kFloat || n.dtype(1) != DType::kFloat)
    return n.refuse("dtype", "input 0 is " + dtype_name(n.dtype(0)) + ", expected float32");
  const bool volume = n.rank(0) == 5;
  const ir::Dim channels = nchw ? n.type(0).dims[1] : n.type(0).dims.back();
  for (size_t i = 1; i < 5; ++i) {
    if (n.rank(i) != 1)
      return n.invalid("input " + std::to_string(i) + " has rank " + std::to_string(n.rank(i)) +
                       ", expected 1");
    const ir::Dim d = n.type(i).dims[0];
    if (!d.is_const() || !channels.is_const())
      return n.refuse("shape", "the number of channels of input 0 or input " + std::to_string(i) +
                                   " is not known");
    if (d != channels)
      return n.invalid("input " + std::to_string(i) + " has " + std::to_string(d.value()) +
                       " elements, input 0 has " + std::to_string(channels.value()) + " channels");
  }
  GRAFT_ASSIGN_OR_RETURN(const ScaleShift affine,
                         scale_and_shift(n, GRAFT_FAULT(bn_epsilon_dropped) ? 0.0f : epsilon));
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId src,
                         volume ? to_ndhwc(n, n.in(0), nchw) : to_nhwc(n, n.in(0), nchw));
  GRAFT_ASSIGN_OR_RETURN(ir::ValueId dst,
                         n.emit(ir::AffineAttrs{}, {src, affine.scale, affine.shift}));
  if (n.node().op == "_FusedBatchNormEx") {
    GRAFT_ASSIGN_OR_RETURN(dst, add_side_input(n, dst, nchw));
  }
  GRAFT_RETURN_IF_ERROR(volume ? output_from_ndhwc(n, dst, nchw) : output_from_nhwc(n, dst, nchw));
  const bool six = n.node().op == "FusedBatchNormV3" || n.node().op == "_FusedBatchNormEx";
  const size_t outputs = six ? 6 : 5;
  while (n.outputs().size() < outputs) n.output(ir::kNoValue);
  return ok_status();
}

Status import_softmax(NodeImport& n) {
  GRAFT_RETURN_IF_ERROR(n.check_type("T", {0}));
  GRAFT_RETURN_IF_ERROR(n.require_floating(0));
  if (n.rank(0) < 1) return n.invalid("input 0 is a scalar, expected rank 1 or more");
  return n.finish(ir::SoftmaxAttrs{n.arg() != 0}, {n.in(0)});
}

constexpr OpEntry kRows[] = {
    {"FusedBatchNorm", import_batch_norm, 5, 5},    {"FusedBatchNormV2", import_batch_norm, 5, 5},
    {"FusedBatchNormV3", import_batch_norm, 5, 5},  {"Softmax", import_softmax, 1, 1, 0},
    {"_FusedBatchNormEx", import_batch_norm, 5, 6}, {"LogSoftmax", import_softmax, 1, 1, 1},
};

}  // namespace

std::span<const OpEntry> normalization_ops() { return kRows; }

}  // namespace graft::frontend
