// Conv2DBackpropInput: the transposed convolution, as one convolution of stride 1 whose output
// channels are the stride_h * stride_w phases of the result, then depth_to_space and a slice.
//
// Along an axis with kernel K, stride S, T = ceil(K / S) taps a phase and `before` rows of padding
// in front, row i of the result is row i + before = q * S + r of the padded one, and
//   padded[q * S + r] = sum over t < T of src[q - t] * filter[r + S * t]
// so phase r is a convolution with taps in falling order; rows q outside of the result are not
// computed. Where the stride does not divide the kernel, phases differ in their taps: a convolution
// each, since a common one would multiply by zeros, which makes NaN of infinity. Phases from K on
// have no tap and are 0.
#include "frontend/transposed_conv.h"

#include <algorithm>

#include "base/checked.h"
#include "frontend/window_attrs.h"

namespace graft::frontend {

namespace {

int64_t floor_divide(int64_t a, int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

}  // namespace

Status plan_axis(NodeImport& n, const char* what, ir::Dim src, ir::Dim dst, ir::Padding padding,
                 int64_t pad_before, int64_t pad_after, PhaseAxis& a) {
  ir::DimTable& dims = n.network().dims;
  const ir::Dim more = dims.sub(dst, dims.mul(src, a.stride));
  const std::string name(what);
  if (src == ir::Dim(0)) return n.refuse("shape", "the " + name + " of out_backprop is 0");
  if (!more.is_const())
    return n.refuse("shape", "the " + name +
                                 " of the result (input_sizes) is not known to be that "
                                 "of out_backprop times the stride, and a number");
  const int64_t extra = more.value();
  if (extra < -INT32_MAX || extra > INT32_MAX)
    return n.invalid("the " + name + " of input_sizes does not fit out_backprop");
  if (padding == ir::Padding::kSame) {
    const int64_t total = std::max<int64_t>(a.kernel - a.stride - extra, 0);
    pad_before = total / 2;
    pad_after = total - pad_before;
    if (extra > 0 || extra <= -a.stride)
      return n.invalid("the " + name + " of input_sizes does not fit out_backprop");
  } else {
    // The forward convolution has floor((dst + pads - kernel) / stride) + 1 rows.
    const int64_t left = extra + pad_before + pad_after - a.kernel;
    if (floor_divide(left, a.stride) != -1)
      return n.invalid("the " + name + " of input_sizes does not fit out_backprop");
  }
  a.taps = (a.kernel + a.stride - 1) / a.stride;
  const int64_t first = std::min(pad_before / a.stride, a.taps - 1);
  a.lead = a.taps - 1 - first;
  a.trail = std::max<int64_t>(floor_divide(pad_before + extra - 1, a.stride) + 1, 0);
  a.cut_front = pad_before - first * a.stride;
  // Rows computed less rows wanted; src cancels.
  a.cut_back = (a.lead + a.trail - a.taps + 1) * a.stride - extra - a.cut_front;
  return ok_status();
}

AxisRange kept_rows(const PhaseAxis& a) {
  AxisRange r;
  if (a.cut_front > 0) r.begin = a.cut_front;
  if (a.cut_back > 0) r.end = -a.cut_back;
  return r;
}

namespace {

int64_t phases_of(const PhaseAxis& a) { return std::min(a.kernel, a.stride); }

// filter [KH, KW, C, K] as weights [TH, TW, K, SH * SW * C] of the phases (K for S where it is
// less), each axis being a whole number of them.
Result<ir::ValueId> phase_weights(NodeImport& n, ir::ValueId filter, const PhaseAxis& h,
                                  const PhaseAxis& w, int64_t dst_channels, int64_t src_channels) {
  GRAFT_ASSIGN_OR_RETURN(
      ir::ValueId v,
      n.reshape(filter, {h.taps, phases_of(h), w.taps, phases_of(w), dst_channels, src_channels}));
  if (h.taps > 1 || w.taps > 1) {
    const AxisRange reversed{{}, {}, -1};
    GRAFT_ASSIGN_OR_RETURN(v, slice_by(n, v, {reversed, {}, reversed, {}, {}, {}}));
  }
  GRAFT_ASSIGN_OR_RETURN(v, n.transpose(v, {0, 2, 5, 1, 3, 4}));
  return n.reshape(v, {h.taps, w.taps, src_channels, phases_of(h) * phases_of(w) * dst_channels});
}

// [N, H, W, the phases with taps * C] -> [N, H, W, SH * SW * C]
Result<ir::ValueId> with_empty_phases(NodeImport& n, ir::ValueId v, const PhaseAxis& h,
                                      const PhaseAxis& w, int64_t c) {
  const int64_t rows = phases_of(h), columns = phases_of(w);
  if (rows == h.stride && columns == w.stride) return v;
  const auto number = Extent::number;
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId split,
                         reshape_by(n, v, v,
                                    {Extent::of(0), Extent::of(1), Extent::of(2), number(rows),
                                     number(columns), number(c)}));
  GRAFT_ASSIGN_OR_RETURN(
      const ir::ValueId padded,
      pad_by(n, split,
             {{0, 0}, {0, 0}, {0, 0}, {0, h.stride - rows}, {0, w.stride - columns}, {0, 0}}));
  return reshape_by(n, padded, v,
                    {Extent::of(0), Extent::of(1), Extent::of(2), number(h.stride * w.stride * c)});
}

// [N, H, W, SH * SW * C] -> [N, H * SH, W * SW, C]
Result<ir::ValueId> join_phases(NodeImport& n, ir::ValueId v, int64_t sh, int64_t sw, int64_t c) {
  if (sh == 1 && sw == 1) return v;
  if (sh == sw) return n.emit(ir::DepthToSpaceAttrs{sh, false}, {v});
  const auto number = Extent::number;
  GRAFT_ASSIGN_OR_RETURN(
      const ir::ValueId split,
      reshape_by(n, v, v,
                 {Extent::of(0), Extent::of(1), Extent::of(2), number(sh), number(sw), number(c)}));
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId moved, n.transpose(split, {0, 1, 3, 2, 4, 5}));
  return reshape_by(n, moved, v, {Extent::of(0), Extent::of(1, sh), Extent::of(2, sw), number(c)});
}

// Taps of phase r, and the range of the filter that they are, in falling order.
int64_t taps_of(const PhaseAxis& a, int64_t r) { return (a.kernel - r + a.stride - 1) / a.stride; }
AxisRange falling(const PhaseAxis& a, int64_t r) {
  return {r + a.stride * (taps_of(a, r) - 1), {}, -a.stride};
}

bool has_uneven_phases(const PhaseAxis& a) {
  return a.kernel > a.stride && a.kernel % a.stride != 0;
}

constexpr int64_t kMaxConvolutions = 64;

// Padding in front of phase r's convolution; -1: without the first row.
int64_t lead_of(const PhaseAxis& a, int64_t r) { return a.lead - a.taps + taps_of(a, r); }
AxisRange rows_of(const PhaseAxis& a, int64_t r) {
  AxisRange rows;
  if (lead_of(a, r) < 0) rows.begin = 1;
  return rows;
}

// The phases of the result, [N, H, W, SH * SW * C], by a convolution each.
Result<ir::ValueId> split_convolutions(NodeImport& n, ir::ValueId x, ir::ValueId filter,
                                       const PhaseAxis& h, const PhaseAxis& w) {
  std::vector<ir::ValueId> phases;
  for (int64_t r = 0; r < phases_of(h); ++r) {
    for (int64_t c = 0; c < phases_of(w); ++c) {
      GRAFT_ASSIGN_OR_RETURN(ir::ValueId weights,
                             slice_by(n, filter, {falling(h, r), falling(w, c), {}, {}}));
      GRAFT_ASSIGN_OR_RETURN(weights, n.transpose(weights, {0, 1, 3, 2}));
      ir::ValueId image = x;
      if (lead_of(h, r) < 0 || lead_of(w, c) < 0) {
        GRAFT_ASSIGN_OR_RETURN(image, slice_by(n, x, {{}, rows_of(h, r), rows_of(w, c), {}}));
      }
      ir::ConvAttrs conv;
      conv.padding = ir::Padding::kExplicit;
      conv.pads = {std::max<int64_t>(lead_of(h, r), 0), h.trail,
                   std::max<int64_t>(lead_of(w, c), 0), w.trail};
      GRAFT_ASSIGN_OR_RETURN(const ir::ValueId phase, n.emit(conv, {image, weights}));
      phases.push_back(phase);
    }
  }
  return n.emit(ir::ConcatAttrs{3}, std::move(phases));
}

Result<ir::ValueId> one_convolution(NodeImport& n, ir::ValueId x, ir::ValueId filter,
                                    const PhaseAxis& h, const PhaseAxis& w, int64_t dst_channels,
                                    int64_t src_channels) {
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId weights,
                         phase_weights(n, filter, h, w, dst_channels, src_channels));
  ir::ConvAttrs conv;
  conv.padding = ir::Padding::kExplicit;
  conv.pads = {h.lead, h.trail, w.lead, w.trail};
  return n.emit(conv, {x, weights});
}

}  // namespace

