// Conv3D and _FusedConv3D, as one convolution of images: the depth taps of the window lie side by
// side in the channels, and the batch counts depth slices. A window of one column (KH = KW = 1)
// goes along the depth of [N,D,H*W,C] instead, without a copy.
#include <algorithm>

#include "base/checked.h"
#include "frontend/compose.h"
#include "frontend/fused_ops.h"
#include "frontend/volume.h"
#include "ir/infer.h"

namespace graft::frontend {

namespace {

struct Volume {
  std::array<int64_t, 3> kernel{}, strides{}, dilations{};
  int64_t in = 0, out = 0;  // channels
  ir::Padding padding = ir::Padding::kValid;
};

Status read_filter(NodeImport& n, bool ncdhw, Volume& v) {
  if (n.rank(0) != 5 || n.rank(1) != 5)
    return n.invalid("input 0 has rank " + std::to_string(n.rank(0)) + " and input 1 rank " +
                     std::to_string(n.rank(1)) + ", expected 5 and 5");
  int64_t filter[5];
  for (size_t i = 0; i < 5; ++i) {
    const ir::Dim d = n.type(1).dims[i];
    if (!d.is_const())
      return n.refuse("shape", "the extents of the filter (input 1) are not known");
    if (d.value() <= 0 || d.value() > INT32_MAX)
      return n.invalid("the filter (input 1) has an extent of " + std::to_string(d.value()));
    filter[i] = d.value();
  }
  v.kernel = {filter[0], filter[1], filter[2]};
  v.in = filter[3];
  v.out = filter[4];
  const ir::Dim c = n.type(0).dims[ncdhw ? 1 : 4];
  if (!c.is_const()) return n.refuse("shape", "the number of channels of input 0 is not known");
  if (c.value() == v.in) return ok_status();
  if (c.value() > 0 && c.value() % v.in == 0)
    return n.refuse("unsupported_value", "it is a grouped convolution: input 0 has " +
                                             std::to_string(c.value()) + " channels, the filter " +
                                             std::to_string(v.in) +
                                             " (TensorFlow has no CPU kernel for it either)");
  return n.invalid("input 0 has " + std::to_string(c.value()) +
                   " channels, expected the filter's " + std::to_string(v.in));
}

// The border that SAME puts in front of and behind the depth of src, as zeros.
Result<ir::ValueId> pad_depth(NodeImport& n, ir::ValueId src, const Volume& v) {
  if (v.padding != ir::Padding::kSame) return src;
  const int64_t reach = (v.kernel[0] - 1) * v.dilations[0], stride = v.strides[0];
  const ir::Dim depth = n.at(src).type.dims[1];
  if (depth.is_const() || stride == 1) {
    int64_t total = reach;
    if (depth.is_const())
      total = std::max<int64_t>(
          ((depth.value() + stride - 1) / stride - 1) * stride + reach + 1 - depth.value(), 0);
    return pad_by(n, src, {{0, 0}, {total / 2, total - total / 2}, {0, 0}, {0, 0}, {0, 0}});
  }
  // The same by host arithmetic: max(reach + 1 - stride + (-D) mod stride, 0), where the remainder
  // is what is missing to a multiple.
  const auto number = [&](int64_t k) { return n.constant_ints({k}, DType::kInt64); };
  const auto binary = [&](ir::BinaryFn fn, ir::ValueId a, ir::ValueId b) {
    return n.emit(ir::BinaryAttrs{fn}, {a, b});
  };
  using ir::BinaryFn;
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId d, extents_of(n, src, 1, 2));
  GRAFT_ASSIGN_OR_RETURN(ir::ValueId total, binary(BinaryFn::kAdd, d, number(stride - 1)));
  GRAFT_ASSIGN_OR_RETURN(total, binary(BinaryFn::kFloorDiv, total, number(stride)));
  GRAFT_ASSIGN_OR_RETURN(total, binary(BinaryFn::kMul, total, number(stride)));
  GRAFT_ASSIGN_OR_RETURN(total, binary(BinaryFn::kSub, total, d));
  GRAFT_ASSIGN_OR_RETURN(total, binary(BinaryFn::kAdd, total, number(reach + 1 - stride)));
  GRAFT_ASSIGN_OR_RETURN(total, binary(BinaryFn::kMax, total, number(0)));
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId front, binary(BinaryFn::kFloorDiv, total, number(2)));
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId back, binary(BinaryFn::kSub, total, front));
  const ir::ValueId none = n.constant_ints({0, 0}, DType::kInt64);
  const ir::ValueId rest = n.constant_ints({0, 0, 0, 0, 0, 0}, DType::kInt64);
  GRAFT_ASSIGN_OR_RETURN(ir::ValueId pads, n.emit(ir::ConcatAttrs{0}, {none, front, back, rest}));
  GRAFT_ASSIGN_OR_RETURN(pads, n.reshape(pads, {5, 2}));
  return n.emit(ir::PadAttrs{}, {src, pads});
}

