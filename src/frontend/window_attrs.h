// Attributes that convolution and pooling share: strides, dilations, ksize, padding and
// data_format, checked once.
#pragma once

#include "frontend/node_import.h"

namespace graft::frontend {

// "NHWC" or "NCHW"; others are invalid.
Result<bool> read_is_nchw(NodeImport& n);
// A 4-list in the node's layout -> {h, w}. Elements must be positive; the batch and channel
// elements must be 1 (refused otherwise, as TensorFlow's CPU kernels do).
Result<std::vector<int64_t>> read_hw(NodeImport& n, std::string_view attr, bool nchw,
                                     bool required);
Result<std::vector<int64_t>> check_hw(NodeImport& n, std::string_view what,
                                      const std::vector<int64_t>& list, bool nchw);
// padding and explicit_paddings; pads = {top, bottom, left, right}.
Status read_padding(NodeImport& n, bool nchw, ir::Padding& padding, std::vector<int64_t>& pads);

// src in NHWC: itself, or transposed from NCHW.
Result<ir::ValueId> to_nhwc(NodeImport& n, ir::ValueId src, bool nchw);
// The node's output from an NHWC value.
Status output_from_nhwc(NodeImport& n, ir::ValueId value, bool nchw);

}  // namespace graft::frontend
