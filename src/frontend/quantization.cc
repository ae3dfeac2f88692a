// Ops of graphs that were trained for quantization. Their ranges must be constants: an engine's
// scales are fixed when it is built.
#include <cstring>

#include "base/dtype.h"
#include "frontend/node_import.h"
#include "ir/fake_quant.h"

namespace graft::frontend {

namespace {

using ir::FakeQuantAttrs;
using ir::FakeQuantFn;

Status check_accepted(NodeImport& n) {
  if (!n.options().quantization_ops)
    return n.refuse("precision", std::string(n.node().op) + " is converted at precision INT8 only",
                    "precision_mode=\"INT8\"");
  if (n.dtype(0) != DType::kFloat)
    return n.refuse("dtype", "input 0 is " + dtype_name(n.dtype(0)) + ", expected float32");
  return ok_status();
}

Status set_num_bits(NodeImport& n, int64_t num_bits, FakeQuantAttrs& attrs) {
  attrs.num_bits = num_bits;
  if (num_bits >= 2 && num_bits <= 16) return ok_status();
  return n.refuse("unsupported_attr",
                  "attribute 'num_bits' is " + std::to_string(num_bits) + ", expected 2 to 16");
}

Result<std::vector<float>> const_floats(NodeImport& n, size_t input, const char* what) {
  const ir::Value& value = n.value(input);
  const std::string name = "input " + std::to_string(input) + " (" + what + ")";
  if (!value.is_const())
    return n.refuse("shape", name + " is not a constant",
                    "freeze the graph so that this input becomes a Const");
  if (value.type.dtype != DType::kFloat)
    return n.invalid(name + " is " + dtype_name(value.type.dtype) + ", expected float32");
  const std::vector<std::byte> bytes = ir::materialize(value);
  std::vector<float> elems(bytes.size() / sizeof(float));
  if (!elems.empty()) std::memcpy(elems.data(), bytes.data(), bytes.size());
  return elems;
}

// Ranges whose scale would be no number, or 0 for all of the tensor.
Status check_ranges(NodeImport& n, const FakeQuantAttrs& attrs, const std::vector<float>& min,
                    const std::vector<float>& max) {
  for (size_t c = 0; c < min.size() && c < max.size(); ++c) {
    const bool empty = min[c] == 0 && max[c] == 0 && attrs.axis < 0;
    if (ir::is_usable(attrs, min[c], max[c]) && !empty) continue;
    std::string where = attrs.axis < 0 ? "" : " of channel " + std::to_string(c);
    return n.refuse("unsupported_value", "the range" + where + " is " + std::to_string(min[c]) +
                                             " to " + std::to_string(max[c]) +
                                             ", which has no usable scale");
  }
  return ok_status();
}

Status finish(NodeImport& n, const FakeQuantAttrs& attrs) {
  GRAFT_ASSIGN_OR_RETURN(const std::vector<float> min, const_floats(n, 1, "min"));
  GRAFT_ASSIGN_OR_RETURN(const std::vector<float> max, const_floats(n, 2, "max"));
  GRAFT_RETURN_IF_ERROR(check_ranges(n, attrs, min, max));
  return n.finish(attrs, {n.in(0), n.in(1), n.in(2)});
}

Result<FakeQuantAttrs> fake_quant_attrs(NodeImport& n, FakeQuantFn fn) {
  n.native_output(n.type(0));
  GRAFT_RETURN_IF_ERROR(check_accepted(n));
  FakeQuantAttrs attrs;
  attrs.fn = fn;
  GRAFT_ASSIGN_OR_RETURN(const int64_t num_bits, n.attr_int("num_bits", 8));
  GRAFT_RETURN_IF_ERROR(set_num_bits(n, num_bits, attrs));
  GRAFT_ASSIGN_OR_RETURN(attrs.narrow_range, n.attr_bool("narrow_range", false));
  return attrs;
}

Status import_args(NodeImport& n) {
  GRAFT_ASSIGN_OR_RETURN(const FakeQuantAttrs attrs, fake_quant_attrs(n, FakeQuantFn::kNudged));
  GRAFT_ASSIGN_OR_RETURN(const float min, n.attr_float("min", -6));
  GRAFT_ASSIGN_OR_RETURN(const float max, n.attr_float("max", 6));
  GRAFT_RETURN_IF_ERROR(check_ranges(n, attrs, {min}, {max}));
  return n.finish(attrs, {n.in(0), n.constant_scalar(min, DType::kFloat),
                          n.constant_scalar(max, DType::kFloat)});
}

Status import_vars(NodeImport& n) {
  GRAFT_ASSIGN_OR_RETURN(const FakeQuantAttrs attrs,
                         fake_quant_attrs(n, FakeQuantFn::kNudgedDivide));
  return finish(n, attrs);
}

Status import_per_channel(NodeImport& n) {
  GRAFT_ASSIGN_OR_RETURN(FakeQuantAttrs attrs, fake_quant_attrs(n, FakeQuantFn::kNudged));
  if (n.rank(0) < 1) return n.invalid("input 0 is a scalar, expected channels");
  attrs.axis = n.rank(0) - 1;
  return finish(n, attrs);
}

// arg: version 2, 3 or 4; V3 takes the number of bits as input 3 and knows one way to round.
Status import_quantize_and_dequantize(NodeImport& n) {
  n.native_output(n.type(0));
  GRAFT_RETURN_IF_ERROR(n.check_type("T", {0, 1, 2}));
  GRAFT_RETURN_IF_ERROR(check_accepted(n));
  GRAFT_ASSIGN_OR_RETURN(const bool range_given, n.attr_bool("range_given", n.arg() == 3));
  if (!range_given)
    return n.refuse("unsupported_attr",
                    "attribute 'range_given' is false: the range depends on the data");
  FakeQuantAttrs attrs;
  int64_t num_bits = 8;
  std::string_view round_mode = "HALF_TO_EVEN";
  if (n.arg() == 3) {
    GRAFT_ASSIGN_OR_RETURN(num_bits, n.const_int(3, "num_bits"));
  } else {
    GRAFT_ASSIGN_OR_RETURN(num_bits, n.attr_int("num_bits", 8));
    GRAFT_ASSIGN_OR_RETURN(round_mode, n.attr_string("round_mode", round_mode));
  }
  GRAFT_RETURN_IF_ERROR(set_num_bits(n, num_bits, attrs));
  if (round_mode != "HALF_TO_EVEN" && round_mode != "HALF_UP")
    return n.invalid("attribute 'round_mode' is '" + std::string(round_mode) +
                     "', expected HALF_TO_EVEN or HALF_UP");
  attrs.fn = round_mode == "HALF_UP" ? FakeQuantFn::kHalfUp : FakeQuantFn::kHalfToEven;
  GRAFT_ASSIGN_OR_RETURN(attrs.is_signed, n.attr_bool("signed_input", true));
  GRAFT_ASSIGN_OR_RETURN(attrs.narrow_range, n.attr_bool("narrow_range", false));
  GRAFT_ASSIGN_OR_RETURN(const int64_t axis, n.attr_int("axis", -1));
  if (axis != -1) {
    if (axis < 0 || axis >= n.rank(0))
      return n.invalid("attribute 'axis' is " + std::to_string(axis) + ", src has rank " +
                       std::to_string(n.rank(0)));
    attrs.axis = axis;
  }
  return finish(n, attrs);
}

constexpr OpEntry kRows[] = {
    {"FakeQuantWithMinMaxArgs", import_args, 1, 1},
    {"FakeQuantWithMinMaxVars", import_vars, 3, 3},
    {"FakeQuantWithMinMaxVarsPerChannel", import_per_channel, 3, 3},
    {"QuantizeAndDequantizeV2", import_quantize_and_dequantize, 3, 3, 2},
    {"QuantizeAndDequantizeV3", import_quantize_and_dequantize, 4, 4, 3},
    {"QuantizeAndDequantizeV4", import_quantize_and_dequantize, 3, 3, 4},
};

}  // namespace

std::span<const OpEntry> quantization_ops() { return kRows; }

}  // namespace graft::frontend
