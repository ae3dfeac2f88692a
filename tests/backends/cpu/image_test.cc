// Suppression of boxes, crops, maxima with their places, and resizing by taps, against the
// reference evaluator, on one and on several threads.
#include "step_testing.h"

namespace graft::cpu::testing {
namespace {

// Boxes that overlap in clusters of five; every seventh has flipped corners.
Tensor draw_boxes(std::mt19937& rng, std::vector<int64_t> dims, float spread = 1) {
  std::uniform_real_distribution<float> unit(0, 1);
  dims.push_back(4);
  Tensor t = empty_tensor(DType::kFloat, dims);
  float top = 0, left = 0;
  for (int64_t i = 0; i < t.elems() / 4; ++i) {
    if (i % 5 == 0) top = unit(rng) * spread, left = unit(rng) * spread;
    const float y = top + unit(rng) * 0.1f, x = left + unit(rng) * 0.1f;
    float box[4] = {y, x, y + 0.3f * unit(rng), x + 0.3f * unit(rng)};
    if (i % 7 == 0) std::swap(box[0], box[2]);
    std::memcpy(t.bytes.data() + i * 16, box, 16);
  }
  return t;
}

// Of `steps` different values in [0, 1); 0: of any.
Tensor draw_scores(std::mt19937& rng, std::vector<int64_t> dims, int steps = 0) {
  Tensor t = empty_tensor(DType::kFloat, std::move(dims));
  std::uniform_real_distribution<float> unit(0, 1);
  for (int64_t i = 0; i < t.elems(); ++i) {
    float v = unit(rng);
    if (steps > 0) v = std::floor(v * static_cast<float>(steps)) / static_cast<float>(steps);
    std::memcpy(t.bytes.data() + i * 4, &v, 4);
  }
  return t;
}

Tensor scalar(float v) { return floats({}, {v}); }

void expect_failure(const Case& c, const std::string& text) {
  for (int threads : {1, 4}) {
    try {
      run_kernel(c, {.threads = threads});
      ADD_FAILURE() << "no error";
    } catch (const backends::StepFailure& e) {
      EXPECT_EQ(e.status().code(), Code::kInvalidArgument);
      EXPECT_NE(e.status().message().find(text), std::string::npos) << e.status().message();
    }
  }
}

TEST(NonMaxSuppression, hard_and_soft) {
  std::mt19937 rng(1);
  for (int64_t n : {0, 1, 31, 32, 33, 64, 700}) {
    for (int steps : {0, 4, 1}) {
      const Tensor boxes = draw_boxes(rng, {n}, n > 100 ? 9 : 1);
      const Tensor scores = draw_scores(rng, {n}, steps);
      for (float sigma : {0.0f, 0.3f}) {
        for (int32_t most : {0, 5, 400}) {
          SCOPED_TRACE(std::to_string(n) + " of " + std::to_string(steps) + ", sigma " +
                       std::to_string(sigma));
          check({ir::NonMaxSuppressionAttrs{},
                 {boxes, scores, ints({}, {most}), scalar(0.4f), scalar(0.1f), scalar(sigma)},
                 3});
        }
      }
    }
  }
}

TEST(NonMaxSuppression, boxes_that_are_no_numbers) {
  std::mt19937 rng(2);
  Tensor boxes = draw_boxes(rng, {90});
  const float odd[] = {NAN, INFINITY, -INFINITY, 1e30f};
  for (int64_t i = 0; i < 90; i += 3)
    std::memcpy(boxes.bytes.data() + (i * 5 % 360) * 4, &odd[i % 4], 4);
  const Tensor scores = draw_scores(rng, {90});
  for (float score : {0.1f, -1.0f, -INFINITY}) {
    for (float sigma : {0.0f, 0.3f})
      check({ir::NonMaxSuppressionAttrs{},
             {boxes, scores, ints({}, {90}), scalar(0.4f), scalar(score), scalar(sigma)},
             3});
  }
}

TEST(NonMaxSuppression, bad_thresholds_fail) {
  std::mt19937 rng(3);
  const Tensor boxes = draw_boxes(rng, {9}), scores = draw_scores(rng, {9});
  const auto of = [&](float overlap, float sigma) {
    return Case{ir::NonMaxSuppressionAttrs{},
                {boxes, scores, ints({}, {4}), scalar(overlap), scalar(0), scalar(sigma)},
                3};
  };
  for (float overlap : {-0.1f, 1.1f, NAN})
    expect_failure(of(overlap, 0), "threshold of the overlap");
  for (float sigma : {-0.1f, NAN}) expect_failure(of(0.5f, sigma), "sigma is");
}

TEST(CombinedNonMaxSuppression, classes_and_images) {
  std::mt19937 rng(4);
  for (int64_t n : {0, 1, 20, 150}) {
    for (int64_t q : {1, 7}) {
      for (int steps : {0, 3}) {
        for (bool pad : {false, true}) {
          for (auto [per_class, total] : {std::pair{3, 40}, {200, 11}, {25, 500}}) {
            SCOPED_TRACE(std::to_string(n) + " boxes, " + std::to_string(per_class));
            check({ir::CombinedNonMaxSuppressionAttrs{pad, q == 1},
                   {draw_boxes(rng, {3, n, q}), draw_scores(rng, {3, n, 7}, steps),
                    ints({}, {per_class}), ints({}, {total}), scalar(0.5f), scalar(0.2f)},
                   4});
          }
        }
      }
    }
  }
}

TEST(CombinedNonMaxSuppression, places_that_no_box_took_go_before_scores_below_minus_one) {
  std::mt19937 rng(5);
  Tensor scores = draw_scores(rng, {2, 12, 3});
  for (int64_t i = 0; i < scores.elems(); ++i) {
    const float v = scores.at<float>(i) * 2 - 2.5f;
    std::memcpy(scores.bytes.data() + i * 4, &v, 4);
  }
  check({ir::CombinedNonMaxSuppressionAttrs{false, false},
         {draw_boxes(rng, {2, 12, 1}), scores, ints({}, {12}), ints({}, {30}), scalar(0.1f),
          scalar(-9.0f)},
         4});
}

TEST(CropAndResize, methods_and_sizes) {
  std::mt19937 rng(6);
  for (int64_t channels : {1, 3, 40}) {
    const Tensor image = draw(rng, DType::kFloat, {2, 9, 11, channels});
    Tensor boxes = draw_boxes(rng, {6}, 1.2f);
    const float whole[] = {0, 0, 1, 1};
    std::memcpy(boxes.bytes.data(), whole, 16);
    for (const std::vector<int32_t>& size :
         {std::vector<int32_t>{5, 7}, {1, 1}, {1, 9}, {60, 70}}) {
      for (bool bilinear : {false, true})
        check({ir::CropAndResizeAttrs{bilinear, -2.5f},
               {image, boxes, ints({6}, {0, 1, 1, 0, 0, 1}), ints({2}, size)}},
              {1e-6, 1e-6});
    }
  }
}

TEST(CropAndResize, I5_images_out_of_range_and_edges_that_are_no_numbers_fail) {
  std::mt19937 rng(7);
  const Tensor image = draw(rng, DType::kFloat, {2, 4, 4, 3});
  for (int32_t bad : {-1, 2, INT32_MAX})
    expect_failure({ir::CropAndResizeAttrs{},
                    {image, draw_boxes(rng, {2}), ints({2}, {0, bad}), ints({2}, {3, 3})}},
                   "box_ind[1] = " + std::to_string(bad) + " is not in [0, 2)");
  for (float edge : {NAN, INFINITY}) {
    Tensor boxes = draw_boxes(rng, {2});
    std::memcpy(boxes.bytes.data() + 20, &edge, 4);
    expect_failure({ir::CropAndResizeAttrs{}, {image, boxes, ints({2}, {0, 1}), ints({2}, {3, 3})}},
                   "boxes[1] has an edge that is not finite");
  }
}

TEST(PoolArgmax, windows_ties_and_nan) {
  std::mt19937 rng(8);
  for (int64_t channels : {1, 5, 64, 130}) {
    for (ir::Padding padding : {ir::Padding::kValid, ir::Padding::kSame}) {
      for (DType to : {DType::kInt32, DType::kInt64}) {
        ir::PoolArgmaxAttrs a{{3, 2}, {2, 1}, padding, to == DType::kInt32, to};
        Tensor src = draw(rng, DType::kFloat, {3, 9, 8, channels});
        check({a, {src}, 2});
        for (int64_t i = 0; i < src.elems(); ++i) {
          const float v = i % 11 == 0 ? NAN : std::round(src.at<float>(i));
          std::memcpy(src.bytes.data() + i * 4, &v, 4);
        }
        check({a, {src}, 2});
        a.ksize = {20, 20};
        a.padding = ir::Padding::kSame;
        check({a, {src}, 2});
      }
    }
  }
}

TEST(ResizeTaps, bicubic_and_area) {
  std::mt19937 rng(9);
  for (int64_t channels : {1, 2, 3, 4, 37}) {
    for (const std::vector<int32_t>& size :
         {std::vector<int32_t>{6, 5}, {13, 3}, {1, 1}, {2, 40}, {70, 60}}) {
      const Tensor src = draw(rng, DType::kFloat, {2, 6, 5, channels});
      for (int mode = 0; mode < 3; ++mode) {
        for (ir::ResizeMethod method : {ir::ResizeMethod::kBicubic, ir::ResizeMethod::kArea}) {
          if (mode == 2 && method == ir::ResizeMethod::kArea) continue;
          check({ir::ResizeAttrs{true, mode == 1, mode == 2, method}, {src, ints({2}, size)}},
                {3e-6, 3e-6});
        }
      }
    }
  }
  check({ir::ResizeAttrs{true, true, false, ir::ResizeMethod::kArea},
         {draw(rng, DType::kFloat, {1, 1, 1, 3}), ints({2}, {4, 5})}},
        {3e-6, 3e-6});
  check({ir::ResizeAttrs{true, false, false, ir::ResizeMethod::kArea},
         {draw(rng, DType::kFloat, {2, 300, 200, 4}), ints({2}, {17, 31})}},
        {3e-6, 3e-6});
}

}  // namespace
}  // namespace graft::cpu::testing
