#include "ir/slice_spec.h"

#include <algorithm>

namespace graft::ir {

namespace {

bool has(int64_t mask, size_t bit) { return bit < 63 && ((mask >> bit) & 1) != 0; }

// begin or end as an index: negative counts from the end, then clamped to [lo, extent + hi_offset].
// in: extent.
Dim clamp_index(Dim v, Dim in, bool forward, DimTable& dims) {
  const Dim lo = forward ? 0 : -1;
  const Dim hi = forward ? in : dims.sub(in, 1);
  if (v.is_const() && v.value() < 0) {
    if (v.value() < -(int64_t{1} << 60)) return lo;
    v = dims.add(in, v);
  }
  return dims.min(dims.max(v, lo), hi);
}

Result<SliceAxis> resolve_axis(Dim in, bool begin_masked, bool end_masked, bool shrink, Dim begin,
                               Dim end, int64_t stride, size_t axis, DimTable& dims) {
  if (stride == 0) return invalid_graph("stride of axis " + std::to_string(axis) + " is 0");
  if (shrink) {
    if (stride < 0)
      return invalid_graph("axis " + std::to_string(axis) + " is indexed with a negative stride");
    Dim at = begin;  // the masks mean nothing for a shrunk axis, as in TensorFlow
    if (at.is_const() && in.is_const()) {
      const int64_t i = at.value() < 0 ? at.value() + in.value() : at.value();
      if (i < 0 || i >= in.value()) {
        return invalid_graph("index " + std::to_string(at.value()) + " of axis " +
                             std::to_string(axis) + " is out of bounds for extent " +
                             std::to_string(in.value()));
      }
      at = i;
    } else if (at.is_const() && at.value() < 0) {
      at = dims.add(in, at);
    }
    return SliceAxis{at, 1, 1};
  }
  const bool forward = stride > 0;
  SliceAxis a;
  a.stride = stride;
  a.begin =
      begin_masked ? (forward ? Dim(0) : dims.sub(in, 1)) : clamp_index(begin, in, forward, dims);
  const Dim last = end_masked ? (forward ? in : Dim(-1)) : clamp_index(end, in, forward, dims);
  const Dim span = forward ? dims.sub(last, a.begin) : dims.sub(a.begin, last);
  // |INT64_MIN| does not exist; such a stride takes one element like any other that is larger than
  // the axis.
  const int64_t step = forward ? stride : stride == INT64_MIN ? INT64_MAX : -stride;
  a.extent = dims.max(dims.ceil_div(span, step), 0);
  return a;
}

}  // namespace

Result<SliceSpec> resolve_strided_slice(const StridedSliceAttrs& attrs, std::span<const Dim> src,
                                        std::span<const Dim> begin, std::span<const Dim> end,
                                        std::span<const Dim> strides, DimTable& dims) {
  const size_t n = strides.size(), rank = src.size();
  if (begin.size() != n || end.size() != n)
    return invalid_graph("begin, end and strides differ in length");
  if (n > 32) return invalid_graph("more than 32 slice entries");
  size_t ellipsis = n;  // without one, it stands at the end
  size_t taken = 0;     // source axes that the entries name
  for (size_t i = 0; i < n; ++i) {
    if (has(attrs.ellipsis_mask, i)) {
      if (ellipsis != n) return invalid_graph("more than one ellipsis");
      ellipsis = i;
    } else if (!has(attrs.new_axis_mask, i)) {
      ++taken;
    }
  }
  if (taken > rank) {
    return invalid_graph("slices " + std::to_string(taken) + " axes of a tensor of rank " +
                         std::to_string(rank));
  }
  SliceSpec spec;
  spec.axes.reserve(rank);
  const auto whole_axes = [&](size_t count) {
    for (size_t k = 0; k < count; ++k) {
      const Dim in = src[spec.axes.size()];
      spec.dst_axes.push_back(static_cast<int>(spec.axes.size()));
      spec.dst_shape.push_back(in);
      spec.axes.push_back({0, 1, in});
    }
  };
  for (size_t i = 0; i < n; ++i) {
    if (i == ellipsis) {
      whole_axes(rank - taken);
    } else if (has(attrs.new_axis_mask, i)) {
      spec.dst_axes.push_back(SliceSpec::kNewAxis);
      spec.dst_shape.push_back(1);
    } else {
      if (!strides[i].is_const()) return invalid_graph("a stride depends on the input shape");
      const size_t axis = spec.axes.size();
      const bool shrink = has(attrs.shrink_axis_mask, i);
      GRAFT_ASSIGN_OR_RETURN(
          SliceAxis a, resolve_axis(src[axis], has(attrs.begin_mask, i), has(attrs.end_mask, i),
                                    shrink, begin[i], end[i], strides[i].value(), axis, dims));
      if (!shrink) {
        spec.dst_axes.push_back(static_cast<int>(axis));
        spec.dst_shape.push_back(a.extent);
      }
      spec.axes.push_back(a);
    }
  }
  whole_axes(rank - spec.axes.size());
  return spec;
}

}  // namespace graft::ir
