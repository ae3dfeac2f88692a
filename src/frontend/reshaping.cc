// Ops that change the shape or the order of dims only.
#include <algorithm>

#include "base/dtype.h"
#include "frontend/node_import.h"

namespace graft::frontend {

namespace {

Status check_index_type(NodeImport& n, std::string_view attr, size_t input) {
  if (n.has_attr(attr)) return n.check_type(attr, {input});
  if (n.dtype(input) == DType::kInt32 || n.dtype(input) == DType::kInt64) return ok_status();
  return n.invalid("input " + std::to_string(input) + " is " + dtype_name(n.dtype(input)) +
                   ", expected int32 or int64");
}

Status import_reshape(NodeImport& n) {
  GRAFT_RETURN_IF_ERROR(n.check_type("T", {0}));
  GRAFT_RETURN_IF_ERROR(check_index_type(n, "Tshape", 1));
  return n.finish(ir::ReshapeAttrs{}, {n.in(0), n.in(1)});
}

Status import_expand_dims(NodeImport& n) {
  GRAFT_RETURN_IF_ERROR(n.check_type("T", {0}));
  GRAFT_RETURN_IF_ERROR(check_index_type(n, "Tdim", 1));
  GRAFT_ASSIGN_OR_RETURN(int64_t axis, n.const_int(1, "dim"));
  GRAFT_ASSIGN_OR_RETURN(axis, n.axis(axis, n.rank(0) + 1, "the dimension"));
  return n.finish(ir::ExpandDimsAttrs{axis}, {n.in(0)});
}

Status import_squeeze(NodeImport& n) {
  GRAFT_RETURN_IF_ERROR(n.check_type("T", {0}));
  const char* name = n.has_attr("axis") ? "axis" : "squeeze_dims";
  GRAFT_ASSIGN_OR_RETURN(std::vector<int64_t> axes, n.attr_ints(name, std::vector<int64_t>{}));
  if (axes.empty()) {  // every dim that is 1
    for (int i = 0; i < n.rank(0); ++i) {
      const ir::Dim d = n.type(0).dims[static_cast<size_t>(i)];
      if (!d.is_const())
        return n.refuse("rank", "attribute 'squeeze_dims' is empty and dimension " +
                                    std::to_string(i) + " of input 0 is not known");
      if (d == ir::Dim(1)) axes.push_back(i);
    }
  }
  for (int64_t& a : axes) {
    GRAFT_ASSIGN_OR_RETURN(a, n.axis(a, n.rank(0), "an element of 'squeeze_dims'"));
    const ir::Dim d = n.type(0).dims[static_cast<size_t>(a)];
    if (d.is_const() && d != ir::Dim(1))
      return n.invalid("dimension " + std::to_string(a) + " of input 0 is " +
                       std::to_string(d.value()) + ", expected 1");
  }
  std::sort(axes.begin(), axes.end());
  axes.erase(std::unique(axes.begin(), axes.end()), axes.end());
  if (axes.empty()) {
    n.output(n.in(0));
    return ok_status();
  }
  return n.finish(ir::SqueezeAttrs{axes}, {n.in(0)});
}

Status import_transpose(NodeImport& n) {
  GRAFT_RETURN_IF_ERROR(n.check_type("T", {0}));
  GRAFT_RETURN_IF_ERROR(check_index_type(n, "Tperm", 1));
  GRAFT_ASSIGN_OR_RETURN(std::vector<int64_t> perm, n.const_ints(1, "perm"));
  if (perm.size() != static_cast<size_t>(n.rank(0)))
    return n.invalid("the permutation (input 1) has " + std::to_string(perm.size()) +
                     " elements, input 0 has rank " + std::to_string(n.rank(0)));
  for (int64_t& p : perm) {
    GRAFT_ASSIGN_OR_RETURN(p, n.axis(p, n.rank(0), "an element of the permutation"));
  }
  std::vector<int64_t> sorted = perm;
  std::sort(sorted.begin(), sorted.end());
  if (std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end())
    return n.invalid("the permutation (input 1) names a dimension twice");
  if (std::is_sorted(perm.begin(), perm.end())) {
    n.output(n.in(0));
    return ok_status();
  }
  return n.finish(ir::TransposeAttrs{perm}, {n.in(0)});
}

Status import_tile(NodeImport& n) {
  GRAFT_RETURN_IF_ERROR(n.check_type("T", {0}));
  GRAFT_RETURN_IF_ERROR(check_index_type(n, "Tmultiples", 1));
  return n.finish(ir::TileAttrs{}, {n.in(0), n.in(1)});
}

Status import_broadcast_to(NodeImport& n) {
  GRAFT_RETURN_IF_ERROR(n.check_type("T", {0}));
  GRAFT_RETURN_IF_ERROR(check_index_type(n, "Tidx", 1));
  return n.finish(ir::BroadcastToAttrs{}, {n.in(0), n.in(1)});
}

constexpr OpEntry kRows[] = {
    {"Reshape", import_reshape, 2, 2}, {"ExpandDims", import_expand_dims, 2, 2},
    {"Squeeze", import_squeeze, 1, 1}, {"Transpose", import_transpose, 2, 2},
    {"Tile", import_tile, 2, 2},       {"BroadcastTo", import_broadcast_to, 2, 2},
};

}  // namespace

std::span<const OpEntry> reshaping_ops() { return kRows; }

}  // namespace graft::frontend
