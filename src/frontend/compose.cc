#include "frontend/compose.h"

#include <algorithm>

namespace graft::frontend {

namespace {

// Extent e as a number, where the tensor that it follows has a constant one.
std::optional<int64_t> constant_of(const std::vector<ir::Dim>& like, const Extent& e) {
  if (e.axis < 0) return e.fixed;
  const ir::Dim d = like[static_cast<size_t>(e.axis)];
  int64_t product;
  if (!d.is_const() || __builtin_mul_overflow(d.value(), e.times, &product)) return std::nullopt;
  return product / e.over;
}

}  // namespace

Result<ir::ValueId> reshape_by(NodeImport& n, ir::ValueId src, ir::ValueId like,
                               const std::vector<Extent>& extents) {
  const std::vector<ir::Dim> dims = n.at(like).type.dims;
  std::vector<int64_t> run;
  std::vector<ir::ValueId> parts;
  ir::ValueId shape = ir::kNoValue;
  for (const Extent& e : extents) {
    if (const auto fixed = constant_of(dims, e)) {
      run.push_back(*fixed);
      continue;
    }
    if (!run.empty()) parts.push_back(n.constant_ints(run, DType::kInt64));
    run.clear();
    if (shape == ir::kNoValue) {
      GRAFT_ASSIGN_OR_RETURN(shape, n.emit(ir::ShapeAttrs{DType::kInt64}, {like}));
    }
    GRAFT_ASSIGN_OR_RETURN(ir::ValueId part, slice_by(n, shape, {{e.axis, e.axis + 1}}));
    if (e.times != 1) {
      GRAFT_ASSIGN_OR_RETURN(part, n.emit(ir::BinaryAttrs{ir::BinaryFn::kMul},
                                          {part, n.constant_ints({e.times}, DType::kInt64)}));
    }
    if (e.over != 1) {
      GRAFT_ASSIGN_OR_RETURN(part, n.emit(ir::BinaryAttrs{ir::BinaryFn::kFloorDiv},
                                          {part, n.constant_ints({e.over}, DType::kInt64)}));
    }
    parts.push_back(part);
  }
  if (parts.empty()) return n.reshape(src, run);
  if (!run.empty()) parts.push_back(n.constant_ints(run, DType::kInt64));
  ir::ValueId to = parts[0];
  if (parts.size() > 1) {
    GRAFT_ASSIGN_OR_RETURN(to, n.emit(ir::ConcatAttrs{0}, std::move(parts)));
  }
  return n.emit(ir::ReshapeAttrs{}, {src, to});
}

Result<ir::ValueId> slice_by(NodeImport& n, ir::ValueId src, const std::vector<AxisRange>& ranges) {
  ir::StridedSliceAttrs attrs;
  std::vector<int64_t> begin, end, strides;
  for (size_t i = 0; i < ranges.size(); ++i) {
    const AxisRange& r = ranges[i];
    if (!r.begin) attrs.begin_mask |= int64_t{1} << i;
    if (!r.end) attrs.end_mask |= int64_t{1} << i;
    begin.push_back(r.begin.value_or(0));
    end.push_back(r.end.value_or(0));
    strides.push_back(r.stride);
  }
  return n.emit(attrs,
                {src, n.constant_ints(begin, DType::kInt64), n.constant_ints(end, DType::kInt64),
                 n.constant_ints(strides, DType::kInt64)});
}

Result<ir::ValueId> pad_by(NodeImport& n, ir::ValueId src,
                           const std::vector<std::pair<int64_t, int64_t>>& pads) {
  std::vector<int64_t> flat;
  for (const auto& [before, after] : pads) {
    flat.push_back(before);
    flat.push_back(after);
  }
  if (std::count(flat.begin(), flat.end(), 0) == static_cast<int64_t>(flat.size())) return src;
  GRAFT_ASSIGN_OR_RETURN(
      const ir::ValueId operand,
      n.reshape(n.constant_ints(flat, DType::kInt64), {static_cast<int64_t>(pads.size()), 2}));
  return n.emit(ir::PadAttrs{}, {src, operand});
}

Result<ir::ValueId> extent_scalar(NodeImport& n, ir::ValueId src, int axis, DType dtype) {
  const ir::Dim d = n.at(src).type.dims[static_cast<size_t>(axis)];
  if (d.is_const()) return n.constant_int(d.value(), dtype);
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId shape, n.emit(ir::ShapeAttrs{dtype}, {src}));
  ir::StridedSliceAttrs attrs;
  attrs.shrink_axis_mask = 1;
  return n.emit(attrs,
                {shape, n.constant_ints({axis}, DType::kInt64),
                 n.constant_ints({axis + 1}, DType::kInt64), n.constant_ints({1}, DType::kInt64)});
}

Result<ir::ValueId> band_mask(NodeImport& n, ir::ValueId rows, ir::ValueId cols, int64_t lower,
                              int64_t upper) {
  if (lower < 0 && upper < 0) return ir::kNoValue;
  const ir::ValueId zero = n.constant_int(0, DType::kInt32), one = n.constant_int(1, DType::kInt32);
  GRAFT_ASSIGN_OR_RETURN(ir::ValueId row, n.emit(ir::RangeAttrs{}, {zero, rows, one}));
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId col, n.emit(ir::RangeAttrs{}, {zero, cols, one}));
  GRAFT_ASSIGN_OR_RETURN(row, n.emit(ir::ExpandDimsAttrs{1}, {row}));
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId diff,
                         n.emit(ir::BinaryAttrs{ir::BinaryFn::kSub}, {col, row}));
  const auto bound = [&](ir::BinaryFn fn, int64_t limit) {
    limit = std::clamp<int64_t>(limit, -INT32_MAX, INT32_MAX);
    return n.emit(ir::BinaryAttrs{fn}, {diff, n.constant_int(limit, DType::kInt32)});
  };
  ir::ValueId mask = ir::kNoValue;
  if (lower >= 0) {
    GRAFT_ASSIGN_OR_RETURN(mask, bound(ir::BinaryFn::kGreaterEqual, -lower));
  }
  if (upper >= 0) {
    GRAFT_ASSIGN_OR_RETURN(const ir::ValueId above, bound(ir::BinaryFn::kLessEqual, upper));
    if (mask == ir::kNoValue) return above;
    GRAFT_ASSIGN_OR_RETURN(mask, n.emit(ir::BinaryAttrs{ir::BinaryFn::kLogicalAnd}, {mask, above}));
  }
  return mask;
}

}  // namespace graft::frontend
