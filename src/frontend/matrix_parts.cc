// Ops on the main diagonal or a band of the innermost matrices, as selects by a mask.
#include <algorithm>

#include "frontend/compose.h"

namespace graft::frontend {

namespace {

// Select(mask [rows, cols], yes, no).
Result<ir::ValueId> select_band(NodeImport& n, ir::ValueId rows, ir::ValueId cols, int64_t lower,
                                int64_t upper, ir::ValueId yes, ir::ValueId no) {
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId mask, band_mask(n, rows, cols, lower, upper));
  if (mask == ir::kNoValue) return yes;
  return n.emit(ir::SelectAttrs{}, {mask, yes, no});
}

Status need_matrix(NodeImport& n) {
  if (n.rank(0) >= 2) return ok_status();
  return n.invalid("input 0 has rank " + std::to_string(n.rank(0)) + ", expected 2 or more");
}

Status import_band_part(NodeImport& n) {
  GRAFT_RETURN_IF_ERROR(n.check_type("T", {0}));
  if (n.has_attr("Tindex")) GRAFT_RETURN_IF_ERROR(n.check_type("Tindex", {1, 2}));
  GRAFT_RETURN_IF_ERROR(need_matrix(n));
  int64_t bound[2];
  for (size_t i = 0; i < 2; ++i) {
    GRAFT_ASSIGN_OR_RETURN(bound[i], n.const_int(i + 1, i == 0 ? "num_lower" : "num_upper"));
    const ir::Dim d = n.type(0).dims[n.type(0).dims.size() - 2 + i];
    if (d.is_const() && bound[i] > d.value())
      return n.invalid("input " + std::to_string(i + 1) + " is " + std::to_string(bound[i]) +
                       ", the matrices have " + std::to_string(d.value()) +
                       (i == 0 ? " rows" : " columns"));
  }
  const int rank = n.rank(0);
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId rows,
                         extent_scalar(n, n.in(0), rank - 2, DType::kInt32));
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId cols,
                         extent_scalar(n, n.in(0), rank - 1, DType::kInt32));
  GRAFT_ASSIGN_OR_RETURN(
      const ir::ValueId y,
      select_band(n, rows, cols, bound[0], bound[1], n.in(0), n.constant_scalar(0, n.dtype(0))));
  n.output(y);
  return ok_status();
}

// Operand k of the V2 and V3 forms: only the main diagonal. `align` only matters to several.
Status need_main_diagonal(NodeImport& n, size_t input) {
  if (n.has_attr("align")) {
    GRAFT_ASSIGN_OR_RETURN(const std::string_view align, n.attr_string("align", "RIGHT_LEFT"));
    if (align != "RIGHT_LEFT" && align != "LEFT_RIGHT" && align != "LEFT_LEFT" &&
        align != "RIGHT_RIGHT")
      return n.invalid(
          "attribute 'align' is not one of LEFT_RIGHT, RIGHT_LEFT, LEFT_LEFT and "
          "RIGHT_RIGHT");
  }
  GRAFT_ASSIGN_OR_RETURN(const std::vector<int64_t> k, n.const_ints(input, "k"));
  if (k.empty() || k.size() > 2 || n.rank(input) > 1)
    return n.invalid("k (input " + std::to_string(input) + ") is not a scalar or a pair");
  for (int64_t v : k) {
    if (v != 0)
      return n.refuse("unsupported_value", "k (input " + std::to_string(input) + ") is " +
                                               std::to_string(v) +
                                               ", expected 0, the main diagonal");
  }
  return ok_status();
}

Result<ir::ValueId> expand(NodeImport& n, ir::ValueId v, bool as_column) {
  const int64_t rank = n.at(v).type.rank();
  return n.emit(ir::ExpandDimsAttrs{as_column ? rank : rank - 1}, {v});
}

// arg: 1 MatrixDiag, 2 V2, 3 V3.
Status import_diag(NodeImport& n) {
  GRAFT_RETURN_IF_ERROR(n.check_type("T", {0}));
  if (n.rank(0) < 1) return n.invalid("input 0 is a scalar");
  const ir::ValueId diag = n.in(0);
  const ir::Dim length = n.type(0).dims.back();
  ir::ValueId padding = n.constant_scalar(0, n.dtype(0));
  int64_t rows = -1, cols = -1;
  if (n.arg() > 1) {
    GRAFT_RETURN_IF_ERROR(n.check_type("T", {4}));
    GRAFT_RETURN_IF_ERROR(need_main_diagonal(n, 1));
    GRAFT_ASSIGN_OR_RETURN(rows, n.const_int(2, "num_rows"));
    GRAFT_ASSIGN_OR_RETURN(cols, n.const_int(3, "num_cols"));
    padding = n.in(4);
    if (n.rank(4) != 0)
      return n.invalid("padding_value (input 4) has rank " + std::to_string(n.rank(4)) +
                       ", expected a scalar");
  }
  if (!length.is_const() && (rows >= 0 || cols >= 0))
    return n.refuse("shape",
                    "num_rows or num_cols (inputs 2, 3) is given and the length of the "
                    "diagonal (input 0) is not known");
  const int64_t known = length.is_const() ? length.value() : 0;
  for (int64_t v : {rows, cols}) {
    if (v != -1 && v < known)
      return n.invalid("num_rows and num_cols are " + std::to_string(rows) + " and " +
                       std::to_string(cols) + ", the diagonal has " + std::to_string(known) +
                       " elements");
  }
  if (rows > known && cols > known)
    return n.invalid("num_rows and num_cols are both larger than the diagonal of " +
                     std::to_string(known));
  const auto count = [&](int64_t given) -> Result<ir::ValueId> {
    if (given >= 0) return n.constant_int(given, DType::kInt32);
    return extent_scalar(n, diag, n.rank(0) - 1, DType::kInt32);
  };
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId row_count, count(rows));
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId col_count, count(cols));
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId spread, expand(n, diag, rows <= known));
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId y,
                         select_band(n, row_count, col_count, 0, 0, spread, padding));
  n.output(y);
  return ok_status();
}

