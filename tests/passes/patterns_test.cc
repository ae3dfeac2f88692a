// Recognition of patterns: layer norm, GELU, swish, clip, softmax, attention, epilogues.
#include "network_runner.h"

namespace graft::passes {
namespace {

using ir::BinaryFn;
using ir::UnaryFn;

ir::ValueId mean(Builder& b, ir::ValueId x, int64_t axis) {
  return b.op(ir::ReduceAttrs{ir::ReduceFn::kMean, {axis}, true}, {x});
}

class LayerNorm : public ::testing::TestWithParam<int> {};

TEST_P(LayerNorm, written_out) {
  Builder b;
  const auto x = b.input({-1, 3, 8});
  const auto gamma = b.weights({8}, 1), beta = b.weights({8}, 2), eps = b.scalar(1e-3f);
  const auto m = mean(b, x, 2);
  const auto var = mean(b, b.binary(BinaryFn::kSquaredDifference, x, m), 2);
  const auto r = b.unary(UnaryFn::kRsqrt, b.add(var, eps));
  ir::ValueId y;
  if (GetParam() == 0) {  // tf.nn.batch_normalization
    const auto s = b.mul(r, gamma);
    y = b.add(b.mul(x, s), b.sub(beta, b.mul(m, s)));
  } else if (GetParam() == 1) {  // (x - m) r gamma + beta
    y = b.add(b.mul(b.mul(b.sub(x, m), r), gamma), beta);
  } else if (GetParam() == 2) {  // Keras: x inv + (-m inv + beta)
    const auto inv = b.mul(gamma, r);
    y = b.add(b.mul(x, inv), b.add(b.mul(b.unary(UnaryFn::kNeg, m), inv), beta));
  } else if (GetParam() == 3) {  // no gamma, no beta
    y = b.mul(b.sub(x, m), r);
  } else {  // mean(x^2) - mean(x)^2
    const auto v = b.sub(mean(b, b.unary(UnaryFn::kSquare, x), 2), b.unary(UnaryFn::kSquare, m));
    const auto q = b.unary(UnaryFn::kRsqrt, b.add(v, eps));
    y = b.add(b.mul(b.mul(b.sub(x, m), q), gamma), beta);
  }
  b.output(b.add(y, x));  // what follows is not swallowed
  EXPECT_EQ(histogram(canonical(b.net)), (Counts{{"binary", 1}, {"layer_norm", 1}}));
  EXPECT_EQ(histogram(canonical(b.net, "fuse_layer_norm"))["layer_norm"], 0);
}
INSTANTIATE_TEST_SUITE_P(Forms, LayerNorm, ::testing::Range(0, 5));

TEST(LayerNormNot, another_axis_or_wrong_sign) {
  Builder b;
  const auto x = b.input({2, 3, 8});
  const auto m = mean(b, x, 1);
  const auto r =
      b.unary(UnaryFn::kRsqrt,
              b.add(mean(b, b.binary(BinaryFn::kSquaredDifference, x, m), 1), b.scalar(1e-3f)));
  b.output(b.mul(b.sub(x, m), r));
  const auto n = mean(b, x, 2);
  const auto q =
      b.unary(UnaryFn::kRsqrt,
              b.add(mean(b, b.binary(BinaryFn::kSquaredDifference, x, n), 2), b.scalar(1e-3f)));
  b.output(b.mul(b.add(x, n), q));  // plus, not minus
  EXPECT_EQ(histogram(canonical(b.net))["layer_norm"], 0);
}

class Gelu : public ::testing::TestWithParam<int> {};

TEST_P(Gelu, written_out) {
  Builder b;
  const auto x = b.input({-1, 9});
  const auto half = b.scalar(0.5f), one = b.scalar(1);
  ir::ValueId y;
  switch (GetParam()) {
    case 0:
      y = b.mul(
          b.mul(half, x),
          b.add(one, b.unary(UnaryFn::kErf, b.binary(BinaryFn::kDiv, x, b.scalar(1.41421356f)))));
      break;
    case 1:
      y = b.mul(x,
                b.mul(half, b.add(b.unary(UnaryFn::kErf, b.mul(x, b.scalar(0.70710678f))), one)));
      break;
    case 2:
      y = b.mul(b.mul(half, x),
                b.unary(UnaryFn::kErfc, b.mul(b.unary(UnaryFn::kNeg, x), b.scalar(0.70710678f))));
      break;
    default: {
      const auto cube = b.binary(BinaryFn::kPow, x, b.scalar(3));
      const auto arg = b.mul(b.scalar(0.7978845608f), b.add(x, b.mul(b.scalar(0.044715f), cube)));
      y = b.mul(b.mul(half, x), b.add(one, b.unary(UnaryFn::kTanh, arg)));
    }
  }
  b.output(y);
  const ir::Network after = canonical(b.net);
  EXPECT_EQ(histogram(after), (Counts{{"unary", 1}}));
  EXPECT_EQ(after.ops[0].as<ir::UnaryAttrs>().fn.fn,
            GetParam() == 3 ? UnaryFn::kGeluTanh : UnaryFn::kGelu);
  EXPECT_GT(canonical(b.net, "fuse_gelu").ops.size(), 1u);
}
INSTANTIATE_TEST_SUITE_P(Forms, Gelu, ::testing::Range(0, 4));

TEST(GeluNot, another_factor) {
  Builder b;
  const auto x = b.input({2, 9});
  b.output(b.mul(b.mul(b.scalar(0.4f), x),
                 b.add(b.scalar(1), b.unary(UnaryFn::kErf, b.mul(x, b.scalar(0.70710678f))))));
  EXPECT_GT(canonical(b.net).ops.size(), 1u);
}

TEST(Swish, product_with_its_sigmoid) {
  Builder b;
  const auto x = b.input({-1, 9});
  b.output(b.mul(b.unary(UnaryFn::kSigmoid, x), x));
  const ir::Network after = canonical(b.net);
  ASSERT_EQ(after.ops.size(), 1u);
  EXPECT_EQ(after.ops[0].as<ir::UnaryAttrs>().fn.fn, UnaryFn::kSwish);
  EXPECT_EQ(canonical(b.net, "fuse_swish").ops.size(), 2u);
}

TEST(Swish, hard_forms) {
  for (bool swish : {true, false}) {
    Builder b;
    const auto x = b.input({-1, 9});
    auto y = b.mul(b.unary(UnaryFn::kRelu6, b.add(x, b.scalar(3))), b.scalar(1.f / 6));
    if (swish) y = b.mul(x, y);
    b.output(y);
    const ir::Network after = canonical(b.net);
    ASSERT_EQ(after.ops.size(), 1u);
    EXPECT_EQ(after.ops[0].as<ir::UnaryAttrs>().fn.fn,
              swish ? UnaryFn::kHardSwish : UnaryFn::kHardSigmoid);
  }
}

TEST(Clip, minimum_and_maximum) {
  Builder b;
  const auto x = b.input({-1, 9});
  b.output(b.binary(BinaryFn::kMin, b.binary(BinaryFn::kMax, x, b.scalar(-0.5f)), b.scalar(0.75f)));
  b.output(b.binary(BinaryFn::kMin, b.unary(UnaryFn::kRelu, x), b.scalar(6)));
  b.output(b.binary(BinaryFn::kMax, b.scalar(0), x));
  b.output(b.binary(BinaryFn::kMax, b.binary(BinaryFn::kMin, x, b.scalar(0.25f)), b.scalar(-2)));
  b.output(b.binary(BinaryFn::kMax, b.binary(BinaryFn::kMin, x, b.scalar(6)), b.scalar(0)));
  const ir::Network after = canonical(b.net);
  ASSERT_EQ(after.ops.size(), 5u);
  EXPECT_EQ(after.ops[0].as<ir::UnaryAttrs>().fn, (ir::Activation{UnaryFn::kClip, -0.5f, 0.75f}));
  EXPECT_EQ(after.ops[1].as<ir::UnaryAttrs>().fn.fn, UnaryFn::kRelu6);
  EXPECT_EQ(after.ops[2].as<ir::UnaryAttrs>().fn.fn, UnaryFn::kRelu);
  EXPECT_EQ(after.ops[3].as<ir::UnaryAttrs>().fn, (ir::Activation{UnaryFn::kClip, -2, 0.25f}));
  EXPECT_EQ(after.ops[4].as<ir::UnaryAttrs>().fn.fn, UnaryFn::kRelu6);
  EXPECT_GT(canonical(b.net, "fuse_clip").ops.size(), 5u);
}

TEST(Softmax, written_out) {
  Builder b;
  const auto x = b.input({-1, 9});
  const auto e =
      b.unary(UnaryFn::kExp, b.sub(x, b.op(ir::ReduceAttrs{ir::ReduceFn::kMax, {1}, true}, {x})));
  b.output(b.binary(BinaryFn::kDiv, e, b.op(ir::ReduceAttrs{ir::ReduceFn::kSum, {1}, true}, {e})));
  EXPECT_EQ(histogram(canonical(b.net)), (Counts{{"softmax", 1}}));
  EXPECT_EQ(histogram(canonical(b.net, "fuse_softmax"))["softmax"], 0);
}

// kind: bit 0 mask, bit 1 k given as [B, H, D, S], bit 2 scale on q, bit 3 division.
class Attention : public ::testing::TestWithParam<int> {};

TEST_P(Attention, of_transposed_heads) {
  const int kind = GetParam();
  Builder b;
  const int64_t s = 5, h = 2, d = 4;
  auto heads = [&](std::vector<int64_t> perm) {
    return b.op(ir::TransposeAttrs{std::move(perm)}, {b.input({3, s, h, d})});
  };
  auto q = heads({0, 2, 1, 3});
  const bool last = (kind & 2) != 0;
  const auto k = last ? heads({0, 2, 3, 1}) : heads({0, 2, 1, 3});
  const auto v = heads({0, 2, 1, 3});
  if (kind & 4) q = b.mul(q, b.scalar(0.5f));
  ir::MatMulAttrs product;
  product.transpose_b = !last;
  auto scores = b.op(product, {q, k});
  scores =
      (kind & 8) ? b.binary(BinaryFn::kDiv, scores, b.scalar(2)) : b.mul(scores, b.scalar(0.25f));
  if (kind & 1) scores = b.add(scores, b.input({-1, 1, 1, s}));
  const auto context = b.op(ir::MatMulAttrs{}, {b.op(ir::SoftmaxAttrs{}, {scores}), v});
  b.output(b.op(ir::TransposeAttrs{{0, 2, 1, 3}}, {context}));
  const ir::Network after = canonical(b.net);
  EXPECT_EQ(histogram(after), (Counts{{"attention", 1}}));
  EXPECT_EQ(after.ops[0].as<ir::AttentionAttrs>().has_mask, (kind & 1) != 0);
  EXPECT_EQ(histogram(canonical(b.net, "fuse_attention"))["attention"], 0);
}
INSTANTIATE_TEST_SUITE_P(Kinds, Attention, ::testing::Range(0, 16));

TEST(AttentionNot, probabilities_are_read_elsewhere) {
  Builder b;
  const auto q = b.input({2, 2, 3, 4}), k = b.input({2, 2, 3, 4}), v = b.input({2, 2, 3, 4});
  ir::MatMulAttrs product;
  product.transpose_b = true;
  const auto p = b.op(ir::SoftmaxAttrs{}, {b.op(product, {q, k})});
  b.output(b.op(ir::MatMulAttrs{}, {p, v}));
  b.output(p);
  EXPECT_EQ(histogram(canonical(b.net))["attention"], 0);
}

TEST(Epilogue, residual_and_activation) {
  Builder b;
  const auto x = b.input({-1, 4, 4, 6});
  const auto y = b.conv(x, b.weights({1, 1, 6, 6}, 1));
  b.output(b.unary(UnaryFn::kRelu, b.add(b.add(y, b.weights({6}, 2)), x)));
  const ir::Network after = canonical(b.net);
  EXPECT_EQ(histogram(after), (Counts{{"conv", 1}}));
  const auto& attrs = after.ops[0].as<ir::ConvAttrs>();
  EXPECT_TRUE(attrs.has_bias && attrs.has_residual);
  EXPECT_EQ(attrs.act.fn, UnaryFn::kRelu);
  EXPECT_EQ(histogram(canonical(b.net, "fuse_epilogue"))["unary"], 1);
}

TEST(Epilogue, the_later_of_two_convolutions_takes_the_sum) {
  Builder b;
  const auto x = b.input({-1, 4, 4, 6});
  const auto first = b.conv(x, b.weights({1, 1, 6, 5}, 1)),
             second = b.conv(x, b.weights({3, 3, 6, 5}, 2), b.same());
  b.output(b.add(second, first));
  const ir::Network after = canonical(b.net);
  ASSERT_EQ(histogram(after), (Counts{{"conv", 2}}));
  EXPECT_FALSE(after.ops[0].as<ir::ConvAttrs>().has_residual);
  EXPECT_TRUE(after.ops[1].as<ir::ConvAttrs>().has_residual);
  EXPECT_EQ(after.ops[1].as<ir::ConvAttrs>().padding, ir::Padding::kSame);
}

TEST(Epilogue, broadcasting_sums_and_activations_before_the_sum_stay) {
  Builder b;
  const auto x = b.input({2, 4, 4, 6}), bias = b.input({1, 1, 1, 6});
  b.output(b.add(b.conv(x, b.weights({1, 1, 6, 6}, 1)), bias));
  b.output(b.add(b.unary(UnaryFn::kRelu, b.conv(x, b.weights({1, 1, 6, 6}, 2))), x));
  EXPECT_EQ(histogram(canonical(b.net))["binary"], 2);
}

TEST(FlattenMatMul, dense_on_sequences) {
  Builder b;
  const auto x = b.input({-1, 4, 6});
  const auto flat = b.op(ir::ReshapeAttrs{}, {x, b.ints({2}, {-1, 6})});
  const auto y = b.add(b.op(ir::MatMulAttrs{}, {flat, b.weights({6, 5}, 1)}), b.weights({5}, 2));
  b.output(b.op(ir::ReshapeAttrs{}, {y, b.ints({3}, {-1, 4, 5})}));
  EXPECT_EQ(histogram(canonical(b.net)), (Counts{{"matmul", 1}}));
  EXPECT_EQ(histogram(canonical(b.net, "flatten_matmul"))["reshape"], 2);
}

// A convolution of volumes: images of N * D slices, and what follows on [N,D,H,W,C].
struct Volumes {
  Builder b;
  ir::ValueId x = b.input({-1, 2, 4, 4, 3});
  ir::ValueId image = reshape(x, {-1, 4, 4, 3});
  ir::ValueId reshape(ir::ValueId src, std::vector<int32_t> dims) {
    const auto count = static_cast<int64_t>(dims.size());
    return b.op(ir::ReshapeAttrs{}, {src, b.ints({count}, std::move(dims))});
  }
  ir::ValueId conv(uint32_t seed) {
    return reshape(b.op(ir::ConvAttrs{}, {image, b.weights({1, 1, 3, 3}, seed)}), {-1, 2, 4, 4, 3});
  }
};

TEST(SinkViews, bias_residual_and_activation_reach_the_convolution) {
  Volumes v;
  const auto y = v.b.add(v.conv(1), v.b.weights({3}, 2));
  v.b.output(v.b.unary(UnaryFn::kRelu, v.b.add(y, v.conv(3))));
  EXPECT_EQ(histogram(canonical(v.b.net)), (Counts{{"conv", 2}, {"reshape", 2}}));
  EXPECT_GT(canonical(v.b.net, "sink_views").ops.size(), 4u);
}

TEST(SinkViews, chains_of_convolutions_meet_without_a_view) {
  Volumes v;
  v.image = v.reshape(v.b.unary(UnaryFn::kRelu, v.conv(1)), {-1, 4, 4, 3});
  v.b.output(v.conv(2));
  EXPECT_EQ(histogram(canonical(v.b.net)), (Counts{{"conv", 2}, {"reshape", 2}}));
}

TEST(SinkViews, not_past_another_last_extent_or_an_operand_of_more_axes) {
  Volumes v;
  const auto flat =
      v.reshape(v.b.op(ir::ConvAttrs{}, {v.image, v.b.weights({1, 1, 3, 3}, 1)}), {-1, 2, 4, 12});
  v.b.output(v.b.add(flat, v.b.weights({12}, 2)));
  v.b.output(v.b.mul(v.conv(3), v.b.weights({4, 1, 3}, 4)));
  EXPECT_EQ(histogram(canonical(v.b.net))["binary"], 2);
}

}  // namespace
}  // namespace graft::passes
