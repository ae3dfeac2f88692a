// strided_slice, slice, pad.
#include <algorithm>

#include "reference/values.h"

namespace graft::reference {

namespace {

bool bit(int64_t mask, size_t i) { return i < 63 && (mask >> i & 1) != 0; }

}  // namespace

Status evaluate_strided_slice(const Call& c) {
  const auto& a = c.op.as<ir::StridedSliceAttrs>();
  const std::vector<int64_t> begin = ints(c.in[1]), end = ints(c.in[2]), step = ints(c.in[3]);
  const std::span<const int64_t> in = c.in[0].dims;
  const Dims strides = strides_of(in);
  size_t named = 0;
  for (size_t i = 0; i < step.size(); ++i)
    named += !bit(a.ellipsis_mask, i) && !bit(a.new_axis_mask, i);
  if (named > in.size()) return c.fail("slices more axes than src has");

  int64_t start = 0;
  size_t axis = 0, o = 0;
  Dims out_strides{};
  const auto whole = [&] {
    out_strides[o++] = strides[axis];
    ++axis;
  };
  for (size_t i = 0; i < step.size(); ++i) {
    if (bit(a.ellipsis_mask, i)) {
      for (size_t k = named; k < in.size(); ++k) whole();
      continue;
    }
    if (bit(a.new_axis_mask, i)) {
      out_strides[o++] = 0;
      continue;
    }
    const int64_t n = in[axis];
    if (step[i] == 0) return c.fail("stride " + std::to_string(i) + " is 0");
    int64_t b = begin[i];
    if (bit(a.shrink_axis_mask, i)) {
      if (b < 0) b += n;
      if (b < 0 || b >= n) return c.fail("index " + std::to_string(begin[i]) + " is out of bounds");
      start += b * strides[axis++];
      continue;
    }
    // First element, clamped into the axis; the number of elements is the output's extent.
    if (bit(a.begin_mask, i)) {
      b = step[i] > 0 ? 0 : n - 1;
    } else {
      if (b < 0) b = b < -n ? -1 : b + n;
      b = step[i] > 0 ? std::clamp<int64_t>(b, 0, n) : std::clamp<int64_t>(b, -1, n - 1);
    }
    const int64_t taken = c.out[0].dims[o];
    if (taken > 1 && (step[i] > n || step[i] < -n))
      return internal_error("slice extent of '" + c.op.name + "'");
    if (taken > 0 && (b < 0 || b + (taken - 1) * step[i] < 0 || b + (taken - 1) * step[i] >= n))
      return internal_error("slice extent of '" + c.op.name + "'");
    out_strides[o++] = taken > 1 ? step[i] * strides[axis] : 0;
    if (taken > 0) start += b * strides[axis];
    ++axis;
  }
  while (axis < in.size()) whole();
  walk(c.out[0].dims, out_strides, start,
       [&](int64_t i, int64_t k) { copy_element(c.out[0], i, c.in[0], k); });
  return ok_status();
}

Status evaluate_slice(const Call& c) {
  const std::vector<int64_t> begin = ints(c.in[1]);
  const Dims strides = strides_of(c.in[0].dims);
  int64_t start = 0;
  for (size_t d = 0; d < begin.size(); ++d) {
    if (begin[d] < 0 || begin[d] > c.in[0].dims[d] - c.out[0].dims[d])
      return c.fail("begin " + std::to_string(begin[d]) + " is out of bounds");
    start += begin[d] * strides[d];
  }
  walk(c.out[0].dims, strides, start,
       [&](int64_t i, int64_t k) { copy_element(c.out[0], i, c.in[0], k); });
  return ok_status();
}

Status evaluate_pad(const Call& c) {
  const ir::PadMode mode = c.op.as<ir::PadAttrs>().mode;
  const std::vector<int64_t> pads = ints(c.in[1]);
  const std::span<const int64_t> in = c.in[0].dims, out = c.out[0].dims;
  const Dims strides = strides_of(in), rows = strides_of(out);
  const uint64_t zero = 0;
  const ConstTensor value = c.in.size() == 3 ? c.in[2] : ConstTensor{c.in[0].dtype, {}, &zero};
  for (int64_t i = 0; i < elems(out); ++i) {
    int64_t o = 0;
    bool inside = true;
    for (size_t d = 0; d < in.size(); ++d) {
      int64_t k = i / rows[d] % out[d] - pads[2 * d];
      if (mode == ir::PadMode::kConstant) {
        inside = inside && k >= 0 && k < in[d];
      } else {
        const int64_t edge = mode == ir::PadMode::kReflect ? 0 : 1;  // symmetric repeats the border
        if (k < 0) k = -k - edge;
        if (k >= in[d]) k = 2 * in[d] - 2 + edge - k;
        if (k < 0 || k >= in[d]) return c.fail("padding is too large to mirror");
      }
      o += k * strides[d];
    }
    if (inside)
      copy_element(c.out[0], i, c.in[0], o);
    else
      copy_element(c.out[0], i, value, 0);
  }
  return ok_status();
}

}  // namespace graft::reference
