// MatMul: weights packed once where b is a constant matrix, else packed while running.
#include <vector>

#include "backends/cpu/bf16/bf16_kernels.h"
#include "backends/cpu/conv/conv2d.h"
#include "backends/cpu/gemm/batched_matmul.h"
#include "backends/cpu/gemm/compute_select.h"
#include "backends/cpu/kernel_list.h"
#include "base/check.h"

namespace graft::cpu {
namespace {

using ir::MatMulAttrs;

std::string common_refusal(const Problem& p) {
  const auto& attrs = p.op->as<MatMulAttrs>();
  for (const ir::TensorType* t : p.src) {
    if (t->dtype != DType::kFloat) return "not float32 but " + dtype_name(t->dtype);
  }
  if (p.src[0]->rank() < 2 || p.src[1]->rank() < 2) return "rank below 2";
  Epilogue e;
  if (!to_epilogue(attrs.act, &e))
    return std::string("can't fuse activation ") + name_of(attrs.act.fn);
  return "";
}

// Inputs after a and b, in their order.
struct Extras {
  const float* bias = nullptr;
  const float* residual = nullptr;
};
Extras extras_of(bool has_bias, bool has_residual, const std::vector<float>& const_bias,
                 const void* const* src) {
  Extras e;
  int next = 2;
  if (has_bias) {
    e.bias = const_bias.empty() ? static_cast<const float*>(src[next]) : const_bias.data();
    ++next;
  }
  if (has_residual) e.residual = static_cast<const float*>(src[next]);
  return e;
}
std::vector<float> copy_bias(const Problem& p, bool has_bias) {
  if (!has_bias || p.constants[2].data == nullptr) return {};
  const float* data = static_cast<const float*>(p.constants[2].data);
  return std::vector<float>(data, data + p.constants[2].dims.back());
}

struct PackedState : backends::StepState {
  ConvPlan plan;
};

class PackedMatMul : public Step {
 public:
  static std::string supports(const Problem& p) {
    if (std::string why = common_refusal(p); !why.empty()) return why;
    if (p.op->as<MatMulAttrs>().transpose_a) return "transpose_a";
    if (p.constants[1].data == nullptr) return "b is not a constant";
    const auto dims = p.constants[1].dims;
    for (size_t i = 0; i + 2 < dims.size(); ++i) {
      if (dims[i] != 1) return "b is a batch of matrices";
    }
    return "";
  }
  static Result<std::unique_ptr<Step>> create(const Problem& p) {
    auto step = std::make_unique<PackedMatMul>();
    const auto& attrs = p.op->as<MatMulAttrs>();
    const auto dims = p.constants[1].dims;
    const int64_t rows = dims[dims.size() - 2], columns = dims[dims.size() - 1];
    const float* b = static_cast<const float*>(p.constants[1].data);
    const bool t = attrs.transpose_b;
    step->k_ = t ? columns : rows;
    step->n_ = t ? rows : columns;
    GRAFT_ASSIGN_OR_RETURN(step->weights_,
                           ConvWeights::pack_matrix(compute_table_of(p.target), b, t ? 1 : columns,
                                                    t ? columns : 1, step->k_, step->n_));
    to_epilogue(attrs.act, &step->epilogue_);
    step->has_bias_ = attrs.has_bias;
    step->has_residual_ = attrs.has_residual;
    step->bias_ = copy_bias(p, attrs.has_bias);
    return std::unique_ptr<Step>(std::move(step));
  }

  std::string_view kernel_name() const override { return "matmul_packed_f32"; }
  Result<backends::StepPlan> plan(const backends::StepShapes& shapes) const override {
    auto state = std::make_unique<PackedState>();
    ConvShape s;
    s.batch = s.w = s.ow = 1;
    s.h = 1;
    for (size_t i = 0; i + 1 < shapes.dst[0].size(); ++i) s.h *= shapes.dst[0][i];
    s.oh = s.h;
    s.c = s.src_ld = k_;
    s.oc = s.dst_ld = s.residual_ld = n_;
    state->plan = plan_conv(weights_, s, shapes.threads);
    const size_t scratch = static_cast<size_t>(state->plan.scratch_bytes());
    return backends::StepPlan{std::move(state), scratch};
  }
  void run(const backends::StepState* state, const void* const* src, void* const* dst,
           std::byte* scratch) const override {
    const Extras e = extras_of(has_bias_, has_residual_, bias_, src);
    run_conv(weights_, static_cast<const PackedState*>(state)->plan,
             static_cast<const float*>(src[0]), e.bias, e.residual, epilogue_,
             static_cast<float*>(dst[0]), scratch);
  }
  bool consumes_constant(int i) const override { return i == 1 || (i == 2 && !bias_.empty()); }
  bool may_run_in_place(int i) const override { return has_residual_ && i == 2 + has_bias_; }
  size_t packed_bytes() const override {
    return weights_.packed.size() + bias_.size() * sizeof(float);
  }

 private:
  ConvWeights weights_;
  Epilogue epilogue_;
  int64_t k_ = 0, n_ = 0;
  bool has_bias_ = false, has_residual_ = false;
  std::vector<float> bias_;
};

struct BatchedState : backends::StepState {
  MatMulPlan plan;
};

class BatchedMatMul : public Step {
 public:
  static std::string supports(const Problem& p) { return common_refusal(p); }
  static Result<std::unique_ptr<Step>> create(const Problem& p) {
    auto step = std::make_unique<BatchedMatMul>();
    step->attrs_ = p.op->as<MatMulAttrs>();
    step->table_ = &compute_table_of(p.target);
    to_epilogue(step->attrs_.act, &step->epilogue_);
    step->bias_ = copy_bias(p, step->attrs_.has_bias);
    return std::unique_ptr<Step>(std::move(step));
  }

  std::string_view kernel_name() const override { return "matmul_batched_f32"; }
  Result<backends::StepPlan> plan(const backends::StepShapes& shapes) const override {
    auto state = std::make_unique<BatchedState>();
    state->plan = plan_matmul(
        *table_, matmul_shape(attrs_, shapes.src[0], shapes.src[1], shapes.dst[0]), shapes.threads);
    const size_t scratch = static_cast<size_t>(state->plan.scratch_bytes());
    return backends::StepPlan{std::move(state), scratch};
  }
  void run(const backends::StepState* state, const void* const* src, void* const* dst,
           std::byte* scratch) const override {
    const Extras e = extras_of(attrs_.has_bias, attrs_.has_residual, bias_, src);
    run_matmul(*table_, static_cast<const BatchedState*>(state)->plan,
               static_cast<const float*>(src[0]), static_cast<const float*>(src[1]), e.bias,
               e.residual, epilogue_, static_cast<float*>(dst[0]), scratch);
  }
  bool consumes_constant(int i) const override { return i == 2 && !bias_.empty(); }
  bool may_run_in_place(int i) const override {
    return attrs_.has_residual && i == 2 + attrs_.has_bias;
  }

 private:
  MatMulAttrs attrs_;
  const ComputeTable* table_ = nullptr;
  Epilogue epilogue_;
  std::vector<float> bias_;
};

constexpr KernelEntry kKernels[] = {
    {"matmul_packed_bf16", &supports_bf16_matmul, &create_bf16_matmul},
    {"matmul_packed_f32", &PackedMatMul::supports, &PackedMatMul::create},
    {"matmul_batched_f32", &BatchedMatMul::supports, &BatchedMatMul::create},
};

}  // namespace

std::span<const KernelEntry> matmul_kernels() { return kKernels; }

}  // namespace graft::cpu