Result<ir::ValueId> transposed_images(NodeImport& n, ir::ValueId x, ir::ValueId filter,
                                      const PhaseAxis& h, const PhaseAxis& w, int64_t dst_channels,
                                      int64_t src_channels) {
  ir::ValueId y = ir::kNoValue;
  if (has_uneven_phases(h) || has_uneven_phases(w)) {
    const int64_t convolutions = phases_of(h) * phases_of(w);
    if (convolutions > kMaxConvolutions)
      return n.refuse("unsupported_attr",
                      "attribute 'strides' does not divide the filter and gives " +
                          std::to_string(convolutions) + " convolutions, expected at most " +
                          std::to_string(kMaxConvolutions));
    GRAFT_ASSIGN_OR_RETURN(y, split_convolutions(n, x, filter, h, w));
  } else {
    GRAFT_ASSIGN_OR_RETURN(y, one_convolution(n, x, filter, h, w, dst_channels, src_channels));
  }
  GRAFT_ASSIGN_OR_RETURN(y, with_empty_phases(n, y, h, w, dst_channels));
  GRAFT_ASSIGN_OR_RETURN(y, join_phases(n, y, h.stride, w.stride, dst_channels));
  if (h.cut_front > 0 || h.cut_back > 0 || w.cut_front > 0 || w.cut_back > 0) {
    GRAFT_ASSIGN_OR_RETURN(y, slice_by(n, y, {{}, kept_rows(h), kept_rows(w), {}}));
  }
  return y;
}

