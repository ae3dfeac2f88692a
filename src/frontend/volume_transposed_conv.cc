// Conv3DBackpropInput: the transposed convolution of volumes. The depth phases of the result are
// channels of a transposed convolution of images whose source has the depth taps side by side; the
// formula of transposed_conv.cc holds for the depth, too.
#include "base/checked.h"
#include "frontend/transposed_conv.h"
#include "frontend/volume.h"

namespace graft::frontend {

namespace {

// filter [KD,KH,KW,C,K] as [KH,KW,SD*C,TD*K]: the phases in front of the channels of the result,
// the taps, in falling order, in front of those of the source.
Result<ir::ValueId> image_filter(NodeImport& n, ir::ValueId filter, const PhaseAxis& d) {
  const std::vector<ir::Dim> dims = n.at(filter).type.dims;
  const int64_t kh = dims[1].value(), kw = dims[2].value(), c = dims[3].value(),
                k = dims[4].value();
  GRAFT_ASSIGN_OR_RETURN(
      ir::ValueId v,
      pad_by(n, filter, {{0, d.taps * d.stride - d.kernel}, {0, 0}, {0, 0}, {0, 0}, {0, 0}}));
  GRAFT_ASSIGN_OR_RETURN(v, n.reshape(v, {d.taps, d.stride, kh, kw, c, k}));
  if (d.taps > 1) {
    GRAFT_ASSIGN_OR_RETURN(v, slice_by(n, v, {{{}, {}, -1}, {}, {}, {}, {}, {}}));
  }
  GRAFT_ASSIGN_OR_RETURN(v, n.transpose(v, {2, 3, 1, 4, 0, 5}));
  return n.reshape(v, {kh, kw, d.stride * c, d.taps * k});
}

// [N*Q,H,W,SD*C] -> [N,Q*SD,H,W,C], where `taps` is [N,Q,...].
Result<ir::ValueId> join_depth_phases(NodeImport& n, ir::ValueId y, ir::ValueId taps,
                                      int64_t stride, int64_t c) {
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId front, extents_of(n, taps, 0, 2));
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId image, extents_of(n, y, 1, 3));
  if (stride == 1) return reshape_to(n, y, {front, image, n.constant_ints({c}, DType::kInt64)});
  GRAFT_ASSIGN_OR_RETURN(
      const ir::ValueId split,
      reshape_to(n, y, {front, image, n.constant_ints({stride, c}, DType::kInt64)}));
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId moved, n.transpose(split, {0, 1, 4, 2, 3, 5}));
  return join_axes(n, moved, 1);
}

Status read_extents(NodeImport& n, size_t input, int64_t (&filter)[5]) {
  for (size_t i = 0; i < 5; ++i) {
    const ir::Dim d = n.type(input).dims[i];
    if (!d.is_const())
      return n.refuse("shape", "the extents of the filter (input 1) are not known");
    if (d.value() <= 0 || d.value() > INT32_MAX)
      return n.invalid("the filter (input 1) has an extent of " + std::to_string(d.value()));
    filter[i] = d.value();
  }
  return ok_status();
}

// The wanted extents in the order N, D, H, W, C.
Result<std::array<ir::Dim, 5>> read_sizes(NodeImport& n, bool ncdhw) {
  if (n.has_attr("Tshape")) GRAFT_RETURN_IF_ERROR(n.check_type("Tshape", {0}));
  if (n.rank(0) != 1)
    return n.invalid("input_sizes (input 0) has rank " + std::to_string(n.rank(0)) +
                     ", expected 1");
  if (!n.value(0).host)
    return n.refuse("shape", "input_sizes (input 0) depends on data",
                    "give the layer a fixed output size, or compute it from Shape");
  const std::vector<ir::Dim>& s = *n.value(0).host;
  if (s.size() != 5)
    return n.invalid("input_sizes (input 0) has " + std::to_string(s.size()) +
                     " elements, expected 5");
  const size_t d = ncdhw ? 2 : 1;
  return std::array<ir::Dim, 5>{s[0], s[d], s[d + 1], s[d + 2], s[ncdhw ? 1 : 4]};
}

Status check_equal(NodeImport& n, const char* what, ir::Dim got, ir::Dim expected) {
  if (!got.is_const() || !expected.is_const() || got == expected) return ok_status();
  return n.invalid(std::string(what) + " is " + std::to_string(got.value()) + ", expected " +
                   std::to_string(expected.value()));
}

