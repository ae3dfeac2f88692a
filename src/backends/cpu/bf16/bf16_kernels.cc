#include "backends/cpu/bf16/bf16_kernels.h"

#include "backends/cpu/bf16/bf16_conv.h"
#include "backends/cpu/common/step_util.h"
#include "backends/cpu/conv/conv_part.h"
#include "backends/cpu/conv/conv_problem.h"
#include "backends/cpu/gemm/compute_select.h"

namespace graft::cpu {
namespace {

using ir::ConvAttrs;
using ir::MatMulAttrs;

// A convolution with the number of output pixels still unknown, or a matrix product as one.
class Bf16Product : public Step {
 public:
  Result<backends::StepPlan> plan(const backends::StepShapes& shapes) const override {
    Bf16ConvPlan plan = plan_bf16_conv(weights_, concrete(shapes), shapes.threads);
    const auto scratch = static_cast<size_t>(plan.scratch_bytes());
    return plan_of(std::move(plan), scratch);
  }
  void run(const backends::StepState* state, const void* const* src, void* const* dst,
           std::byte* scratch) const override {
    run_bf16_conv(weights_, state_as<Bf16ConvPlan>(state), static_cast<const float*>(src[0]),
                  residual_ < 0 ? nullptr : static_cast<const float*>(src[residual_]), epilogue_,
                  static_cast<float*>(dst[0]), scratch);
  }
  bool consumes_constant(int i) const override { return i > 0 && i != residual_; }
  bool may_run_in_place(int i) const override { return i == residual_; }
  size_t packed_bytes() const override { return weights_.bytes(); }

 protected:
  virtual ConvShape concrete(const backends::StepShapes& shapes) const = 0;

  template <typename Attrs>
  Status prepare(const Problem& p, const Attrs& attrs, const Bf16Matrix& matrix) {
    to_epilogue(attrs.act, &epilogue_);
    if (attrs.has_residual) residual_ = attrs.has_bias ? 3 : 2;
    GRAFT_ASSIGN_OR_RETURN(
        weights_, Bf16Weights::pack(
                      bf16_isa_of(p.target, matrix.taps * matrix.tap_k, matrix.n), matrix,
                      attrs.has_bias ? static_cast<const float*>(p.constants[2].data) : nullptr));
    return ok_status();
  }

  const Bf16Weights& weights() const { return weights_; }
  const Epilogue& epilogue() const { return epilogue_; }
  int residual() const { return residual_; }

 private:
  Bf16Weights weights_;
  Epilogue epilogue_;
  int residual_ = -1;
};

template <typename Attrs>
std::string common_refusal(const Problem& p) {
  if (!p.bf16_products) return "precision_mode is not BF16";
  for (const ir::TensorType* t : p.src) {
    if (t->dtype != DType::kFloat) return "not float32 but " + dtype_name(t->dtype);
  }
  const auto& attrs = p.op->as<Attrs>();
  if (p.constants[1].data == nullptr) return "weights are not a constant";
  if (attrs.has_bias && p.constants[2].data == nullptr) return "bias is not a constant";
  Epilogue e;
  if (!to_epilogue(attrs.act, &e))
    return std::string("can't fuse activation ") + name_of(attrs.act.fn);
  return "";
}

std::string gains(const ir::Target& target, int64_t k, int64_t n) {
  return bf16_isa_of(target, k, n).table ? "" : "products of bfloat16 are not faster here";
}

class Bf16Conv final : public Bf16Product, public ConvPartSource {
 public:
  static Result<std::unique_ptr<Step>> create(const Problem& p) {
    auto step = std::make_unique<Bf16Conv>();
    step->attrs_ = p.op->as<ConvAttrs>();
    step->shape_ = conv_shape(step->attrs_, p.constants[1].dims);
    step->num_inputs_ = static_cast<int>(p.src.size());
    GRAFT_RETURN_IF_ERROR(step->prepare(
        p, step->attrs_,
        bf16_conv_matrix(step->shape_, static_cast<const float*>(p.constants[1].data))));
    return std::unique_ptr<Step>(std::move(step));
  }
  std::string_view kernel_name() const override { return "conv_igemm_bf16"; }

