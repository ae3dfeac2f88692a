// non_max_suppression, combined_non_max_suppression. Overlaps and thresholds are float32, step by
// step as TensorFlow computes them: another rounding would pick other boxes.
#include <algorithm>
#include <cmath>

#include "reference/values.h"

namespace graft::reference {

namespace {

std::vector<float> floats(const ConstTensor& t) {
  const std::vector<double> wide = load<double>(t);
  return {wide.begin(), wide.end()};
}

// Intersection over union of two boxes of any two opposite corners; 0 where one has no area.
float overlap(const float* a, const float* b) {
  const float top_a = std::min(a[0], a[2]), left_a = std::min(a[1], a[3]),
              bottom_a = std::max(a[0], a[2]), right_a = std::max(a[1], a[3]);
  const float top_b = std::min(b[0], b[2]), left_b = std::min(b[1], b[3]),
              bottom_b = std::max(b[0], b[2]), right_b = std::max(b[1], b[3]);
  const float area_a = (bottom_a - top_a) * (right_a - left_a);
  const float area_b = (bottom_b - top_b) * (right_b - left_b);
  if (area_a <= 0 || area_b <= 0) return 0;
  const float height = std::max(std::min(bottom_a, bottom_b) - std::max(top_a, top_b), 0.0f);
  const float width = std::max(std::min(right_a, right_b) - std::max(left_a, left_b), 0.0f);
  const float both = height * width;
  return both / (area_a + area_b - both);
}

Status check_threshold(const Call& c, float threshold) {
  if (threshold >= 0 && threshold <= 1) return ok_status();
  return c.fail("the threshold of the overlap is " + std::to_string(threshold) +
                ", expected 0 to 1");
}

// A number of the scores' dtype.
float rounded(DType t, float v) { return t == DType::kHalf ? static_cast<float>(Half(v)) : v; }

struct Suppression {
  DType dtype;
  float overlap, score, sigma;

