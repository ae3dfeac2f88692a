// Ops on images: resizing, and moving blocks between space and depth.
#include "base/dtype.h"
#include "frontend/window_attrs.h"

namespace graft::frontend {

namespace {

// The result of all but the nearest neighbour is float32 whatever the source.
enum Resize { kNearest, kBilinear, kBicubic, kArea };

Status import_resize(NodeImport& n) {
  GRAFT_RETURN_IF_ERROR(n.check_type("T", {0}));
  ir::ResizeAttrs attrs;
  attrs.bilinear = n.arg() != kNearest;
  if (n.arg() == kBicubic) attrs.method = ir::ResizeMethod::kBicubic;
  if (n.arg() == kArea) attrs.method = ir::ResizeMethod::kArea;
  GRAFT_ASSIGN_OR_RETURN(attrs.align_corners, n.attr_bool("align_corners", false));
  if (n.arg() != kArea) {
    GRAFT_ASSIGN_OR_RETURN(attrs.half_pixel_centers, n.attr_bool("half_pixel_centers", false));
  }
  if (attrs.align_corners && attrs.half_pixel_centers)
    return n.invalid("attributes 'align_corners' and 'half_pixel_centers' are both true");
  if (n.rank(0) != 4)
    return n.invalid("input 0 has rank " + std::to_string(n.rank(0)) + ", expected 4");
  if (n.dtype(1) != DType::kInt32)
    return n.invalid("the size (input 1) is " + dtype_name(n.dtype(1)) + ", expected int32");
  ir::ValueId src = n.in(0);
  if (attrs.bilinear) {
    GRAFT_ASSIGN_OR_RETURN(src, n.cast(src, DType::kFloat));
  }
  return n.finish(attrs, {src, n.in(1)});
}

// arg 1: SpaceToDepth.
Status import_depth_to_space(NodeImport& n) {
  GRAFT_RETURN_IF_ERROR(n.check_type("T", {0}));
  GRAFT_ASSIGN_OR_RETURN(const bool nchw, read_is_nchw(n));
  ir::DepthToSpaceAttrs attrs;
  attrs.inverse = n.arg() == 1;
  GRAFT_ASSIGN_OR_RETURN(attrs.block, n.attr_int("block_size"));
  if (attrs.block < 2 || attrs.block > (1 << 15))
    return n.invalid("attribute 'block_size' is " + std::to_string(attrs.block) +
                     ", expected 2 to 32768");
  if (n.rank(0) != 4)
    return n.invalid("input 0 has rank " + std::to_string(n.rank(0)) + ", expected 4");
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId src, to_nhwc(n, n.in(0), nchw));
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId dst, n.emit(attrs, {src}));
  return output_from_nhwc(n, dst, nchw);
}

constexpr OpEntry kRows[] = {
    {"ResizeBilinear", import_resize, 2, 2, kBilinear},
    {"ResizeNearestNeighbor", import_resize, 2, 2, kNearest},
    {"ResizeBicubic", import_resize, 2, 2, kBicubic},
    {"ResizeArea", import_resize, 2, 2, kArea},
    {"DepthToSpace", import_depth_to_space, 1, 1, 0},
    {"SpaceToDepth", import_depth_to_space, 1, 1, 1},
};

}  // namespace

std::span<const OpEntry> image_ops() { return kRows; }

}  // namespace graft::frontend
