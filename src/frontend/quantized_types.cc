// QuantizeV2 and Dequantize. A tensor of a quantized dtype is held as the integers of its width and
// stays within one engine. Formulas as TensorFlow's CPU kernels compute them, in float32; the
// ranges must be constants.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "base/dtype.h"
#include "base/log.h"
#include "frontend/quantized_types.h"

namespace graft::frontend {

namespace {

using ir::BinaryFn;
using ir::UnaryFn;

// What the two ops share.
struct Quantized {
  DType dtype = DType::kInvalid;  // TensorFlow's
  std::string_view mode;
  bool narrow_range = false;
  int64_t axis = -1;
  std::vector<float> min, max;     // one element, or one a channel along axis
  double lowest = 0, highest = 0;  // of the dtype

  bool is_signed() const { return lowest < 0; }
  float min_output() const { return static_cast<float>(lowest + (narrow_range ? 1 : 0)); }
  float max_output() const { return static_cast<float>(highest); }
  // Subtracted from numbers that start at 0, in mode MIN_COMBINED.
  float half_range() const {
    return is_signed() ? static_cast<float>((highest - lowest + 1) / 2) : 0;
  }
};

Status read_bounds(NodeImport& n, Quantized& q) {
  const DType held = held_as(q.dtype);
  if (held == DType::kInvalid)
    return n.invalid("attribute 'T' is " + dtype_name(q.dtype) + ", expected a quantized dtype");
  visit_dtype(held, [&]<typename T>() {
    if constexpr (std::is_integral_v<T>) {
      q.lowest = static_cast<double>(std::numeric_limits<T>::lowest());
      q.highest = static_cast<double>(std::numeric_limits<T>::max());
    }
  });
  return ok_status();
}

Result<std::vector<float>> const_range(NodeImport& n, size_t input, const char* what) {
  const std::string name = "input " + std::to_string(input) + " (" + what + ")";
  const ir::ValueId id = n.known_in(input);
  if (id == ir::kNoValue || !n.at(id).is_const())
    return n.refuse("shape", name + " is not a constant",
                    "freeze the graph so that this input becomes a Const");
  const ir::Value& value = n.at(id);
  if (value.type.dtype != DType::kFloat)
    return n.invalid(name + " is " + dtype_name(value.type.dtype) + ", expected float32");
  const std::vector<std::byte> bytes = ir::materialize(value);
  std::vector<float> elems(bytes.size() / sizeof(float));
  if (!elems.empty()) std::memcpy(elems.data(), bytes.data(), bytes.size());
  for (float e : elems)
    if (!std::isfinite(e)) return n.refuse("unsupported_value", name + " is not finite");
  return elems;
}

// Attributes and ranges; `rank` of input 0.
Result<Quantized> read_common(NodeImport& n, const std::vector<ir::Dim>& dims) {
  Quantized q;
  GRAFT_ASSIGN_OR_RETURN(q.dtype, n.attr_type("T"));
  GRAFT_RETURN_IF_ERROR(read_bounds(n, q));
  GRAFT_ASSIGN_OR_RETURN(q.mode, n.attr_string("mode", "MIN_COMBINED"));
  if (q.mode != "MIN_COMBINED" && q.mode != "MIN_FIRST" && q.mode != "SCALED")
    return n.invalid("attribute 'mode' is '" + printable(q.mode) +
                     "', expected MIN_COMBINED, MIN_FIRST or SCALED");
  GRAFT_ASSIGN_OR_RETURN(q.narrow_range, n.attr_bool("narrow_range", false));
  GRAFT_ASSIGN_OR_RETURN(q.axis, n.attr_int("axis", -1));
  if (q.axis < -1 || q.axis >= static_cast<int64_t>(dims.size()))
    return n.invalid("attribute 'axis' is " + std::to_string(q.axis) + ", input 0 has rank " +
                     std::to_string(dims.size()));
  if (q.axis >= 0 && q.mode == "MIN_FIRST")
    return n.refuse("unsupported_attr",
                    "attribute 'axis' is " + std::to_string(q.axis) + " in mode MIN_FIRST");
  GRAFT_ASSIGN_OR_RETURN(q.min, const_range(n, 1, "min_range"));
  GRAFT_ASSIGN_OR_RETURN(q.max, const_range(n, 2, "max_range"));
  const ir::Dim want = q.axis < 0 ? ir::Dim(1) : dims[static_cast<size_t>(q.axis)];
  for (const std::vector<float>* range : {&q.min, &q.max}) {
    if (want != ir::Dim(static_cast<int64_t>(range->size())))
      return n.refuse("shape", "min_range or max_range (inputs 1, 2) has " +
                                   std::to_string(range->size()) +
                                   " elements, which is not known to be the extent of axis " +
                                   std::to_string(q.axis) + " (-1: 1 element)");
  }
  return q;
}

// One number a channel as a tensor that broadcasts along the axis.
Result<ir::ValueId> constant(NodeImport& n, const Quantized& q, const std::vector<float>& elems,
                             int rank) {
  if (q.axis < 0) return n.constant_scalar(static_cast<double>(elems[0]), DType::kFloat);
  std::vector<int64_t> dims(static_cast<size_t>(rank - q.axis), 1);
  dims[0] = static_cast<int64_t>(elems.size());
  return n.reshape(n.constant_floats(elems), dims);
}

Result<ir::ValueId> unary(NodeImport& n, UnaryFn fn, ir::ValueId x) {
  return n.emit(ir::UnaryAttrs{{fn}}, {x});
}
Result<ir::ValueId> binary(NodeImport& n, BinaryFn fn, ir::ValueId x, const Quantized& q,
                           const std::vector<float>& y) {
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId id, constant(n, q, y, n.at(x).type.rank()));
  return n.emit(ir::BinaryAttrs{fn}, {x, id});
}
Result<ir::ValueId> clip(NodeImport& n, ir::ValueId x, const Quantized& q) {
  if (q.axis < 0) return n.emit(ir::UnaryAttrs{{UnaryFn::kClip, q.min[0], q.max[0]}}, {x});
  GRAFT_ASSIGN_OR_RETURN(x, binary(n, BinaryFn::kMin, x, q, q.max));
  return binary(n, BinaryFn::kMax, x, q, q.min);
}

// The range that is quantized to: with 0 in it, and not too narrow.
Status adjust_ranges(NodeImport& n, Quantized& q, float ensure_minimum_range) {
  for (size_t c = 0; c < q.min.size(); ++c) {
    float &lo = q.min[c], &hi = q.max[c];
    if (hi < lo)
      return n.refuse("unsupported_value",
                      "max_range (input 2) is less than min_range (input 1)");  // TensorFlow fails
    const float widest = std::max(1.0f, std::max(std::fabs(lo), std::fabs(hi)));
    lo = std::min(0.0f, lo);
    hi = std::max(0.0f, std::max(hi, lo + widest * ensure_minimum_range));
    if (!(hi - lo > std::numeric_limits<float>::min()) || !std::isfinite(hi - lo))
      return n.refuse("unsupported_value", "the range (inputs 1, 2) " + std::to_string(lo) +
                                               " to " + std::to_string(hi) +
                                               " has no usable scale");
  }
  return ok_status();
}

Result<ir::ValueId> quantize_min_combined(NodeImport& n, Quantized& q) {
  std::vector<float> scale;
  for (size_t c = 0; c < q.min.size(); ++c)
    scale.push_back(
        static_cast<float>((q.highest - q.lowest) / static_cast<double>(q.max[c] - q.min[c])));
  GRAFT_ASSIGN_OR_RETURN(ir::ValueId x, clip(n, n.in(0), q));
  GRAFT_ASSIGN_OR_RETURN(x, binary(n, BinaryFn::kSub, x, q, q.min));
  // Nothing is below 0 here: relu keeps passes from making one rounding of three, which would turn
  // some elements into their neighbours.
  GRAFT_ASSIGN_OR_RETURN(x, unary(n, UnaryFn::kRelu, x));
  GRAFT_ASSIGN_OR_RETURN(x, binary(n, BinaryFn::kMul, x, q, scale));
  GRAFT_ASSIGN_OR_RETURN(x, unary(n, UnaryFn::kRelu, x));
  const std::vector<float> shift(q.min.size(), q.is_signed() ? -q.half_range() : 0.5f);
  GRAFT_ASSIGN_OR_RETURN(x, binary(n, BinaryFn::kAdd, x, q, shift));
  if (!q.is_signed()) return x;  // the cast rounds down
  return unary(n, UnaryFn::kRoundAway, x);
}

Result<ir::ValueId> quantize_min_first(NodeImport& n, Quantized& q) {
  const double steps = q.highest - q.lowest;
  const float scale = static_cast<float>(steps / static_cast<double>(q.max[0] - q.min[0]));
  const float shift = std::round(q.min[0] * scale) - static_cast<float>(q.lowest);
  GRAFT_ASSIGN_OR_RETURN(ir::ValueId x, binary(n, BinaryFn::kMul, n.in(0), q, {scale}));
  GRAFT_ASSIGN_OR_RETURN(x, unary(n, UnaryFn::kRoundAway, x));
  GRAFT_ASSIGN_OR_RETURN(x, binary(n, BinaryFn::kSub, x, q, {shift}));
  // The largest float32 that is an int32.
  const float highest = std::min(static_cast<float>(q.highest), 2147483520.0f);
  return n.emit(ir::UnaryAttrs{{UnaryFn::kClip, static_cast<float>(q.lowest), highest}}, {x});
}

// Narrows the ranges to what the levels reach.
Result<ir::ValueId> quantize_scaled(NodeImport& n, Quantized& q, UnaryFn round) {
  std::vector<float> scale;
  for (size_t c = 0; c < q.min.size(); ++c) {
    const float none = std::numeric_limits<float>::max(), low = q.min_output(),
                high = q.max_output();
    const float from_min = low * q.min[c] > 0 ? low / q.min[c] : none;
    const float from_max = high * q.max[c] > 0 ? high / q.max[c] : none;
    scale.push_back(std::min(from_min, from_max));
    if (scale[c] == none)  // an unsigned dtype whose range ends at 0
      return n.refuse("unsupported_value", "the range (inputs 1, 2) " + std::to_string(q.min[c]) +
                                               " to " + std::to_string(q.max[c]) +
                                               " has no usable scale");
    q.min[c] = low / scale[c];
    q.max[c] = high / scale[c];
  }
  GRAFT_ASSIGN_OR_RETURN(ir::ValueId x, clip(n, n.in(0), q));
  GRAFT_ASSIGN_OR_RETURN(x, binary(n, BinaryFn::kMul, x, q, scale));
  return unary(n, round, x);
}

Status import_quantize(NodeImport& n) {
  if (n.dtype(0) != DType::kFloat)
    return n.invalid("input 0 is " + dtype_name(n.dtype(0)) + ", expected float32");
  GRAFT_ASSIGN_OR_RETURN(Quantized q, read_common(n, n.type(0).dims));
  GRAFT_ASSIGN_OR_RETURN(const std::string_view round_mode,
                         n.attr_string("round_mode", "HALF_AWAY_FROM_ZERO"));
  if (round_mode != "HALF_AWAY_FROM_ZERO" && round_mode != "HALF_TO_EVEN")
    return n.invalid("attribute 'round_mode' is '" + printable(round_mode) +
                     "', expected HALF_AWAY_FROM_ZERO or HALF_TO_EVEN");
  if (round_mode == "HALF_TO_EVEN" && q.mode != "SCALED")
    return n.invalid("attribute 'round_mode' is HALF_TO_EVEN, which is for mode SCALED only");
  GRAFT_ASSIGN_OR_RETURN(const float least, n.attr_float("ensure_minimum_range", 0.01f));
  if (!std::isfinite(least))
    return n.refuse("unsupported_attr", "attribute 'ensure_minimum_range' is not finite");
  GRAFT_RETURN_IF_ERROR(adjust_ranges(n, q, least));
  const UnaryFn round = round_mode == "HALF_TO_EVEN" ? UnaryFn::kRint : UnaryFn::kRoundAway;
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId level, q.mode == "SCALED" ? quantize_scaled(n, q, round)
                                                  : q.mode == "MIN_FIRST"
                                                      ? quantize_min_first(n, q)
                                                      : quantize_min_combined(n, q));
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId result,
                         n.emit(ir::CastAttrs{held_as(q.dtype)}, {level}));
  n.mark_foreign(result, q.dtype);
  n.output(result);
  for (const std::vector<float>* range : {&q.min, &q.max})
    n.output(q.axis < 0 ? n.constant_scalar(static_cast<double>((*range)[0]), DType::kFloat)
                        : n.constant_floats(*range));
  return ok_status();
}

