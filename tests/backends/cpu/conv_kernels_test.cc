// Convolution drivers of every ISA level against a naive double loop.
#include <cstring>
#include <memory>

#include "backends/cpu/conv/depthwise2d.h"
#include "gemm_testing.h"

namespace graft::cpu {
namespace {

using testing::conv_at;
using testing::Data;
using testing::draw;
using testing::Guarded;
using testing::levels;

int64_t pick(std::mt19937& rng, int64_t lo, int64_t hi) {
  return std::uniform_int_distribution<int64_t>(lo, hi)(rng);
}

// A random convolution; `depthwise`: groups == c.
ConvShape random_shape(std::mt19937& rng, bool depthwise) {
  ConvShape s;
  s.batch = pick(rng, 1, 3);
  s.h = pick(rng, 1, 19);
  s.w = pick(rng, 1, 19);
  s.kh = pick(rng, 1, 5);
  s.kw = pick(rng, 0, 2) == 0 ? pick(rng, 1, 7) : s.kh;
  s.stride_h = pick(rng, 1, 3);
  s.stride_w = pick(rng, 0, 3) == 0 ? pick(rng, 1, 3) : s.stride_h;
  s.dilation_h = pick(rng, 0, 3) == 0 ? 2 : 1;
  s.dilation_w = pick(rng, 0, 3) == 0 ? pick(rng, 1, 3) : s.dilation_h;
  s.groups = pick(rng, 0, 3) == 0 ? pick(rng, 2, 4) : 1;
  if (depthwise) {
    s.groups = s.c = pick(rng, 2, 70);
    s.oc = s.c * (pick(rng, 0, 3) == 0 ? pick(rng, 2, 11) : 1);
  } else {
    s.c = s.groups * (pick(rng, 0, 2) == 0 ? pick(rng, 1, 4) : pick(rng, 1, 40));
    s.oc = s.groups * pick(rng, 1, 70);
  }
  s.pad_top = pick(rng, 0, (s.kh - 1) * s.dilation_h + 1);
  s.pad_left = pick(rng, 0, (s.kw - 1) * s.dilation_w + 1);
  const int64_t bottom = pick(rng, 0, 3), right = pick(rng, 0, 3);
  s.oh =
      std::max<int64_t>(0, s.h + s.pad_top + bottom - (s.kh - 1) * s.dilation_h - 1) / s.stride_h +
      1;
  s.ow =
      std::max<int64_t>(0, s.w + s.pad_left + right - (s.kw - 1) * s.dilation_w - 1) / s.stride_w +
      1;
  s.src_ld = s.c + pick(rng, 0, 1) * pick(rng, 0, 9);
  s.dst_ld = s.oc + pick(rng, 0, 1) * pick(rng, 0, 9);
  s.residual_ld = s.oc + pick(rng, 0, 1) * pick(rng, 0, 9);
  return s;
}

struct Case {
  ConvShape shape;
  std::vector<float> src, weights, bias, residual;
  bool has_bias, has_residual;
  Epilogue epilogue;

  Case(std::mt19937& rng, const ConvShape& s, Data data) : shape(s) {
    src = draw(rng, s.batch * s.h * s.w * s.src_ld + 1, data);
    weights = draw(rng, s.kh * s.kw * (s.c / s.groups) * s.oc, data);
    bias = draw(rng, s.oc, data);
    residual = draw(rng, s.batch * s.oh * s.ow * s.residual_ld + 1, data);
    has_bias = pick(rng, 0, 3) != 0;
    has_residual = pick(rng, 0, 1) != 0;
    if (pick(rng, 0, 1)) {
      epilogue.lo = 0;
      epilogue.hi = 50;
    }
  }
  int64_t dst_elems() const { return shape.batch * shape.oh * shape.ow * shape.dst_ld; }
  // Pointers one float off alignment.
  const float* src_data() const { return src.data() + 1; }
  const float* residual_data() const { return has_residual ? residual.data() + 1 : nullptr; }
  const float* bias_data() const { return has_bias ? bias.data() : nullptr; }

