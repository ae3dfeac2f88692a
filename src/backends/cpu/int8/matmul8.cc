// MatMul of two quantized tensors that are known only while running: b is packed into scratch.
#include <algorithm>
#include <cstring>

#include "backends/cpu/common/rounding.h"
#include "backends/cpu/common/step_util.h"
#include "backends/cpu/gemm/matmul_shape.h"
#include "backends/cpu/int8/matmul8.h"
#include "backends/cpu/int8/operand8.h"
#include "backends/cpu/int8/product.h"
#include "backends/cpu/threads/parallel.h"
#include "ir/quantized.h"

namespace graft::cpu {
namespace {

constexpr int64_t kMaxBlockRows = 192, kMinCutRows = 48;
// Multiply-adds that are worth a task.
constexpr int64_t kMinTaskMacs = 400'000;

struct Plan {
  MatMulShape shape;
  Int8Operand right;
  int64_t row_cuts = 1, block_rows = 1, workers = 1, worker_bytes = 0;
  bool copies_a = false;  // rows of a can't be read where they lie
  // Byte offsets in a worker's scratch; the packed b is at 0. Turned: columns of a as rows.
  int64_t copies_at = 0, turned_at = 0, acc_at = 0, rows_at = 0;
};

class BatchedMatMul8 final : public Step {
 public:
  explicit BatchedMatMul8(const Problem& p)
      : attrs_(p.op->as<ir::MatMulAttrs>()),
        has_sign_(p.src[0]->dtype == DType::kInt8),
        isa_(int8_isa_of(p.target)),
        bias_(attrs_.has_bias ? static_cast<const int32_t*>(p.constants[2].data) : nullptr,
              attrs_.has_bias
                  ? static_cast<const int32_t*>(p.constants[2].data) + p.constants[2].dims.back()
                  : nullptr),
        // One multiplier for all columns.
        epilogue_(int8_epilogue(p, *isa_.finish, 1, kPanelColumns, kPanelColumns)) {}
  std::string_view kernel_name() const override { return "matmul_batched_int8"; }

  Result<backends::StepPlan> plan(const backends::StepShapes& shapes) const override {
    Plan p;
    p.shape = matmul_shape(attrs_, shapes.src[0], shapes.src[1], shapes.dst[0]);
    const MatMulShape& s = p.shape;
    if (s.k > ir::kMaxQuantizedTerms)
      return unsupported("INT8 product sums more than " + std::to_string(ir::kMaxQuantizedTerms) +
                         " terms");
    const auto batch = static_cast<int64_t>(s.dst_offset.size());
    if (batch == 0 || s.m == 0 || s.n == 0) return plan_of(std::move(p));
    p.right = int8_operand(isa_, s.k, s.n, has_sign_);
    const int64_t wanted =
        std::min<int64_t>(4 * shapes.threads, batch * s.m * s.n * s.k / kMinTaskMacs);
    // Each cut packs b again.
    if (shapes.threads > 1 && batch < wanted)
      p.row_cuts = std::clamp<int64_t>(ceil_div(wanted, batch), 1, ceil_div(s.m, kMinCutRows));
    p.block_rows = std::min(ceil_div(s.m, p.row_cuts), kMaxBlockRows);
    p.workers = std::min<int64_t>(shapes.threads, batch * p.row_cuts);
    const bool turns = s.a_k_step != 1;
    p.copies_a = p.right.copies_left() || turns;
    p.copies_at = p.right.bytes();
    p.turned_at =
        p.copies_at +
        align64(p.copies_a ? p.right.copied_rows(p.block_rows) * p.right.left_bytes() : 0);
    p.acc_at = p.turned_at + (turns ? align64(p.block_rows * s.k) : 0);
    p.rows_at = p.acc_at + align64(p.right.acc_bytes());
    p.worker_bytes = p.rows_at + align64(p.block_rows * int64_t{sizeof(uint8_t*)});
    const auto scratch = static_cast<size_t>(p.workers * p.worker_bytes);
    return plan_of(std::move(p), scratch);
  }

