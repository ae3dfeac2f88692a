// Resize (nearest of any dtype, bilinear of float32) and DepthToSpace / SpaceToDepth. A task of a
// resize is a range of output rows; where each output lies in the image is computed when it is
// planned, by TensorFlow's float formulas.
#include <cmath>
#include <vector>

#include "backends/cpu/common/split.h"
#include "backends/cpu/image/resize_taps.h"
#include "backends/cpu/movement/copy_step.h"

namespace graft::cpu {
namespace {

struct Sample {
  int64_t lower, upper;
  float lerp;
};

struct ResizePlan {
  int64_t batch = 0, h = 0, w = 0, c = 0;
  std::vector<Sample> rows, columns;
};

std::vector<Sample> samples(const ir::ResizeAttrs& a, int64_t in, int64_t out) {
  const float scale = a.align_corners && out > 1
                          ? static_cast<float>(in - 1) / static_cast<float>(out - 1)
                          : static_cast<float>(in) / static_cast<float>(out);
  std::vector<Sample> result(static_cast<size_t>(out));
  for (int64_t i = 0; i < out; ++i) {
    Sample& s = result[static_cast<size_t>(i)];
    const auto x = static_cast<float>(i);
    if (a.bilinear) {
      const float at = a.half_pixel_centers ? (x + 0.5f) * scale - 0.5f : x * scale;
      const float low = std::floor(at);
      s.lower = std::clamp<int64_t>(static_cast<int64_t>(low), 0, in - 1);
      s.upper = std::clamp<int64_t>(static_cast<int64_t>(std::ceil(at)), 0, in - 1);
      s.lerp = at - low;
    } else {
      const float at = a.half_pixel_centers ? (x + 0.5f) * scale : x * scale;
      const float pick = a.align_corners ? std::round(at) : std::floor(at);
      s.lower = s.upper = std::clamp<int64_t>(static_cast<int64_t>(pick), 0, in - 1);
      s.lerp = 0;
    }
  }
  return result;
}

class ResizeStep final : public Step {
 public:
  explicit ResizeStep(const Problem& problem)
      : attrs_(problem.op->as<ir::ResizeAttrs>()), elem_bytes_(elem_bytes_of(problem)) {}
  std::string_view kernel_name() const override { return "resize"; }

  Result<backends::StepPlan> plan(const backends::StepShapes& shapes) const override {
    const auto in = shapes.src[0], out = shapes.dst[0];
    return plan_of(ResizePlan{in[0], in[1], in[2], in[3], samples(attrs_, in[1], out[1]),
                              samples(attrs_, in[2], out[2])});
  }

  void run(const backends::StepState* state, const void* const* src, void* const* dst,
           std::byte*) const override {
    const auto& p = state_as<ResizePlan>(state);
    const auto oh = static_cast<int64_t>(p.rows.size());
    const int64_t row_elems = static_cast<int64_t>(p.columns.size()) * p.c;
    if (p.batch * oh * row_elems == 0) return;
    parallel_ranges(p.batch * oh, kGrainElems / row_elems, [&](int64_t begin, int64_t end) {
      for (int64_t r = begin; r < end; ++r) {
        const Sample& y = p.rows[static_cast<size_t>(r % oh)];
        const int64_t top = (r / oh * p.h + y.lower) * p.w * p.c,
                      bottom = (r / oh * p.h + y.upper) * p.w * p.c;
        if (attrs_.bilinear) {
          const auto* image = static_cast<const float*>(src[0]);
          bilinear_row(p, image + top, image + bottom, y.lerp,
                       static_cast<float*>(dst[0]) + r * row_elems);
        } else {
          nearest_row(p, static_cast<const std::byte*>(src[0]) + top * elem_bytes_,
                      static_cast<std::byte*>(dst[0]) + r * row_elems * elem_bytes_);
        }
      }
    });
  }

 private:
  void nearest_row(const ResizePlan& p, const std::byte* src, std::byte* dst) const {
    const int64_t pixel_bytes = p.c * elem_bytes_;
    for (const Sample& x : p.columns) {
      copy_bytes(dst, src + x.lower * pixel_bytes, pixel_bytes);
      dst += pixel_bytes;
    }
  }

  static void bilinear_row(const ResizePlan& p, const float* top, const float* bottom, float y_lerp,
                           float* dst) {
    for (const Sample& x : p.columns) {
      const float *tl = top + x.lower * p.c, *tr = top + x.upper * p.c;
      const float *bl = bottom + x.lower * p.c, *br = bottom + x.upper * p.c;
      for (int64_t c = 0; c < p.c; ++c) {
        const float t = tl[c] + (tr[c] - tl[c]) * x.lerp;
        const float b = bl[c] + (br[c] - bl[c]) * x.lerp;
        dst[c] = t + (b - t) * y_lerp;
      }
      dst += p.c;
    }
  }

  const ir::ResizeAttrs attrs_;
  int64_t elem_bytes_;
};

class DepthToSpaceStep final : public CopyStepBase {
 public:
  explicit DepthToSpaceStep(const Problem& problem)
      : CopyStepBase(problem), attrs_(problem.op->as<ir::DepthToSpaceAttrs>()) {}
  std::string_view kernel_name() const override { return "depth_to_space"; }

  Result<backends::StepPlan> plan(const backends::StepShapes& shapes) const override {
    // The side with few channels is [N, H * b, W * b, C], the other [N, H, W, b, b, C].
    const auto deep = attrs_.inverse ? shapes.dst[0] : shapes.src[0];
    const int64_t b = attrs_.block, h = deep[1], w = deep[2], c = deep[3] / (b * b);
    const int64_t extents[] = {deep[0], h, w, b, b, c};
    const int64_t in_deep[] = {h * w * b * b * c, w * b * b * c, b * b * c, b * c, c, 1};
    const int64_t in_flat[] = {h * b * w * b * c, b * w * b * c, b * c, w * b * c, c, 1};
    // Loops in the order of the destination.
    const int deep_order[] = {0, 1, 2, 3, 4, 5}, flat_order[] = {0, 1, 3, 2, 4, 5};
    CopyNd copy;
    for (int d : attrs_.inverse ? deep_order : flat_order) {
      const int64_t strides[] = {attrs_.inverse ? in_deep[d] : in_flat[d],
                                 attrs_.inverse ? in_flat[d] : in_deep[d]};
      copy.nest.add(extents[d], strides);
    }
    copy.finish();
    return plan_of(copy);
  }

 private:
  const ir::DepthToSpaceAttrs attrs_;
};

std::string supports_resize(const Problem& problem) {
  if (problem.op->kind() != ir::OpKind::kResize) return "op is depth_to_space";
  const auto& a = problem.op->as<ir::ResizeAttrs>();
  if (a.method != ir::ResizeMethod::kSample)
    return "the method is " + std::string(name_of(a.method));
  if (!a.bilinear) return require_movable(problem);
  const DType t = problem.src[0]->dtype;
  return t == DType::kFloat ? "" : "bilinear resize of " + dtype_name(t);
}
std::string supports_depth(const Problem& problem) {
  return problem.op->kind() == ir::OpKind::kDepthToSpace ? require_movable(problem)
                                                         : "op is resize";
}

constexpr KernelEntry kResize[] = {
    {"resize", supports_resize, make_step<ResizeStep>},
    {"resize_taps", supports_resize_taps, make_resize_taps},
    {"depth_to_space", supports_depth, make_step<DepthToSpaceStep>},
};

}  // namespace

std::span<const KernelEntry> resize_kernels() { return kResize; }

}  // namespace graft::cpu
