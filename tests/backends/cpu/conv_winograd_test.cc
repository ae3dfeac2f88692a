// Winograd's convolution in every form and of every ISA level: within its own error constant, same
// bits for any threads and batch.
#include <cstring>

#include "backends/cpu/conv/winograd2d.h"
#include "gemm_testing.h"

namespace graft::cpu {
namespace {

using testing::Data;
using testing::draw;
using testing::Guarded;
using testing::levels;

struct Shape {
  int64_t batch, h, w, c, oc, pad_top, pad_left, oh, ow;
  int64_t kh = 3, kw = 3;
};

ConvShape shape_of(const Shape& p) {
  ConvShape s;
  s.batch = p.batch, s.h = p.h, s.w = p.w, s.c = p.c, s.oc = p.oc;
  s.kh = p.kh, s.kw = p.kw;
  s.pad_top = p.pad_top, s.pad_left = p.pad_left, s.oh = p.oh, s.ow = p.ow;
  s.src_ld = p.c + 3;
  s.dst_ld = p.oc + 5;
  s.residual_ld = p.oc + 2;
  return s;
}

const Shape kShapes[] = {
    {1, 8, 8, 32, 32, 1, 1, 8, 8},       {2, 7, 9, 37, 45, 1, 1, 7, 9},
    {1, 14, 14, 96, 64, 1, 1, 14, 14},   {3, 5, 4, 33, 50, 0, 0, 3, 2},
    {1, 1, 1, 40, 32, 1, 1, 1, 1},       {1, 2, 3, 32, 33, 2, 0, 4, 1},
    {1, 7, 7, 512, 32, 1, 1, 7, 7},      {1, 40, 30, 32, 36, 1, 1, 40, 30},
    {1, 9, 6, 35, 40, 2, 2, 9, 6, 5, 5}, {2, 5, 8, 32, 32, 0, 0, 1, 4, 5, 5},
    {2, 8, 9, 40, 33, 0, 1, 8, 9, 1, 3}, {1, 9, 7, 33, 40, 1, 0, 9, 7, 3, 1},
    {1, 3, 2, 32, 32, 0, 1, 3, 2, 1, 3}, {1, 9, 3, 32, 40, 0, 0, 7, 3, 3, 1},
};

// Every form that computes this kernel, the rule's choice or not.
std::vector<int> forms_of(const ConvShape& s) {
  std::vector<int> forms;
  for (int f = 0; f < kWinogradForms; ++f) {
    const WinogradForm& form = kWinogradForm[f];
    if ((form.kernel_h == s.kh && form.kernel_w == s.kw) ||
        (form.kernel_h == 1 && s.kw == 1 && form.kernel_w == s.kh))
      forms.push_back(f);
  }
  return forms;
}

void run(const ComputeTable& table, int form, const ConvShape& s, const std::vector<float>& src,
         const std::vector<float>& weights, const float* bias, const float* residual,
         const Epilogue& e, int threads, float* dst) {
  auto packed = WinogradWeights::pack(table, weights.data(), s, form);
  ASSERT_TRUE(packed.ok());
  const WinogradPlan plan = plan_winograd(packed.value(), s, threads);
  auto scratch = Buffer::allocate(static_cast<size_t>(plan.scratch_bytes()) + 64);
  ASSERT_TRUE(scratch.ok());
  testing::RunScope scope(threads);
  run_winograd(packed.value(), plan, src.data() + 1, bias, residual, e, dst,
               scratch.value().data());
}

TEST(WinogradKernels, keep_their_error_constant) {
  std::mt19937 rng(21);
  std::vector<double> worst(kWinogradForms);
  for (const Shape& shape : kShapes) {
    const ConvShape s = shape_of(shape);
    ASSERT_GE(winograd_form(s), 0);
    const auto src = draw(rng, s.batch * s.h * s.w * s.src_ld + 1, Data::kNormal);
    const auto weights = draw(rng, s.kh * s.kw * s.c * s.oc, Data::kNormal);
    const auto bias = draw(rng, s.oc, Data::kNormal);
    const auto residual = draw(rng, s.batch * s.oh * s.ow * s.residual_ld, Data::kNormal);
    Epilogue e;
    e.lo = -5;
    const int64_t elems = s.batch * s.oh * s.ow * s.dst_ld;
    std::vector<testing::Expected> expected;
    for (int64_t p = 0; p < s.batch * s.oh * s.ow; ++p) {
      for (int64_t c = 0; c < s.oc; ++c) {
        expected.push_back(testing::conv_at(s, src.data() + 1, weights.data(), bias.data(),
                                            residual.data(), p / s.ow / s.oh, p / s.ow % s.oh,
                                            p % s.ow, c));
      }
    }
    for (const ComputeTable* table : levels()) {
      for (const int form : forms_of(s)) {
        SCOPED_TRACE(std::string(table->name) + " " + kWinogradForm[form].kernel_name + " " +
                     testing::describe(s));
        std::vector<float> first;
        for (int threads = 1; threads <= 4; ++threads) {
          Guarded dst(elems);
          run(*table, form, s, src, weights, bias.data(), residual.data(), e, threads, dst.data());
          dst.expect_untouched(elems, [&](int64_t i) { return i % s.dst_ld < s.oc; });
          if (threads == 1) first.assign(dst.data(), dst.data() + elems);
          ASSERT_EQ(std::memcmp(first.data(), dst.data(), first.size() * sizeof(float)), 0)
              << threads << " threads";
        }
        for (size_t i = 0; i < expected.size(); ++i) {
          const testing::Expected& want = expected[i];
          const int64_t p = static_cast<int64_t>(i) / s.oc, c = static_cast<int64_t>(i) % s.oc;
          const double error =
              std::fabs(first[static_cast<size_t>(p * s.dst_ld + c)] - std::fmax(want.value, -5));
          double& most = worst[static_cast<size_t>(form)];
          most = std::fmax(most, error / (std::sqrt(static_cast<double>(want.terms)) *
                                          std::ldexp(want.magnitude, -24)));
          ASSERT_LE(error, testing::fp32_bar(want, kWinogradForm[form].error_constant))
              << "pixel " << p << " channel " << c;
        }
      }
    }
  }
  for (int f = 0; f < kWinogradForms; ++f) {
    EXPECT_GT(worst[static_cast<size_t>(f)], 0) << kWinogradForm[f].kernel_name << " never ran";
    RecordProperty(std::string("error_constant_x1000_") + kWinogradForm[f].kernel_name,
                   static_cast<int>(worst[static_cast<size_t>(f)] * 1000));
  }
}

// F(2x2, 3x3) only halves and quarters weights, so that small integers stay exact.
TEST(WinogradKernels, the_smallest_form_is_exact_on_small_integers) {
  std::mt19937 rng(22);
  for (const Shape& shape : kShapes) {
    const ConvShape s = shape_of(shape);
    if (forms_of(s).front() != 0) continue;
    const auto src = draw(rng, s.batch * s.h * s.w * s.src_ld + 1, Data::kIntegers);
    const auto weights = draw(rng, 9 * s.c * s.oc, Data::kIntegers);
    for (const ComputeTable* table : levels()) {
      SCOPED_TRACE(std::string(table->name) + " " + testing::describe(s));
      Guarded dst(s.batch * s.oh * s.ow * s.dst_ld);
      run(*table, 0, s, src, weights, nullptr, nullptr, {}, 2, dst.data());
      for (int64_t p = 0; p < s.batch * s.oh * s.ow; ++p) {
        for (int64_t c = 0; c < s.oc; ++c) {
          const auto want = testing::conv_at(s, src.data() + 1, weights.data(), nullptr, nullptr,
                                             p / s.ow / s.oh, p / s.ow % s.oh, p % s.ow, c);
          ASSERT_EQ(dst.data()[p * s.dst_ld + c], want.value) << "pixel " << p << " channel " << c;
        }
      }
    }
  }
}

TEST(WinogradKernels, an_image_gives_the_same_bits_at_any_batch) {
  std::mt19937 rng(23);
  const Shape shapes[] = {{4, 9, 11, 48, 40, 1, 1, 9, 11},
                          {60, 8, 7, 300, 40, 1, 1, 8, 7},
                          {3, 9, 8, 33, 40, 1, 0, 9, 8, 3, 1}};
  for (const Shape& shape : shapes) {
    const ConvShape s = shape_of(shape);
    const auto src = draw(rng, s.batch * s.h * s.w * s.src_ld + 1, Data::kNormal);
    const auto weights = draw(rng, s.kh * s.kw * s.c * s.oc, Data::kNormal);
    const int64_t image = s.h * s.w * s.src_ld, out = s.oh * s.ow * s.dst_ld;
    for (const ComputeTable* table : levels()) {
      for (const int form : forms_of(s)) {
        Guarded all(s.batch * out);
        run(*table, form, s, src, weights, nullptr, nullptr, {}, 2, all.data());
        for (int64_t n = 0; n < s.batch; n += s.batch - 1) {
          ConvShape one = s;
          one.batch = 1;
          Guarded alone(out);
          const std::vector<float> part(src.begin() + n * image, src.begin() + (n + 1) * image + 1);
          run(*table, form, one, part, weights, nullptr, nullptr, {}, 1, alone.data());
          ASSERT_EQ(std::memcmp(alone.data(), all.data() + n * out,
                                static_cast<size_t>(out) * sizeof(float)),
                    0)
              << kWinogradForm[form].kernel_name;
        }
      }
    }
  }
}

}  // namespace
}  // namespace graft::cpu
