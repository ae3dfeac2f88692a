// Making complex tensors and taking their parts, and the ops that compute on them and move them.
#include "frontend/complex_values.h"

#include <algorithm>

#include "base/dtype.h"

namespace graft::frontend {

namespace {

using ir::BinaryFn;
using ir::ComplexFn;

// Complex: of two real tensors.
Status import_make(NodeImport& n) {
  GRAFT_RETURN_IF_ERROR(n.check_type("T", {0, 1}, DType::kFloat));
  GRAFT_ASSIGN_OR_RETURN(const DType to, n.attr_type("Tout", DType::kComplex64));
  const DType expected = complex_of(n.dtype(0));
  if (expected == DType::kInvalid)
    return n.invalid("the inputs are " + dtype_name(n.dtype(0)) + ", expected float32 or float64");
  if (to != expected)
    return n.refuse("dtype", "attribute 'Tout' is " + dtype_name(to) + ", expected " +
                                 dtype_name(expected) + " of " + dtype_name(n.dtype(0)));
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId y,
                         n.emit(ir::ComplexAttrs{ComplexFn::kMake}, {n.in(0), n.in(1)}));
  output_complex(n, y, to);
  return ok_status();
}

// Real, Imag, ComplexAbs, Angle.
Status import_part(NodeImport& n) {
  GRAFT_RETURN_IF_ERROR(check_complex(n, "T", 0));
  GRAFT_ASSIGN_OR_RETURN(const DType to, n.attr_type("Tout", DType::kFloat));
  if (to != n.dtype(0))
    return n.refuse("dtype", "attribute 'Tout' is " + dtype_name(to) + ", expected " +
                                 dtype_name(n.dtype(0)) + " of " + dtype_name(n.foreign(n.in(0))));
  return n.finish(ir::ComplexAttrs{static_cast<ComplexFn>(n.arg())}, {n.in(0)});
}

Status import_conj(NodeImport& n) {
  GRAFT_RETURN_IF_ERROR(check_complex(n, "T", 0));
  const ir::ValueId signs = n.constant_floats({1, -1});
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId cast, n.cast(signs, n.dtype(0)));
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId y,
                         n.emit(ir::BinaryAttrs{BinaryFn::kMul}, {n.in(0), cast}));
  output_complex(n, y, n.foreign(n.in(0)));
  return ok_status();
}

// What is the same for both parts: Add, Sub, Neg.
Status import_by_parts(NodeImport& n) {
  for (size_t i = 0; i < n.inputs(); ++i) GRAFT_RETURN_IF_ERROR(check_complex(n, "T", i));
  ir::ValueId y = ir::kNoValue;
  if (n.inputs() == 1) {
    GRAFT_ASSIGN_OR_RETURN(y, n.emit(ir::UnaryAttrs{{ir::UnaryFn::kNeg}}, {n.in(0)}));
  } else {
    const auto fn = static_cast<BinaryFn>(n.arg());
    GRAFT_ASSIGN_OR_RETURN(y, n.emit(ir::BinaryAttrs{fn}, {n.in(0), n.in(1)}));
  }
  output_complex(n, y, n.foreign(n.in(0)));
  return ok_status();
}

// Mul, Square, Exp.
Status import_complex(NodeImport& n) {
  for (size_t i = 0; i < n.inputs(); ++i) GRAFT_RETURN_IF_ERROR(check_complex(n, "T", i));
  const auto fn = static_cast<ComplexFn>(n.arg());
  std::vector<ir::ValueId> operands{n.in(0)};
  if (fn == ComplexFn::kMul) operands.push_back(n.in(n.inputs() - 1));
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId y, n.emit(ir::ComplexAttrs{fn}, std::move(operands)));
  output_complex(n, y, n.foreign(n.in(0)));
  return ok_status();
}