// y = (x + half) * scale + min, or x * scale.
Result<ir::ValueId> dequantize(NodeImport& n, const Quantized& q, ir::ValueId x) {
  const float highest = q.max_output(), lowest = static_cast<float>(q.lowest);
  std::vector<float> scale, shift;
  for (size_t c = 0; c < q.min.size(); ++c) {
    const float min = q.min[c], max = q.max[c];
    if (q.mode == "SCALED") {
      scale.push_back(q.is_signed() ? std::max(min / q.min_output(), max / highest)
                                    : max / highest);
    } else if (q.mode == "MIN_FIRST") {
      scale.push_back(static_cast<float>(static_cast<double>(max - min) / (q.highest - q.lowest)));
      const float rounded = max == min ? min : std::round(min / scale[c]) * scale[c];
      shift.push_back(rounded - lowest * scale[c]);
    } else {
      scale.push_back((max - min) / (highest - lowest));
      shift.push_back(min);
    }
    if (!std::isfinite(scale[c]) || (!shift.empty() && !std::isfinite(shift[c])))
      return n.refuse("unsupported_value", "the range (inputs 1, 2) " + std::to_string(min) +
                                               " to " + std::to_string(max) +
                                               " has no usable scale");
  }
  if (q.mode == "MIN_COMBINED" && q.is_signed()) {
    const std::vector<float> half(scale.size(), q.half_range());
    GRAFT_ASSIGN_OR_RETURN(x, binary(n, BinaryFn::kAdd, x, q, half));
  }
  GRAFT_ASSIGN_OR_RETURN(x, binary(n, BinaryFn::kMul, x, q, scale));
  if (shift.empty()) return x;
  return binary(n, BinaryFn::kAdd, x, q, shift);
}