// The extent of the result along axis 1 + i, from that of src, so that the convolution has no
// reader but the reshape. A VALID window may be larger than an extent that is not known now: max(x,
// 0) / stride - 2 * (max(-x, 0) / stride) with x = extent - reach - 1 + stride is 0 where
// TensorFlow has no rows, and where it has an error -2 or less, which scheduling refuses.
Result<ir::ValueId> result_extent(NodeImport& n, ir::ValueId src, size_t i, const Volume& v) {
  const int64_t stride = v.strides[i], reach = (v.kernel[i] - 1) * v.dilations[i];
  const auto axis = static_cast<int>(i) + 1;
  const ir::Dim in = n.at(src).type.dims[i + 1];
  const auto number = [&](int64_t k) { return n.constant_ints({k}, DType::kInt64); };
  if (in.is_const()) {
    auto window =
        ir::window(in, v.kernel[i], stride, v.dilations[i], v.padding, 0, 0, n.network().dims);
    if (!window.ok()) return n.invalid(window.status().message());
    return number(window->out.value());
  }
  const auto binary = [&](ir::BinaryFn fn, ir::ValueId a, int64_t b) {
    return n.emit(ir::BinaryAttrs{fn}, {a, number(b)});
  };
  using ir::BinaryFn;
  const bool same = v.padding == ir::Padding::kSame;
  GRAFT_ASSIGN_OR_RETURN(ir::ValueId x, extents_of(n, src, axis, axis + 1));
  if (stride == 1 && (same || reach == 0)) return x;
  GRAFT_ASSIGN_OR_RETURN(x, binary(BinaryFn::kAdd, x, same ? stride - 1 : stride - 1 - reach));
  if (same || reach == 0) return binary(BinaryFn::kFloorDiv, x, stride);
  GRAFT_ASSIGN_OR_RETURN(ir::ValueId rows, binary(BinaryFn::kMax, x, 0));
  GRAFT_ASSIGN_OR_RETURN(rows, binary(BinaryFn::kFloorDiv, rows, stride));
  GRAFT_ASSIGN_OR_RETURN(x, binary(BinaryFn::kMul, x, -1));
  GRAFT_ASSIGN_OR_RETURN(x, binary(BinaryFn::kMax, x, 0));
  GRAFT_ASSIGN_OR_RETURN(x, binary(BinaryFn::kFloorDiv, x, stride));
  GRAFT_ASSIGN_OR_RETURN(x, binary(BinaryFn::kMul, x, 2));
  return n.emit(ir::BinaryAttrs{BinaryFn::kSub}, {rows, x});
}

// dst, the convolution of images or columns of src, as the volumes of the result.
Result<ir::ValueId> as_volumes(NodeImport& n, ir::ValueId dst, ir::ValueId src, const Volume& v) {
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId batch, extents_of(n, src, 0, 1));
  std::vector<ir::ValueId> parts{batch};
  for (size_t i = 0; i < 3; ++i) {
    GRAFT_ASSIGN_OR_RETURN(const ir::ValueId part, result_extent(n, src, i, v));
    parts.push_back(part);
  }
  parts.push_back(n.constant_ints({v.out}, DType::kInt64));
  return reshape_to(n, dst, parts);
}