// To real numbers: of the real part.
Status import_cast(NodeImport& n) {
  GRAFT_RETURN_IF_ERROR(check_complex(n, "SrcT", 0));
  GRAFT_ASSIGN_OR_RETURN(const DType to, n.attr_type("DstT"));
  GRAFT_ASSIGN_OR_RETURN(const bool truncate, n.attr_bool("Truncate", false));
  if (truncate) return n.refuse("unsupported_attr", "attribute 'Truncate' is true, expected false");
  const DType part = part_of(to);
  if (part != DType::kInvalid) {
    GRAFT_ASSIGN_OR_RETURN(const ir::ValueId y, n.cast(n.in(0), part));
    output_complex(n, y, to);
    return ok_status();
  }
  if (to != DType::kFloat && to != DType::kDouble)
    return n.refuse("dtype", "attribute 'DstT' is " + dtype_name(to) +
                                 ", expected a complex dtype, float32 or float64");
  GRAFT_ASSIGN_OR_RETURN(ir::ValueId y, n.emit(ir::ComplexAttrs{ComplexFn::kReal}, {n.in(0)}));
  GRAFT_ASSIGN_OR_RETURN(y, n.cast(y, to));
  n.output(y);
  return ok_status();
}

// The shape, a host vector, with the axis of the parts behind.
Status import_reshape(NodeImport& n) {
  GRAFT_RETURN_IF_ERROR(check_complex(n, "T", 0));
  if (n.has_attr("Tshape")) GRAFT_RETURN_IF_ERROR(n.check_type("Tshape", {1}));
  if (n.rank(1) != 1)
    return n.invalid("the shape (input 1) has rank " + std::to_string(n.rank(1)) + ", expected 1");
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId wide, n.cast(n.in(1), DType::kInt64));
  const ir::ValueId parts = n.constant_ints({2}, DType::kInt64);
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId shape, n.emit(ir::ConcatAttrs{0}, {wide, parts}));
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId y, n.emit(ir::ReshapeAttrs{}, {n.in(0), shape}));
  output_complex(n, y, n.foreign(n.in(0)));
  return ok_status();
}

Status import_expand_dims(NodeImport& n) {
  GRAFT_RETURN_IF_ERROR(check_complex(n, "T", 0));
  if (n.has_attr("Tdim")) GRAFT_RETURN_IF_ERROR(n.check_type("Tdim", {1}));
  GRAFT_ASSIGN_OR_RETURN(int64_t axis, n.const_int(1, "axis"));
  GRAFT_ASSIGN_OR_RETURN(axis, n.axis(axis, complex_rank(n, n.in(0)) + 1, "the axis"));
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId y, n.emit(ir::ExpandDimsAttrs{axis}, {n.in(0)}));
  output_complex(n, y, n.foreign(n.in(0)));
  return ok_status();
}

Status import_squeeze(NodeImport& n) {
  GRAFT_RETURN_IF_ERROR(check_complex(n, "T", 0));
  GRAFT_ASSIGN_OR_RETURN(std::vector<int64_t> axes,
                         n.attr_ints("squeeze_dims", std::vector<int64_t>{}));
  const int rank = complex_rank(n, n.in(0));
  for (int64_t& axis : axes) {
    GRAFT_ASSIGN_OR_RETURN(axis, n.axis(axis, rank, "attribute 'squeeze_dims'"));
  }
  if (axes.empty()) {
    for (int axis = 0; axis < rank; ++axis) {
      const ir::Dim d = n.type(0).dims[static_cast<size_t>(axis)];
      if (!d.is_const())
        return n.refuse("shape", "attribute 'squeeze_dims' is empty and dimension " +
                                     std::to_string(axis) + " of input 0 is not known");
      if (d.value() == 1) axes.push_back(axis);
    }
  }
  std::sort(axes.begin(), axes.end());
  axes.erase(std::unique(axes.begin(), axes.end()), axes.end());
  ir::ValueId y = n.in(0);
  if (!axes.empty()) {
    GRAFT_ASSIGN_OR_RETURN(y, n.emit(ir::SqueezeAttrs{axes}, {y}));
  }
  output_complex(n, y, n.foreign(n.in(0)));
  return ok_status();
}

Status import_transpose(NodeImport& n) {
  GRAFT_RETURN_IF_ERROR(check_complex(n, "T", 0));
  if (n.has_attr("Tperm")) GRAFT_RETURN_IF_ERROR(n.check_type("Tperm", {1}));
  GRAFT_ASSIGN_OR_RETURN(std::vector<int64_t> perm, n.const_ints(1, "perm"));
  const int rank = complex_rank(n, n.in(0));
  if (static_cast<int>(perm.size()) != rank)
    return n.invalid("perm (input 1) has " + std::to_string(perm.size()) +
                     " elements, input 0 has rank " + std::to_string(rank));
  for (int64_t& axis : perm) {
    GRAFT_ASSIGN_OR_RETURN(axis, n.axis(axis, rank, "an element of perm"));
  }
  perm.push_back(rank);
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId y, n.transpose(n.in(0), perm));
  output_complex(n, y, n.foreign(n.in(0)));
  return ok_status();
}

