// Resizing by weighted rows and columns: bicubic and area.
#pragma once

#include <vector>

#include "backends/cpu/image/image_table.h"
#include "backends/cpu/kernel_list.h"

namespace graft::cpu {

// The taps of output pixels along an axis: those of pixel i are first[i] to before first[i + 1].
struct AxisTaps {
  std::vector<Tap> taps;
  std::vector<int64_t> first{0};
};
// Of `in` pixels that become `out`; by TensorFlow's float formulas.
AxisTaps bicubic_taps(int64_t in, int64_t out, float scale, bool half_pixel_centers);
AxisTaps area_taps(int64_t in, int64_t out, float scale, bool columns);

std::string supports_resize_taps(const Problem& problem);
Result<std::unique_ptr<Step>> make_resize_taps(const Problem& problem);

}  // namespace graft::cpu
