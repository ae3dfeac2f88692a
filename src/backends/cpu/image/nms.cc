// non_max_suppression of float32: candidates are a heap, best first, and each is compared with the
// selected boxes, all at once where a single overlap decides.
#include <cmath>

#include "backends/cpu/common/rounding.h"
#include "backends/cpu/common/shape_util.h"
#include "backends/cpu/common/step_util.h"
#include "backends/cpu/image/boxes.h"

namespace graft::cpu {
namespace {

struct Candidate {
  float score;
  int32_t box, seen;  // seen: selected boxes that were compared with it
};

// Of equal scores the first box: a strict order, so that no heap changes the answer.
bool is_worse(const Candidate& a, const Candidate& b) {
  return a.score != b.score ? a.score < b.score : a.box > b.box;
}

struct NmsPlan {
  int64_t boxes = 0, most = 0, slots = 0;  // slots: boxes that can be selected
  int64_t selected_at = 0;                 // byte offset in scratch; candidates are at 0
};

struct Limits {
  float overlap, score, sigma;
};

// Whether suppression takes the candidate out; else its score becomes what is left of it. As
// TensorFlow does it, box by box from the last selected on.
bool suppress(const SelectedBoxes& selected, const Box& box, const Limits& limits,
              Candidate& next) {
  const bool soft = limits.sigma > 0;
  const float scale = soft ? -0.5f / limits.sigma : 0;
  for (int64_t j = selected.size() - 1; j >= next.seen; --j) {
    const float similarity = selected.overlap(box, j);
    next.score *=
        soft || similarity <= limits.overlap ? std::exp(scale * similarity * similarity) : 0.0f;
    if (!soft && similarity > limits.overlap) return true;
    if (next.score <= limits.score) break;
  }
  return false;
}

class NmsStep final : public Step {
 public:
  explicit NmsStep(const Problem& problem) : table_(image_table(problem.target.isa)) {}
  std::string_view kernel_name() const override { return "nms_f32"; }

  Result<backends::StepPlan> plan(const backends::StepShapes& shapes) const override {
    NmsPlan p;
    p.boxes = shapes.src[0][0];
    p.most = shapes.dst[0][0];
    if (p.boxes > INT32_MAX)
      return unsupported("non_max_suppression of " + std::to_string(p.boxes) + " boxes");
    p.slots = std::min(p.boxes, p.most);
    p.selected_at = align64(p.boxes * int64_t{sizeof(Candidate)});
    const int64_t selected = p.slots * SelectedBoxes::kFloatsPerBox * int64_t{sizeof(float)};
    return plan_of(p, static_cast<size_t>(p.selected_at + selected));
  }

  void run(const backends::StepState* state, const void* const* src, void* const* dst,
           std::byte* scratch) const override {
    const auto& p = state_as<NmsPlan>(state);
    const auto value = [&](size_t i) { return *static_cast<const float*>(src[i]); };
    const Limits limits{value(3), value(4), value(5)};
    Status status = check_overlap_threshold(limits.overlap);
    if (status.ok() && !(limits.sigma >= 0))
      status =
          invalid_argument("sigma is " + std::to_string(limits.sigma) + ", expected 0 or more");
    if (!status.ok()) throw backends::StepFailure(status);
    select(p, limits, static_cast<const float*>(src[0]), static_cast<const float*>(src[1]),
           static_cast<int32_t*>(dst[0]), static_cast<float*>(dst[1]),
           static_cast<int32_t*>(dst[2]), scratch);
  }

 private:
  void select(const NmsPlan& p, const Limits& limits, const float* boxes, const float* scores,
              int32_t* picks, float* pick_scores, int32_t* valid, std::byte* scratch) const {
    auto* first = reinterpret_cast<Candidate*>(scratch);
    Candidate* end = first;
    for (int64_t i = 0; i < p.boxes; ++i)
      if (scores[i] > limits.score) *end++ = {scores[i], static_cast<int32_t>(i), 0};
    std::make_heap(first, end, is_worse);
    SelectedBoxes selected(reinterpret_cast<float*>(scratch + p.selected_at), p.slots);
    while (selected.size() < p.slots && first != end) {
      std::pop_heap(first, end, is_worse);
      Candidate next = *--end;
      const Box box = box_of(boxes + int64_t{next.box} * 4);
      const float before = next.score;
      if (is_suppressed(selected, box, limits, next)) continue;
      if (next.score == before) {
        picks[selected.size()] = next.box;
        pick_scores[selected.size()] = next.score;
        selected.add(box);
      } else if (next.score > limits.score) {
        next.seen = static_cast<int32_t>(selected.size());
        *end++ = next;
        std::push_heap(first, end, is_worse);
      }
    }
    *valid = static_cast<int32_t>(selected.size());
    std::fill(picks + selected.size(), picks + p.most, 0);
    std::fill(pick_scores + selected.size(), pick_scores + p.most, 0.0f);
  }

  bool is_suppressed(const SelectedBoxes& selected, const Box& box, const Limits& limits,
                     Candidate& next) const {
    if (!(limits.sigma > 0)) {
      const OverlapArgs args = selected.compared_with(box, next.seen, limits.overlap);
      const int flags = table_->overlap(&args);
      if (!(flags & kOverlapNan)) return flags & kOverlaps;
    }
    return suppress(selected, box, limits, next);
  }

  const ImageTable* table_;
};

std::string supports_nms(const Problem& problem) {
  return require_dtype(problem, 1, DType::kFloat);
}

constexpr KernelEntry kNms[] = {{"nms_f32", supports_nms, make_step<NmsStep>}};

}  // namespace

std::span<const KernelEntry> nms_kernels() { return kNms; }

}  // namespace graft::cpu
