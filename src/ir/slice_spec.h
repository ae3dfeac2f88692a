// TensorFlow's StridedSlice semantics, resolved: masks, ellipsis, negative indices and clamping
// become one plain range per source axis. Shared by inference and by the kernels of every backend;
// the reference evaluator has its own.
#pragma once

#include <span>
#include <vector>

#include "base/status.h"
#include "ir/attrs.h"
#include "ir/dim.h"

namespace graft::ir {

struct SliceAxis {
  Dim begin = 0;       // first element taken
  int64_t stride = 1;  // step, not 0; elements are begin, begin + stride, ...
  Dim extent = 0;      // number of elements taken; 1 for a shrunk axis
};

struct SliceSpec {
  std::vector<SliceAxis> axes;  // one a source axis
  // The destination's axes in order: >= 0 a source axis, kNewAxis an axis of extent 1. Shrunk axes
  // are absent.
  static constexpr int kNewAxis = -1;
  std::vector<int> dst_axes;
  std::vector<Dim> dst_shape;
};

// begin and end may be symbolic (then taken as non-negative, since they come from shapes), strides
// are constants. All three have one length. InvalidGraph with the broken rule; constant operands
// with constant dims give constants.
Result<SliceSpec> resolve_strided_slice(const StridedSliceAttrs& attrs, std::span<const Dim> src,
                                        std::span<const Dim> begin, std::span<const Dim> end,
                                        std::span<const Dim> strides, DimTable& dims);

}  // namespace graft::ir
