// Conv and MatMul over quantized tensors: those with constant weights, and the lists.
#include <algorithm>

#include "backends/cpu/common/rounding.h"
#include "backends/cpu/common/step_util.h"
#include "backends/cpu/conv/conv_part.h"
#include "backends/cpu/conv/conv_problem.h"
#include "backends/cpu/int8/conv8.h"
#include "backends/cpu/int8/depthwise_kernels.h"
#include "backends/cpu/int8/matmul8.h"
#include "backends/cpu/int8/product.h"

namespace graft::cpu {
namespace {

// Groups count taps and steps in 16 bits.
constexpr int64_t kMaxTaps = 65535, kMaxTapTerms = 65535 * kInt8Step;

// A product whose weights are packed once.
class PackedProduct : public Step {
 public:
  Result<backends::StepPlan> plan(const backends::StepShapes& shapes) const override {
    Int8ConvPlan plan = plan_int8_conv(weights_, concrete(shapes), shapes.threads);
    const auto scratch = static_cast<size_t>(plan.scratch_bytes());
    return plan_of(std::move(plan), scratch);
  }
  void run(const backends::StepState* state, const void* const* src, void* const* dst,
           std::byte* scratch) const override {
    run_int8_conv(weights_, state_as<Int8ConvPlan>(state), epilogue_, src[0],
                  residual_ < 0 ? nullptr : src[residual_], dst[0], scratch);
  }
  // Weights, bias and scales.
  bool consumes_constant(int i) const override { return i > 0 && i != residual_; }
  bool may_run_in_place(int i) const override { return i == residual_; }
  size_t packed_bytes() const override {
    return weights_.bytes() + epilogue_.m.size() * sizeof(float);
  }

 protected:
  virtual ConvShape concrete(const backends::StepShapes& shapes) const = 0;

  Status prepare(const Problem& p, const Int8Matrix& matrix) {
    const Int8Isa isa = int8_isa_of(p.target);
    const Int8Product product(p);
    const bool has_sign = p.src[0]->dtype == DType::kInt8;
    residual_ = product.has_residual ? product.residual_index() : -1;
    GRAFT_ASSIGN_OR_RETURN(weights_, Int8Weights::pack(int8_weights_table(isa, matrix, has_sign),
                                                       matrix, product.bias, has_sign));
    epilogue_ =
        int8_epilogue(p, *isa.finish, matrix.groups, matrix.n, weights_.panels.padded_columns());
    epilogue_.within_int32 = values_within_int32(epilogue_, matrix, product.bias);
    return ok_status();
  }

  const Int8Weights& weights() const { return weights_; }
  const Int8Epilogue& epilogue() const { return epilogue_; }
  int residual() const { return residual_; }

 private:
  Int8Weights weights_;
  Int8Epilogue epilogue_;
  int residual_ = -1;
};

class QuantizedConv final : public PackedProduct, public ConvPartSource {
 public:
  static std::string supports(const Problem& p) {
    if (std::string why = int8_product_refusal(p); !why.empty()) return why;
    if (p.constants[1].data == nullptr) return "weights are not a constant";
    const auto dims = p.constants[1].dims;
    if (dims.size() != 4) return "weights are not of rank 4";
    if (dims[0] * dims[1] > kMaxTaps || dims[1] * dims[2] > kMaxTapTerms) return "kernel too large";
    return "";
  }
  static Result<std::unique_ptr<Step>> create(const Problem& p) {
    auto step = std::make_unique<QuantizedConv>();
    step->attrs_ = p.op->as<ir::ConvAttrs>();
    step->shape_ = conv_shape(step->attrs_, p.constants[1].dims);
    step->num_inputs_ = static_cast<int>(p.src.size());
    GRAFT_RETURN_IF_ERROR(step->prepare(
        p, int8_conv_matrix(step->shape_, static_cast<const int8_t*>(p.constants[1].data))));
    return std::unique_ptr<Step>(std::move(step));
  }
  std::string_view kernel_name() const override { return "conv_igemm_int8"; }