  void run(const ComputeTable& table, int threads, float* dst) const {
    testing::RunScope scope(threads);
    if (shape.groups == shape.c && shape.groups > 1) {
      auto packed = pack_depthwise(table, weights.data(), shape);
      ASSERT_TRUE(packed.ok());
      run_depthwise(table, plan_depthwise(shape, threads), packed.value().as<float>(), src_data(),
                    bias_data(), residual_data(), epilogue, dst);
      return;
    }
    auto packed = ConvWeights::pack(table, weights.data(), shape);
    ASSERT_TRUE(packed.ok());
    const ConvPlan plan = plan_conv(packed.value(), shape, threads);
    // Exactly the scratch that was asked for, so that a sanitizer sees one byte more.
    std::unique_ptr<char[]> scratch(new char[static_cast<size_t>(plan.scratch_bytes()) + 64]);
    char* aligned = scratch.get() + (64 - reinterpret_cast<uintptr_t>(scratch.get()) % 64) % 64;
    run_conv(packed.value(), plan, src_data(), bias_data(), residual_data(), epilogue, dst,
             aligned);
  }

  void check(const float* dst, Data data) const {
    const ConvShape& s = shape;
    for (int64_t n = 0; n < s.batch; ++n) {
      for (int64_t oy = 0; oy < s.oh; ++oy) {
        for (int64_t ox = 0; ox < s.ow; ++ox) {
          for (int64_t oc = 0; oc < s.oc; ++oc) {
            const auto e =
                conv_at(s, src_data(), weights.data(), bias_data(), residual_data(), n, oy, ox, oc);
            const double want = std::fmin(std::fmax(e.value, epilogue.lo), epilogue.hi);
            const double got = dst[((n * s.oh + oy) * s.ow + ox) * s.dst_ld + oc];
            if (data == Data::kIntegers) {
              ASSERT_EQ(got, want) << "at " << n << " " << oy << " " << ox << " " << oc;
            } else {
              ASSERT_LE(std::fabs(got - want), testing::fp32_bar(e))
                  << "at " << n << " " << oy << " " << ox << " " << oc << ": got " << got
                  << ", expected " << want;
            }
          }
        }
      }
    }
  }
};

void sweep(bool depthwise, Data data, int cases, unsigned seed) {
  std::mt19937 rng(seed);
  for (int i = 0; i < cases; ++i) {
    const ConvShape s = random_shape(rng, depthwise);
    const Case c(rng, s, data);
    for (const ComputeTable* table : levels()) {
      SCOPED_TRACE(std::string(table->name) + ", case " + std::to_string(i) + ": " +
                   testing::describe(s));
      std::vector<float> first;
      for (int threads = 1; threads <= 4; ++threads) {
        Guarded dst(c.dst_elems());
        c.run(*table, threads, dst.data());
        if (threads == 1) {
          c.check(dst.data(), data);
          first.assign(dst.data(), dst.data() + c.dst_elems());
        }
        ASSERT_EQ(std::memcmp(first.data(), dst.data(), first.size() * sizeof(float)), 0)
            << threads << " threads give other bits than one";
        dst.expect_untouched(c.dst_elems(), [&](int64_t e) { return e % s.dst_ld < s.oc; });
        if (::testing::Test::HasFatalFailure()) return;
      }
    }
  }
}

TEST(ConvKernels, exact_on_integers_any_geometry) { sweep(false, Data::kIntegers, 150, 1); }
TEST(ConvKernels, within_the_fp32_bar_on_random_data) { sweep(false, Data::kNormal, 60, 2); }
TEST(DepthwiseKernels, exact_on_integers_any_geometry) { sweep(true, Data::kIntegers, 150, 3); }
TEST(DepthwiseKernels, within_the_fp32_bar_on_random_data) { sweep(true, Data::kNormal, 60, 4); }

TEST(ConvKernels, deep_reductions_are_cut_without_changing_them) {
  std::mt19937 rng(5);
  ConvShape s;
  s.batch = 1, s.h = s.w = s.oh = s.ow = 5, s.kh = s.kw = 3, s.pad_top = s.pad_left = 1;
  for (const int64_t c : {100, 256, 700, 1030}) {
    s.c = s.src_ld = c;
    s.oc = s.dst_ld = s.residual_ld = 37;
    for (const Data data : {Data::kIntegers, Data::kNormal}) {
      const Case one(rng, s, data);
      for (const ComputeTable* table : levels()) {
        SCOPED_TRACE(std::string(table->name) + " " + testing::describe(s));
        Guarded dst(one.dst_elems());
        one.run(*table, 2, dst.data());
        one.check(dst.data(), data);
      }
    }
  }
}

TEST(ConvKernels, an_image_gives_the_same_bits_at_any_batch) {
  std::mt19937 rng(6);
  for (int i = 0; i < 30; ++i) {
    ConvShape s = random_shape(rng, i % 2 == 0);
    s.batch = 5;
    s.src_ld = s.c, s.dst_ld = s.residual_ld = s.oc;
    Case all(rng, s, Data::kNormal);
    for (const ComputeTable* table : levels()) {
      SCOPED_TRACE(std::string(table->name) + ": " + testing::describe(s));
      Guarded together(all.dst_elems());
      all.run(*table, 2, together.data());
      for (int64_t n = 0; n < s.batch; ++n) {
        Case one = all;
        one.shape.batch = 1;
        const int64_t image = s.h * s.w * s.c, out = s.oh * s.ow * s.oc;
        one.src.assign(all.src.begin() + n * image, all.src.begin() + (n + 1) * image + 1);
        one.residual.assign(all.residual.begin() + n * out,
                            all.residual.begin() + (n + 1) * out + 1);
        Guarded alone(out);
        one.run(*table, 1, alone.data());
        ASSERT_EQ(std::memcmp(alone.data(), together.data() + n * out,
                              static_cast<size_t>(out) * sizeof(float)),
                  0);
      }
    }
  }
}

TEST(ConvKernels, I1_no_image_writes_nothing) {
  std::mt19937 rng(7);
  for (const bool depthwise : {false, true}) {
    ConvShape s = random_shape(rng, depthwise);
    s.batch = 0;
    const Case c(rng, s, Data::kIntegers);
    for (const ComputeTable* table : levels()) {
      Guarded dst(64);
      c.run(*table, 2, dst.data());
      dst.expect_untouched(64, [](int64_t) { return false; });
    }
  }
}

TEST(ConvKernels, residual_may_be_dst) {
  std::mt19937 rng(8);
  for (int i = 0; i < 40; ++i) {
    ConvShape s = random_shape(rng, i % 2 == 0);
    s.residual_ld = s.dst_ld;
    if (i % 4 == 1) s.c = s.src_ld = s.groups * 300;  // more than one slice of the reduction
    Case c(rng, s, Data::kIntegers);
    c.has_residual = true;
    for (const ComputeTable* table : levels()) {
      SCOPED_TRACE(std::string(table->name) + ": " + testing::describe(s));
      Guarded apart(c.dst_elems()), same(c.dst_elems());
      c.run(*table, 2, apart.data());
      Case in_place = c;
      in_place.residual.resize(static_cast<size_t>(c.dst_elems()) + 1);
      std::memcpy(same.data(), c.residual_data(),
                  static_cast<size_t>(c.dst_elems()) * sizeof(float));
      testing::RunScope scope(2);
      if (s.groups == s.c && s.groups > 1) {
        auto packed = pack_depthwise(*table, c.weights.data(), s);
        ASSERT_TRUE(packed.ok());
        run_depthwise(*table, plan_depthwise(s, 2), packed.value().as<float>(), c.src_data(),
                      c.bias_data(), same.data(), c.epilogue, same.data());
      } else {
        auto packed = ConvWeights::pack(*table, c.weights.data(), s);
        ASSERT_TRUE(packed.ok());
        const ConvPlan plan = plan_conv(packed.value(), s, 2);
        auto scratch = Buffer::allocate(static_cast<size_t>(plan.scratch_bytes()) + 64);
        ASSERT_TRUE(scratch.ok());
        run_conv(packed.value(), plan, c.src_data(), c.bias_data(), same.data(), c.epilogue,
                 same.data(), scratch.value().data());
      }
      for (int64_t e = 0; e < c.dst_elems(); ++e) {
        if (e % s.dst_ld >= s.oc) continue;
        ASSERT_EQ(same.data()[e], apart.data()[e]);
      }
    }
  }
}

}  // namespace
}  // namespace graft::cpu
