// Which pixels an output pixel is made of, as TensorFlow's ResizeBicubic and ResizeArea have it.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "backends/cpu/image/resize_taps.h"

namespace graft::cpu {
namespace {

constexpr int64_t kSteps = 1024;  // of a pixel, that the weights are kept for

// Keys' cubic convolution: weights at distances 0 to 1 and 1 to 2.
struct CubicTable {
  std::array<float, kSteps + 1> near, far;
  explicit CubicTable(double a) {
    for (int64_t i = 0; i <= kSteps; ++i) {
      const auto k = static_cast<size_t>(i);
      float x = static_cast<float>(i) / static_cast<float>(kSteps);
      near[k] = static_cast<float>(((a + 2) * x - (a + 3)) * x * x + 1);
      x += 1;
      far[k] = static_cast<float>(((a * x - 5 * a) * x + 8 * a) * x - 4 * a);
    }
  }
};

// TensorFlow's op has another cubic for half_pixel_centers.
const CubicTable& cubic_table(bool half_pixel_centers) {
  static const CubicTable keys(-0.5), legacy(-0.75);
  return half_pixel_centers ? keys : legacy;
}

// Pixels outside of the image weigh nothing.
void share_among_inside(int64_t in, Tap (&taps)[4]) {
  float sum = 0;
  for (Tap& tap : taps) {
    if (tap.at < 0 || tap.at >= in) tap.weight = 0;
    sum += tap.weight;
  }
  if (!(std::abs(sum) >= 1000 * std::numeric_limits<float>::min())) return;
  const float share = 1 / sum;
  for (Tap& tap : taps) tap.weight *= share;
}

}  // namespace

AxisTaps bicubic_taps(int64_t in, int64_t out, float scale, bool half_pixel_centers) {
  const CubicTable& table = cubic_table(half_pixel_centers);
  AxisTaps result;
  result.taps.reserve(static_cast<size_t>(4 * out));
  for (int64_t i = 0; i < out; ++i) {
    const auto x = static_cast<float>(i);
    const float at = half_pixel_centers ? (x + 0.5f) * scale - 0.5f : x * scale;
    const auto pixel = static_cast<int64_t>(std::floor(at));
    const auto step = static_cast<size_t>(
        std::lrint((at - static_cast<float>(pixel)) * static_cast<float>(kSteps)));
    Tap taps[] = {{pixel - 1, table.far[step]},
                  {pixel, table.near[step]},
                  {pixel + 1, table.near[kSteps - step]},
                  {pixel + 2, table.far[kSteps - step]}};
    if (half_pixel_centers) share_among_inside(in, taps);
    for (Tap& tap : taps) {
      tap.at = std::clamp<int64_t>(tap.at, 0, in - 1);
      result.taps.push_back(tap);
    }
    result.first.push_back(static_cast<int64_t>(result.taps.size()));
  }
  return result;
}

AxisTaps area_taps(int64_t in, int64_t out, float scale, bool columns) {
  AxisTaps result;
  for (int64_t i = 0; i < out; ++i) {
    const float from = static_cast<float>(i) * scale, to = static_cast<float>(i + 1) * scale;
    const auto add = [&](int64_t pixel, bool whole) {
      const auto begin = static_cast<float>(pixel), end = static_cast<float>(pixel + 1);
      float covered = 1;
      if (!whole) {
        if (begin < from)
          covered = end > to ? scale : end - from;
        else if (end > to)
          covered = to - begin;
      }
      result.taps.push_back({std::clamp<int64_t>(pixel, 0, in - 1), covered});
    };
    const auto first = static_cast<int64_t>(std::floor(from)),
               end = static_cast<int64_t>(std::ceil(to));
    // Beyond 2^24 pixels both may be one number: TensorFlow reads two columns nevertheless.
    if (columns && end <= first) {
      add(first, false);
      add(end - 1, false);
    }
    for (int64_t pixel = first; pixel < end; ++pixel)
      add(pixel, columns && pixel != first && pixel != end - 1);
    result.first.push_back(static_cast<int64_t>(result.taps.size()));
  }
  return result;
}

}  // namespace graft::cpu
