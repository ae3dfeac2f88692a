// Attention over quantized tensors: for each (image, head) and block of query rows, int32 scores,
// probabilities as 7-bit integers and their products with v stay in cache. Rows are independent and
// sums exact, so cutting them never changes their bits.
#include <cstring>

#include "backends/cpu/common/pick_isa.h"
#include "backends/cpu/common/step_util.h"
#include "backends/cpu/int8/attention8_plan.h"
#include "backends/cpu/int8/attention8_table.h"
#include "backends/cpu/int8/product.h"
#include "backends/cpu/int8/quantized_problem.h"
#include "backends/cpu/threads/parallel.h"
#include "ir/quantized.h"

namespace graft::cpu {
namespace {

// Of one task: an image's head.
struct Operands {
  const uint8_t *q, *k, *v;
  const float* mask;  // of its first row
  char* dst;
};

class Int8AttentionStep final : public Step {
 public:
  explicit Int8AttentionStep(const Problem& p)
      : has_mask_(p.op->as<ir::AttentionAttrs>().has_mask),
        q_has_sign_(p.src[0]->dtype == DType::kInt8),
        to_float_(!ir::is_quantized(*p.dst[0])),
        l2_bytes_(p.target.l2_bytes),
        isa_(int8_isa_of(p.target)),
        table_(pick_isa(p.target.isa, isa_baseline::int8_attention_table(),
                        isa_avx2::int8_attention_table(), isa_avx512::int8_attention_table())) {
    const double scale = double{p.src[0]->scale} * double{p.src[1]->scale} *
                         double{p.op->as<ir::AttentionAttrs>().scale};
    score_scale_ = static_cast<float>(scale);
    const double v_scale{p.src[2]->scale};
    value_scale_ = static_cast<float>(to_float_ ? v_scale : v_scale / double{p.dst[0]->scale});
    lo_ = lowest_quantized(p.dst[0]->dtype);
  }
  std::string_view kernel_name() const override { return "attention_int8"; }

  Result<backends::StepPlan> plan(const backends::StepShapes& shapes) const override {
    const std::span<const int64_t> mask = has_mask_ ? shapes.src[3] : std::span<const int64_t>();
    if (std::max(shapes.src[0][3], shapes.src[2][1]) > ir::kMaxQuantizedTerms)
      return unsupported("INT8 attention sums more than " + std::to_string(ir::kMaxQuantizedTerms) +
                         " products");
    Int8AttentionPlan p = plan_int8_attention(isa_, q_has_sign_, shapes.src[0], shapes.src[2], mask,
                                              l2_bytes_, shapes.threads);
    const auto scratch = static_cast<size_t>(p.workers * p.worker_bytes);
    return plan_of(std::move(p), scratch);
  }

  void run(const backends::StepState* state, const void* const* src, void* const* dst,
           std::byte* scratch) const override {
    const auto& p = state_as<Int8AttentionPlan>(state);
    const int64_t dst_bytes = to_float_ ? 4 : 1;
    if (p.sk == 0) {
      const int64_t elems = p.batch * p.sq * p.heads * p.dv;
      if (elems > 0) std::memset(dst[0], 0, static_cast<size_t>(elems * dst_bytes));
      return;
    }
    const auto body = [&](int64_t task, int worker) {
      const int64_t cut = task % p.row_cuts, bh = task / p.row_cuts;
      const int64_t b = bh / p.heads, h = bh % p.heads;
      Operands x{static_cast<const uint8_t*>(src[0]) + (b * p.sq * p.heads + h) * p.d,
                 static_cast<const uint8_t*>(src[1]) + (b * p.sk * p.heads + h) * p.d,
                 static_cast<const uint8_t*>(src[2]) + (b * p.sk * p.heads + h) * p.dv, nullptr,
                 static_cast<char*>(dst[0]) + (b * p.sq * p.heads + h) * p.dv * dst_bytes};
      if (has_mask_)
        x.mask = static_cast<const float*>(src[3]) + b * p.mask_step[0] + h * p.mask_step[1];
      run_rows(p, x, p.sq * cut / p.row_cuts, p.sq * (cut + 1) / p.row_cuts,
               scratch + worker * p.worker_bytes);
    };
    parallel_for(p.batch * p.heads * p.row_cuts, static_cast<int>(p.workers), body);
  }

