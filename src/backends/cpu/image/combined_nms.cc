// combined_non_max_suppression: a task is a class of an image, then an image whose classes are
// merged. Where scores are equal, TensorFlow's order is that of the C++ library's heap and sort,
// which therefore run here on the same sequences.
#include "backends/cpu/common/rounding.h"
#include "backends/cpu/common/shape_util.h"
#include "backends/cpu/common/split.h"
#include "backends/cpu/common/step_util.h"
#include "backends/cpu/image/boxes.h"
#include "base/checked.h"

namespace graft::cpu {
namespace {

struct Candidate {
  float score;
  int32_t index;  // a box; of what was found: its place among the image's
};

struct CombinedPlan {
  int64_t batch = 0, boxes = 0, groups = 0, classes = 0;  // groups: boxes an anchor has
  int64_t slots = 0, most = 0;                            // found of a class, kept of an image
  // Byte offsets in scratch: what was found is at 0, then its boxes, then the workers' part.
  int64_t boxes_at = 0, workers_at = 0, worker_bytes = 0, selected_at = 0;
  int workers = 1;
};

class CombinedNmsStep final : public Step {
 public:
  explicit CombinedNmsStep(const Problem& problem)
      : attrs_(problem.op->as<ir::CombinedNonMaxSuppressionAttrs>()),
        table_(image_table(problem.target.isa)) {}
  std::string_view kernel_name() const override { return "combined_nms"; }

  Result<backends::StepPlan> plan(const backends::StepShapes& shapes) const override {
    const auto boxes = shapes.src[0], scores = shapes.src[1];
    if (shapes.host[2].size() != 1) return internal_error("the output size per class is not known");
    CombinedPlan p{boxes[0], boxes[1], boxes[2], scores[2]};
    p.slots = std::min(shapes.host[2][0], p.boxes);
    p.most = shapes.dst[1][1];
    p.workers = std::max(1, shapes.threads);
    const auto found = checked_product(std::vector<int64_t>{p.batch, p.classes, p.slots});
    if (!found || *found > kMaxFound || p.classes * p.slots > INT32_MAX || p.boxes > INT32_MAX)
      return unsupported("combined_non_max_suppression of " + std::to_string(p.batch) +
                         " images with " + std::to_string(p.classes) + " classes of up to " +
                         std::to_string(p.slots) + " boxes");
    p.boxes_at = align64(*found * int64_t{sizeof(Candidate)});
    p.workers_at = p.boxes_at + align64(*found * int64_t{sizeof(int32_t)});
    p.selected_at = align64(p.boxes * int64_t{sizeof(Candidate)});
    p.worker_bytes =
        p.selected_at + align64(p.slots * SelectedBoxes::kFloatsPerBox * int64_t{sizeof(float)});
    const auto bytes = static_cast<size_t>(p.workers_at + p.workers * p.worker_bytes);
    return plan_of(p, bytes);
  }

  void run(const backends::StepState* state, const void* const* src, void* const* dst,
           std::byte* scratch) const override {
    const auto& p = state_as<CombinedPlan>(state);
    const auto* boxes = static_cast<const float*>(src[0]);
    const auto* scores = static_cast<const float*>(src[1]);
    const float threshold = *static_cast<const float*>(src[4]);
    const float least = *static_cast<const float*>(src[5]);
    if (const Status status = check_overlap_threshold(threshold); !status.ok())
      throw backends::StepFailure(status);
    const auto one_class = [&](int64_t task, int worker) {
      const int64_t image = task / p.classes, cls = task % p.classes;
      find(p, boxes + (image * p.boxes * p.groups + (p.groups > 1 ? cls : 0)) * 4,
           scores + image * p.boxes * p.classes + cls, threshold, least, task, scratch,
           scratch + p.workers_at + worker * p.worker_bytes);
    };
    parallel_for(p.batch * p.classes, p.workers, one_class);
    const auto one_image = [&](int64_t image, int) {
      merge(p, image, boxes + image * p.boxes * p.groups * 4, dst, scratch);
    };
    parallel_for(p.batch, p.workers, one_image);
  }

 private:
  static constexpr int64_t kMaxFound = int64_t{1} << 32;