  ConvPart part() const override {
    ConvPart part;
    part.kind = shape_.kh * shape_.kw == 1 ? ConvPartKind::kProduct : ConvPartKind::kOther;
    part.attrs = &attrs_;
    part.shape = &shape_;
    part.inputs = num_inputs_;
    part.residual = residual();
    part.weights_bytes = static_cast<int64_t>(weights().bytes());
    return part;
  }
  int64_t pixels_scratch_bytes(int64_t rows) const override {
    return bf16_pixels_scratch_bytes(weights(), rows);
  }
  void run_pixels(const void* src, int64_t rows, const void* residual, void* dst,
                  std::byte* scratch) const override {
    run_bf16_pixels(weights(), static_cast<const float*>(src), rows,
                    {static_cast<const float*>(residual), shape_.oc, static_cast<float*>(dst),
                     shape_.oc, &epilogue()},
                    scratch);
  }

 private:
  ConvShape concrete(const backends::StepShapes& shapes) const override {
    return concrete_conv_shape(attrs_, shape_, shapes.src[0], shapes.dst[0]);
  }
  ConvAttrs attrs_;
  ConvShape shape_;
  int num_inputs_ = 0;
};

class Bf16MatMul final : public Bf16Product {
 public:
  static Result<std::unique_ptr<Step>> create(const Problem& p) {
    auto step = std::make_unique<Bf16MatMul>();
    const auto& attrs = p.op->as<MatMulAttrs>();
    const auto dims = p.constants[1].dims;
    const int64_t rows = dims[dims.size() - 2], columns = dims[dims.size() - 1];
    const bool t = attrs.transpose_b;
    Bf16Matrix m;
    m.b = static_cast<const float*>(p.constants[1].data);
    m.tap_k = step->k_ = t ? columns : rows;
    m.n = step->n_ = t ? rows : columns;
    m.row_step = t ? 1 : columns;
    m.column_step = t ? columns : 1;
    GRAFT_RETURN_IF_ERROR(step->prepare(p, attrs, m));
    return std::unique_ptr<Step>(std::move(step));
  }
  std::string_view kernel_name() const override { return "matmul_packed_bf16"; }

 private:
  ConvShape concrete(const backends::StepShapes& shapes) const override {
    ConvShape s;
    s.batch = s.w = s.ow = s.h = 1;
    for (size_t i = 0; i + 1 < shapes.dst[0].size(); ++i) s.h *= shapes.dst[0][i];
    s.oh = s.h;
    s.c = s.src_ld = k_;
    s.oc = s.dst_ld = s.residual_ld = n_;
    return s;
  }
  int64_t k_ = 0, n_ = 0;
};

}  // namespace

std::string supports_bf16_conv(const Problem& p) {
  if (std::string why = common_refusal<ConvAttrs>(p); !why.empty()) return why;
  const auto dims = p.constants[1].dims;
  if (dims.size() != 4) return "weights are not of rank 4";
  if (p.op->as<ConvAttrs>().groups != 1) return "groups";
  // As weights are stored (engine/write/storage.cc).
  constexpr int64_t kFewChannels = 8;
  if (dims[2] <= kFewChannels) return "few channels, whose roundings hardly average out";
  return gains(p.target, dims[0] * dims[1] * dims[2], dims[3]);
}
Result<std::unique_ptr<Step>> create_bf16_conv(const Problem& p) { return Bf16Conv::create(p); }

std::string supports_bf16_matmul(const Problem& p) {
  if (std::string why = common_refusal<MatMulAttrs>(p); !why.empty()) return why;
  if (p.op->as<MatMulAttrs>().transpose_a) return "transpose_a";
  const auto dims = p.constants[1].dims;
  if (dims.size() < 2 || p.src[0]->rank() < 2) return "rank below 2";
  for (size_t i = 0; i + 2 < dims.size(); ++i) {
    if (dims[i] != 1) return "b is a batch of matrices";
  }
  const int64_t rows = dims[dims.size() - 2], columns = dims[dims.size() - 1];
  const bool t = p.op->as<MatMulAttrs>().transpose_b;
  return gains(p.target, t ? columns : rows, t ? rows : columns);
}
Result<std::unique_ptr<Step>> create_bf16_matmul(const Problem& p) { return Bf16MatMul::create(p); }

}  // namespace graft::cpu