  ConvPart part() const override {
    ConvPart part;
    // Rows of whole steps: no read passes the end of a row.
    part.kind = shape_.c % kInt8Step == 0 ? ConvPartKind::kProduct : ConvPartKind::kOther;
    part.attrs = &attrs_;
    part.shape = &shape_;
    part.inputs = num_inputs_;
    part.residual = residual();
    part.src_bytes = 1;
    part.dst_bytes = epilogue().dst_elem_bytes;
    part.weights_bytes = static_cast<int64_t>(weights().bytes());
    return part;
  }
  int64_t pixels_scratch_bytes(int64_t rows) const override {
    return align64(int8_acc_bytes(*weights().table)) + align64(rows * int64_t{sizeof(uint8_t*)}) +
           int8_packed_bytes(weights(), rows);
  }
  void run_pixels(const void* src, int64_t rows, const void* residual, void* dst,
                  std::byte* scratch) const override {
    auto* pointers =
        reinterpret_cast<const uint8_t**>(scratch + align64(int8_acc_bytes(*weights().table)));
    for (int64_t i = 0; i < rows; ++i)
      pointers[i] = static_cast<const uint8_t*>(src) + i * shape_.c;
    Int8Block b;
    b.weights = &weights();
    b.epilogue = &epilogue();
    b.rows = pointers;
    b.row_stride = b.num_rows = b.readable_rows = rows;
    b.row_bytes = shape_.c;
    b.residual = static_cast<const char*>(residual);
    b.ldr = b.ldd = shape_.oc;
    b.dst = static_cast<char*>(dst);
    b.acc = reinterpret_cast<int32_t*>(scratch);
    b.packed_rows =
        reinterpret_cast<uint8_t*>(pointers) + align64(rows * int64_t{sizeof(uint8_t*)});
    run_int8_block(b, 0, weights().panels.count);
  }

 private:
  ConvShape concrete(const backends::StepShapes& shapes) const override {
    return concrete_conv_shape(attrs_, shape_, shapes.src[0], shapes.dst[0]);
  }

  ir::ConvAttrs attrs_;
  ConvShape shape_;
  int num_inputs_ = 0;
};

class QuantizedMatMul final : public PackedProduct {
 public:
  static std::string supports(const Problem& p) {
    if (std::string why = int8_product_refusal(p); !why.empty()) return why;
    if (p.op->as<ir::MatMulAttrs>().transpose_a) return "transpose_a";
    if (p.constants[1].data == nullptr) return "b is not a constant";
    const auto dims = p.constants[1].dims;
    if (dims.size() < 2 || p.src[0]->rank() < 2) return "rank below 2";
    for (size_t i = 0; i + 2 < dims.size(); ++i) {
      if (dims[i] != 1) return "b is a batch of matrices";
    }
    if (std::max(dims[dims.size() - 1], dims[dims.size() - 2]) > kMaxTapTerms) return "too large";
    return "";
  }
  static Result<std::unique_ptr<Step>> create(const Problem& p) {
    auto step = std::make_unique<QuantizedMatMul>();
    const auto dims = p.constants[1].dims;
    const int64_t rows = dims[dims.size() - 2], columns = dims[dims.size() - 1];
    const bool t = p.op->as<ir::MatMulAttrs>().transpose_b;
    Int8Matrix m;
    m.b = static_cast<const int8_t*>(p.constants[1].data);
    m.tap_k = step->k_ = t ? columns : rows;
    m.n = step->n_ = t ? rows : columns;
    m.row_step = t ? 1 : columns;
    m.column_step = t ? columns : 1;
    GRAFT_RETURN_IF_ERROR(step->prepare(p, m));
    return std::unique_ptr<Step>(std::move(step));
  }
  std::string_view kernel_name() const override { return "matmul_packed_int8"; }

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

constexpr KernelEntry kConvKernels[] = {
    {"conv_depthwise_int8", &supports_int8_depthwise, &create_int8_depthwise},
    {"conv_igemm_int8", &QuantizedConv::supports, &QuantizedConv::create},
};
constexpr KernelEntry kMatMulKernels[] = {
    {"matmul_packed_int8", &QuantizedMatMul::supports, &QuantizedMatMul::create},
    {"matmul_batched_int8", &supports_int8_batched_matmul, &create_int8_batched_matmul},
};

}  // namespace

std::span<const KernelEntry> int8_conv_kernels() { return kConvKernels; }
std::span<const KernelEntry> int8_matmul_kernels() { return kMatMulKernels; }

}  // namespace graft::cpu
