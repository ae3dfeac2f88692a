// Conv: depthwise, Winograd and implicit GEMM.
#include <algorithm>
#include <vector>

#include "backends/cpu/conv/conv2d.h"
#include "backends/cpu/conv/depthwise2d.h"
#include "backends/cpu/conv/winograd2d.h"
#include "backends/cpu/gemm/compute_select.h"
#include "backends/cpu/kernel_list.h"
#include "base/check.h"
#include "base/fault.h"

namespace graft::cpu {
namespace {

using ir::ConvAttrs;

std::string common_refusal(const Problem& p) {
  const auto& attrs = p.op->as<ConvAttrs>();
  for (const ir::TensorType* t : p.src) {
    if (t->dtype != DType::kFloat) return "not float32 but " + dtype_name(t->dtype);
  }
  if (p.constants[1].data == nullptr) return "weights are not a constant";
  if (p.constants[1].dims.size() != 4) return "weights are not of rank 4";
  Epilogue e;
  if (!to_epilogue(attrs.act, &e))
    return std::string("can't fuse activation ") + name_of(attrs.act.fn);
  return "";
}

// What both kernels keep of the op.
struct ConvCommon {
  ConvAttrs attrs;
  ConvShape shape;  // without batch, extents and pads
  Epilogue epilogue;
  std::vector<float> bias;  // empty: no bias, or one known only while running
  const ComputeTable* table = nullptr;

  explicit ConvCommon(const Problem& p)
      : attrs(p.op->as<ConvAttrs>()), table(&compute_table_of(p.target)) {
    const auto dims = p.constants[1].dims;
    shape.kh = dims[0];
    shape.kw = dims[1];
    shape.groups = attrs.groups;
    shape.c = shape.src_ld = dims[2] * attrs.groups;
    shape.oc = shape.dst_ld = shape.residual_ld = dims[3];
    shape.stride_h = attrs.strides[GRAFT_FAULT(conv_strides_swapped) ? 1 : 0];
    shape.stride_w = attrs.strides[GRAFT_FAULT(conv_strides_swapped) ? 0 : 1];
    shape.dilation_h = attrs.dilations[0];
    shape.dilation_w = attrs.dilations[1];
    to_epilogue(attrs.act, &epilogue);
    if (attrs.has_bias && p.constants[2].data != nullptr) {
      const float* data = static_cast<const float*>(p.constants[2].data);
      bias.assign(data, data + shape.oc);
    }
  }

  ConvShape concrete(const backends::StepShapes& shapes) const {
    ConvShape s = shape;
    const auto src = shapes.src[0], dst = shapes.dst[0];
    GRAFT_CHECK(src.size() == 4 && dst.size() == 4 && src[3] == s.c && dst[3] == s.oc);
    s.batch = src[0];
    s.h = src[1];
    s.w = src[2];
    s.oh = dst[1];
    s.ow = dst[2];
    if (attrs.padding == ir::Padding::kSame) {
      s.pad_top = same_pad(s.h, s.oh, s.kh, s.stride_h, s.dilation_h);
      s.pad_left = same_pad(s.w, s.ow, s.kw, s.stride_w, s.dilation_w);
    } else if (attrs.padding == ir::Padding::kExplicit) {
      s.pad_top = attrs.pads[0];
      s.pad_left = attrs.pads[2];
    }
    return s;
  }
  const float* bias_of(const void* const* src) const {
    if (!attrs.has_bias) return nullptr;
    return bias.empty() ? static_cast<const float*>(src[2]) : bias.data();
  }
  const float* residual_of(const void* const* src) const {
    if (GRAFT_FAULT(conv_residual_dropped)) return nullptr;
    return attrs.has_residual ? static_cast<const float*>(src[2 + attrs.has_bias]) : nullptr;
  }
  bool consumes(int i) const { return i == 1 || (i == 2 && !bias.empty()); }
  bool in_place(int i) const { return attrs.has_residual && i == 2 + attrs.has_bias; }

 private:
  static int64_t same_pad(int64_t in, int64_t out, int64_t kernel, int64_t stride,
                          int64_t dilation) {
    return std::max<int64_t>(0, (out - 1) * stride + (kernel - 1) * dilation + 1 - in) / 2;
  }
};

struct ConvState : backends::StepState {
  ConvPlan plan;
};

class IgemmConv : public Step {
 public:
  explicit IgemmConv(const Problem& p) : common_(p) {}
  static Result<std::unique_ptr<Step>> create(const Problem& p) {
    auto step = std::make_unique<IgemmConv>(p);
    GRAFT_ASSIGN_OR_RETURN(
        step->weights_,
        ConvWeights::pack(*step->common_.table, static_cast<const float*>(p.constants[1].data),
                          step->common_.shape));
    return std::unique_ptr<Step>(std::move(step));
  }

  std::string_view kernel_name() const override { return "conv_igemm_f32"; }
  Result<backends::StepPlan> plan(const backends::StepShapes& shapes) const override {
    auto state = std::make_unique<ConvState>();
    state->plan = plan_conv(weights_, common_.concrete(shapes), shapes.threads);
    const size_t scratch = static_cast<size_t>(state->plan.scratch_bytes());
    return backends::StepPlan{std::move(state), scratch};
  }
  void run(const backends::StepState* state, const void* const* src, void* const* dst,
           std::byte* scratch) const override {
    run_conv(weights_, static_cast<const ConvState*>(state)->plan,
             static_cast<const float*>(src[0]), common_.bias_of(src), common_.residual_of(src),
             common_.epilogue, static_cast<float*>(dst[0]), scratch);
  }
  bool consumes_constant(int i) const override { return common_.consumes(i); }
  bool may_run_in_place(int i) const override { return common_.in_place(i); }
  size_t packed_bytes() const override {
    return weights_.packed.size() + common_.bias.size() * sizeof(float);
  }