Status import_dequantize(NodeImport& n) {
  GRAFT_ASSIGN_OR_RETURN(const DType declared, n.attr_type("T"));
  GRAFT_ASSIGN_OR_RETURN(const DType to, n.attr_type("dtype", DType::kFloat));
  if (to != DType::kFloat && to != DType::kBfloat16)
    return n.invalid("attribute 'dtype' is " + dtype_name(to) + ", expected float32 or bfloat16");
  const ir::ValueId id = n.known_in(0);
  if (id == ir::kNoValue)
    return n.refuse("dtype", "input 0 is " + dtype_name(declared) +
                                 ", which no engine takes from other nodes than its own");
  if (n.foreign(id) != declared)
    return n.invalid("attribute 'T' is " + dtype_name(declared) + ", input 0 is of another dtype");
  GRAFT_ASSIGN_OR_RETURN(const Quantized q, read_common(n, n.type(0).dims));
  // TensorFlow's answers to numbers that float32 does not have differ by position there.
  if (held_as(q.dtype) == DType::kInt32 && q.mode == "SCALED")
    return n.refuse("dtype", "attribute 'T' is qint32 in mode SCALED");
  if (to == DType::kBfloat16 && q.mode != "MIN_COMBINED")
    return n.refuse("unsupported_attr",
                    "attribute 'dtype' is bfloat16, which TensorFlow's kernel "
                    "has in mode MIN_COMBINED only");
  GRAFT_ASSIGN_OR_RETURN(ir::ValueId y, n.cast(id, DType::kFloat));
  GRAFT_ASSIGN_OR_RETURN(y, dequantize(n, q, y));
  GRAFT_ASSIGN_OR_RETURN(y, n.cast(y, to));
  n.output(y);
  return ok_status();
}

constexpr OpEntry kRows[] = {
    {"QuantizeV2", import_quantize, 3, 3},
    {"Dequantize", import_dequantize, 3, 3, 0, true},
};

}  // namespace

DType held_as(DType quantized) {
  switch (static_cast<int>(quantized)) {
    case 11:  // qint8
      return DType::kInt8;
    case 12:  // quint8
      return DType::kUint8;
    case 13:  // qint32
      return DType::kInt32;
    case 15:  // qint16
      return DType::kInt16;
    case 16:  // quint16
      return DType::kUint16;
    default:
      return DType::kInvalid;
  }
}

std::span<const OpEntry> quantized_type_ops() { return kRows; }

}  // namespace graft::frontend
