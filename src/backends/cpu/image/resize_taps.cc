// Bicubic and area resize of float32: a task is a range of output rows. A row is first blended from
// source rows, as wide as the source, then its columns.
#include "backends/cpu/image/resize_taps.h"

#include "backends/cpu/common/rounding.h"
#include "backends/cpu/common/shape_util.h"
#include "backends/cpu/common/split.h"
#include "backends/cpu/common/step_util.h"
#include "backends/cpu/image/boxes.h"

namespace graft::cpu {
namespace {

struct TapsPlan {
  int64_t batch = 0, h = 0, w = 0, c = 0, oh = 0, ow = 0;
  AxisTaps rows, columns;
  float scale = 1;
  int workers = 1;
  int64_t worker_bytes = 0;
};

float scale_of(const ir::ResizeAttrs& a, int64_t in, int64_t out) {
  // A single pixel covers all that is made of it.
  const bool corners = a.align_corners && (in > 1 || a.method != ir::ResizeMethod::kArea);
  if (corners && out > 1) return static_cast<float>(in - 1) / static_cast<float>(out - 1);
  return static_cast<float>(in) / static_cast<float>(out);
}

class ResizeTapsStep final : public Step {
 public:
  explicit ResizeTapsStep(const Problem& problem)
      : attrs_(problem.op->as<ir::ResizeAttrs>()), table_(image_table(problem.target.isa)) {}
  std::string_view kernel_name() const override { return "resize_taps"; }

  Result<backends::StepPlan> plan(const backends::StepShapes& shapes) const override {
    const auto in = shapes.src[0], out = shapes.dst[0];
    TapsPlan p{in[0], in[1], in[2], in[3], out[1], out[2], {}, {}};
    const float h_scale = scale_of(attrs_, p.h, p.oh), w_scale = scale_of(attrs_, p.w, p.ow);
    if (attrs_.method == ir::ResizeMethod::kArea) {
      p.rows = area_taps(p.h, p.oh, h_scale, false);
      p.columns = area_taps(p.w, p.ow, w_scale, true);
      p.scale = static_cast<float>(1.0 / (h_scale * w_scale));
    } else {
      p.rows = bicubic_taps(p.h, p.oh, h_scale, attrs_.half_pixel_centers);
      p.columns = bicubic_taps(p.w, p.ow, w_scale, attrs_.half_pixel_centers);
    }
    p.workers = std::max(1, shapes.threads);
    p.worker_bytes = align64((p.w * p.c + 1) * int64_t{sizeof(float)});
    const auto scratch = static_cast<size_t>(p.workers * p.worker_bytes);
    return plan_of(std::move(p), scratch);
  }

  void run(const backends::StepState* state, const void* const* src, void* const* dst,
           std::byte* scratch) const override {
    const auto& p = state_as<TapsPlan>(state);
    const int64_t rows = p.batch * p.oh;
    if (rows * p.ow * p.c == 0) return;
    const int64_t cost = std::max(p.w, p.ow) * p.c * 4;
    const int64_t tasks =
        std::clamp<int64_t>(rows * cost / kGrainElems, 1, std::min<int64_t>(rows, p.workers * 4));
    const auto task = [&](int64_t t, int worker) {
      auto* line = reinterpret_cast<float*>(scratch + worker * p.worker_bytes);
      for (int64_t r = rows * t / tasks; r < rows * (t + 1) / tasks; ++r)
        row(p, static_cast<const float*>(src[0]), r, line, static_cast<float*>(dst[0]));
    };
    parallel_for(tasks, p.workers, task);
  }

 private:
  void row(const TapsPlan& p, const float* src, int64_t r, float* line, float* dst) const {
    const int64_t step = p.w * p.c, y = r % p.oh;
    const int64_t first = p.rows.first[static_cast<size_t>(y)],
                  past = p.rows.first[static_cast<size_t>(y) + 1];
    const BlendRowsArgs rows{
        src + r / p.oh * p.h * step, line, p.rows.taps.data() + first, past - first, step, step};
    table_->blend_rows(&rows);
    const BlendColumnsArgs columns{
        line,   dst + r * p.ow * p.c, p.columns.taps.data(), p.columns.first.data(), p.ow, p.c,
        p.scale};
    table_->blend_columns(&columns);
  }

  const ir::ResizeAttrs attrs_;
  const ImageTable* table_;
};

}  // namespace

std::string supports_resize_taps(const Problem& problem) {
  if (problem.op->kind() != ir::OpKind::kResize) return "op is depth_to_space";
  if (problem.op->as<ir::ResizeAttrs>().method == ir::ResizeMethod::kSample)
    return "the method is neither bicubic nor area";
  return require_dtype(problem, 0, DType::kFloat);
}

Result<std::unique_ptr<Step>> make_resize_taps(const Problem& problem) {
  return make_step<ResizeTapsStep>(problem);
}

}  // namespace graft::cpu