  // What a box of `similarity` leaves of a score: sigma says that of soft suppression.
  float weight(float similarity) const {
    const float scale = sigma > 0 ? rounded(dtype, -0.5f / sigma) : 0;
    const float power = rounded(dtype, rounded(dtype, scale * similarity) * similarity);
    return sigma > 0 || similarity <= overlap ? rounded(dtype, std::exp(power)) : 0;
  }
};

struct Candidate {
  float score;
  int64_t box, seen;  // seen: selected boxes that were compared with it
};

void select_boxes(const std::vector<float>& boxes, const std::vector<float>& scores,
                  const Suppression& limits, int64_t most, std::vector<int64_t>& selected,
                  std::vector<double>& selected_scores) {
  std::vector<Candidate> left;
  for (size_t i = 0; i < scores.size(); ++i)
    if (scores[i] > limits.score) left.push_back({scores[i], static_cast<int64_t>(i), 0});
  const auto worse = [](const Candidate& a, const Candidate& b) {
    return a.score != b.score ? a.score < b.score : a.box > b.box;
  };
  std::make_heap(left.begin(), left.end(), worse);
  while (static_cast<int64_t>(selected.size()) < most && !left.empty()) {
    std::pop_heap(left.begin(), left.end(), worse);
    Candidate next = left.back();
    left.pop_back();
    const float before = next.score;
    bool suppressed = false;
    for (auto j = static_cast<int64_t>(selected.size()) - 1; j >= next.seen; --j) {
      const float similarity = rounded(
          limits.dtype, overlap(&boxes[static_cast<size_t>(next.box * 4)],
                                &boxes[static_cast<size_t>(selected[static_cast<size_t>(j)] * 4)]));
      next.score = rounded(limits.dtype, next.score * limits.weight(similarity));
      suppressed = !(limits.sigma > 0) && similarity > limits.overlap;
      if (suppressed || next.score <= limits.score) break;
    }
    next.seen = static_cast<int64_t>(selected.size());
    if (suppressed) continue;
    if (next.score == before) {
      selected.push_back(next.box);
      selected_scores.push_back(next.score);
    } else if (next.score > limits.score) {
      left.push_back(next);
      std::push_heap(left.begin(), left.end(), worse);
    }
  }
}

}  // namespace

Status evaluate_non_max_suppression(const Call& c) {
  const Suppression limits{c.in[1].dtype, floats(c.in[3])[0], floats(c.in[4])[0],
                           floats(c.in[5])[0]};
  GRAFT_RETURN_IF_ERROR(check_threshold(c, limits.overlap));
  if (!(limits.sigma >= 0))
    return c.fail("sigma is " + std::to_string(limits.sigma) + ", expected 0 or more");
  std::vector<int64_t> selected;
  std::vector<double> scores;
  const int64_t most = c.out[0].dims[0];
  select_boxes(floats(c.in[0]), floats(c.in[1]), limits, most, selected, scores);
  store(c.out[2], std::vector<int64_t>{static_cast<int64_t>(selected.size())});
  selected.resize(static_cast<size_t>(most), 0);
  scores.resize(static_cast<size_t>(most), 0);
  store(c.out[0], selected);
  store(c.out[1], scores);
  return ok_status();
}

namespace {

struct Detection {
  float score = -1;  // as TensorFlow has a place that no box took: it goes before worse scores
  int64_t box = -1, slot = 0;  // slot: class and rank within it
};

}  // namespace

// Equal scores come in the order of the C++ library's heap and sort, as TensorFlow's do.
Status evaluate_combined_non_max_suppression(const Call& c) {
  const auto& a = c.op.as<ir::CombinedNonMaxSuppressionAttrs>();
  const std::vector<float> boxes = floats(c.in[0]), scores = floats(c.in[1]);
  const float threshold = floats(c.in[4])[0], least = floats(c.in[5])[0];
  GRAFT_RETURN_IF_ERROR(check_threshold(c, threshold));
  const int64_t batch = c.in[0].dims[0], n = c.in[0].dims[1], q = c.in[0].dims[2],
                classes = c.in[1].dims[2], slots = std::min(ints(c.in[2])[0], n),
                most = c.out[0].dims[1];
  std::vector<double> out_boxes, out_scores, out_classes;
  std::vector<int64_t> valid;
  const auto by_score = [](const Detection& x, const Detection& y) { return x.score < y.score; };
  for (int64_t image = 0; image < batch; ++image) {
    const auto box_of = [&](int64_t box, int64_t cls) {
      return &boxes[static_cast<size_t>(((image * n + box) * q + (q > 1 ? cls : 0)) * 4)];
    };
    std::vector<Detection> found(static_cast<size_t>(classes * slots));
    int64_t total = 0;
    for (int64_t cls = 0; cls < classes; ++cls) {
      std::vector<Detection> left;
      for (int64_t i = 0; i < n; ++i) {
        const float score = scores[static_cast<size_t>((image * n + i) * classes + cls)];
        if (!(score > least)) continue;
        left.push_back({score, i, 0});
        std::push_heap(left.begin(), left.end(), by_score);
      }
      std::vector<int64_t> selected;
      while (static_cast<int64_t>(selected.size()) < slots && !left.empty()) {
        std::pop_heap(left.begin(), left.end(), by_score);
        Detection next = left.back();
        left.pop_back();
        if (std::any_of(selected.begin(), selected.end(), [&](int64_t s) {
              return overlap(box_of(next.box, cls), box_of(s, cls)) > threshold;
            }))
          continue;
        next.slot = cls * slots + static_cast<int64_t>(selected.size());
        found[static_cast<size_t>(next.slot)] = next;
        selected.push_back(next.box);
      }
      total += static_cast<int64_t>(selected.size());
    }
    std::sort(found.begin(), found.end(),
              [](const Detection& x, const Detection& y) { return x.score > y.score; });
    valid.push_back(std::min(total, most));
    for (int64_t k = 0; k < most; ++k) {
      const Detection* d = k < valid.back() ? &found[static_cast<size_t>(k)] : nullptr;
      const int64_t cls = d == nullptr ? 0 : d->box < 0 ? -1 : d->slot / slots;
      out_scores.push_back(d ? d->score : 0);
      out_classes.push_back(static_cast<double>(cls));
      for (int64_t i = 0; i < 4; ++i) {
        const float edge = d && d->box >= 0 ? box_of(d->box, cls)[i] : 0;
        out_boxes.push_back(a.clip_boxes ? std::max(std::min(edge, 1.0f), 0.0f) : edge);
      }
    }
  }
  store(c.out[0], out_boxes);
  store(c.out[1], out_scores);
  store(c.out[2], out_classes);
  store(c.out[3], valid);
  return ok_status();
}

}  // namespace graft::reference