 private:
  void run_rows(const Int8AttentionPlan& p, const Operands& x, int64_t begin, int64_t end,
                std::byte* scratch) const {
    if (begin == end) return;
    p.keys.pack({reinterpret_cast<const int8_t*>(x.k), 1, p.heads * p.d}, nullptr, scratch);
    p.values.pack({reinterpret_cast<const int8_t*>(x.v), p.heads * p.dv, 1}, nullptr,
                  scratch + p.values_at);
    for (int64_t q = begin; q < end; q += p.block_rows)
      run_block(p, x, q, std::min(p.block_rows, end - q), scratch);
  }

  void run_block(const Int8AttentionPlan& p, const Operands& x, int64_t q0, int64_t rows,
                 std::byte* scratch) const {
    auto* left = reinterpret_cast<const uint8_t**>(scratch + p.rows_at);
    auto* scores = reinterpret_cast<float*>(scratch + p.scores_at);
    auto* factors = reinterpret_cast<float*>(scratch + p.factors_at);
    auto* acc = reinterpret_cast<int32_t*>(scratch + p.acc_at);
    auto* probabilities = reinterpret_cast<uint8_t*>(scratch + p.probabilities_at);
    const int64_t q_step = p.heads * p.d;
    const uint8_t* q = x.q + q0 * q_step;
    auto* copies = reinterpret_cast<uint8_t*>(scratch + p.copies_at);
    for (int64_t i = 0; i < rows; ++i) {
      const uint8_t* row = q + i * q_step;
      left[i] = row;
      if (!p.keys.copies_left()) continue;
      left[i] = copies + i * p.keys.left_bytes();
      p.keys.copy_left(row, copies + i * p.keys.left_bytes());
    }
    const float* mask = x.mask ? x.mask + q0 * p.mask_step[2] : nullptr;
    p.keys.multiply(scratch, left, rows, acc, [&](int64_t panel, int64_t row, int64_t count) {
      const int64_t column = p.keys.panels().first_column(panel);
      const Int8ScoreArgs s{acc,
                            p.keys.panels().width(panel),
                            count,
                            p.keys.panels().columns(panel),
                            score_scale_,
                            mask ? mask + row * p.mask_step[2] + column * p.mask_step[3] : nullptr,
                            p.mask_step[2],
                            p.mask_step[3],
                            scores + row * p.sk + column,
                            p.sk};
      table_->scores(&s);
    });

    const int64_t left_bytes = p.values.left_bytes();
    const ProbabilityArgs a{scores, probabilities, factors,    rows,        p.sk,
                            p.sk,   left_bytes,    left_bytes, value_scale_};
    table_->probabilities(&a);

    const int64_t dst_step = p.heads * p.dv, elem_bytes = to_float_ ? 4 : 1;
    char* dst = x.dst + q0 * dst_step * elem_bytes;
    for (int64_t i = 0; i < rows; ++i) left[i] = probabilities + i * left_bytes;
    WeightedSumArgs s = {};
    s.acc = acc;
    s.ldd = dst_step;
    s.lo = lo_;
    const auto finish = to_float_ ? table_->to_float : table_->to_quantized;
    p.values.multiply(
        scratch + p.values_at, left, rows, acc, [&](int64_t panel, int64_t row, int64_t count) {
          s.acc_ld = p.values.panels().width(panel);
          s.rows = count;
          s.columns = p.values.panels().columns(panel);
          s.factors = factors + row;
          s.dst = dst + (row * dst_step + p.values.panels().first_column(panel)) * elem_bytes;
          finish(&s);
        });
  }

  const bool has_mask_, q_has_sign_, to_float_;
  const int64_t l2_bytes_;
  const Int8Isa isa_;
  const Int8AttentionTable* table_;
  float score_scale_, value_scale_, lo_;
};

std::string supports_attention(const Problem& p) {
  for (size_t i = 0; i < 3; ++i) {
    if (!ir::is_quantized(*p.src[i]) || !is_quantized_dtype(p.src[i]->dtype))
      return "input " + std::to_string(i) + " is not quantized";
  }
  if (p.op->as<ir::AttentionAttrs>().has_mask && p.src[3]->dtype != DType::kFloat)
    return "mask is " + dtype_name(p.src[3]->dtype);
  if (!ir::is_quantized(*p.dst[0]) && p.dst[0]->dtype != DType::kFloat)
    return "dst is " + dtype_name(p.dst[0]->dtype);
  return "";
}

constexpr KernelEntry kAttention[] = {
    {"attention_int8", supports_attention, make_step<Int8AttentionStep>}};

}  // namespace

std::span<const KernelEntry> int8_attention_kernels() { return kAttention; }

}  // namespace graft::cpu