// The main diagonal of [R, C] is every (C + 1)-th element.
Status import_diag_part(NodeImport& n) {
  GRAFT_RETURN_IF_ERROR(n.check_type("T", {0}));
  GRAFT_RETURN_IF_ERROR(need_matrix(n));
  if (n.arg() > 1) {
    GRAFT_RETURN_IF_ERROR(n.check_type("T", {2}));
    GRAFT_RETURN_IF_ERROR(need_main_diagonal(n, 1));
  }
  const std::vector<ir::Dim> dims = n.type(0).dims;
  const size_t rank = dims.size();
  const ir::Dim r = dims[rank - 2], c = dims[rank - 1];
  if (!r.is_const() || !c.is_const())
    return n.refuse("shape", "the extents of the matrices (input 0) are not known");
  int64_t total;
  if (__builtin_mul_overflow(r.value(), c.value(), &total))
    return n.invalid("the matrices have too many elements");
  std::vector<Extent> flat;
  for (size_t i = 0; i + 2 < rank; ++i) flat.push_back(Extent::of(static_cast<int>(i)));
  flat.push_back(Extent::number(total));
  GRAFT_ASSIGN_OR_RETURN(ir::ValueId y, reshape_by(n, n.in(0), n.in(0), flat));
  std::vector<AxisRange> ranges(flat.size());
  const int64_t length = std::min(r.value(), c.value());
  ranges.back() = {0, length == 0 ? 0 : (length - 1) * (c.value() + 1) + 1, c.value() + 1};
  GRAFT_ASSIGN_OR_RETURN(y, slice_by(n, y, ranges));
  n.output(y);
  return ok_status();
}

Status import_set_diag(NodeImport& n) {
  GRAFT_RETURN_IF_ERROR(n.check_type("T", {0, 1}));
  GRAFT_RETURN_IF_ERROR(need_matrix(n));
  if (n.arg() > 1) GRAFT_RETURN_IF_ERROR(need_main_diagonal(n, 2));
  const std::vector<ir::Dim> dims = n.type(0).dims, diag = n.type(1).dims;
  const size_t rank = dims.size();
  if (diag.size() != rank - 1)
    return n.invalid("the diagonal (input 1) has rank " + std::to_string(diag.size()) +
                     ", expected " + std::to_string(rank - 1));
  const ir::Dim r = dims[rank - 2], c = dims[rank - 1];
  const bool known = r.is_const() && c.is_const();
  if (!known && r != c)
    return n.refuse(
        "shape", "the matrices (input 0) are not known to be square, nor are their extents known");
  // Broadcasting would take an extent of 1 for any other.
  std::vector<ir::Dim> want(dims.begin(), dims.end() - 1);
  want.back() = known ? ir::Dim(std::min(r.value(), c.value())) : r;
  for (size_t i = 0; i < want.size(); ++i) {
    if (diag[i] == want[i]) continue;
    if (diag[i].is_const() && want[i].is_const())
      return n.invalid("the diagonal (input 1) has extent " + std::to_string(diag[i].value()) +
                       " in dimension " + std::to_string(i) + ", expected " +
                       std::to_string(want[i].value()));
    return n.refuse("shape",
                    "the extents of the diagonal (input 1) are not known to be those of "
                    "the matrices");
  }
  const bool as_column = !known || r.value() <= c.value();
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId spread, expand(n, n.in(1), as_column));
  const int axis = static_cast<int>(rank) - 2;
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId rows, extent_scalar(n, n.in(0), axis, DType::kInt32));
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId cols,
                         extent_scalar(n, n.in(0), axis + 1, DType::kInt32));
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId y, select_band(n, rows, cols, 0, 0, spread, n.in(0)));
  n.output(y);
  return ok_status();
}

constexpr OpEntry kRows[] = {
    {"MatrixBandPart", import_band_part, 3, 3},
    {"BatchMatrixBandPart", import_band_part, 3, 3},
    {"MatrixDiag", import_diag, 1, 1, 1},
    {"MatrixDiagV2", import_diag, 5, 5, 2},
    {"MatrixDiagV3", import_diag, 5, 5, 3},
    {"MatrixDiagPart", import_diag_part, 1, 1, 1},
    {"MatrixDiagPartV2", import_diag_part, 3, 3, 2},
    {"MatrixDiagPartV3", import_diag_part, 3, 3, 3},
    {"MatrixSetDiag", import_set_diag, 2, 2, 1},
    {"MatrixSetDiagV2", import_set_diag, 3, 3, 2},
    {"MatrixSetDiagV3", import_set_diag, 3, 3, 3},
};

}  // namespace

std::span<const OpEntry> matrix_part_ops() { return kRows; }

}  // namespace graft::frontend
