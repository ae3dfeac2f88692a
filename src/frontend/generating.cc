// Ops that make tensors from shapes and numbers.
#include "base/dtype.h"
#include "frontend/node_import.h"

namespace graft::frontend {

namespace {

Result<DType> read_out_type(NodeImport& n) {
  GRAFT_ASSIGN_OR_RETURN(const DType to, n.attr_type("out_type", DType::kInt32));
  if (to == DType::kInt32 || to == DType::kInt64) return to;
  return n.refuse("dtype",
                  "attribute 'out_type' is " + dtype_name(to) + ", expected int32 or int64");
}

Status import_shape(NodeImport& n) {
  GRAFT_RETURN_IF_ERROR(n.check_type("T", {0}));
  GRAFT_ASSIGN_OR_RETURN(const DType to, read_out_type(n));
  return n.finish(ir::ShapeAttrs{to}, {n.in(0)});
}

Status import_rank(NodeImport& n) {
  GRAFT_RETURN_IF_ERROR(n.check_type("T", {0}));
  n.output(n.constant_int(n.rank(0), DType::kInt32));
  return ok_status();
}

Status import_size(NodeImport& n) {
  GRAFT_RETURN_IF_ERROR(n.check_type("T", {0}));
  GRAFT_ASSIGN_OR_RETURN(const DType to, read_out_type(n));
  if (n.rank(0) == 0) {
    n.output(n.constant_int(1, to));
    return ok_status();
  }
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId shape, n.emit(ir::ShapeAttrs{to}, {n.in(0)}));
  return n.finish(ir::ReduceAttrs{ir::ReduceFn::kProd, {0}, false}, {shape});
}

Status import_fill(NodeImport& n) {
  GRAFT_RETURN_IF_ERROR(n.check_type("T", {1}));
  if (n.has_attr("index_type")) GRAFT_RETURN_IF_ERROR(n.check_type("index_type", {0}));
  return n.finish(ir::FillAttrs{}, {n.in(0), n.in(1)});
}

// ZerosLike and OnesLike: Fill(Shape(x), arg).
Status import_like(NodeImport& n) {
  GRAFT_RETURN_IF_ERROR(n.check_type("T", {0}));
  const DType dtype = n.dtype(0);
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId shape, n.emit(ir::ShapeAttrs{DType::kInt64}, {n.in(0)}));
  return n.finish(ir::FillAttrs{}, {shape, n.constant_scalar(n.arg(), dtype)});
}

Status import_range(NodeImport& n) {
  if (n.has_attr("Tidx")) GRAFT_RETURN_IF_ERROR(n.check_type("Tidx", {0, 1, 2}));
  return n.finish(ir::RangeAttrs{}, {n.in(0), n.in(1), n.in(2)});
}

constexpr OpEntry kRows[] = {
    {"Shape", import_shape, 1, 1},       {"Rank", import_rank, 1, 1},
    {"Size", import_size, 1, 1},         {"Fill", import_fill, 2, 2},
    {"ZerosLike", import_like, 1, 1, 0}, {"OnesLike", import_like, 1, 1, 1},
    {"Range", import_range, 3, 3},
};

}  // namespace

std::span<const OpEntry> generating_ops() { return kRows; }

}  // namespace graft::frontend
