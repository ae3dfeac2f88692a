// Elementwise kernels against the reference evaluator.
#include <limits>

#include "step_testing.h"

namespace graft::cpu::testing {
namespace {

using ir::BinaryFn;
using ir::UnaryFn;

constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr double kUlp = 0x1p-23;
// Denormals may be flushed, as in TensorFlow.
constexpr double kFlushed = 0x1p-126;

Case unary(UnaryFn fn, Tensor x, float alpha = 0, float beta = 0) {
  return {ir::UnaryAttrs{{fn, alpha, beta}}, {std::move(x)}};
}
Case binary(BinaryFn fn, Tensor a, Tensor b) {
  return {ir::BinaryAttrs{fn}, {std::move(a), std::move(b)}};
}

struct UnaryCase {
  UnaryFn fn;
  double ulps;      // relative error allowed
  double absolute;  // where the result cancels
  float alpha = 0, beta = 0;
};
const UnaryCase kUnary[] = {
    {UnaryFn::kIdentity, 0, 0},
    {UnaryFn::kNeg, 0, 0},
    {UnaryFn::kAbs, 0, 0},
    {UnaryFn::kExp, 4, 0},
    {UnaryFn::kExpm1, 4, 0},
    {UnaryFn::kLog, 4, 0},
    {UnaryFn::kLog1p, 4, 0},
    {UnaryFn::kSqrt, 0, 0},
    {UnaryFn::kRsqrt, 2, 0},
    {UnaryFn::kSquare, 1, 0},
    {UnaryFn::kReciprocal, 1, 0},
    {UnaryFn::kSigmoid, 5, 0},
    {UnaryFn::kTanh, 5, 0},
    {UnaryFn::kErf, 6, 0},
    {UnaryFn::kErfc, 8, 0},
    {UnaryFn::kRelu, 0, 0},
    {UnaryFn::kRelu6, 0, 0},
    {UnaryFn::kElu, 8, 0, 1.0f},
    {UnaryFn::kSelu, 8, 0},
    {UnaryFn::kLeakyRelu, 1, 0, 0.2f},
    {UnaryFn::kSoftplus, 8, 0},
    {UnaryFn::kSoftsign, 2, 0},
    {UnaryFn::kSwish, 6, 0},
    {UnaryFn::kGelu, 8, 4e-7},
    {UnaryFn::kGeluTanh, 8, 4e-7},
    {UnaryFn::kHardSwish, 4, 1e-7},
    {UnaryFn::kHardSigmoid, 4, 1e-7},
    {UnaryFn::kClip, 0, 0, -1.0f, 2.0f},
    {UnaryFn::kFloor, 0, 0},
    {UnaryFn::kCeil, 0, 0},
    {UnaryFn::kRint, 0, 0},
    {UnaryFn::kSign, 0, 0},
    {UnaryFn::kRoundAway, 0, 0},
    {UnaryFn::kBesselI0, 12, 0},
    {UnaryFn::kBesselI0e, 6, 0},
    {UnaryFn::kBesselI1, 12, 0},
    {UnaryFn::kBesselI1e, 6, 0},
    {UnaryFn::kSin, 4, 0},
    {UnaryFn::kCos, 4, 0},
    {UnaryFn::kTan, 4, 0},
    {UnaryFn::kAsin, 4, 0},
    {UnaryFn::kAcos, 4, 0},
    {UnaryFn::kAtan, 4, 0},
    {UnaryFn::kSinh, 4, 0},
    {UnaryFn::kCosh, 4, 0},
    {UnaryFn::kAsinh, 4, 0},
    {UnaryFn::kAcosh, 4, 0},
    {UnaryFn::kAtanh, 4, 0},
};

TEST(PointwiseUnary, every_function_and_every_length) {
  std::mt19937 rng(1);
  for (const UnaryCase& u : kUnary) {
    SCOPED_TRACE(ir::name_of(u.fn));
    for (int64_t n = 0; n <= 33; ++n) {
      check(unary(u.fn, draw(rng, DType::kFloat, {n}, 3.0f), u.alpha, u.beta),
            {u.absolute + kFlushed, u.ulps * kUlp});
      if (HasFatalFailure()) return;
    }
    check(unary(u.fn, draw(rng, DType::kFloat, {3, 40009}, 3.0f), u.alpha, u.beta),
          {u.absolute + kFlushed, u.ulps * kUlp});
    check_in_place(unary(u.fn, draw(rng, DType::kFloat, {1003}), u.alpha, u.beta), 0);
  }
}

TEST(PointwiseUnary, I4_special_values) {
  const std::vector<float> special = {kNan, -kInf, kInf,  0.0f,   1.0f, -1.0f,
                                      2.5f, -2.5f, 88.0f, -88.0f, 3e38f};
  for (const UnaryCase& u : kUnary) {
    // What the function is there is TensorFlow's; see I4_as_tensorflow for those that the formula
    // decides.
    if (u.fn == UnaryFn::kGelu || u.fn == UnaryFn::kGeluTanh || u.fn == UnaryFn::kHardSwish)
      continue;
    SCOPED_TRACE(ir::name_of(u.fn));
    // swish(-88) multiplies a sigmoid that may be flushed by 88.
    check(unary(u.fn, floats({11}, special), u.alpha, u.beta), {88 * kFlushed, 8 * kUlp});
  }
}

TEST(PointwiseUnary, I4_as_tensorflow) {
  // Values printed by TensorFlow 2.21.
  const auto one = [](UnaryFn fn, float x) {
    return run_kernel(unary(fn, floats({1}, {x}), 1.0f), {machine_target().isa, 1})[0].at<float>(0);
  };
  EXPECT_TRUE(std::isnan(one(UnaryFn::kRelu, kNan)));
  EXPECT_TRUE(std::isnan(one(UnaryFn::kRelu6, kNan)));
  EXPECT_TRUE(std::isnan(one(UnaryFn::kSwish, -kInf)));
  EXPECT_TRUE(std::isnan(one(UnaryFn::kSoftsign, kInf)));
  EXPECT_EQ(one(UnaryFn::kElu, -kInf), -1.0f);
  EXPECT_EQ(one(UnaryFn::kSoftplus, kInf), kInf);
  EXPECT_EQ(one(UnaryFn::kRsqrt, 0.0f), kInf);
  EXPECT_EQ(one(UnaryFn::kSigmoid, -kInf), 0.0f);
  EXPECT_EQ(one(UnaryFn::kRint, 2.5f), 2.0f);
}

TEST(PointwiseUnary, halves_and_their_neighbours) {
  std::vector<float> x;
  for (float half : {0.5f, 1.5f, 2.5f, 8388607.5f})
    for (float v : {half, std::nextafterf(half, 0.0f), std::nextafterf(half, 1e9f), half + 0.5f})
      x.insert(x.end(), {v, -v});
  const auto n = static_cast<int64_t>(x.size());
  check(unary(UnaryFn::kRoundAway, floats({n}, x)));
  check(unary(UnaryFn::kRint, floats({n}, x)));
}

TEST(PointwiseUnary, bessel_on_both_sides_of_the_split) {
  std::vector<float> x;
  for (float v = -60; v <= 60; v += 0.0625f) x.push_back(v);
  for (float v : {std::nextafterf(8, 0), std::nextafterf(8, 9)}) x.insert(x.end(), {v, -v});
  const auto n = static_cast<int64_t>(x.size());
  for (UnaryFn fn : {UnaryFn::kBesselI0, UnaryFn::kBesselI1})
    check(unary(fn, floats({n}, x)), {kFlushed, 12 * kUlp});
  for (UnaryFn fn : {UnaryFn::kBesselI0e, UnaryFn::kBesselI1e})
    check(unary(fn, floats({n}, x)), {kFlushed, 6 * kUlp});
}

const DType kIntegers[] = {DType::kInt8,  DType::kInt16,  DType::kInt32,  DType::kInt64,
                           DType::kUint8, DType::kUint16, DType::kUint32, DType::kUint64};

// Any bits.
Tensor bits(std::mt19937& rng, DType t, std::vector<int64_t> dims) {
  Tensor x = empty_tensor(t, std::move(dims));
  for (std::byte& b : x.bytes) b = static_cast<std::byte>(rng());
  return x;
}
// 0..8: what is shifted by more is little.
Tensor amounts(std::mt19937& rng, DType t, std::vector<int64_t> dims) {
  Tensor x = empty_tensor(t, std::move(dims));
  for (size_t i = 0; i < x.bytes.size(); i += dtype_size(t))
    x.bytes[i] = static_cast<std::byte>(rng() % 9);
  return x;
}

TEST(PointwiseUnary, bits_of_integers) {
  std::mt19937 rng(9);
  for (DType t : kIntegers) {
    SCOPED_TRACE(dtype_name(t));
    for (UnaryFn fn : {UnaryFn::kInvert, UnaryFn::kPopulationCount}) {
      for (int64_t n : {0, 1, 31, 1003, 70001}) check(unary(fn, bits(rng, t, {n})));
    }
    check_in_place(unary(UnaryFn::kInvert, bits(rng, t, {1003})), 0);
  }
}

TEST(PointwiseUnary, exact_functions_of_integers) {
  std::mt19937 rng(12);
  for (DType t : kIntegers) {
    SCOPED_TRACE(dtype_name(t));
    const bool has_sign = t <= DType::kInt64 && t != DType::kUint8 && t != DType::kUint16;
    for (UnaryFn fn : {UnaryFn::kSquare, UnaryFn::kRelu, UnaryFn::kRelu6})
      check(unary(fn, bits(rng, t, {1003})));
    if (!has_sign) continue;
    for (UnaryFn fn : {UnaryFn::kNeg, UnaryFn::kAbs, UnaryFn::kSign}) {
      SCOPED_TRACE(ir::name_of(fn));
      for (int64_t n : {0, 1, 31, 1003, 70001}) check(unary(fn, bits(rng, t, {n})));
    }
    check_in_place(unary(UnaryFn::kNeg, bits(rng, t, {1003})), 0);
  }
  check(unary(UnaryFn::kAbs, ints({3}, {INT32_MIN, INT32_MAX, 0})));
}

TEST(PointwiseUnary, bool_of_elements) {
  std::mt19937 rng(13);
  for (int64_t n : {0, 1, 31, 1003, 70001}) {
    check(unary(UnaryFn::kLogicalNot, draw(rng, DType::kBool, {n})));
    Tensor x = draw(rng, DType::kFloat, {n});
    auto* v = reinterpret_cast<float*>(x.bytes.data());
    for (int64_t i = 0; i < n; ++i) {
      const float special[] = {kNan, kInf, -kInf, 3e38f, 0.0f};
      if (i % 3 == 0) v[i] = special[i % 5];
    }
    for (UnaryFn fn : {UnaryFn::kIsNan, UnaryFn::kIsInf, UnaryFn::kIsFinite}) check(unary(fn, x));
  }
  check_in_place(unary(UnaryFn::kLogicalNot, draw(rng, DType::kBool, {1003})), 0);
}

TEST(PointwiseUnary, bitcast) {
  std::mt19937 rng(10);
  for (DType to : {DType::kUint8, DType::kInt16, DType::kInt32, DType::kHalf})
    check({ir::BitcastAttrs{to}, {draw(rng, DType::kFloat, {3, 1003}, 3.0f)}});
  check({ir::BitcastAttrs{DType::kFloat}, {bits(rng, DType::kInt32, {3, 70001})}});
  check({ir::BitcastAttrs{DType::kInt64}, {bits(rng, DType::kUint8, {7, 8})}});
}

TEST(PointwiseUnary, identity_of_every_dtype) {
  std::mt19937 rng(2);
  for (DType t : {DType::kInt64, DType::kInt32, DType::kBool, DType::kHalf, DType::kDouble}) {
    check(unary(UnaryFn::kIdentity, draw(rng, t, {5, 7})));
  }
}

const BinaryFn kArithmetic[] = {BinaryFn::kAdd,
                                BinaryFn::kSub,
                                BinaryFn::kMul,
                                BinaryFn::kDiv,
                                BinaryFn::kMax,
                                BinaryFn::kMin,
                                BinaryFn::kSquaredDifference,
                                BinaryFn::kDivNoNan};
const BinaryFn kComparisons[] = {BinaryFn::kLess,    BinaryFn::kLessEqual,
                                 BinaryFn::kGreater, BinaryFn::kGreaterEqual,
                                 BinaryFn::kEqual,   BinaryFn::kNotEqual};

struct Shapes {
  std::vector<int64_t> a, b;
};
const Shapes kBroadcasts[] = {
    {{}, {}},
    {{7}, {}},
    {{}, {7}},
    {{0}, {1}},
    {{3, 0}, {3, 1}},
    {{5, 3}, {3}},
    {{3}, {5, 3}},
    {{2, 3, 5, 7}, {2, 1, 1, 7}},
    {{2, 1, 1, 7}, {2, 3, 5, 7}},
    {{2, 3, 5, 7}, {2, 3, 5, 1}},
    {{4, 1}, {1, 9}},
    {{1, 3, 1, 5}, {2, 1, 4, 1}},
    {{3, 1, 4, 1, 5}, {1, 2, 4, 3, 1}},
    {{1}, {1, 1}},
    {{1, 40, 41, 3}, {1, 1, 1, 3}},
    {{3}, {1, 40, 41, 3}},
    {{1003, 63}, {63}},
    {{2, 70001}, {}},
    {{70001, 2}, {70001, 1}},
    {{2, 1}, {1, 70001}},
    {{31, 33, 64}, {31, 33, 64}},
    {{2, 1, 1, 128}, {2, 1, 128, 1}},
};

TEST(PointwiseBinary, broadcasting) {
  std::mt19937 rng(3);
  for (const Shapes& s : kBroadcasts) {
    for (BinaryFn fn : {BinaryFn::kSub, BinaryFn::kDiv, BinaryFn::kLess}) {
      SCOPED_TRACE(::testing::PrintToString(s.a) + ::testing::PrintToString(s.b) + ir::name_of(fn));
      check(binary(fn, draw(rng, DType::kFloat, s.a), draw(rng, DType::kFloat, s.b)), {0, kUlp});
      if (HasFatalFailure()) return;
    }
  }
}

TEST(PointwiseBinary, every_function_and_every_length) {
  std::mt19937 rng(4);
  for (BinaryFn fn : kArithmetic) {
    SCOPED_TRACE(ir::name_of(fn));
    for (int64_t n = 0; n <= 33; ++n) {
      check(binary(fn, draw(rng, DType::kFloat, {n}), draw(rng, DType::kFloat, {n})),
            {kFlushed, 2 * kUlp});
      check(binary(fn, draw(rng, DType::kFloat, {n}), draw(rng, DType::kFloat, {})),
            {kFlushed, 2 * kUlp});
      check(binary(fn, draw(rng, DType::kFloat, {}), draw(rng, DType::kFloat, {n})),
            {kFlushed, 2 * kUlp});
      if (HasFatalFailure()) return;
    }
    for (int i : {0, 1})
      check_in_place(binary(fn, draw(rng, DType::kFloat, {999}), draw(rng, DType::kFloat, {999})),
                     i);
  }
  check(binary(BinaryFn::kPow, floats({4}, {2, 3, 0.5f, 9}), floats({4}, {3, 2, 2, 0.5f})),
        {0, 2 * kUlp});
}

TEST(PointwiseBinary, integers_wrap_and_compare) {
  std::mt19937 rng(5);
  for (DType t : {DType::kInt32, DType::kInt64}) {
    for (BinaryFn fn :
         {BinaryFn::kAdd, BinaryFn::kSub, BinaryFn::kMul, BinaryFn::kMax, BinaryFn::kMin}) {
      check(binary(fn, draw(rng, t, {3, 17}), draw(rng, t, {17})));
    }
    for (BinaryFn fn : kComparisons) check(binary(fn, draw(rng, t, {3, 17}), draw(rng, t, {17})));
  }
  const auto sum = run_kernel(binary(BinaryFn::kAdd, ints({1}, {INT32_MAX}), ints({1}, {1})), {});
  EXPECT_EQ(sum[0].at<int32_t>(0), INT32_MIN);
  for (BinaryFn fn : {BinaryFn::kLogicalAnd, BinaryFn::kLogicalOr}) {
    check(binary(fn, draw(rng, DType::kBool, {3, 17}), draw(rng, DType::kBool, {17})));
  }
}

TEST(PointwiseBinary, bits_of_integers) {
  std::mt19937 rng(11);
  for (DType t : kIntegers) {
    SCOPED_TRACE(dtype_name(t));
    for (BinaryFn fn : {BinaryFn::kBitwiseAnd, BinaryFn::kBitwiseOr, BinaryFn::kBitwiseXor,
                        BinaryFn::kLeftShift, BinaryFn::kRightShift}) {
      SCOPED_TRACE(ir::name_of(fn));
      // As amounts, some are negative or beyond the width.
      check(binary(fn, bits(rng, t, {3, 1003}), bits(rng, t, {1003})));
      check(binary(fn, bits(rng, t, {3, 1003}), amounts(rng, t, {1003})));
      check(binary(fn, bits(rng, t, {3, 17}), amounts(rng, t, {})));
      check(binary(fn, bits(rng, t, {}), amounts(rng, t, {3, 17})));
    }
  }
}

TEST(PointwiseBinary, I4_special_values_as_tensorflow) {
  const Tensor x = floats({8}, {1, -1, 0, kNan, kInf, 5, -5, 0}),
               y = floats({8}, {0, 0, 0, 0, 0, -3, 3, kNan});
  for (ir::Isa isa : isa_levels()) {
    const auto div = run_kernel(binary(BinaryFn::kDivNoNan, x, y), {isa, 1})[0];
    for (int i = 0; i < 5; ++i) EXPECT_EQ(div.at<float>(i), 0.0f) << i;
    EXPECT_TRUE(std::isnan(div.at<float>(7)));
    const auto floor_div = run_kernel(binary(BinaryFn::kFloorDiv, x, y), {isa, 1})[0];
    EXPECT_EQ(floor_div.at<float>(0), kInf);
    EXPECT_EQ(floor_div.at<float>(5), -2.0f);
    for (BinaryFn fn : {BinaryFn::kMax, BinaryFn::kMin}) {
      for (bool swap : {false, true}) {
        const Tensor n = floats({2}, {kNan, 1}), o = floats({2}, {1, 1});
        const auto r = run_kernel(swap ? binary(fn, o, n) : binary(fn, n, o), {isa, 1})[0];
        EXPECT_TRUE(std::isnan(r.at<float>(0)));
        EXPECT_EQ(r.at<float>(1), 1.0f);
      }
    }
  }
}

TEST(PointwiseSelect, any_dtype_and_broadcast) {
  std::mt19937 rng(6);
  for (DType t : {DType::kFloat, DType::kInt64, DType::kBool, DType::kHalf}) {
    check({ir::SelectAttrs{},
           {draw(rng, DType::kBool, {5, 7}), draw(rng, t, {5, 7}), draw(rng, t, {5, 7})}});
    check({ir::SelectAttrs{},
           {draw(rng, DType::kBool, {5, 1}), draw(rng, t, {}), draw(rng, t, {2, 5, 7})}});
    check(
        {ir::SelectAttrs{},
         {draw(rng, DType::kBool, {2, 1, 40000}), draw(rng, t, {2, 3, 40000}), draw(rng, t, {1})}});
  }
}

TEST(PointwiseCast, pairs) {
  std::mt19937 rng(7);
  const DType all[] = {DType::kFloat,    DType::kDouble, DType::kInt32, DType::kInt64,
                       DType::kBool,     DType::kUint8,  DType::kInt8,  DType::kHalf,
                       DType::kBfloat16, DType::kInt16,  DType::kUint16};
  for (DType from : all) {
    for (DType to : all) {
      if (to != DType::kBool && dtype_size(to) < 4 && is_integer(to) && from != DType::kFloat)
        continue;  // the reference's
      if (from == DType::kDouble && (to == DType::kHalf || to == DType::kBfloat16)) continue;
      SCOPED_TRACE(dtype_name(from) + " to " + dtype_name(to));
      check({ir::CastAttrs{to}, {draw(rng, from, {3, 1001}, 20.0f)}});
    }
  }
  // Every half, and what lies on both sides of the border between two.
  std::vector<float> x;
  for (uint32_t h = 0; h < 0x10000; ++h) {
    const float v = half_to_float(static_cast<uint16_t>(h));
    const float next = half_to_float(static_cast<uint16_t>(h + 1));
    const float middle = (v + next) / 2;
    x.insert(x.end(), {v, middle, std::nextafterf(middle, v), std::nextafterf(middle, next)});
  }
  const auto n = static_cast<int64_t>(x.size());
  check({ir::CastAttrs{DType::kHalf}, {floats({n}, x)}});
  Tensor halves = empty_tensor(DType::kHalf, {0x10000});
  for (int64_t h = 0; h < 0x10000; ++h) {
    const auto bits = static_cast<uint16_t>(h);
    std::memcpy(halves.bytes.data() + 2 * h, &bits, 2);
  }
  check({ir::CastAttrs{DType::kFloat}, {halves}});
  const auto r =
      run_kernel({ir::CastAttrs{DType::kInt32}, {floats({4}, {kNan, kInf, -1e10f, -2.7f})}}, {});
  for (int i = 0; i < 3; ++i) EXPECT_EQ(r[0].at<int32_t>(i), INT32_MIN) << i;
  EXPECT_EQ(r[0].at<int32_t>(3), -2);
}

TEST(PointwiseAffine, channels_and_activations) {
  std::mt19937 rng(8);
  for (UnaryFn fn : {UnaryFn::kIdentity, UnaryFn::kRelu, UnaryFn::kSwish}) {
    for (int64_t c : {1, 3, 7, 8, 16, 33, 64, 257}) {
      for (int64_t rows : {0, 1, 5, 1000}) {
        SCOPED_TRACE(std::to_string(c) + " channels, " + std::to_string(rows) + " rows");
        const Case k{ir::AffineAttrs{{fn}},
                     {draw(rng, DType::kFloat, {rows, c}), draw(rng, DType::kFloat, {c}),
                      draw(rng, DType::kFloat, {c})}};
        check(k, {1e-6, 4 * kUlp});
        if (HasFatalFailure()) return;
        check_in_place(k, 0);
      }
    }
  }
}

}  // namespace
}  // namespace graft::cpu::testing
