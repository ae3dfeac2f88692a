// Conv: depthwise, Winograd and implicit GEMM.
#include <vector>

#include "backends/cpu/bf16/bf16_kernels.h"
#include "backends/cpu/common/step_util.h"
#include "backends/cpu/conv/conv_part.h"
#include "backends/cpu/conv/conv_problem.h"
#include "backends/cpu/conv/depthwise2d.h"
#include "backends/cpu/conv/winograd2d.h"
#include "backends/cpu/gemm/compute_select.h"
#include "backends/cpu/kernel_list.h"
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

// Without batch, extents of src and pads; those of dst are 0 where they are not known yet.
ConvShape static_shape(const Problem& p) {
  ConvShape s = conv_shape(p.op->as<ConvAttrs>(), p.constants[1].dims);
  const std::vector<ir::Dim>& dst = p.dst[0]->dims;
  if (dst.size() == 4 && dst[1].is_const()) s.oh = dst[1].value();
  if (dst.size() == 4 && dst[2].is_const()) s.ow = dst[2].value();
  return s;
}

// What every kernel keeps of the op.
struct ConvCommon {
  ConvAttrs attrs;
  ConvShape shape;
  Epilogue epilogue;
  std::vector<float> bias;  // empty: no bias, or one known only while running
  const ComputeTable* table = nullptr;
  int inputs = 0;

  explicit ConvCommon(const Problem& p)
      : attrs(p.op->as<ConvAttrs>()),
        shape(static_shape(p)),
        table(&compute_table_of(p.target)),
        inputs(static_cast<int>(p.src.size())) {
    to_epilogue(attrs.act, &epilogue);
    if (attrs.has_bias && p.constants[2].data != nullptr) {
      const float* data = static_cast<const float*>(p.constants[2].data);
      bias.assign(data, data + shape.oc);
    }
  }
};

struct Tensors {
  const float* src;
  const float* bias;      // null: none
  const float* residual;  // null: none
  float* dst;
};

// The step of a kernel K: its name, its packed weights (pack, packed_bytes), its Plan of a shape
// and run.
template <typename K>
class ConvStep final : public Step, public ConvPartSource {
 public:
  explicit ConvStep(const Problem& p) : common_(p) {}
  static Result<std::unique_ptr<Step>> create(const Problem& p) {
    auto step = std::make_unique<ConvStep>(p);
    GRAFT_RETURN_IF_ERROR(
        step->kernel_.pack(step->common_, static_cast<const float*>(p.constants[1].data)));
    return std::unique_ptr<Step>(std::move(step));
  }

  std::string_view kernel_name() const override { return kernel_.name(); }
  Result<backends::StepPlan> plan(const backends::StepShapes& shapes) const override {
    auto plan = kernel_.plan(
        concrete_conv_shape(common_.attrs, common_.shape, shapes.src[0], shapes.dst[0]),
        shapes.threads);
    const size_t scratch = static_cast<size_t>(plan.scratch_bytes());
    return plan_of(std::move(plan), scratch);
  }
  void run(const backends::StepState* state, const void* const* src, void* const* dst,
           std::byte* scratch) const override {
    const ConvAttrs& attrs = common_.attrs;
    Tensors t = {static_cast<const float*>(src[0]), nullptr, nullptr, static_cast<float*>(dst[0])};
    if (attrs.has_bias)
      t.bias = common_.bias.empty() ? static_cast<const float*>(src[2]) : common_.bias.data();
    if (attrs.has_residual && !GRAFT_FAULT(conv_residual_dropped))
      t.residual = static_cast<const float*>(src[residual_input()]);
    kernel_.run(state_as<typename K::Plan>(state), common_, t, scratch);
  }
  bool consumes_constant(int i) const override {
    return i == 1 || (i == 2 && !common_.bias.empty());
  }
  bool may_run_in_place(int i) const override {
    return common_.attrs.has_residual && i == residual_input();
  }
  size_t packed_bytes() const override {
    return kernel_.packed_bytes() + common_.bias.size() * sizeof(float);
  }
  ConvPart part() const override {
    ConvPart part;
    const bool bias_is_known = !common_.attrs.has_bias || !common_.bias.empty();
    part.kind = bias_is_known ? K::kPart : ConvPartKind::kOther;
    part.attrs = &common_.attrs;
    part.shape = &common_.shape;
    part.inputs = common_.inputs;
    if (common_.attrs.has_residual) part.residual = residual_input();
    part.weights_bytes = static_cast<int64_t>(kernel_.packed_bytes());
    return part;
  }
  int64_t pixels_scratch_bytes(int64_t rows) const override {
    return rows * int64_t{sizeof(float*)};
  }
  void run_pixels(const void* src, int64_t rows, const void* residual, void* dst,
                  std::byte* scratch) const override {
    if constexpr (K::kPart == ConvPartKind::kProduct)
      kernel_.run_pixels(common_, tensors(src, residual, dst), rows, scratch);
  }
  std::unique_ptr<backends::StepState> plan_rows(const ConvShape& shape) const override {
    return std::make_unique<StateOf<typename K::Plan>>(kernel_.plan(shape, 1));
  }
  void run_row(const backends::StepState& plan, const PartRows& rows, int64_t oy,
               void* dst) const override {
    if constexpr (K::kPart == ConvPartKind::kDepthwise) {
      kernel_.run_row(state_as<typename K::Plan>(&plan), common_, tensors(rows.first, nullptr, dst),
                      rows.slots, oy);
    }
  }

