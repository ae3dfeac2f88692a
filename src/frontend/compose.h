// What importers share that write one TensorFlow op as several IR ops: reshapes whose extents
// follow those of a tensor, slices with fixed ends, and masks of a matrix band.
#pragma once

#include <optional>
#include <vector>

#include "frontend/node_import.h"

namespace graft::frontend {

// An extent of a reshape: a number, or extent `axis` of another tensor * times / over, which must
// leave no remainder.
struct Extent {
  int64_t fixed = 0;
  int axis = -1;
  int64_t times = 1, over = 1;
  static Extent of(int axis, int64_t times = 1, int64_t over = 1) { return {0, axis, times, over}; }
  static Extent number(int64_t value) { return {value, -1, 1, 1}; }
};
// src as a tensor of the given extents, those with an axis taken from `like`.
Result<ir::ValueId> reshape_by(NodeImport& n, ir::ValueId src, ir::ValueId like,
                               const std::vector<Extent>& extents);

// One axis of a slice; absent: from the first, to the last element in the direction of stride.
struct AxisRange {
  std::optional<int64_t> begin, end;
  int64_t stride = 1;
};
// src[ranges], one range an axis.
Result<ir::ValueId> slice_by(NodeImport& n, ir::ValueId src, const std::vector<AxisRange>& ranges);

// Zeros around src, one {before, after} an axis; src itself where all are 0.
Result<ir::ValueId> pad_by(NodeImport& n, ir::ValueId src,
                           const std::vector<std::pair<int64_t, int64_t>>& pads);

// Extent `axis` of src as a scalar of `dtype` (int32 or int64) that the host knows.
Result<ir::ValueId> extent_scalar(NodeImport& n, ir::ValueId src, int axis, DType dtype);

// bool [rows, cols]: true where -lower <= column - row <= upper; a negative bound is none, and
// kNoValue stands for a mask that is true everywhere. rows and cols are scalars of int32.
Result<ir::ValueId> band_mask(NodeImport& n, ir::ValueId rows, ir::ValueId cols, int64_t lower,
                              int64_t upper);

}  // namespace graft::frontend
