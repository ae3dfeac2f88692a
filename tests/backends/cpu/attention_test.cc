// Fused attention against a naive double evaluation, by the bar of robustness 3.2.
#include "step_testing.h"

namespace graft::cpu::testing {
namespace {

struct Shape {
  int64_t b, sq, sk, h, d, dv;
  std::vector<int64_t> mask;
};

Case attention_case(std::mt19937& rng, const Shape& s, float scale) {
  Case c{ir::AttentionAttrs{scale, !s.mask.empty()},
         {draw(rng, DType::kFloat, {s.b, s.sq, s.h, s.d}),
          draw(rng, DType::kFloat, {s.b, s.sk, s.h, s.d}),
          draw(rng, DType::kFloat, {s.b, s.sk, s.h, s.dv})}};
  if (!s.mask.empty()) c.inputs.push_back(draw(rng, DType::kFloat, s.mask, 3.0f));
  return c;
}

double mask_at(const Shape& s, const Tensor& mask, const int64_t (&index)[4]) {
  int64_t offset = 0, step = 1;
  for (size_t k = 0; k < s.mask.size(); ++k) {
    const int64_t n = s.mask[s.mask.size() - 1 - k];
    offset += n == 1 ? 0 : index[3 - k] * step;
    step *= n;
  }
  return mask.at<float>(offset);
}

void check_attention(const Shape& s, float scale) {
  std::mt19937 rng(1);
  const Case c = attention_case(rng, s, scale);
  const Tensor &q = c.inputs[0], &k = c.inputs[1], &v = c.inputs[2];
  const Tensor first = run_kernel(c, {machine_target().isa, 1})[0];
  for (ir::Isa isa : isa_levels()) {
    const Tensor got = run_kernel(c, {isa, 2, 4})[0];
    for (int64_t b = 0; b < s.b; ++b) {
      for (int64_t i = 0; i < s.sq; ++i) {
        for (int64_t h = 0; h < s.h; ++h) {
          std::vector<double> p(static_cast<size_t>(s.sk));
          double max = -INFINITY, sum = 0;
          for (int64_t j = 0; j < s.sk; ++j) {
            double dot = 0;
            for (int64_t d = 0; d < s.d; ++d) {
              dot += double{q.at<float>(((b * s.sq + i) * s.h + h) * s.d + d)} *
                     k.at<float>(((b * s.sk + j) * s.h + h) * s.d + d);
            }
            p[j] = dot * scale + (s.mask.empty() ? 0.0 : mask_at(s, c.inputs[3], {b, h, i, j}));
            max = std::max(max, p[j]);
          }
          for (double& x : p) sum += x = std::exp(x - max);
          for (int64_t d = 0; d < s.dv; ++d) {
            double want = 0, magnitude = 0;
            for (int64_t j = 0; j < s.sk; ++j) {
              const double term = p[j] / sum * v.at<float>(((b * s.sk + j) * s.h + h) * s.dv + d);
              want += term;
              magnitude += std::fabs(term);
            }
            const float g = got.at<float>(((b * s.sq + i) * s.h + h) * s.dv + d);
            const double bar = 8e-6 * magnitude + 1e-6 * std::fabs(want);
            ASSERT_LE(std::fabs(g - want), bar + 1e-30)
                << "at " << b << "," << i << "," << h << "," << d;
          }
        }
      }
    }
  }
  for (int threads = 1; threads <= 4; ++threads) {
    ASSERT_EQ(run_kernel(c, {machine_target().isa, threads, 8})[0].bytes, first.bytes) << threads;
  }
}

TEST(AttentionKernel, shapes_and_masks) {
  const Shape shapes[] = {
      {1, 1, 1, 1, 1, 1, {}},
      {2, 5, 7, 3, 9, 11, {}},
      {1, 128, 128, 2, 64, 64, {1, 1, 1, 128}},
      {2, 33, 17, 2, 8, 16, {2, 1, 1, 17}},
      {2, 9, 10, 2, 5, 6, {2, 2, 9, 10}},
      {2, 9, 10, 2, 5, 6, {9, 10}},
      {1, 9, 10, 2, 5, 6, {1, 1, 9, 1}},
      {1, 200, 300, 1, 33, 40, {}},
      {3, 1, 50, 2, 16, 16, {50}},
  };
  for (const Shape& s : shapes) {
    SCOPED_TRACE(::testing::PrintToString(s.mask) + " sq " + std::to_string(s.sq) + " sk " +
                 std::to_string(s.sk));
    check_attention(s, 0.35f);
    if (HasFatalFailure()) return;
  }
}

TEST(AttentionKernel, batch_never_changes_the_bits) {
  std::mt19937 rng(2);
  const Case two = attention_case(rng, {2, 40, 40, 3, 16, 16, {}}, 0.25f);
  Case one{two.attrs, {}};
  for (const Tensor& t : two.inputs) {
    Tensor half = empty_tensor(t.dtype, {1, t.dims[1], t.dims[2], t.dims[3]});
    std::memcpy(half.bytes.data(), t.bytes.data(), half.bytes.size());
    one.inputs.push_back(half);
  }
  const auto both = run_kernel(two, {machine_target().isa, 2})[0],
             alone = run_kernel(one, {machine_target().isa, 2})[0];
  EXPECT_EQ(std::memcmp(both.bytes.data(), alone.bytes.data(), alone.bytes.size()), 0);
}

TEST(AttentionKernel, no_keys_give_zeros_and_masked_rows_give_nan) {
  std::mt19937 rng(3);
  const auto none = run_kernel(attention_case(rng, {1, 2, 0, 1, 4, 3, {}}, 1.0f), {});
  for (int i = 0; i < 6; ++i) EXPECT_EQ(none[0].at<float>(i), 0.0f);
  Case c = attention_case(rng, {1, 2, 3, 1, 4, 3, {1, 1, 2, 3}}, 1.0f);
  const float inf = INFINITY;
  c.inputs[3] = floats({1, 1, 2, 3}, {-inf, -inf, -inf, -inf, 0, -inf});
  for (ir::Isa isa : isa_levels()) {
    const auto r = run_kernel(c, {isa, 1})[0];
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(std::isnan(r.at<float>(i)));
    for (int i = 3; i < 6; ++i) EXPECT_EQ(r.at<float>(i), c.inputs[2].at<float>(i));
  }
}

}  // namespace
}  // namespace graft::cpu::testing
