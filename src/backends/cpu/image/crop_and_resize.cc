// crop_and_resize: a task is a range of rows of all crops. Coordinates are float32, by TensorFlow's
// formulas.
#include <cmath>

#include "backends/cpu/common/shape_util.h"
#include "backends/cpu/common/split.h"
#include "backends/cpu/common/step_util.h"
#include "backends/cpu/image/boxes.h"

namespace graft::cpu {
namespace {

struct CropPlan {
  int64_t batch = 0, h = 0, w = 0, c = 0, boxes = 0, oh = 0, ow = 0;
};

// Where pixel i of `crop` pixels from `begin` to `end` lies in an image of `extent`.
float coordinate(float begin, float end, int64_t i, int64_t crop, int64_t extent) {
  const auto last = static_cast<float>(extent - 1);
  if (crop == 1) return static_cast<float>(0.5 * (begin + end) * static_cast<double>(extent - 1));
  const float scale = (end - begin) * last / static_cast<float>(crop - 1);
  return begin * last + static_cast<float>(i) * scale;
}

// A coordinate outside of the image, or NaN, is left of it.
Between between(float at, int64_t extent, bool bilinear) {
  if (!(at >= 0 && at <= static_cast<float>(extent - 1))) return {-1, -1, 0};
  if (!bilinear) {
    const auto nearest = static_cast<int64_t>(std::round(at));
    return {nearest, nearest, 0};
  }
  const float low = std::floor(at);
  return {static_cast<int64_t>(low), static_cast<int64_t>(std::ceil(at)), at - low};
}

class CropStep final : public Step {
 public:
  explicit CropStep(const Problem& problem)
      : attrs_(problem.op->as<ir::CropAndResizeAttrs>()), table_(image_table(problem.target.isa)) {}
  std::string_view kernel_name() const override { return "crop_and_resize"; }

  Result<backends::StepPlan> plan(const backends::StepShapes& shapes) const override {
    const auto in = shapes.src[0], out = shapes.dst[0];
    const CropPlan p{in[0], in[1], in[2], in[3], out[0], out[1], out[2]};
    // The columns of every crop.
    return plan_of(p, static_cast<size_t>(p.boxes * p.ow) * sizeof(Between));
  }

  void run(const backends::StepState* state, const void* const* src, void* const* dst,
           std::byte* scratch) const override {
    const auto& p = state_as<CropPlan>(state);
    const auto* boxes = static_cast<const float*>(src[1]);
    const auto* images = static_cast<const int32_t*>(src[2]);
    check(p, boxes, images);
    if (p.boxes * p.oh * p.ow * p.c == 0) return;
    auto* columns = reinterpret_cast<Between*>(scratch);
    parallel_ranges(p.boxes * p.ow, kGrainElems, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const float* box = boxes + i / p.ow * 4;
        columns[i] = between(coordinate(box[1], box[3], i % p.ow, p.ow, p.w), p.w, attrs_.bilinear);
      }
    });
    const auto* image = static_cast<const float*>(src[0]);
    auto* crops = static_cast<float*>(dst[0]);
    const int64_t row_elems = p.ow * p.c;
    parallel_ranges(p.boxes * p.oh, kGrainElems / row_elems, [&](int64_t begin, int64_t end) {
      for (int64_t r = begin; r < end; ++r) {
        const int64_t b = r / p.oh;
        const float* box = boxes + b * 4;
        const Between y =
            between(coordinate(box[0], box[2], r % p.oh, p.oh, p.h), p.h, attrs_.bilinear);
        row(p, image + images[b] * p.h * p.w * p.c, columns + b * p.ow, y, crops + r * row_elems);
      }
    });
  }

 private:
  static void check(const CropPlan& p, const float* boxes, const int32_t* images) {
    for (int64_t b = 0; b < p.boxes; ++b) {
      if (images[b] < 0 || images[b] >= p.batch)
        throw backends::StepFailure(
            invalid_argument("box_ind[" + std::to_string(b) + "] = " + std::to_string(images[b]) +
                             " is not in [0, " + std::to_string(p.batch) + ")"));
    }
    for (int64_t i = 0; i < p.boxes * 4; ++i) {
      if (!std::isfinite(boxes[i]))
        throw backends::StepFailure(invalid_argument("boxes[" + std::to_string(i / 4) +
                                                     "] has an edge that is not finite"));
    }
  }

  void row(const CropPlan& p, const float* image, const Between* columns, const Between& y,
           float* dst) const {
    if (y.left < 0) {
      std::fill_n(dst, p.ow * p.c, attrs_.extrapolation);
      return;
    }
    const int64_t step = p.w * p.c;
    if (!attrs_.bilinear) {
      for (int64_t x = 0; x < p.ow; ++x, dst += p.c) {
        if (columns[x].left < 0)
          std::fill_n(dst, p.c, attrs_.extrapolation);
        else
          std::copy_n(image + y.left * step + columns[x].left * p.c, p.c, dst);
      }
      return;
    }
    const LerpRowArgs args{
        image + y.left * step, image + y.right * step, dst, columns, p.ow, p.c, y.lerp,
        attrs_.extrapolation};
    table_->lerp_row(&args);
  }

  const ir::CropAndResizeAttrs attrs_;
  const ImageTable* table_;
};

std::string supports_crop(const Problem&) { return ""; }

constexpr KernelEntry kCrop[] = {{"crop_and_resize", supports_crop, make_step<CropStep>}};

}  // namespace

std::span<const KernelEntry> crop_and_resize_kernels() { return kCrop; }

}  // namespace graft::cpu
