// The transposed convolution of images as convolutions of stride 1, for the 2-D and the 3-D op.
#pragma once

#include "frontend/compose.h"

namespace graft::frontend {

// How one axis becomes `stride` phases of `taps` taps each.
struct PhaseAxis {
  int64_t kernel = 1, stride = 1, taps = 1;
  int64_t lead = 0, trail = 0;          // padding of the convolution
  int64_t cut_front = 0, cut_back = 0;  // rows of the phases that are not in the result
};

// Fills in the rest of `a` from its kernel and stride. src and dst: extents of out_backprop and of
// the result. dst must be stride * src and a number.
Status plan_axis(NodeImport& n, const char* what, ir::Dim src, ir::Dim dst, ir::Padding padding,
                 int64_t pad_before, int64_t pad_after, PhaseAxis& a);
// The rows of the phases that are in the result.
AxisRange kept_rows(const PhaseAxis& a);

// x [N,H,W,src_channels] and filter [KH,KW,dst_channels,src_channels] -> the result in NHWC.
Result<ir::ValueId> transposed_images(NodeImport& n, ir::ValueId x, ir::ValueId filter,
                                      const PhaseAxis& h, const PhaseAxis& w, int64_t dst_channels,
                                      int64_t src_channels);

}  // namespace graft::frontend
