// Bincount and DenseBincount: ones or weights scattered into zeros. Numbers from `size` on fall
// into one more bin that is cut off; negative ones are outside and fail, as they do in TensorFlow.
#include <algorithm>

#include "base/dtype.h"
#include "frontend/compose.h"

namespace graft::frontend {

namespace {

Result<int64_t> bins(NodeImport& n) {
  if (n.rank(1) != 0)
    return n.invalid("input 1 (size) has rank " + std::to_string(n.rank(1)) + ", expected 0");
  GRAFT_ASSIGN_OR_RETURN(const std::vector<int64_t> size, n.const_ints(1, "size"));
  if (size[0] < 0) return n.invalid("input 1 (size) is " + std::to_string(size[0]));
  if (size[0] >= INT32_MAX)
    return n.refuse("unsupported_value", "size (input 1) is " + std::to_string(size[0]) +
                                             ", expected less than 2147483647");
  return size[0];
}

bool is_empty(const ir::TensorType& type) {
  return std::find(type.dims.begin(), type.dims.end(), ir::Dim(0)) != type.dims.end();
}

// What every number adds to its bin: its weight, or 1 where there are no weights.
Result<ir::ValueId> updates(NodeImport& n, DType to, bool binary) {
  if (!is_empty(n.type(2)) && n.type(2).dims != n.type(0).dims)
    return n.refuse("shape", "input 2 (weights) is not known to be empty, nor to fit input 0");
  if (!binary && !is_empty(n.type(2))) return n.in(2);
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId shape, n.emit(ir::ShapeAttrs{DType::kInt64}, {n.in(0)}));
  return n.emit(ir::FillAttrs{}, {shape, n.constant_scalar(1, to)});
}

// [..., 2]: row and bin of every number of [rows, columns].
Result<ir::ValueId> pairs(NodeImport& n, ir::ValueId bin) {
  const DType t = n.dtype(0);
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId rows, extent_scalar(n, bin, 0, t));
  GRAFT_ASSIGN_OR_RETURN(ir::ValueId row, n.emit(ir::RangeAttrs{}, {n.constant_int(0, t), rows,
                                                                    n.constant_int(1, t)}));
  GRAFT_ASSIGN_OR_RETURN(row, n.emit(ir::ExpandDimsAttrs{1}, {row}));
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId shape, n.emit(ir::ShapeAttrs{DType::kInt64}, {bin}));
  GRAFT_ASSIGN_OR_RETURN(row, n.emit(ir::BroadcastToAttrs{}, {row, shape}));
  return n.emit(ir::PackAttrs{2}, {row, bin});
}

// arg: 1 for DenseBincount, whose matrices are counted row by row.
Status import_bincount(NodeImport& n) {
  const bool dense = n.arg() == 1;
  GRAFT_ASSIGN_OR_RETURN(const DType to, n.attr_type("T"));
  GRAFT_RETURN_IF_ERROR(n.check_type("T", {2}));
  bool binary = false;
  if (dense) {
    GRAFT_RETURN_IF_ERROR(n.check_type("Tidx", {0, 1}));
    GRAFT_ASSIGN_OR_RETURN(binary, n.attr_bool("binary_output", false));
  }
  const DType t = n.dtype(0);
  if (t != DType::kInt32 && (t != DType::kInt64 || !dense))
    return n.invalid("input 0 is " + dtype_name(t) + ", expected int32" +
                     (dense ? " or int64" : ""));
  if (to != DType::kFloat && to != DType::kDouble && to != DType::kInt32 && to != DType::kInt64)
    return n.invalid("attribute 'T' is " + dtype_name(to) +
                     ", expected int32, int64, float32 or float64");
  if (dense && (n.rank(0) < 1 || n.rank(0) > 2))
    return n.refuse("rank", "input 0 has rank " + std::to_string(n.rank(0)) + ", expected 1 or 2");
  GRAFT_ASSIGN_OR_RETURN(const int64_t size, bins(n));
  GRAFT_ASSIGN_OR_RETURN(ir::ValueId add, updates(n, to, binary));
  const bool rows = dense && n.rank(0) == 2;

  GRAFT_ASSIGN_OR_RETURN(ir::ValueId bin, n.emit(ir::BinaryAttrs{ir::BinaryFn::kMin},
                                                 {n.in(0), n.constant_int(size, t)}));
  ir::ValueId shape = n.constant_ints({size + 1}, DType::kInt64);
  if (rows) {
    GRAFT_ASSIGN_OR_RETURN(const ir::ValueId count, extent_scalar(n, bin, 0, DType::kInt64));
    GRAFT_ASSIGN_OR_RETURN(
        shape, n.emit(ir::PackAttrs{0}, {count, n.constant_int(size + 1, DType::kInt64)}));
    GRAFT_ASSIGN_OR_RETURN(bin, pairs(n, bin));
  } else {
    GRAFT_ASSIGN_OR_RETURN(bin, n.reshape(bin, {-1, 1}));
    GRAFT_ASSIGN_OR_RETURN(add, n.reshape(add, {-1}));
  }
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId zeros,
                         n.emit(ir::FillAttrs{}, {shape, n.constant_scalar(0, to)}));
  GRAFT_ASSIGN_OR_RETURN(
      const ir::ValueId counts,
      n.emit(ir::ScatterNdAttrs{binary ? ir::ScatterFn::kReplace : ir::ScatterFn::kAdd},
             {zeros, bin, add}));
  std::vector<AxisRange> kept(rows ? 2 : 1);
  kept.back().end = size;
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId result, slice_by(n, counts, kept));
  n.output(result);
  return ok_status();
}

constexpr OpEntry kRows[] = {
    {"Bincount", import_bincount, 3, 3, 0},
    {"DenseBincount", import_bincount, 3, 3, 1},
};

}  // namespace

std::span<const OpEntry> counting_ops() { return kRows; }

}  // namespace graft::frontend