Result<ir::ValueId> along_depth(NodeImport& n, ir::ValueId src, const Volume& v) {
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId flat, join_axes(n, src, 2));
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId weights,
                         n.reshape(n.in(1), {v.kernel[0], 1, v.in, v.out}));
  ir::ConvAttrs attrs;
  attrs.strides = {v.strides[0], 1};
  attrs.dilations = {v.dilations[0], 1};
  attrs.padding = v.padding;
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId dst, n.emit(attrs, {flat, weights}));
  return as_volumes(n, dst, src, v);
}

Result<ir::ValueId> over_images(NodeImport& n, ir::ValueId src, const Volume& v) {
  const auto channels = checked_mul(v.kernel[0], v.in);
  if (!channels) return n.invalid("the filter's elements are more than 64 bits count");
  GRAFT_RETURN_IF_ERROR(check_depth_taps(n, v.kernel[0]));
  GRAFT_ASSIGN_OR_RETURN(ir::ValueId taps, pad_depth(n, src, v));
  GRAFT_ASSIGN_OR_RETURN(taps, depth_taps(n, taps, v.kernel[0], v.strides[0], v.dilations[0]));
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId images, join_axes(n, taps, 0));
  ir::ValueId weights = n.in(1);
  if (v.kernel[0] > 1) {
    GRAFT_ASSIGN_OR_RETURN(weights, n.transpose(weights, {1, 2, 0, 3, 4}));
  }
  GRAFT_ASSIGN_OR_RETURN(weights, n.reshape(weights, {v.kernel[1], v.kernel[2], *channels, v.out}));
  ir::ConvAttrs attrs;
  attrs.strides = {v.strides[1], v.strides[2]};
  attrs.dilations = {v.dilations[1], v.dilations[2]};
  attrs.padding = v.padding;
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId dst, n.emit(attrs, {images, weights}));
  return as_volumes(n, dst, src, v);
}

Status import_conv3d(NodeImport& n) {
  GRAFT_RETURN_IF_ERROR(n.check_type("T", {0, 1}));
  GRAFT_RETURN_IF_ERROR(n.require_floating(0));
  GRAFT_ASSIGN_OR_RETURN(const bool ncdhw, read_is_ncdhw(n));
  Volume v;
  GRAFT_RETURN_IF_ERROR(read_filter(n, ncdhw, v));
  GRAFT_ASSIGN_OR_RETURN(v.strides, read_dhw(n, "strides", ncdhw, true));
  GRAFT_ASSIGN_OR_RETURN(v.dilations, read_dhw(n, "dilations", ncdhw, false));
  GRAFT_ASSIGN_OR_RETURN(v.padding, read_volume_padding(n));
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId src, to_ndhwc(n, n.in(0), ncdhw));
  const bool column = v.kernel[1] == 1 && v.kernel[2] == 1 && v.strides[1] == 1 &&
                      v.strides[2] == 1 && (v.kernel[0] > 1 || v.strides[0] > 1);
  GRAFT_ASSIGN_OR_RETURN(ir::ValueId dst, column ? along_depth(n, src, v) : over_images(n, src, v));
  if (n.node().op == "_FusedConv3D") {
    GRAFT_ASSIGN_OR_RETURN(const auto pads, n.attr_ints("padding_list", std::vector<int64_t>{}));
    if (!pads.empty()) return n.refuse("unsupported_attr", "attribute 'padding_list' is not empty");
    GRAFT_ASSIGN_OR_RETURN(dst, apply_fused_ops(n, dst, {2, false, ncdhw}));
  }
  return output_from_ndhwc(n, dst, ncdhw);
}

constexpr OpEntry kRows[] = {{"Conv3D", import_conv3d, 2, 2},
                             {"_FusedConv3D", import_conv3d, 2, -1}};

}  // namespace

std::span<const OpEntry> volume_conv_ops() { return kRows; }

}  // namespace graft::frontend
