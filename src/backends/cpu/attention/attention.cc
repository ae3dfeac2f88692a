// Fused attention, float32: for each (image, head) and block of query rows, scores, softmax and the
// weighted sum stay in cache. Rows are independent, so cutting them never changes their bits.
#include <array>
#include <cstring>

#include "backends/cpu/attention/attention_plan.h"
#include "backends/cpu/common/pick_isa.h"
#include "backends/cpu/common/shape_util.h"
#include "backends/cpu/common/split.h"
#include "backends/cpu/common/step_util.h"
#include "backends/cpu/gemm/compute_select.h"
#include "backends/cpu/gemm/igemm.h"
#include "backends/cpu/softmax/softmax_table.h"

namespace graft::cpu {
namespace {

struct Operands {
  const float *q, *k, *v, *mask;
  float* dst;
};

// Of one worker.
struct Scratch {
  float *packed_k, *packed_v, *scores, *inverse_sums;
  const float **query_rows, **score_rows;
};

class AttentionStep final : public Step {
 public:
  explicit AttentionStep(const Problem& problem)
      : attrs_(problem.op->as<ir::AttentionAttrs>()),
        l2_bytes_(problem.target.l2_bytes),
        gemm_(&compute_table_of(problem.target)),
        softmax_(pick_isa(problem.target.isa, isa_baseline::softmax_table(),
                          isa_avx2::softmax_table(), isa_avx512::softmax_table())) {}
  std::string_view kernel_name() const override { return "attention_f32"; }

  Result<backends::StepPlan> plan(const backends::StepShapes& shapes) const override {
    const std::span<const int64_t> mask =
        attrs_.has_mask ? shapes.src[3] : std::span<const int64_t>();
    AttentionPlan p =
        plan_attention(*gemm_, shapes.src[0], shapes.src[2], mask, l2_bytes_, shapes.threads);
    const auto scratch = static_cast<size_t>(p.workers * p.worker_bytes);
    return plan_of(std::move(p), scratch);
  }

  void run(const backends::StepState* state, const void* const* src, void* const* dst,
           std::byte* scratch) const override {
    const auto& p = state_as<AttentionPlan>(state);
    const Operands x{static_cast<const float*>(src[0]), static_cast<const float*>(src[1]),
                     static_cast<const float*>(src[2]),
                     attrs_.has_mask ? static_cast<const float*>(src[3]) : nullptr,
                     static_cast<float*>(dst[0])};
    if (p.sk == 0) {
      const int64_t elems = p.batch * p.sq * p.heads * p.dv;
      if (elems > 0) std::memset(x.dst, 0, static_cast<size_t>(elems) * sizeof(float));
      return;
    }
    const auto body = [&](int64_t task, int worker) {
      const int64_t cut = task % p.row_cuts, bh = task / p.row_cuts;
      run_rows(p, x, bh / p.heads, bh % p.heads, p.sq * cut / p.row_cuts,
               p.sq * (cut + 1) / p.row_cuts, scratch_of(p, scratch + worker * p.worker_bytes));
    };
    parallel_for(p.batch * p.heads * p.row_cuts, static_cast<int>(p.workers), body);
  }

 private:
  static Scratch scratch_of(const AttentionPlan& p, std::byte* base) {
    const auto floats = [&](int64_t at) { return reinterpret_cast<float*>(base + at); };
    const auto pointers = [&](int64_t at) { return reinterpret_cast<const float**>(base + at); };
    return {floats(0),         floats(p.v_at),      floats(p.scores_at),
            floats(p.sums_at), pointers(p.rows_at), pointers(p.rows_at) + p.block_rows};
  }

  void run_rows(const AttentionPlan& p, const Operands& x, int64_t b, int64_t h, int64_t begin,
                int64_t end, const Scratch& s) const {
    if (begin == end) return;
    const float* k = x.k + (b * p.sk * p.heads + h) * p.d;
    const float* v = x.v + (b * p.sk * p.heads + h) * p.dv;
    for (int64_t i = 0; i < p.k_panels.count; ++i) {
      pack_panel(p.k_panels, i, k, 1, p.heads * p.d, p.d,
                 s.packed_k + p.k_panels.first_column(i) * p.d);
    }
    for (int64_t i = 0; i < p.v_panels.count; ++i) {
      pack_panel(p.v_panels, i, v, p.heads * p.dv, 1, p.sk,
                 s.packed_v + p.v_panels.first_column(i) * p.sk);
    }
    for (int64_t q = begin; q < end; q += p.block_rows) {
      run_block(p, x, b, h, q, std::min(p.block_rows, end - q), s);
    }
  }

  void run_block(const AttentionPlan& p, const Operands& x, int64_t b, int64_t h, int64_t q0,
                 int64_t rows, const Scratch& s) const {
    const Epilogue none;
    for (int64_t i = 0; i < rows; ++i) {
      s.query_rows[i] = x.q + ((b * p.sq + q0 + i) * p.heads + h) * p.d;
      s.score_rows[i] = s.scores + i * p.sk;
    }
    IgemmBlock g;
    g.table = gemm_;
    g.num_rows = rows;
    g.epilogue = &none;
    g.panels = p.k_panels;
    g.packed = s.packed_k;
    g.tap_k = p.d;
    g.rows = s.query_rows;
    g.dst = s.scores;
    g.ldd = p.sk;
    run_igemm_block(g, 0, p.k_panels.count);

    ScoreArgs scores{s.scores, s.inverse_sums, rows, p.sk, p.sk, attrs_.scale, nullptr, 0, 0};
    if (x.mask) {
      scores.mask = x.mask + b * p.mask_step[0] + h * p.mask_step[1] + q0 * p.mask_step[2];
      scores.mask_step = p.mask_step[2];
      scores.mask_elem_step = p.mask_step[3];
    }
    softmax_->scores(&scores);

    float* dst = x.dst + ((b * p.sq + q0) * p.heads + h) * p.dv;
    g.panels = p.v_panels;
    g.packed = s.packed_v;
    g.tap_k = p.sk;
    g.rows = s.score_rows;
    g.dst = dst;
    g.ldd = p.heads * p.dv;
    run_igemm_block(g, 0, p.v_panels.count);
    softmax_->scale_rows(dst, s.inverse_sums, rows, p.dv, g.ldd);
  }

  const ir::AttentionAttrs attrs_;
  int64_t l2_bytes_;
  const ComputeTable* gemm_;
  const SoftmaxTable* softmax_;
};

std::string supports_attention(const Problem& problem) { return require_float(problem); }

constexpr KernelEntry kAttention[] = {
    {"attention_f32", supports_attention, make_step<AttentionStep>}};

}  // namespace

std::span<const KernelEntry> attention_kernels() { return kAttention; }

}  // namespace graft::cpu