Status import_concat(NodeImport& n) {
  const size_t count = n.inputs() - 1;
  GRAFT_ASSIGN_OR_RETURN(const int64_t declared, n.attr_int("N"));
  if (declared != static_cast<int64_t>(count))
    return n.invalid("attribute 'N' is " + std::to_string(declared) + ", the node has " +
                     std::to_string(count) + " values");
  if (n.has_attr("Tidx")) GRAFT_RETURN_IF_ERROR(n.check_type("Tidx", {count}));
  std::vector<ir::ValueId> values;
  for (size_t i = 0; i < count; ++i) {
    GRAFT_RETURN_IF_ERROR(check_complex(n, "T", i));
    values.push_back(n.in(i));
  }
  GRAFT_ASSIGN_OR_RETURN(int64_t axis, n.const_int(count, "axis"));
  GRAFT_ASSIGN_OR_RETURN(axis, n.axis(axis, complex_rank(n, n.in(0)), "the axis"));
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId y, n.emit(ir::ConcatAttrs{axis}, std::move(values)));
  output_complex(n, y, n.foreign(n.in(0)));
  return ok_status();
}

// Zeros around.
Status import_pad(NodeImport& n) {
  GRAFT_RETURN_IF_ERROR(check_complex(n, "T", 0));
  if (n.has_attr("Tpaddings")) GRAFT_RETURN_IF_ERROR(n.check_type("Tpaddings", {1}));
  if (n.rank(1) != 2)
    return n.invalid("the paddings (input 1) have rank " + std::to_string(n.rank(1)) +
                     ", expected 2");
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId wide, n.cast(n.in(1), DType::kInt64));
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId none,
                         n.reshape(n.constant_ints({0, 0}, DType::kInt64), {1, 2}));
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId paddings, n.emit(ir::ConcatAttrs{0}, {wide, none}));
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId y, n.emit(ir::PadAttrs{}, {n.in(0), paddings}));
  output_complex(n, y, n.foreign(n.in(0)));
  return ok_status();
}

// The extents but the last.
Status import_shape(NodeImport& n) {
  GRAFT_RETURN_IF_ERROR(check_complex(n, "T", 0));
  GRAFT_ASSIGN_OR_RETURN(const DType to, n.attr_type("out_type", DType::kInt32));
  if (to != DType::kInt32 && to != DType::kInt64)
    return n.invalid("attribute 'out_type' is " + dtype_name(to) + ", expected int32 or int64");
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId all, n.emit(ir::ShapeAttrs{to}, {n.in(0)}));
  const ir::ValueId begin = n.constant_ints({0}, DType::kInt64);
  const ir::ValueId size = n.constant_ints({complex_rank(n, n.in(0))}, DType::kInt64);
  return n.finish(ir::SliceAttrs{}, {all, begin, size});
}