 private:
  ConvCommon common_;
  ConvWeights weights_;
};

struct WinogradState : backends::StepState {
  WinogradPlan plan;
};

class WinogradConv : public Step {
 public:
  // Scratch of a thread at most: a workspace cap below it leaves the kernel out.
  static constexpr int64_t kScratchBytes = int64_t{8} << 20;

  explicit WinogradConv(const Problem& p) : common_(p) {}
  static std::string supports(const Problem& p) {
    if (std::string why = common_refusal(p); !why.empty()) return why;
    if (p.strict_math) return "fp32_math is strict";
    if (p.target.isa < ir::Isa::kAvx2) return "no AVX2";
    if (p.max_workspace_bytes >= 0 && p.max_workspace_bytes < kScratchBytes)
      return "needs 8 MiB of workspace";
    return winograd_fits(ConvCommon(p).shape) ? "" : "not 3x3, stride 1, 32 to 512 channels";
  }
  static Result<std::unique_ptr<Step>> create(const Problem& p) {
    auto step = std::make_unique<WinogradConv>(p);
    GRAFT_ASSIGN_OR_RETURN(
        step->weights_,
        WinogradWeights::pack(*step->common_.table, static_cast<const float*>(p.constants[1].data),
                              step->common_.shape));
    return std::unique_ptr<Step>(std::move(step));
  }

  std::string_view kernel_name() const override { return "conv_winograd2_f32"; }
  Result<backends::StepPlan> plan(const backends::StepShapes& shapes) const override {
    auto state = std::make_unique<WinogradState>();
    state->plan = plan_winograd(weights_, common_.concrete(shapes), shapes.threads);
    const size_t scratch = static_cast<size_t>(state->plan.scratch_bytes());
    return backends::StepPlan{std::move(state), scratch};
  }
  void run(const backends::StepState* state, const void* const* src, void* const* dst,
           std::byte* scratch) const override {
    run_winograd(weights_, static_cast<const WinogradState*>(state)->plan,
                 static_cast<const float*>(src[0]), common_.bias_of(src), common_.residual_of(src),
                 common_.epilogue, static_cast<float*>(dst[0]), scratch);
  }
  bool consumes_constant(int i) const override { return common_.consumes(i); }
  bool may_run_in_place(int i) const override { return common_.in_place(i); }
  size_t packed_bytes() const override {
    return weights_.packed.size() + common_.bias.size() * sizeof(float);
  }

 private:
  ConvCommon common_;
  WinogradWeights weights_;
};

struct DepthwiseState : backends::StepState {
  DepthwisePlan plan;
};

class DepthwiseConv : public Step {
 public:
  explicit DepthwiseConv(const Problem& p) : common_(p) {}
  static std::string supports(const Problem& p) {
    if (std::string why = common_refusal(p); !why.empty()) return why;
    // One input channel in one group is an ordinary convolution, which has more reuse.
    return p.constants[1].dims[2] == 1 && p.op->as<ConvAttrs>().groups > 1 ? "" : "not depthwise";
  }
  static Result<std::unique_ptr<Step>> create(const Problem& p) {
    auto step = std::make_unique<DepthwiseConv>(p);
    GRAFT_ASSIGN_OR_RETURN(
        step->weights_,
        pack_depthwise(*step->common_.table, static_cast<const float*>(p.constants[1].data),
                       step->common_.shape));
    return std::unique_ptr<Step>(std::move(step));
  }

  std::string_view kernel_name() const override { return "conv_depthwise_f32"; }
  Result<backends::StepPlan> plan(const backends::StepShapes& shapes) const override {
    auto state = std::make_unique<DepthwiseState>();
    state->plan = plan_depthwise(common_.concrete(shapes), shapes.threads);
    return backends::StepPlan{std::move(state), 0};
  }
  void run(const backends::StepState* state, const void* const* src, void* const* dst,
           std::byte*) const override {
    run_depthwise(*common_.table, static_cast<const DepthwiseState*>(state)->plan,
                  weights_.as<float>(), static_cast<const float*>(src[0]), common_.bias_of(src),
                  common_.residual_of(src), common_.epilogue, static_cast<float*>(dst[0]));
  }
  bool consumes_constant(int i) const override { return common_.consumes(i); }
  bool may_run_in_place(int i) const override { return common_.in_place(i); }
  size_t packed_bytes() const override {
    return weights_.size() + common_.bias.size() * sizeof(float);
  }

 private:
  ConvCommon common_;
  Buffer weights_;
};

constexpr KernelEntry kKernels[] = {
    {"conv_depthwise_f32", &DepthwiseConv::supports, &DepthwiseConv::create},
    {"conv_winograd2_f32", &WinogradConv::supports, &WinogradConv::create},
    {"conv_igemm_f32", &common_refusal, &IgemmConv::create},
};

}  // namespace

std::span<const KernelEntry> conv_kernels() { return kKernels; }

}  // namespace graft::cpu
