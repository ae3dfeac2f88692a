// Conv2D and DepthwiseConv2dNative, fused ones too; NCHW through transposes that the passes remove.
#include "base/checked.h"
#include "base/dtype.h"
#include "base/log.h"
#include "frontend/fused_ops.h"
#include "frontend/window_attrs.h"

namespace graft::frontend {

namespace {

constexpr int kFused = 1;  // NodeImport::arg()

struct Filter {
  int64_t h, w, in, out;
};

Status read_filter(NodeImport& n, Filter& filter) {
  if (n.rank(0) != 4 || n.rank(1) != 4)
    return n.invalid("input 0 has rank " + std::to_string(n.rank(0)) + " and input 1 rank " +
                     std::to_string(n.rank(1)) + ", expected 4 and 4");
  const auto& dims = n.type(1).dims;
  for (ir::Dim d : dims) {
    if (!d.is_const())
      return n.refuse("shape", "the extents of the filter (input 1) are not known");
    if (d.value() <= 0)
      return n.invalid("the filter (input 1) has an extent of " + std::to_string(d.value()));
  }
  filter = {dims[0].value(), dims[1].value(), dims[2].value(), dims[3].value()};
  return ok_status();
}

// Channels of src when known; groups need them.
Result<int64_t> read_channels(NodeImport& n, bool nchw) {
  const ir::Dim c = n.type(0).dims[nchw ? 1 : 3];
  if (!c.is_const()) return n.refuse("shape", "the number of channels of input 0 is not known");
  if (c.value() <= 0) return n.invalid("input 0 has " + std::to_string(c.value()) + " channels");
  return c.value();
}

Status read_window(NodeImport& n, bool nchw, ir::ConvAttrs& attrs) {
  GRAFT_ASSIGN_OR_RETURN(attrs.strides, read_hw(n, "strides", nchw, true));
  GRAFT_ASSIGN_OR_RETURN(attrs.dilations, read_hw(n, "dilations", nchw, false));
  return read_padding(n, nchw, attrs.padding, attrs.pads);
}

// Of _FusedConv2D: how the filter lies.
Status check_filter_format(NodeImport& n) {
  GRAFT_ASSIGN_OR_RETURN(const std::string_view format, n.attr_string("filter_format", "HWIO"));
  if (format == "HWIO") return ok_status();
  return n.refuse("unsupported_attr",
                  "attribute 'filter_format' is '" + printable(format) + "', expected HWIO");
}

Status import_conv(NodeImport& n) {
  GRAFT_RETURN_IF_ERROR(n.check_type("T", {0, 1}));
  GRAFT_RETURN_IF_ERROR(n.require_floating(0));
  n.ignore({"use_cudnn_on_gpu"});
  if (n.arg() == kFused) GRAFT_RETURN_IF_ERROR(check_filter_format(n));
  GRAFT_ASSIGN_OR_RETURN(const bool nchw, read_is_nchw(n));
  Filter filter{};
  GRAFT_RETURN_IF_ERROR(read_filter(n, filter));
  GRAFT_ASSIGN_OR_RETURN(const int64_t channels, read_channels(n, nchw));
  ir::ConvAttrs attrs;
  GRAFT_RETURN_IF_ERROR(read_window(n, nchw, attrs));
  if (channels % filter.in != 0)
    return n.invalid("input 0 has " + std::to_string(channels) +
                     " channels, expected a multiple of the filter's " + std::to_string(filter.in));
  attrs.groups = channels / filter.in;
  if (filter.out % attrs.groups != 0)
    return n.invalid("the filter has " + std::to_string(filter.out) +
                     " output channels, expected a multiple of the " +
                     std::to_string(attrs.groups) + " groups");
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId src, to_nhwc(n, n.in(0), nchw));
  GRAFT_ASSIGN_OR_RETURN(ir::ValueId dst, n.emit(attrs, {src, n.in(1)}));
  if (n.arg() == kFused) {
    GRAFT_ASSIGN_OR_RETURN(dst, apply_fused_ops(n, dst, {2, true, nchw}));
  }
  return output_from_nhwc(n, dst, nchw);
}

// TensorFlow's filter is [KH, KW, C, M] and its output channel c * M + m, so it is a grouped filter
// [KH, KW, 1, C * M].
Status import_depthwise(NodeImport& n) {
  GRAFT_RETURN_IF_ERROR(n.check_type("T", {0, 1}));
  GRAFT_RETURN_IF_ERROR(n.require_floating(0));
  GRAFT_ASSIGN_OR_RETURN(const bool nchw, read_is_nchw(n));
  Filter filter{};
  GRAFT_RETURN_IF_ERROR(read_filter(n, filter));
  GRAFT_ASSIGN_OR_RETURN(const int64_t channels, read_channels(n, nchw));
  ir::ConvAttrs attrs;
  GRAFT_RETURN_IF_ERROR(read_window(n, nchw, attrs));
  if (filter.in != channels)
    return n.invalid("input 0 has " + std::to_string(channels) +
                     " channels, expected the filter's " + std::to_string(filter.in));
  const auto out = checked_mul(filter.in, filter.out);
  if (!out) return n.invalid("the filter's output channels overflow");
  attrs.groups = channels;
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId src, to_nhwc(n, n.in(0), nchw));
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId weights,
                         n.reshape(n.in(1), {filter.h, filter.w, 1, *out}));
  GRAFT_ASSIGN_OR_RETURN(ir::ValueId dst, n.emit(attrs, {src, weights}));
  if (n.arg() == kFused) {
    GRAFT_ASSIGN_OR_RETURN(dst, apply_fused_ops(n, dst, {2, false, nchw}));
  }
  return output_from_nhwc(n, dst, nchw);
}

