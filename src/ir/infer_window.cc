// Window arithmetic of convolutions and pools; conv, pool, pool_argmax, dilation2d, resize,
// depth_to_space.
#include <algorithm>

#include "base/fault.h"
#include "ir/infer_context.h"

namespace graft::ir {

namespace {

constexpr int64_t kMaxWindow = INT32_MAX;  // of strides, dilations, kernel extents and pads

// TensorFlow: (in - effective + stride) / stride rounded to zero, an error below zero.
Result<Dim> valid_extent(Dim in, int64_t effective, int64_t stride, DimTable& dims) {
  if (!in.is_const()) return dims.floor_div(dims.add(in, stride - effective), stride);
  const int64_t out = (in.value() - effective + stride) / stride;
  if (out < 0) {
    return invalid_graph("window of " + std::to_string(effective) +
                         " is larger than the padded extent " + std::to_string(in.value()));
  }
  return Dim(out);
}

}  // namespace

Result<Window> window(Dim in, int64_t ksize, int64_t stride, int64_t dilation, Padding padding,
                      int64_t explicit_before, int64_t explicit_after, DimTable& dims) {
  for (auto [v, what] :
       {std::pair{ksize, "kernel extent"}, {stride, "stride"}, {dilation, "dilation"}}) {
    if (v < 1 || v > kMaxWindow)
      return invalid_graph(std::string(what) + " is " + std::to_string(v) + ", expected 1 or more");
  }
  const int64_t effective = (ksize - 1) * dilation + 1;
  if (in.is_const() && (in.value() < 0 || in.value() > (int64_t{1} << 40)))
    return invalid_graph("extent " + std::to_string(in.value()) + " of a window op");
  Window w;
  switch (padding) {
    case Padding::kValid: {
      GRAFT_ASSIGN_OR_RETURN(w.out, valid_extent(in, effective, stride, dims));
      return w;
    }
    case Padding::kSame: {
      w.out = dims.ceil_div(in, stride);
      const Dim span = dims.add(dims.mul(dims.sub(w.out, 1), stride), effective);
      const Dim total = dims.max(dims.sub(span, in), 0);
      w.pad_before =
          GRAFT_FAULT(same_padding_off_by_one) ? dims.ceil_div(total, 2) : dims.floor_div(total, 2);
      w.pad_after = dims.sub(total, w.pad_before);
      return w;
    }
    case Padding::kExplicit: {
      if (explicit_before < 0 || explicit_after < 0 || explicit_before > kMaxWindow ||
          explicit_after > kMaxWindow) {
        return invalid_graph("explicit padding " + std::to_string(explicit_before) + "," +
                             std::to_string(explicit_after) + " is out of range");
      }
      w.pad_before = explicit_before;
      w.pad_after = explicit_after;
      const Dim padded = dims.add(in, explicit_before + explicit_after);
      GRAFT_ASSIGN_OR_RETURN(w.out, valid_extent(padded, effective, stride, dims));
      return w;
    }
    default:
      return invalid_graph("unknown padding " + std::to_string(static_cast<int>(padding)));
  }
}

namespace {

Status check_lists(const InferContext& c, size_t strides, size_t dilations, Padding padding,
                   size_t pads) {
  if (strides != 2 || dilations != 2) return c.fail("strides and window must have 2 entries");
  if (padding == Padding::kExplicit && pads != 4)
    return c.fail("explicit pads have " + std::to_string(pads) + " entries, expected 4");
  return ok_status();
}

Result<Dim> spatial(InferContext& c, int axis, int64_t ksize, int64_t stride, int64_t dilation,
                    Padding padding, const std::vector<int64_t>& pads) {
  const auto i = static_cast<size_t>(axis);
  const bool is_explicit = padding == Padding::kExplicit;
  const Dim in = c.shape(0)[i + 1];
  // Only the extent is needed here; the symbolic pads of SAME would fill the dim table.
  if (padding == Padding::kSame && !in.is_const() && stride >= 1 && stride <= kMaxWindow)
    return c.dims.ceil_div(in, stride);
  auto w = window(in, ksize, stride, dilation, padding, is_explicit ? pads[2 * i] : 0,
                  is_explicit ? pads[2 * i + 1] : 0, c.dims);
  if (!w.ok())
    return c.fail(w.status().message() + " (spatial axis " + std::to_string(axis) + " of " +
                  c.text(0) + ")");
  return w->out;
}

}  // namespace

Status infer_conv(InferContext& c) {
  const auto& a = c.op.as<ConvAttrs>();
  const DType t = c.dtype(0);
  GRAFT_RETURN_IF_ERROR(c.same_dtype(0, 1));
  if (!is_floating(t) && t != DType::kInt32) return c.fail("does not take " + dtype_name(t));
  GRAFT_RETURN_IF_ERROR(c.want_rank(0, 4, "src"));
  GRAFT_RETURN_IF_ERROR(c.want_rank(1, 4, "weights"));
  GRAFT_RETURN_IF_ERROR(
      check_lists(c, a.strides.size(), a.dilations.size(), a.padding, a.pads.size()));
  const std::vector<Dim>& w = c.shape(1);
  for (Dim d : w) {
    if (!d.is_const()) return c.refuse("weights " + c.text(1) + " must have known extents");
    if (d.value() < 1) return c.fail("weights " + c.text(1) + " have no elements");
  }
  const Dim in_channels = c.shape(0)[3];
  if (a.groups < 1) return c.fail("groups is " + std::to_string(a.groups) + ", expected 1 or more");
  if (in_channels.is_const()) {
    if (in_channels.value() % a.groups != 0 || w[2] != Dim(in_channels.value() / a.groups)) {
      return c.fail("weights " + c.text(1) + " have " + c.dims.text(w[2]) +
                    " input channels a group, src " + c.text(0) + " with " +
                    std::to_string(a.groups) + " groups has " +
                    std::to_string(in_channels.value() / a.groups));
    }
  }
  if (w[3].value() % a.groups != 0)
    return c.fail("weights " + c.text(1) + ": output channels are no multiple of " +
                  std::to_string(a.groups) + " groups");
  std::vector<Dim> out = {c.shape(0)[0], 0, 0, w[3]};
  for (int i = 0; i < 2; ++i) {
    const auto k = static_cast<size_t>(i);
    for (int64_t v : {a.strides[k], a.dilations[k], w[k].value()}) {
      if (v < 1 || v > kMaxWindow)
        return c.fail("stride, dilation or kernel extent " + std::to_string(v) +
                      " is out of range");
    }
    GRAFT_ASSIGN_OR_RETURN(
        out[k + 1], spatial(c, i, w[k].value(), a.strides[k], a.dilations[k], a.padding, a.pads));
  }
  if (c.inputs.size() != 2u + a.has_bias + a.has_residual)
    return c.fail("has " + std::to_string(c.inputs.size()) +
                  " inputs, which does not fit has_bias and has_residual");
  size_t next = 2;
  if (a.has_bias) {
    GRAFT_RETURN_IF_ERROR(c.same_dtype(0, next));
    GRAFT_RETURN_IF_ERROR(c.want_rank(next, 1, "bias"));
    Dim merged;
    if (!c.merge(w[3], c.shape(next)[0], &merged))
      return c.fail("bias " + c.text(next) + " does not fit weights " + c.text(1));
    ++next;
  }
  if (a.has_residual) {
    GRAFT_RETURN_IF_ERROR(c.same_dtype(0, next));
    GRAFT_RETURN_IF_ERROR(c.want_rank(next, 4, "residual"));
    for (size_t i = 0; i < 4; ++i) {
      if (!c.merge(out[i], c.shape(next)[i], &out[i]))
        return c.fail("residual " + c.text(next) + " does not fit dst " + c.text(out));
    }
  }
  GRAFT_RETURN_IF_ERROR(check_activation(c, a.act, t));
  c.add_output(t, std::move(out));
  return ok_status();
}

Status infer_pool(InferContext& c) {
  const auto& a = c.op.as<PoolAttrs>();
  const DType t = c.dtype(0);
  if (a.fn != PoolFn::kMax && a.fn != PoolFn::kAvg) return c.fail("unknown pool function");
  if (a.fn == PoolFn::kAvg ? !is_floating(t) : t == DType::kBool)
    return c.fail(std::string(name_of(a.fn)) + " does not take " + dtype_name(t));
  GRAFT_RETURN_IF_ERROR(c.want_rank(0, 4, "src"));
  GRAFT_RETURN_IF_ERROR(check_lists(c, a.strides.size(), a.ksize.size(), a.padding, a.pads.size()));
  std::vector<Dim> out = c.shape(0);
  for (int i = 0; i < 2; ++i) {
    const auto k = static_cast<size_t>(i);
    if (a.ksize[k] < 1 || a.ksize[k] > kMaxWindow || a.strides[k] < 1)
      return c.fail("window " + std::to_string(a.ksize[k]) + " or stride " +
                    std::to_string(a.strides[k]) + " is out of range");
    // Else a window could lie in the padding alone.
    if (a.padding == Padding::kExplicit &&
        (a.pads[2 * k] >= a.ksize[k] || a.pads[2 * k + 1] >= a.ksize[k]))
      return c.fail("explicit padding must be smaller than the window of " +
                    std::to_string(a.ksize[k]));
    GRAFT_ASSIGN_OR_RETURN(out[k + 1],
                           spatial(c, i, a.ksize[k], a.strides[k], 1, a.padding, a.pads));
  }
  c.add_output(t, std::move(out));
  return ok_status();
}

Status infer_dilation2d(InferContext& c) {
  const auto& a = c.op.as<Dilation2DAttrs>();
  GRAFT_RETURN_IF_ERROR(c.same_dtype(0, 1));
  if (c.dtype(0) == DType::kBool) return c.fail("does not take bool");
  GRAFT_RETURN_IF_ERROR(c.want_rank(0, 4, "src"));
  GRAFT_RETURN_IF_ERROR(c.want_rank(1, 3, "filter"));
  if (a.padding != Padding::kValid && a.padding != Padding::kSame)
    return c.fail("padding is " + std::string(name_of(a.padding)) + ", expected valid or same");
  GRAFT_RETURN_IF_ERROR(check_lists(c, a.strides.size(), a.rates.size(), a.padding, 0));
  std::vector<Dim> out = c.shape(0);
  for (int i = 0; i < 2; ++i) {
    const auto k = static_cast<size_t>(i);
    const Dim ksize = c.shape(1)[k];
    if (!ksize.is_const()) return c.refuse("filter " + c.text(1) + " must have known extents");
    for (int64_t v : {a.strides[k], a.rates[k], ksize.value()}) {
      if (v < 1 || v > kMaxWindow)
        return c.fail("stride, rate or filter extent " + std::to_string(v) + " is out of range");
    }
    GRAFT_ASSIGN_OR_RETURN(out[k + 1],
                           spatial(c, i, ksize.value(), a.strides[k], a.rates[k], a.padding, {}));
  }
  if (!c.merge(out[3], c.shape(1)[2], &out[3]))
    return c.fail("filter " + c.text(1) + " does not have the channels of src " + c.text(0));
  c.add_output(c.dtype(0), std::move(out));
  return ok_status();
}

Status infer_pool_argmax(InferContext& c) {
  const auto& a = c.op.as<PoolArgmaxAttrs>();
  if (c.dtype(0) == DType::kBool) return c.fail("does not take bool");
  if (a.to != DType::kInt32 && a.to != DType::kInt64)
    return c.fail("indices are " + dtype_name(a.to) + ", expected int32 or int64");
  if (a.padding != Padding::kValid && a.padding != Padding::kSame)
    return c.fail("padding is " + std::string(name_of(a.padding)) + ", expected valid or same");
  GRAFT_RETURN_IF_ERROR(c.want_rank(0, 4, "src"));
  GRAFT_RETURN_IF_ERROR(check_lists(c, a.strides.size(), a.ksize.size(), a.padding, 0));
  for (Dim d : c.shape(0)) {
    if (d == Dim(0)) return c.refuse("src " + c.text(0) + " has no elements");  // as TensorFlow
  }
  std::vector<Dim> out = c.shape(0);
  for (int i = 0; i < 2; ++i) {
    const auto k = static_cast<size_t>(i);
    if (a.ksize[k] < 1 || a.ksize[k] > kMaxWindow || a.strides[k] < 1)
      return c.fail("window " + std::to_string(a.ksize[k]) + " or stride " +
                    std::to_string(a.strides[k]) + " is out of range");
    GRAFT_ASSIGN_OR_RETURN(out[k + 1], spatial(c, i, a.ksize[k], a.strides[k], 1, a.padding, {}));
  }
  c.add_output(c.dtype(0), out);
  c.add_output(a.to, std::move(out));
  return ok_status();
}

Status infer_resize(InferContext& c) {
  const auto& a = c.op.as<ResizeAttrs>();
  if (a.method < ResizeMethod::kSample || a.method >= ResizeMethod::kCount)
    return c.fail("unknown method");
  const bool sampled = a.method == ResizeMethod::kSample;
  if (a.method == ResizeMethod::kArea && a.half_pixel_centers)
    return c.fail("area has no half_pixel_centers");
  GRAFT_RETURN_IF_ERROR(c.want_rank(0, 4, "src"));
  if (c.dtype(0) == DType::kBool) return c.fail("does not take bool");
  if (a.align_corners && a.half_pixel_centers)
    return c.fail("align_corners and half_pixel_centers exclude each other");
  GRAFT_ASSIGN_OR_RETURN(const std::vector<Dim>* size, c.need_host(1, 1, "size"));
  if (size->size() != 2) return c.fail("size " + c.text(1) + " must have 2 elements");
  std::vector<Dim> out = c.shape(0);
  if (out[3] == Dim(0)) return c.refuse("src " + c.text(0) + " has no channels");  // as TensorFlow
  for (size_t i = 0; i < 2; ++i) {
    const Dim in = out[i + 1], to = (*size)[i];
    if ((in.is_const() && in.value() < 1) || (to.is_const() && to.value() < 1))
      return c.fail("resizes " + c.text(0) + " to " + c.text(*size) + ": extents must be positive");
    out[i + 1] = to;
  }
  // As TensorFlow's ops.
  c.add_output(sampled && !a.bilinear ? c.dtype(0) : DType::kFloat, std::move(out));
  return ok_status();
}

Status infer_depth_to_space(InferContext& c) {
  const auto& a = c.op.as<DepthToSpaceAttrs>();
  GRAFT_RETURN_IF_ERROR(c.want_rank(0, 4, "src"));
  if (a.block < 2 || a.block > (1 << 15))
    return c.fail("block is " + std::to_string(a.block) + ", expected 2 to 32768");
  const Dim b = a.block, bb = a.block * a.block;
  std::vector<Dim> s = c.shape(0);
  const auto divides = [](Dim d, Dim by) { return !d.is_const() || d.value() % by.value() == 0; };
  if (a.inverse) {
    if (!divides(s[1], b) || !divides(s[2], b))
      return c.fail("src " + c.text(0) + " is no multiple of the block");
    s = {s[0], c.dims.floor_div(s[1], b), c.dims.floor_div(s[2], b), c.mul(s[3], bb)};
  } else {
    if (!divides(s[3], bb))
      return c.fail("src " + c.text(0) + ": channels are no multiple of the block's square");
    s = {s[0], c.mul(s[1], b), c.mul(s[2], b), c.dims.floor_div(s[3], bb)};
  }
  c.add_output(c.dtype(0), std::move(s));
  return ok_status();
}

}  // namespace graft::ir
