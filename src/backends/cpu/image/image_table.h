// Inner loops of resizing, cropping and suppressing boxes, as plain C types.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace graft::cpu {

// The part of source row or column `at` in what is made.
struct Tap {
  int64_t at;
  float weight;
};

// dst[i] = sum over taps of weight * src[at * step + i], i < n.
struct BlendRowsArgs {
  const float* src;
  float* dst;
  const Tap* taps;
  ptrdiff_t count, step, n;
};

// dst[x, c] = scale * sum over taps first[x] to before first[x + 1] of weight * src[at, c]. src may
// be read one float beyond its end.
struct BlendColumnsArgs {
  const float* src;
  float* dst;
  const Tap* taps;
  const int64_t* first;
  ptrdiff_t dst_w, channels;
  float scale;
};

// A pixel between two columns; left < 0: outside of the image.
struct Between {
  int64_t left, right;
  float lerp;
};

// dst[x, c] between src's rows top and bottom, or `outside`.
struct LerpRowArgs {
  const float *top, *bottom;
  float* dst;
  const Between* columns;
  ptrdiff_t dst_w, channels;
  float lerp, outside;
};

// Boxes as five rows of `step`: top, left, bottom, right, area.
struct OverlapArgs {
  const float* boxes;
  ptrdiff_t step, count;
  float top, left, bottom, right, area;  // of the box to compare with all of them
  float threshold;
};
constexpr int kOverlaps = 1;    // with one box by more than the threshold
constexpr int kOverlapNan = 2;  // with one the overlap is NaN

struct ImageTable {
  void (*blend_rows)(const BlendRowsArgs*);
  void (*blend_columns)(const BlendColumnsArgs*);
  void (*lerp_row)(const LerpRowArgs*);
  // Flags, of all boxes or of some, the last first, up to where kOverlaps was found.
  int (*overlap)(const OverlapArgs*);
};

inline namespace isa_baseline {
const ImageTable* image_table();
}
inline namespace isa_avx2 {
const ImageTable* image_table();
}
inline namespace isa_avx512 {
const ImageTable* image_table();
}

}  // namespace graft::cpu
