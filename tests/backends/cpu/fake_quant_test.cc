// fake_quant against the reference evaluator, which is TensorFlow's to the bit (conformance).
#include <limits>

#include "ir/fake_quant.h"
#include "step_testing.h"

namespace graft::cpu::testing {
namespace {

using ir::FakeQuantFn;

constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

std::vector<ir::FakeQuantAttrs> all_attrs() {
  std::vector<ir::FakeQuantAttrs> result;
  for (const FakeQuantFn fn : {FakeQuantFn::kNudged, FakeQuantFn::kNudgedDivide,
                               FakeQuantFn::kHalfToEven, FakeQuantFn::kHalfUp})
    for (const int bits : {2, 8, 16})
      for (const bool narrow : {false, true}) {
        ir::FakeQuantAttrs attrs;
        attrs.fn = fn;
        attrs.num_bits = bits;
        attrs.narrow_range = narrow;
        result.push_back(attrs);
      }
  return result;
}

// Ties, ends of the range and beyond among random values.
Tensor values(std::mt19937& rng, const std::vector<int64_t>& dims) {
  const Tensor drawn = draw(rng, DType::kFloat, dims);
  const float special[] = {0.0f, -0.0f, 6, -6, 7, -7, 0.5f, kInf, -kInf, kNan, 1e-40f, -1e30f};
  std::vector<float> v;
  for (int64_t i = 0; i < drawn.elems(); ++i) {
    v.push_back(4 * drawn.at<float>(i));
    if (i % 5 == 0) v.back() = special[static_cast<size_t>(i / 5) % std::size(special)];
    if (i % 7 == 3) v.back() = (static_cast<float>(i % 101) - 50.5f) * (12.0f / 254);
  }
  return floats(dims, v);
}

TEST(FakeQuantKernel, one_grid_is_the_reference_to_the_bit) {
  std::mt19937 rng(1);
  for (const ir::FakeQuantAttrs& attrs : all_attrs())
    for (const auto& [low, high] :
         {std::pair{-6.0f, 6.0f}, {0.0f, 6.0f}, {-1.3f, 5.1f}, {-1e-3f, 2e-3f}, {0.0f, 0.0f}})
      for (const int64_t n : {0, 1, 37, 6000}) {
        SCOPED_TRACE(std::to_string(low) + " bits " + std::to_string(attrs.num_bits));
        check({attrs, {values(rng, {n}), floats({}, {low}), floats({}, {high})}});
        if (HasFatalFailure()) return;
      }
}

TEST(FakeQuantKernel, grids_by_channel_are_the_reference_to_the_bit) {
  std::mt19937 rng(2);
  for (ir::FakeQuantAttrs attrs : all_attrs())
    for (const auto& [dims, axis] : {std::pair<std::vector<int64_t>, int64_t>{{5, 7, 5}, 2},
                                     {{3, 5, 11}, 1},
                                     {{5, 40}, 0},
                                     {{2, 30, 33, 5}, 3},
                                     {{0, 5}, 1},
                                     {{4, 5, 1}, 1}}) {
      attrs.axis = axis;
      SCOPED_TRACE(::testing::PrintToString(dims) + " bits " + std::to_string(attrs.num_bits));
      check(
          {attrs,
           {values(rng, dims), floats({5}, {-6, 0, 0, -1.5f, -2}), floats({5}, {6, 4, 0, 3, 1})}});
      if (HasFatalFailure()) return;
    }
}

}  // namespace
}  // namespace graft::cpu::testing