namespace {

// The wanted extents {N, C, H, W}; N and C are absent where input_sizes is [H, W].
struct Wanted {
  std::optional<ir::Dim> batch, channels;
  ir::Dim h, w;
};

Status read_sizes(NodeImport& n, bool nchw, Wanted& wanted) {
  if (n.dtype(0) != DType::kInt32 || n.rank(0) != 1)
    return n.invalid("input_sizes (input 0) is not a vector of int32");
  if (!n.value(0).host)
    return n.refuse("shape", "input_sizes (input 0) depends on data",
                    "give the layer a fixed output size, or compute it from Shape");
  const std::vector<ir::Dim>& s = *n.value(0).host;
  if (s.size() == 2) {
    wanted.h = s[0];
    wanted.w = s[1];
  } else if (s.size() == 4) {
    wanted = {s[0], s[nchw ? 1 : 3], s[nchw ? 2 : 1], s[nchw ? 3 : 2]};
  } else {
    return n.invalid("input_sizes (input 0) has " + std::to_string(s.size()) +
                     " elements, expected 4 or 2");
  }
  return ok_status();
}

Status check_equal(NodeImport& n, const char* what, ir::Dim got, ir::Dim expected) {
  if (!got.is_const() || !expected.is_const() || got == expected) return ok_status();
  return n.invalid(std::string(what) + " of input_sizes (input 0) is " +
                   std::to_string(got.value()) + ", expected " + std::to_string(expected.value()));
}

Status import_backprop_input(NodeImport& n) {
  GRAFT_RETURN_IF_ERROR(n.check_type("T", {1, 2}));
  GRAFT_RETURN_IF_ERROR(n.require_floating(1));
  n.ignore({"use_cudnn_on_gpu"});
  GRAFT_ASSIGN_OR_RETURN(const bool nchw, read_is_nchw(n));
  for (size_t i : {1, 2}) {
    if (n.rank(i) != 4)
      return n.invalid("input " + std::to_string(i) + " has rank " + std::to_string(n.rank(i)) +
                       ", expected 4");
  }
  int64_t filter[4];
  for (size_t i = 0; i < 4; ++i) {
    const ir::Dim d = n.type(1).dims[i];
    if (!d.is_const())
      return n.refuse("shape", "the extents of the filter (input 1) are not known");
    if (d.value() <= 0 || d.value() > INT32_MAX)
      return n.invalid("the filter (input 1) has an extent of " + std::to_string(d.value()));
    filter[i] = d.value();
  }
  GRAFT_ASSIGN_OR_RETURN(const std::vector<int64_t> strides, read_hw(n, "strides", nchw, true));
  GRAFT_ASSIGN_OR_RETURN(const std::vector<int64_t> dilations,
                         read_hw(n, "dilations", nchw, false));
  if (dilations != std::vector<int64_t>{1, 1})
    return n.refuse("unsupported_attr",
                    "attribute 'dilations' is not 1 (TensorFlow has no CPU "
                    "kernel for it either)");
  ir::Padding padding = ir::Padding::kValid;
  std::vector<int64_t> pads;
  GRAFT_RETURN_IF_ERROR(read_padding(n, nchw, padding, pads));
  Wanted wanted;
  GRAFT_RETURN_IF_ERROR(read_sizes(n, nchw, wanted));
  const std::vector<ir::Dim> src = n.type(2).dims;
  if (wanted.batch) GRAFT_RETURN_IF_ERROR(check_equal(n, "the batch", *wanted.batch, src[0]));
  if (wanted.channels) {
    if (!wanted.channels->is_const())
      return n.refuse("shape", "the channels of input_sizes (input 0) are not known");
    if (*wanted.channels != ir::Dim(filter[2]) && wanted.channels->value() > 0 &&
        wanted.channels->value() % filter[2] == 0)
      return n.refuse("unsupported_value",
                      "it is a grouped convolution: input_sizes (input 0) has " +
                          std::to_string(wanted.channels->value()) + " channels, the filter " +
                          std::to_string(filter[2]));
    GRAFT_RETURN_IF_ERROR(check_equal(n, "the channels", *wanted.channels, filter[2]));
  }
  if (const ir::Dim c = src[nchw ? 1 : 3]; c.is_const() && c.value() != filter[3])
    return n.invalid("out_backprop (input 2) has " + std::to_string(c.value()) +
                     " channels, expected the filter's " + std::to_string(filter[3]));
  PhaseAxis h{filter[0], strides[0]}, w{filter[1], strides[1]};
  GRAFT_RETURN_IF_ERROR(
      plan_axis(n, "height", src[nchw ? 2 : 1], wanted.h, padding, pads[0], pads[1], h));
  GRAFT_RETURN_IF_ERROR(
      plan_axis(n, "width", src[nchw ? 3 : 2], wanted.w, padding, pads[2], pads[3], w));
  const auto phases = checked_mul(strides[0], strides[1]);
  const auto channels = phases ? checked_mul(*phases, filter[2]) : std::nullopt;
  if (!channels || *channels > INT32_MAX)
    return n.refuse(
        "unsupported_value",
        "attribute 'strides' times the channels of the filter (input 1) is more than 2147483647");

  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId x, to_nhwc(n, n.in(2), nchw));
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId y,
                         transposed_images(n, x, n.in(1), h, w, filter[2], filter[3]));
  return output_from_nhwc(n, y, nchw);
}

constexpr OpEntry kRows[] = {{"Conv2DBackpropInput", import_backprop_input, 3, 3}};

}  // namespace

std::span<const OpEntry> transposed_conv_ops() { return kRows; }

}  // namespace graft::frontend
