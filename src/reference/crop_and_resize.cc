// crop_and_resize. Coordinates are float32, as TensorFlow computes them: an exact coordinate would
// pick other pixels.
#include <cmath>

#include "reference/values.h"

namespace graft::reference {

namespace {

// Where pixel i of a crop from `begin` to `end` lies in the image.
float crop_coordinate(float begin, float end, int64_t i, int64_t crop, int64_t image) {
  const auto last = static_cast<float>(image - 1);
  if (crop == 1) return static_cast<float>(0.5 * (begin + end) * static_cast<double>(image - 1));
  const float scale = (end - begin) * last / static_cast<float>(crop - 1);
  return begin * last + static_cast<float>(i) * scale;
}

}  // namespace

Status evaluate_crop_and_resize(const Call& c) {
  const auto& a = c.op.as<ir::CropAndResizeAttrs>();
  const auto s = c.in[0].dims, d = c.out[0].dims;
  const std::vector<double> x = load<double>(c.in[0]);
  const std::vector<double> edges = load<double>(c.in[1]);
  const std::vector<float> boxes(edges.begin(), edges.end());
  const std::vector<int64_t> image = ints(c.in[2]);
  std::vector<double> y(static_cast<size_t>(elems(d)), a.extrapolation);
  for (int64_t i : image) {
    if (i < 0 || i >= s[0])
      return c.fail("box_ind " + std::to_string(i) + " is not in [0, " + std::to_string(s[0]) +
                    ")");
  }
  for (float edge : boxes)
    if (!std::isfinite(edge)) return c.fail("a box has an edge that is not finite");
  for (int64_t i = 0; i < elems(d); ++i) {
    const int64_t ch = i % d[3], col = i / d[3] % d[2], row = i / d[3] / d[2] % d[1],
                  b = i / d[3] / d[2] / d[1];
    const float* box = &boxes[static_cast<size_t>(b * 4)];
    const float v = crop_coordinate(box[0], box[2], row, d[1], s[1]);
    const float u = crop_coordinate(box[1], box[3], col, d[2], s[2]);
    if (!(v >= 0 && v <= static_cast<float>(s[1] - 1) && u >= 0 &&
          u <= static_cast<float>(s[2] - 1)))
      continue;
    const auto value = [&](float h, float w) {
      const int64_t at = (image[static_cast<size_t>(b)] * s[1] + static_cast<int64_t>(h)) * s[2] +
                         static_cast<int64_t>(w);
      return x[static_cast<size_t>(at * s[3] + ch)];
    };
    if (!a.bilinear) {
      y[static_cast<size_t>(i)] = value(std::round(v), std::round(u));
      continue;
    }
    const float top = std::floor(v), left = std::floor(u);
    const double above =
        value(top, left) + (value(top, std::ceil(u)) - value(top, left)) * (u - left);
    const double below =
        value(std::ceil(v), left) +
        (value(std::ceil(v), std::ceil(u)) - value(std::ceil(v), left)) * (u - left);
    y[static_cast<size_t>(i)] = above + (below - above) * (v - top);
  }
  store(c.out[0], y);
  return ok_status();
}

}  // namespace graft::reference