// Axes that are not named stay whole, the parts among them.
Status import_strided_slice(NodeImport& n) {
  GRAFT_RETURN_IF_ERROR(check_complex(n, "T", 0));
  GRAFT_RETURN_IF_ERROR(n.check_type("Index", {1, 2, 3}));
  if (n.dtype(1) == DType::kInt16)
    return n.refuse("dtype", "attribute 'Index' is int16, expected int32 or int64");
  ir::StridedSliceAttrs attrs;
  GRAFT_ASSIGN_OR_RETURN(attrs.begin_mask, n.attr_int("begin_mask", 0));
  GRAFT_ASSIGN_OR_RETURN(attrs.end_mask, n.attr_int("end_mask", 0));
  GRAFT_ASSIGN_OR_RETURN(attrs.ellipsis_mask, n.attr_int("ellipsis_mask", 0));
  GRAFT_ASSIGN_OR_RETURN(attrs.new_axis_mask, n.attr_int("new_axis_mask", 0));
  GRAFT_ASSIGN_OR_RETURN(attrs.shrink_axis_mask, n.attr_int("shrink_axis_mask", 0));
  if (n.rank(1) != 1 || !n.type(1).dims[0].is_const())
    return n.refuse("shape", "the number of axes that it slices is not known");
  const int64_t named = n.type(1).dims[0].value();
  std::vector<ir::ValueId> operands{n.in(0), n.in(1), n.in(2), n.in(3)};
  // Bits of axes that are not named, which TensorFlow passes over, must not reach the parts.
  const int64_t bits = named < 62 ? (int64_t{1} << named) - 1 : -1;
  for (int64_t* mask : {&attrs.begin_mask, &attrs.end_mask, &attrs.ellipsis_mask,
                        &attrs.new_axis_mask, &attrs.shrink_axis_mask})
    *mask &= bits;
  if (attrs.ellipsis_mask != 0) {
    // It would take the parts, too, in place of the axis before.
    if (named >= 62) return n.refuse("rank", "it slices " + std::to_string(named) + " axes");
    attrs.begin_mask |= int64_t{1} << named;
    attrs.end_mask |= int64_t{1} << named;
    for (size_t i = 1; i < 4; ++i) {
      const ir::ValueId whole = n.constant_ints({1}, n.dtype(i));
      GRAFT_ASSIGN_OR_RETURN(operands[i], n.emit(ir::ConcatAttrs{0}, {operands[i], whole}));
    }
  } else {
    const auto count_bits = [&](int64_t mask) {
      return __builtin_popcountll(static_cast<uint64_t>(mask));
    };
    if (named - count_bits(attrs.new_axis_mask & ~attrs.ellipsis_mask) > complex_rank(n, n.in(0)))
      return n.invalid("it slices " + std::to_string(named) + " axes, input 0 has rank " +
                       std::to_string(complex_rank(n, n.in(0))));
  }
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId y, n.emit(attrs, std::move(operands)));
  output_complex(n, y, n.foreign(n.in(0)));
  return ok_status();
}

constexpr OpEntry part(std::string_view op, ComplexFn fn) {
  return {.op = op,
          .fn = import_part,
          .min_inputs = 1,
          .max_inputs = 1,
          .arg = static_cast<int>(fn),
          .complex_inputs = true};
}
constexpr OpEntry row(std::string_view op, ImportFn fn, int min, int max, int arg = 0) {
  return {
      .op = op, .fn = fn, .min_inputs = min, .max_inputs = max, .arg = arg, .complex_inputs = true};
}

constexpr OpEntry kRows[] = {
    {"Complex", import_make, 2, 2},   part("Real", ComplexFn::kReal),
    part("Imag", ComplexFn::kImag),   part("ComplexAbs", ComplexFn::kAbs),
    part("Angle", ComplexFn::kAngle), row("Conj", import_conj, 1, 1),
};

constexpr OpEntry kComplexRows[] = {
    row("Add", import_by_parts, 2, 2, static_cast<int>(BinaryFn::kAdd)),
    row("AddV2", import_by_parts, 2, 2, static_cast<int>(BinaryFn::kAdd)),
    row("Sub", import_by_parts, 2, 2, static_cast<int>(BinaryFn::kSub)),
    row("Neg", import_by_parts, 1, 1),
    row("Mul", import_complex, 2, 2, static_cast<int>(ComplexFn::kMul)),
    row("Square", import_complex, 1, 1, static_cast<int>(ComplexFn::kMul)),
    row("Exp", import_complex, 1, 1, static_cast<int>(ComplexFn::kExp)),
    row("Cast", import_cast, 1, 1),
    row("Shape", import_shape, 1, 1),
    row("Pad", import_pad, 2, 2),
    row("Reshape", import_reshape, 2, 2),
    row("ExpandDims", import_expand_dims, 2, 2),
    row("Squeeze", import_squeeze, 1, 1),
    row("Transpose", import_transpose, 2, 2),
    row("ConcatV2", import_concat, 2, -1),
    row("StridedSlice", import_strided_slice, 4, 4),
};

}  // namespace

std::span<const OpEntry> complex_ops() { return kRows; }

std::span<const OpEntry> complex_rows() { return kComplexRows; }

}  // namespace graft::frontend