Status import_backprop_input(NodeImport& n) {
  GRAFT_RETURN_IF_ERROR(n.check_type("T", {1, 2}));
  GRAFT_RETURN_IF_ERROR(n.require_floating(1));
  GRAFT_ASSIGN_OR_RETURN(const bool ncdhw, read_is_ncdhw(n));
  for (size_t i : {1, 2}) {
    if (n.rank(i) != 5)
      return n.invalid("input " + std::to_string(i) + " has rank " + std::to_string(n.rank(i)) +
                       ", expected 5");
  }
  int64_t filter[5];
  GRAFT_RETURN_IF_ERROR(read_extents(n, 1, filter));
  GRAFT_ASSIGN_OR_RETURN(const auto strides, read_dhw(n, "strides", ncdhw, true));
  GRAFT_ASSIGN_OR_RETURN(const auto dilations, read_dhw(n, "dilations", ncdhw, false));
  if (dilations != std::array<int64_t, 3>{1, 1, 1})
    return n.refuse("unsupported_attr",
                    "attribute 'dilations' is not 1 (TensorFlow has no CPU "
                    "kernel for it either)");
  GRAFT_ASSIGN_OR_RETURN(const ir::Padding padding, read_volume_padding(n));
  GRAFT_ASSIGN_OR_RETURN(const auto wanted, read_sizes(n, ncdhw));
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId x, to_ndhwc(n, n.in(2), ncdhw));
  const std::vector<ir::Dim> src = n.at(x).type.dims;
  GRAFT_RETURN_IF_ERROR(check_equal(n, "the batch of input_sizes (input 0)", wanted[0], src[0]));
  if (!wanted[4].is_const())
    return n.refuse("shape", "the channels of input_sizes (input 0) are not known");
  GRAFT_RETURN_IF_ERROR(
      check_equal(n, "the number of channels of input_sizes (input 0)", wanted[4], filter[3]));
  GRAFT_RETURN_IF_ERROR(
      check_equal(n, "the number of channels of out_backprop (input 2)", src[4], filter[4]));
  PhaseAxis axes[3];
  constexpr const char* kNames[] = {"depth", "height", "width"};
  std::optional<int64_t> channels = filter[3];
  for (size_t i = 0; i < 3; ++i) {
    axes[i] = {filter[i], strides[i]};
    GRAFT_RETURN_IF_ERROR(
        plan_axis(n, kNames[i], src[i + 1], wanted[i + 1], padding, 0, 0, axes[i]));
    if (channels) channels = checked_mul(*channels, strides[i]);
  }
  if (!channels || *channels > INT32_MAX)
    return n.refuse(
        "unsupported_value",
        "attribute 'strides' times the channels of the filter (input 1) is more than 2147483647");
  const auto& [d, h, w] = axes;
  GRAFT_RETURN_IF_ERROR(check_depth_taps(n, d.taps));

  GRAFT_ASSIGN_OR_RETURN(ir::ValueId taps,
                         pad_by(n, x, {{0, 0}, {d.lead, d.trail}, {0, 0}, {0, 0}, {0, 0}}));
  GRAFT_ASSIGN_OR_RETURN(taps, depth_taps(n, taps, d.taps, 1, 1));
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId images, join_axes(n, taps, 0));
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId weights, image_filter(n, n.in(1), d));
  GRAFT_ASSIGN_OR_RETURN(
      ir::ValueId y,
      transposed_images(n, images, weights, h, w, d.stride * filter[3], d.taps * filter[4]));
  GRAFT_ASSIGN_OR_RETURN(y, join_depth_phases(n, y, taps, d.stride, filter[3]));
  if (d.cut_front > 0 || d.cut_back > 0) {
    GRAFT_ASSIGN_OR_RETURN(y, slice_by(n, y, {{}, kept_rows(d), {}, {}, {}}));
  }
  return output_from_ndhwc(n, y, ncdhw);
}

constexpr OpEntry kRows[] = {{"Conv3DBackpropInputV2", import_backprop_input, 3, 3}};

}  // namespace

std::span<const OpEntry> volume_transposed_conv_ops() { return kRows; }

}  // namespace graft::frontend