 private:
  Tensors tensors(const void* src, const void* residual, void* dst) const {
    return {static_cast<const float*>(src), common_.bias.empty() ? nullptr : common_.bias.data(),
            static_cast<const float*>(residual), static_cast<float*>(dst)};
  }
  int residual_input() const { return common_.attrs.has_bias ? 3 : 2; }
  ConvCommon common_;
  K kernel_;
};

struct Igemm {
  static constexpr const char* kName = "conv_igemm_f32";
  std::string_view name() const { return kName; }
  using Plan = ConvPlan;
  Status pack(const ConvCommon& common, const float* data) {
    GRAFT_ASSIGN_OR_RETURN(weights, ConvWeights::pack(*common.table, data, common.shape));
    return ok_status();
  }
  size_t packed_bytes() const { return weights.packed.size(); }
  Plan plan(const ConvShape& shape, int threads) const {
    return plan_conv(weights, shape, threads);
  }
  void run(const Plan& plan, const ConvCommon& common, const Tensors& t, void* scratch) const {
    run_conv(weights, plan, t.src, t.bias, t.residual, common.epilogue, t.dst, scratch);
  }
  static constexpr ConvPartKind kPart = ConvPartKind::kProduct;
  // t.src: rows dense pixels.
  void run_pixels(const ConvCommon& common, const Tensors& t, int64_t rows,
                  std::byte* scratch) const {
    auto** pointers = reinterpret_cast<const float**>(scratch);
    const int64_t k = common.shape.c;
    for (int64_t i = 0; i < rows; ++i) pointers[i] = t.src + i * k;
    IgemmBlock b;
    b.table = common.table;
    b.panels = weights.panels;
    b.packed = weights.packed.as<float>();
    b.taps = 1;
    b.tap_k = k;
    b.rows = pointers;
    b.row_stride = b.num_rows = rows;
    b.bias = t.bias;
    b.residual = t.residual;
    b.ldr = b.ldd = common.shape.oc;
    b.dst = t.dst;
    b.epilogue = &common.epilogue;
    run_igemm_block(b, 0, b.panels.count);
  }
  ConvWeights weights;
};

struct Winograd {
  static constexpr const char* kName = "conv_winograd_f32";
  // Scratch of a thread at most: a workspace cap below it leaves the kernel out.
  static constexpr int64_t kScratchBytes = int64_t{8} << 20;
  using Plan = WinogradPlan;

  static std::string supports(const Problem& p) {
    if (std::string why = common_refusal(p); !why.empty()) return why;
    if (p.strict_math) return "fp32_math is strict";
    if (p.target.isa < ir::Isa::kAvx2) return "no AVX2";
    if (p.max_workspace_bytes >= 0 && p.max_workspace_bytes < kScratchBytes)
      return "needs 8 MiB of workspace";
    return winograd_form(static_shape(p)) >= 0
               ? ""
               : "no form for this kernel, stride and number of channels";
  }
  Status pack(const ConvCommon& common, const float* data) {
    GRAFT_ASSIGN_OR_RETURN(weights, WinogradWeights::pack(*common.table, data, common.shape,
                                                          winograd_form(common.shape)));
    return ok_status();
  }
  static constexpr ConvPartKind kPart = ConvPartKind::kOther;
  std::string_view name() const { return kWinogradForm[weights.form].kernel_name; }
  size_t packed_bytes() const { return weights.packed.size(); }
  Plan plan(const ConvShape& shape, int threads) const {
    return plan_winograd(weights, shape, threads);
  }
  void run(const Plan& plan, const ConvCommon& common, const Tensors& t, void* scratch) const {
    run_winograd(weights, plan, t.src, t.bias, t.residual, common.epilogue, t.dst, scratch);
  }
  WinogradWeights weights;
};

struct Depthwise {
  static constexpr const char* kName = "conv_depthwise_f32";
  std::string_view name() const { return kName; }
  using Plan = DepthwisePlan;

  static std::string supports(const Problem& p) {
    if (std::string why = common_refusal(p); !why.empty()) return why;
    // One input channel in one group is an ordinary convolution, which has more reuse.
    return p.constants[1].dims[2] == 1 && p.op->as<ConvAttrs>().groups > 1 ? "" : "not depthwise";
  }
  Status pack(const ConvCommon& common, const float* data) {
    GRAFT_ASSIGN_OR_RETURN(weights, pack_depthwise(*common.table, data, common.shape));
    return ok_status();
  }
  size_t packed_bytes() const { return weights.size(); }
  Plan plan(const ConvShape& shape, int threads) const { return plan_depthwise(shape, threads); }
  void run(const Plan& plan, const ConvCommon& common, const Tensors& t, void*) const {
    run_depthwise(*common.table, plan, weights.as<float>(), t.src, t.bias, t.residual,
                  common.epilogue, t.dst);
  }
  static constexpr ConvPartKind kPart = ConvPartKind::kDepthwise;
  void run_row(const Plan& plan, const ConvCommon& common, const Tensors& t, int64_t slots,
               int64_t oy) const {
    run_depthwise_row(*common.table, plan, weights.as<float>(), ImageRows{t.src, slots}, oy, t.bias,
                      nullptr, common.epilogue, t.dst);
  }
  Buffer weights;
};

constexpr KernelEntry kKernels[] = {
    {"conv_igemm_bf16", &supports_bf16_conv, &create_bf16_conv},
    {Depthwise::kName, &Depthwise::supports, &ConvStep<Depthwise>::create},
    {Winograd::kName, &Winograd::supports, &ConvStep<Winograd>::create},
    {Igemm::kName, &common_refusal, &ConvStep<Igemm>::create},
};

}  // namespace

std::span<const KernelEntry> conv_kernels() { return kKernels; }

}  // namespace graft::cpu
