// Ops by index vectors, running sums and the largest elements: GatherNd, ScatterNd, TensorScatter*,
// Cumsum, Cumprod, TopK.
#include "base/dtype.h"
#include "base/log.h"
#include "frontend/node_import.h"

namespace graft::frontend {

namespace {

using ir::ScatterFn;

// An index outside is an error, as TensorFlow's CPU kernels have it by default.
Status check_policy(NodeImport& n) {
  GRAFT_ASSIGN_OR_RETURN(const std::string_view policy, n.attr_string("bad_indices_policy", ""));
  if (policy.empty() || policy == "DEFAULT" || policy == "ERROR") return ok_status();
  if (policy != "IGNORE")
    return n.invalid("attribute 'bad_indices_policy' is '" + printable(policy) +
                     "', expected DEFAULT, ERROR or IGNORE");
  return n.refuse("unsupported_attr",
                  "attribute 'bad_indices_policy' is IGNORE, expected DEFAULT or ERROR");
}

Status check_indices(NodeImport& n, size_t input) {
  GRAFT_RETURN_IF_ERROR(n.check_type("Tindices", {input}));
  if (n.dtype(input) == DType::kInt32 || n.dtype(input) == DType::kInt64) return ok_status();
  return n.refuse("dtype", "the indices (input " + std::to_string(input) + ") are " +
                               dtype_name(n.dtype(input)) + ", expected int32 or int64");
}

Status import_gather_nd(NodeImport& n) {
  GRAFT_RETURN_IF_ERROR(n.check_type("Tparams", {0}));
  GRAFT_RETURN_IF_ERROR(check_indices(n, 1));
  GRAFT_RETURN_IF_ERROR(check_policy(n));
  if (n.rank(0) < 1) return n.invalid("the params (input 0) are a scalar");
  return n.finish(ir::GatherNdAttrs{}, {n.in(0), n.in(1)});
}

Status check_arithmetic(NodeImport& n, size_t input, ScatterFn fn) {
  if (fn == ScatterFn::kReplace || n.dtype(input) != DType::kBool) return ok_status();
  return n.refuse("dtype", "input " + std::to_string(input) + " is bool, expected numbers");
}

// Sums of the updates in a tensor of zeros.
Status import_scatter_nd(NodeImport& n) {
  GRAFT_RETURN_IF_ERROR(check_indices(n, 0));
  GRAFT_RETURN_IF_ERROR(n.check_type("Tindices", {2}));
  GRAFT_RETURN_IF_ERROR(n.check_type("T", {1}));
  GRAFT_RETURN_IF_ERROR(check_policy(n));
  GRAFT_RETURN_IF_ERROR(check_arithmetic(n, 1, ScatterFn::kAdd));
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId zeros,
                         n.emit(ir::FillAttrs{}, {n.in(2), n.constant_scalar(0, n.dtype(1))}));
  return n.finish(ir::ScatterNdAttrs{ScatterFn::kAdd}, {zeros, n.in(0), n.in(1)});
}

Status import_tensor_scatter(NodeImport& n) {
  GRAFT_RETURN_IF_ERROR(n.check_type("T", {0, 2}));
  GRAFT_RETURN_IF_ERROR(check_indices(n, 1));
  GRAFT_RETURN_IF_ERROR(check_policy(n));
  const auto fn = static_cast<ScatterFn>(n.arg());
  GRAFT_RETURN_IF_ERROR(check_arithmetic(n, 0, fn));
  return n.finish(ir::ScatterNdAttrs{fn}, {n.in(0), n.in(1), n.in(2)});
}

Status import_scan(NodeImport& n) {
  GRAFT_RETURN_IF_ERROR(n.check_type("T", {0}));
  if (n.has_attr("Tidx")) GRAFT_RETURN_IF_ERROR(n.check_type("Tidx", {1}));
  if (n.dtype(0) == DType::kBool) return n.invalid("input 0 is bool, expected numbers");
  ir::ScanAttrs attrs;
  attrs.fn = static_cast<ir::ReduceFn>(n.arg());
  GRAFT_ASSIGN_OR_RETURN(attrs.exclusive, n.attr_bool("exclusive", false));
  GRAFT_ASSIGN_OR_RETURN(attrs.reverse, n.attr_bool("reverse", false));
  GRAFT_ASSIGN_OR_RETURN(attrs.axis, n.const_int(1, "axis"));
  GRAFT_ASSIGN_OR_RETURN(attrs.axis, n.axis(attrs.axis, n.rank(0), "the axis (input 1)"));
  return n.finish(attrs, {n.in(0)});
}

Status import_top_k(NodeImport& n) {
  GRAFT_RETURN_IF_ERROR(n.check_type("T", {0}));
  GRAFT_ASSIGN_OR_RETURN(const bool sorted, n.attr_bool("sorted", true));
  GRAFT_ASSIGN_OR_RETURN(const DType to, n.attr_type("index_type", DType::kInt32));
  if (n.rank(0) < 1) return n.invalid("input 0 is a scalar");
  if (!sorted)
    return n.refuse("unsupported_attr",
                    "attribute 'sorted' is false: the order of TensorFlow's answer is not defined");
  if (to != DType::kInt32 && to != DType::kInt64)
    return n.refuse("dtype",
                    "attribute 'index_type' is " + dtype_name(to) + ", expected int32 or int64");
  if (n.has_attr("Tk")) GRAFT_RETURN_IF_ERROR(n.check_type("Tk", {1}));
  if (n.dtype(1) == DType::kInt16) return n.refuse("dtype", "k (input 1) is int16");
  GRAFT_ASSIGN_OR_RETURN(const int64_t k, n.const_int(1, "k"));
  const ir::Dim columns = n.type(0).dims.back();
  if (k < 0 || (columns.is_const() && k > columns.value()))
    return n.invalid("k is " + std::to_string(k) + ", the last dimension of input 0 is " +
                     (columns.is_const() ? std::to_string(columns.value()) : "unknown"));
  GRAFT_ASSIGN_OR_RETURN(
      auto ids, n.emit_many(ir::TopKAttrs{to}, {n.in(0), n.constant_int(k, DType::kInt64)}, 2));
  for (ir::ValueId id : ids) n.output(id);
  return ok_status();
}

constexpr OpEntry scatter(std::string_view op, ScatterFn fn) {
  return {op, import_tensor_scatter, 3, 3, static_cast<int>(fn)};
}

constexpr OpEntry kRows[] = {
    {"GatherNd", import_gather_nd, 2, 2},
    {"ScatterNd", import_scatter_nd, 3, 3},
    scatter("TensorScatterUpdate", ScatterFn::kReplace),
    scatter("TensorScatterAdd", ScatterFn::kAdd),
    scatter("TensorScatterSub", ScatterFn::kSub),
    scatter("TensorScatterMax", ScatterFn::kMax),
    scatter("TensorScatterMin", ScatterFn::kMin),
    {"Cumsum", import_scan, 2, 2, static_cast<int>(ir::ReduceFn::kSum)},
    {"Cumprod", import_scan, 2, 2, static_cast<int>(ir::ReduceFn::kProd)},
    {"TopKV2", import_top_k, 2, 2},
};

}  // namespace

std::span<const OpEntry> indexed_ops() { return kRows; }

}  // namespace graft::frontend