// [..., C] + [C]; NCHW: the channel is axis 1.
Status import_bias_add(NodeImport& n) {
  GRAFT_RETURN_IF_ERROR(n.check_type("T", {0, 1}));
  bool nchw = false;
  if (n.node().op == "BiasAdd") {
    GRAFT_ASSIGN_OR_RETURN(nchw, read_is_nchw(n));
  }
  if (n.rank(1) != 1)
    return n.invalid("the bias (input 1) has rank " + std::to_string(n.rank(1)) + ", expected 1");
  if (n.rank(0) < 2)
    return n.invalid("input 0 has rank " + std::to_string(n.rank(0)) + ", expected 2 or more");
  const size_t axis = nchw ? 1 : n.type(0).dims.size() - 1;
  const ir::Dim channels = n.type(0).dims[axis], bias = n.type(1).dims[0];
  if (channels.is_const() && bias.is_const() && channels != bias)
    return n.invalid("the bias (input 1) has " + std::to_string(bias.value()) +
                     " elements, input 0 has " + std::to_string(channels.value()) + " channels");
  const ir::BinaryAttrs add{ir::BinaryFn::kAdd};
  if (!nchw || n.rank(0) == 2) return n.finish(add, {n.in(0), n.in(1)});
  if (n.rank(0) == 4) {
    GRAFT_ASSIGN_OR_RETURN(const ir::ValueId src, to_nhwc(n, n.in(0), true));
    GRAFT_ASSIGN_OR_RETURN(const ir::ValueId dst, n.emit(add, {src, n.in(1)}));
    return output_from_nhwc(n, dst, true);
  }
  std::vector<int64_t> dims(static_cast<size_t>(n.rank(0)) - 1, 1);
  dims[0] = -1;
  if (bias.is_const()) dims[0] = bias.value();
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId column, n.reshape(n.in(1), dims));
  return n.finish(add, {n.in(0), column});
}

Status refuse_gpu_only(NodeImport& n) {
  return n.refuse("fused_op", "TensorFlow has a kernel of it for GPUs only",
                  "write it as Conv2D, BiasAdd and the activation, which one engine op becomes");
}

constexpr OpEntry kRows[] = {
    {"Conv2D", import_conv, 2, 2},
    {"DepthwiseConv2dNative", import_depthwise, 2, 2},
    {"BiasAdd", import_bias_add, 2, 2},
    {"BiasAddV1", import_bias_add, 2, 2},
    {.op = "FusedConv2DBiasActivation",
     .fn = refuse_gpu_only,
     .max_inputs = -1,
     .always_refused = "fused_op"},
    {"_FusedConv2D", import_conv, 2, -1, kFused},
    {"_FusedDepthwiseConv2dNative", import_depthwise, 2, -1, kFused},
};

}  // namespace

std::span<const OpEntry> convolution_ops() { return kRows; }

}  // namespace graft::frontend
