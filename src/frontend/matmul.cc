// MatMul, _FusedMatMul and the BatchMatMul family.
#include "base/dtype.h"
#include "frontend/fused_ops.h"

namespace graft::frontend {

namespace {

bool has_kernel(DType t) { return is_floating(t) || t == DType::kInt32 || t == DType::kInt64; }

Status check_dtype(NodeImport& n) {
  if (has_kernel(n.dtype(0))) return ok_status();
  return n.refuse("dtype", "input 0 is " + dtype_name(n.dtype(0)) +
                               ", expected a floating dtype, int32 or int64");
}

Status import_matmul(NodeImport& n) {
  GRAFT_RETURN_IF_ERROR(n.check_type("T", {0, 1}));
  GRAFT_RETURN_IF_ERROR(check_dtype(n));
  n.ignore({"grad_a", "grad_b"});
  ir::MatMulAttrs attrs;
  GRAFT_ASSIGN_OR_RETURN(attrs.transpose_a, n.attr_bool("transpose_a", false));
  GRAFT_ASSIGN_OR_RETURN(attrs.transpose_b, n.attr_bool("transpose_b", false));
  for (size_t i = 0; i < 2; ++i) {
    if (n.rank(i) != 2)
      return n.invalid("input " + std::to_string(i) + " has rank " + std::to_string(n.rank(i)) +
                       ", expected 2");
  }
  if (n.node().op != "_FusedMatMul") return n.finish(attrs, {n.in(0), n.in(1)});
  GRAFT_ASSIGN_OR_RETURN(ir::ValueId dst, n.emit(attrs, {n.in(0), n.in(1)}));
  GRAFT_ASSIGN_OR_RETURN(dst, apply_fused_ops(n, dst, {.args = 2}));
  n.output(dst);
  return ok_status();
}

Status import_batch_matmul(NodeImport& n) {
  if (n.node().op == "BatchMatMulV3") {
    GRAFT_RETURN_IF_ERROR(n.check_type("Ta", {0}));
    GRAFT_RETURN_IF_ERROR(n.check_type("Tb", {1}));
    GRAFT_ASSIGN_OR_RETURN(const DType out, n.attr_type("Tout"));
    if (n.dtype(0) != n.dtype(1) || out != n.dtype(0))
      return n.refuse("dtype", "attributes 'Ta', 'Tb' and 'Tout' are " + dtype_name(n.dtype(0)) +
                                   ", " + dtype_name(n.dtype(1)) + " and " + dtype_name(out) +
                                   ", expected one dtype");
  } else {
    GRAFT_RETURN_IF_ERROR(n.check_type("T", {0, 1}));
  }
  GRAFT_RETURN_IF_ERROR(check_dtype(n));
  n.ignore({"grad_x", "grad_y"});
  ir::MatMulAttrs attrs;
  GRAFT_ASSIGN_OR_RETURN(attrs.transpose_a,
                         n.attr_bool("adj_x", false));  // real dtypes: adjoint = transpose
  GRAFT_ASSIGN_OR_RETURN(attrs.transpose_b, n.attr_bool("adj_y", false));
  for (size_t i = 0; i < 2; ++i) {
    if (n.rank(i) < 2)
      return n.invalid("input " + std::to_string(i) + " has rank " + std::to_string(n.rank(i)) +
                       ", expected 2 or more");
  }
  if (n.node().op == "BatchMatMul" && n.rank(0) != n.rank(1))
    return n.invalid("the inputs have ranks " + std::to_string(n.rank(0)) + " and " +
                     std::to_string(n.rank(1)) + ", expected the same");
  return n.finish(attrs, {n.in(0), n.in(1)});
}

constexpr OpEntry kRows[] = {
    {"MatMul", import_matmul, 2, 2},
    {"_FusedMatMul", import_matmul, 2, -1},
    {"BatchMatMul", import_batch_matmul, 2, 2},
    {"BatchMatMulV2", import_batch_matmul, 2, 2},
    {"BatchMatMulV3", import_batch_matmul, 2, 2},
};

}  // namespace

std::span<const OpEntry> matmul_ops() { return kRows; }

}  // namespace graft::frontend
