// Reductions and arg reductions over constant axes.
#include <algorithm>

#include "base/dtype.h"
#include "frontend/node_import.h"

namespace graft::frontend {

namespace {

using ir::ReduceFn;

Status import_reduce(NodeImport& n) {
  const auto fn = static_cast<ReduceFn>(n.arg());
  if (fn == ReduceFn::kAll || fn == ReduceFn::kAny) {
    if (n.dtype(0) != DType::kBool)
      return n.invalid("input 0 is " + dtype_name(n.dtype(0)) + ", expected bool");
  } else {
    GRAFT_RETURN_IF_ERROR(n.check_type("T", {0}));
    if (n.dtype(0) == DType::kBool) return n.refuse("dtype", "input 0 is bool, expected numbers");
  }
  if (n.has_attr("Tidx")) GRAFT_RETURN_IF_ERROR(n.check_type("Tidx", {1}));
  GRAFT_ASSIGN_OR_RETURN(const bool keep_dims, n.attr_bool("keep_dims", false));
  GRAFT_ASSIGN_OR_RETURN(std::vector<int64_t> axes, n.const_ints(1, "reduction_indices"));
  for (int64_t& a : axes) {
    GRAFT_ASSIGN_OR_RETURN(a, n.axis(a, n.rank(0), "a reduction index"));
  }
  std::sort(axes.begin(), axes.end());
  if (std::adjacent_find(axes.begin(), axes.end()) != axes.end())
    return n.invalid("the reduction indices (input 1) name an axis twice");
  if (axes.empty()) {  // reduces over nothing: the input itself
    n.output(n.in(0));
    return ok_status();
  }
  return n.finish(ir::ReduceAttrs{fn, axes, keep_dims}, {n.in(0)});
}

Status import_arg_reduce(NodeImport& n) {
  GRAFT_RETURN_IF_ERROR(n.check_type("T", {0}));
  if (n.has_attr("Tidx")) GRAFT_RETURN_IF_ERROR(n.check_type("Tidx", {1}));
  GRAFT_ASSIGN_OR_RETURN(const DType to, n.attr_type("output_type", DType::kInt64));
  if (to != DType::kInt32 && to != DType::kInt64)
    return n.refuse("dtype",
                    "attribute 'output_type' is " + dtype_name(to) + ", expected int32 or int64");
  GRAFT_ASSIGN_OR_RETURN(int64_t axis, n.const_int(1, "dimension"));
  GRAFT_ASSIGN_OR_RETURN(axis, n.axis(axis, n.rank(0), "the dimension"));
  return n.finish(ir::ArgReduceAttrs{n.arg() != 0, axis, to}, {n.in(0)});
}

constexpr OpEntry row(std::string_view op, ReduceFn fn) {
  return {op, import_reduce, 2, 2, static_cast<int>(fn)};
}

constexpr OpEntry kRows[] = {
    row("Sum", ReduceFn::kSum),
    row("Mean", ReduceFn::kMean),
    row("Max", ReduceFn::kMax),
    row("Min", ReduceFn::kMin),
    row("Prod", ReduceFn::kProd),
    row("All", ReduceFn::kAll),
    row("Any", ReduceFn::kAny),
    {"ArgMax", import_arg_reduce, 2, 2, 1},
    {"ArgMin", import_arg_reduce, 2, 2, 0},
};

}  // namespace

std::span<const OpEntry> reduction_ops() { return kRows; }

}  // namespace graft::frontend
