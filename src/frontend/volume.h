// What ops on volumes [N,D,H,W,C] share: attributes of five elements, and reshapes that make one
// axis of several and back, so that they become ops on images.
#pragma once

#include <array>

#include "frontend/node_import.h"

namespace graft::frontend {

// "NDHWC" or "NCDHW"; others are invalid.
Result<bool> read_is_ncdhw(NodeImport& n);
// A 5-list in the node's layout -> {d, h, w}, positive; the batch and channel elements must be 1
// (refused otherwise, as TensorFlow's CPU kernels do).
Result<std::array<int64_t, 3>> read_dhw(NodeImport& n, std::string_view attr, bool ncdhw,
                                        bool required);
// padding: SAME or VALID.
Result<ir::Padding> read_volume_padding(NodeImport& n);

// src in NDHWC: itself, or transposed from NCDHW.
Result<ir::ValueId> to_ndhwc(NodeImport& n, ir::ValueId src, bool ncdhw);
// The node's output from an NDHWC value.
Status output_from_ndhwc(NodeImport& n, ir::ValueId value, bool ncdhw);

// Extents first..last-1 of src as a host vector of int64; `product`: as its only element.
Result<ir::ValueId> extents_of(NodeImport& n, ir::ValueId src, int first, int last,
                               bool product = false);
// src with the shape that the parts, host vectors of int64, make together.
Result<ir::ValueId> reshape_to(NodeImport& n, ir::ValueId src,
                               const std::vector<ir::ValueId>& parts);

// Axes first and first + 1 of src as one.
Result<ir::ValueId> join_axes(NodeImport& n, ir::ValueId src, int first);
// Axis `axis` of src as two, of the extents of axes from and from + 1 of `like`.
Result<ir::ValueId> split_axis(NodeImport& n, ir::ValueId src, int axis, ir::ValueId like,
                               int from);

// The taps of a window along the depth of src [N,D,H,W,C], side by side in the channels:
// [N,OD,H,W,taps*C], element t * C + c of a position q is src[q * stride + t * dilation, c]. taps
// has passed check_depth_taps, which refuses more than kMaxDepthTaps.
constexpr int64_t kMaxDepthTaps = 32;
Status check_depth_taps(NodeImport& n, int64_t taps);
Result<ir::ValueId> depth_taps(NodeImport& n, ir::ValueId src, int64_t taps, int64_t stride,
                               int64_t dilation);

}  // namespace graft::frontend
