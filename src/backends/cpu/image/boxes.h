// Boxes as the overlap loop takes them.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>

#include "backends/cpu/common/pick_isa.h"
#include "backends/cpu/image/image_table.h"
#include "base/status.h"

namespace graft::cpu {

struct Box {
  float top, left, bottom, right, area;
};

// A box of any two opposite corners. std::min and max as TensorFlow calls them: an edge that is NaN
// counts where it is the first.
inline Box box_of(const float* corners) {
  Box b{std::min(corners[0], corners[2]), std::min(corners[1], corners[3]),
        std::max(corners[0], corners[2]), std::max(corners[1], corners[3]), 0};
  b.area = (b.bottom - b.top) * (b.right - b.left);
  return b;
}

// Selected boxes, row by row as OverlapArgs has them, in memory for `most` of them.
class SelectedBoxes {
 public:
  static constexpr int64_t kFloatsPerBox = 5;
  SelectedBoxes(float* memory, int64_t most) : rows_(memory), most_(most) {}

  int64_t size() const { return size_; }
  void add(const Box& b) {
    const float values[] = {b.top, b.left, b.bottom, b.right, b.area};
    for (int64_t i = 0; i < kFloatsPerBox; ++i) rows_[i * most_ + size_] = values[i];
    ++size_;
  }
  // The last `count` of them, for ImageTable::overlap.
  OverlapArgs compared_with(const Box& b, int64_t first, float threshold) const {
    return {rows_ + first, most_,   size_ - first, b.top,    b.left,
            b.bottom,      b.right, b.area,        threshold};
  }
  // With one of them.
  float overlap(const Box& b, int64_t j) const {
    const float* s = rows_ + j;
    const float area = s[4 * most_];
    if (b.area <= 0 || area <= 0) return 0;
    const float height = std::max(std::min(b.bottom, s[2 * most_]) - std::max(b.top, s[0]), 0.0f);
    const float width =
        std::max(std::min(b.right, s[3 * most_]) - std::max(b.left, s[most_]), 0.0f);
    const float both = height * width;
    return both / (b.area + area - both);
  }

 private:
  float* rows_;
  int64_t most_, size_ = 0;
};

inline const ImageTable* image_table(ir::Isa isa) {
  return pick_isa(isa, isa_baseline::image_table(), isa_avx2::image_table(),
                  isa_avx512::image_table());
}

inline Status check_overlap_threshold(float threshold) {
  if (threshold >= 0 && threshold <= 1) return ok_status();
  return invalid_argument("the threshold of the overlap is " + std::to_string(threshold) +
                          ", expected 0 to 1");
}

}  // namespace graft::cpu