  void run(const backends::StepState* state, const void* const* src, void* const* dst,
           std::byte* scratch) const override {
    const auto& p = state_as<Plan>(state);
    const MatMulShape& s = p.shape;
    if (p.worker_bytes == 0) return;
    const auto* a = static_cast<const uint8_t*>(src[0]);
    const auto* b = static_cast<const int8_t*>(src[1]);
    const auto* residual =
        attrs_.has_residual ? static_cast<const char*>(src[2 + attrs_.has_bias]) : nullptr;
    const auto tasks = static_cast<int64_t>(s.dst_offset.size()) * p.row_cuts;
    parallel_for(tasks, static_cast<int>(p.workers), [&](int64_t task, int worker) {
      const auto i = static_cast<size_t>(task / p.row_cuts);
      const int64_t cut = task % p.row_cuts, end = s.m * (cut + 1) / p.row_cuts;
      std::byte* mine = scratch + worker * p.worker_bytes;
      p.right.pack({b + s.b_offset[i], s.b_k_step, s.b_column_step},
                   bias_.empty() ? nullptr : bias_.data(), mine);
      for (int64_t row = s.m * cut / p.row_cuts; row < end; row += p.block_rows) {
        const int64_t rows = std::min(p.block_rows, end - row);
        const int64_t at = s.dst_offset[i] + row * s.ldd;
        run_block(p, a + s.a_offset[i] + row * s.a_row_step, rows,
                  residual ? residual + at * epilogue_.residual_elem_bytes : nullptr,
                  static_cast<char*>(dst[0]) + at * epilogue_.dst_elem_bytes, mine);
      }
    });
  }
  bool consumes_constant(int i) const override { return attrs_.has_bias && i == 2; }
  bool may_run_in_place(int i) const override {
    return attrs_.has_residual && i == 2 + attrs_.has_bias;
  }

 private:
  static constexpr int64_t kPanelColumns = kMaxInt8Vecs * 16;

  // rows[i]: row i of a as the kernel reads it.
  static void find_rows(const Plan& p, const uint8_t* a, int64_t count, std::byte* scratch,
                        const uint8_t** rows) {
    const MatMulShape& s = p.shape;
    int64_t row_step = s.a_row_step;
    if (s.a_k_step != 1) {
      auto* turned = reinterpret_cast<uint8_t*>(scratch + p.turned_at);
      for (int64_t k = 0; k < s.k; ++k) {
        for (int64_t i = 0; i < count; ++i)
          turned[i * s.k + k] = a[i * s.a_row_step + k * s.a_k_step];
      }
      a = turned;
      row_step = s.k;
    }
    auto* copies = reinterpret_cast<uint8_t*>(scratch + p.copies_at);
    for (int64_t i = 0; i < count; ++i) {
      rows[i] = a + i * row_step;
      if (!p.copies_a) continue;
      p.right.copy_left(rows[i], copies + i * p.right.left_bytes());
      rows[i] = copies + i * p.right.left_bytes();
    }
  }

  void run_block(const Plan& p, const uint8_t* a, int64_t rows, const char* residual, char* dst,
                 std::byte* scratch) const {
    const MatMulShape& s = p.shape;
    auto* left = reinterpret_cast<const uint8_t**>(scratch + p.rows_at);
    find_rows(p, a, rows, scratch, left);
    auto* acc = reinterpret_cast<int32_t*>(scratch + p.acc_at);
    Int8FinishArgs f = {};
    f.acc = acc;
    f.m = epilogue_.m.data();
    f.ldr = f.ldd = s.ldd;
    f.residual_has_sign = epilogue_.residual_has_sign;
    f.residual_scale = epilogue_.residual_scale;
    f.lo = epilogue_.lo;
    f.hi = epilogue_.hi;
    f.epilogue = &epilogue_.act;
    p.right.multiply(scratch, left, rows, acc, [&](int64_t panel, int64_t row, int64_t count) {
      const int64_t at = row * s.ldd + p.right.panels().first_column(panel);
      f.acc_ld = p.right.panels().width(panel);
      f.rows = count;
      f.columns = p.right.panels().columns(panel);
      f.residual = residual ? residual + at * epilogue_.residual_elem_bytes : nullptr;
      f.dst = dst + at * epilogue_.dst_elem_bytes;
      epilogue_.finish(&f);
    });
  }

  const ir::MatMulAttrs attrs_;
  const bool has_sign_;
  const Int8Isa isa_;
  const std::vector<int32_t> bias_;
  const Int8Epilogue epilogue_;
};

}  // namespace

std::string supports_int8_batched_matmul(const Problem& p) {
  if (std::string why = int8_product_refusal(p); !why.empty()) return why;
  if (!ir::is_quantized(*p.src[1])) return "b has a scale a column";
  if (p.src[0]->rank() < 2 || p.src[1]->rank() < 2) return "rank below 2";
  return "";
}

Result<std::unique_ptr<Step>> create_int8_batched_matmul(const Problem& p) {
  return std::unique_ptr<Step>(std::make_unique<BatchedMatMul8>(p));
}

}  // namespace graft::cpu
