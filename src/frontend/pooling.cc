// MaxPool, AvgPool, MaxPoolWithArgmax and Dilation2D over two spatial dimensions.
#include "base/dtype.h"
#include "frontend/window_attrs.h"

namespace graft::frontend {

namespace {

Status finish_pool(NodeImport& n, ir::PoolAttrs attrs, bool nchw) {
  if (n.rank(0) != 4)
    return n.invalid("input 0 has rank " + std::to_string(n.rank(0)) + ", expected 4");
  GRAFT_RETURN_IF_ERROR(n.require_floating(0));
  if (attrs.padding == ir::Padding::kExplicit) {
    for (size_t i = 0; i < 4; ++i) {
      if (attrs.pads[i] >= attrs.ksize[i / 2])
        return n.invalid("attribute 'explicit_paddings' pads " + std::to_string(attrs.pads[i]) +
                         ", expected less than the window's " + std::to_string(attrs.ksize[i / 2]));
    }
  }
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId src, to_nhwc(n, n.in(0), nchw));
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId dst, n.emit(attrs, {src}));
  return output_from_nhwc(n, dst, nchw);
}

Status import_pool(NodeImport& n) {
  GRAFT_RETURN_IF_ERROR(n.check_type("T", {0}, DType::kFloat));
  GRAFT_ASSIGN_OR_RETURN(const bool nchw, read_is_nchw(n));
  ir::PoolAttrs attrs;
  attrs.fn = static_cast<ir::PoolFn>(n.arg());
  GRAFT_ASSIGN_OR_RETURN(attrs.ksize, read_hw(n, "ksize", nchw, true));
  GRAFT_ASSIGN_OR_RETURN(attrs.strides, read_hw(n, "strides", nchw, true));
  GRAFT_RETURN_IF_ERROR(read_padding(n, nchw, attrs.padding, attrs.pads));
  return finish_pool(n, attrs, nchw);
}

// ksize and strides are inputs.
Status import_max_pool_v2(NodeImport& n) {
  GRAFT_RETURN_IF_ERROR(n.check_type("T", {0}, DType::kFloat));
  GRAFT_ASSIGN_OR_RETURN(const bool nchw, read_is_nchw(n));
  ir::PoolAttrs attrs;
  GRAFT_ASSIGN_OR_RETURN(const std::vector<int64_t> ksize, n.const_ints(1, "ksize"));
  GRAFT_ASSIGN_OR_RETURN(const std::vector<int64_t> strides, n.const_ints(2, "strides"));
  GRAFT_ASSIGN_OR_RETURN(attrs.ksize, check_hw(n, "ksize", ksize, nchw));
  GRAFT_ASSIGN_OR_RETURN(attrs.strides, check_hw(n, "strides", strides, nchw));
  GRAFT_RETURN_IF_ERROR(read_padding(n, nchw, attrs.padding, attrs.pads));
  return finish_pool(n, attrs, nchw);
}

Status import_max_pool_with_argmax(NodeImport& n) {
  GRAFT_RETURN_IF_ERROR(n.check_type("T", {0}));
  if (n.dtype(0) == DType::kBool) return n.invalid("input 0 is bool, expected numbers");
  ir::PoolArgmaxAttrs attrs;
  GRAFT_ASSIGN_OR_RETURN(attrs.ksize, read_hw(n, "ksize", false, true));
  GRAFT_ASSIGN_OR_RETURN(attrs.strides, read_hw(n, "strides", false, true));
  std::vector<int64_t> pads;
  GRAFT_RETURN_IF_ERROR(read_padding(n, false, attrs.padding, pads));
  if (attrs.padding == ir::Padding::kExplicit)
    return n.invalid("attribute 'padding' is 'EXPLICIT', expected SAME or VALID");
  GRAFT_ASSIGN_OR_RETURN(attrs.include_batch, n.attr_bool("include_batch_in_index", false));
  GRAFT_ASSIGN_OR_RETURN(attrs.to, n.attr_type("Targmax", DType::kInt64));
  if (attrs.to != DType::kInt32 && attrs.to != DType::kInt64)
    return n.invalid("attribute 'Targmax' is " + dtype_name(attrs.to) +
                     ", expected int32 or int64");
  if (n.rank(0) != 4)
    return n.invalid("input 0 has rank " + std::to_string(n.rank(0)) + ", expected 4");
  GRAFT_ASSIGN_OR_RETURN(const auto ids, n.emit_many(attrs, {n.in(0)}, 2));
  for (ir::ValueId id : ids) n.output(id);
  return ok_status();
}

Status import_dilation(NodeImport& n) {
  GRAFT_RETURN_IF_ERROR(n.check_type("T", {0, 1}));
  if (n.dtype(0) == DType::kBool) return n.invalid("input 0 is bool, expected numbers");
  ir::Dilation2DAttrs attrs;
  GRAFT_ASSIGN_OR_RETURN(attrs.strides, read_hw(n, "strides", false, true));
  GRAFT_ASSIGN_OR_RETURN(attrs.rates, read_hw(n, "rates", false, true));
  std::vector<int64_t> pads;
  GRAFT_RETURN_IF_ERROR(read_padding(n, false, attrs.padding, pads));
  if (attrs.padding == ir::Padding::kExplicit)
    return n.invalid("attribute 'padding' is 'EXPLICIT', expected SAME or VALID");
  if (n.rank(0) != 4 || n.rank(1) != 3)
    return n.invalid("input 0 has rank " + std::to_string(n.rank(0)) + " and input 1 rank " +
                     std::to_string(n.rank(1)) + ", expected 4 and 3");
  for (ir::Dim d : n.type(1).dims) {
    if (d == ir::Dim(0))
      return n.refuse("shape", "the filter (input 1) has no elements");  // TensorFlow takes it
  }
  return n.finish(attrs, {n.in(0), n.in(1)});
}

constexpr OpEntry kRows[] = {
    {"MaxPool", import_pool, 1, 1, static_cast<int>(ir::PoolFn::kMax)},
    {"AvgPool", import_pool, 1, 1, static_cast<int>(ir::PoolFn::kAvg)},
    {"MaxPoolV2", import_max_pool_v2, 3, 3},
    {"MaxPoolWithArgmax", import_max_pool_with_argmax, 1, 1},
    {"Dilation2D", import_dilation, 2, 2},
};

}  // namespace

std::span<const OpEntry> pooling_ops() { return kRows; }

}  // namespace graft::frontend
