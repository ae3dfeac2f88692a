// MaxPool3D and AvgPool3D: a pool over the images [N*D,H,W,C], then one along the depth of
// [N,D,H*W,C]. An average of averages over whole columns is the average: the windows that the
// border cuts off are cut off alike for all.
#include "base/dtype.h"
#include "frontend/volume.h"

namespace graft::frontend {

namespace {

Status import_pool3d(NodeImport& n) {
  GRAFT_RETURN_IF_ERROR(n.check_type("T", {0}));
  GRAFT_RETURN_IF_ERROR(n.require_floating(0));
  GRAFT_ASSIGN_OR_RETURN(const bool ncdhw, read_is_ncdhw(n));
  GRAFT_ASSIGN_OR_RETURN(const auto ksize, read_dhw(n, "ksize", ncdhw, true));
  GRAFT_ASSIGN_OR_RETURN(const auto strides, read_dhw(n, "strides", ncdhw, true));
  ir::PoolAttrs images, columns;
  images.fn = columns.fn = static_cast<ir::PoolFn>(n.arg());
  GRAFT_ASSIGN_OR_RETURN(images.padding, read_volume_padding(n));
  columns.padding = images.padding;
  images.ksize = {ksize[1], ksize[2]};
  images.strides = {strides[1], strides[2]};
  columns.ksize = {ksize[0], 1};
  columns.strides = {strides[0], 1};
  if (n.rank(0) != 5)
    return n.invalid("input 0 has rank " + std::to_string(n.rank(0)) + ", expected 5");
  GRAFT_ASSIGN_OR_RETURN(ir::ValueId y, to_ndhwc(n, n.in(0), ncdhw));
  const std::vector<int64_t> one{1, 1};
  if (images.ksize != one || images.strides != one) {
    const ir::ValueId src = y;
    GRAFT_ASSIGN_OR_RETURN(y, join_axes(n, src, 0));
    GRAFT_ASSIGN_OR_RETURN(y, n.emit(images, {y}));
    GRAFT_ASSIGN_OR_RETURN(y, split_axis(n, y, 0, src, 0));
  }
  if (columns.ksize != one || columns.strides != one) {
    const ir::ValueId src = y;
    GRAFT_ASSIGN_OR_RETURN(y, join_axes(n, src, 2));
    GRAFT_ASSIGN_OR_RETURN(y, n.emit(columns, {y}));
    GRAFT_ASSIGN_OR_RETURN(y, split_axis(n, y, 2, src, 2));
  }
  return output_from_ndhwc(n, y, ncdhw);
}

constexpr OpEntry kRows[] = {
    {"MaxPool3D", import_pool3d, 1, 1, static_cast<int>(ir::PoolFn::kMax)},
    {"AvgPool3D", import_pool3d, 1, 1, static_cast<int>(ir::PoolFn::kAvg)},
};

}  // namespace

std::span<const OpEntry> volume_pooling_ops() { return kRows; }

}  // namespace graft::frontend