  // The boxes of one class; those of unused places are -1, of score -1, as in TensorFlow.
  void find(const CombinedPlan& p, const float* boxes, const float* scores, float threshold,
            float least, int64_t task, std::byte* scratch, std::byte* mine) const {
    const auto worse = [](const Candidate& a, const Candidate& b) { return a.score < b.score; };
    auto* first = reinterpret_cast<Candidate*>(mine);
    Candidate* end = first;
    for (int64_t i = 0; i < p.boxes; ++i) {
      const float score = scores[i * p.classes];
      if (!(score > least)) continue;
      *end++ = {score, static_cast<int32_t>(i)};
      std::push_heap(first, end, worse);
    }
    auto* found = reinterpret_cast<Candidate*>(scratch) + task * p.slots;
    auto* found_boxes = reinterpret_cast<int32_t*>(scratch + p.boxes_at) + task * p.slots;
    const auto base = static_cast<int32_t>(task % p.classes * p.slots);
    SelectedBoxes selected(reinterpret_cast<float*>(mine + p.selected_at), p.slots);
    while (selected.size() < p.slots && first != end) {
      std::pop_heap(first, end, worse);
      const Candidate next = *--end;
      const Box box = box_of(boxes + next.index * p.groups * 4);
      const OverlapArgs args = selected.compared_with(box, 0, threshold);
      if (table_->overlap(&args) & kOverlaps) continue;
      const auto slot = static_cast<int32_t>(selected.size());
      found[slot] = {next.score, base + slot};
      found_boxes[slot] = next.index;
      selected.add(box);
    }
    for (auto slot = static_cast<int32_t>(selected.size()); slot < p.slots; ++slot) {
      found[slot] = {-1.0f, base + slot};
      found_boxes[slot] = -1;
    }
  }

  void merge(const CombinedPlan& p, int64_t image, const float* boxes, void* const* dst,
             std::byte* scratch) const {
    const int64_t places = p.classes * p.slots;
    auto* found = reinterpret_cast<Candidate*>(scratch) + image * places;
    const auto* found_boxes =
        reinterpret_cast<const int32_t*>(scratch + p.boxes_at) + image * places;
    const auto total =
        std::count_if(found_boxes, found_boxes + places, [](int32_t b) { return b >= 0; });
    std::sort(found, found + places,
              [](const Candidate& a, const Candidate& b) { return a.score > b.score; });
    const int64_t valid = std::min<int64_t>(total, p.most);
    auto* out_boxes = static_cast<float*>(dst[0]) + image * p.most * 4;
    auto* out_scores = static_cast<float*>(dst[1]) + image * p.most;
    auto* out_classes = static_cast<float*>(dst[2]) + image * p.most;
    static_cast<int32_t*>(dst[3])[image] = static_cast<int32_t>(valid);
    for (int64_t k = 0; k < valid; ++k) {
      const int64_t box = found_boxes[found[k].index];
      const int64_t cls = box < 0 ? -1 : found[k].index / p.slots;
      const float none[4] = {};
      const float* edges = box < 0 ? none : boxes + (box * p.groups + (p.groups > 1 ? cls : 0)) * 4;
      for (int64_t i = 0; i < 4; ++i)
        out_boxes[k * 4 + i] =
            attrs_.clip_boxes ? std::max(std::min(edges[i], 1.0f), 0.0f) : edges[i];
      out_scores[k] = found[k].score;
      out_classes[k] = static_cast<float>(cls);
    }
    std::fill(out_boxes + valid * 4, out_boxes + p.most * 4, 0.0f);
    std::fill(out_scores + valid, out_scores + p.most, 0.0f);
    std::fill(out_classes + valid, out_classes + p.most, 0.0f);
  }

  const ir::CombinedNonMaxSuppressionAttrs attrs_;
  const ImageTable* table_;
};

std::string supports_combined(const Problem&) { return ""; }

constexpr KernelEntry kCombined[] = {
    {"combined_nms", supports_combined, make_step<CombinedNmsStep>}};

}  // namespace

std::span<const KernelEntry> combined_nms_kernels() { return kCombined; }

}  // namespace graft::cpu
