// Folding of constants, shapes, weights and pads.
#include "network_runner.h"

namespace graft::passes {
namespace {

using ir::BinaryFn;
using ir::UnaryFn;

TEST(FoldConstants, chain_is_rounded_once) {
  Builder b;
  const auto x = b.input({2, 3});
  const auto var = b.floats({3}, {0.1f, 0.2f, 0.3f});
  const auto r = b.unary(UnaryFn::kRsqrt, b.add(var, b.scalar(1e-3f)));
  b.output(b.mul(x, b.mul(r, b.floats({3}, {1.1f, 1.2f, 1.3f}))));
  const ir::Network after = canonical(b.net);
  EXPECT_EQ(histogram(after), (Counts{{"binary", 1}}));
  const ir::Value& c = after.values[static_cast<size_t>(after.ops[0].inputs[1])];
  ASSERT_TRUE(c.is_const());
  float got[3];
  std::memcpy(got, c.constant->bytes.data(), sizeof got);
  const float v[3] = {0.1f, 0.2f, 0.3f}, g[3] = {1.1f, 1.2f, 1.3f};
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(got[i], static_cast<float>(double(g[i]) / std::sqrt(double(v[i]) + double(1e-3f))));
}

TEST(FoldConstants, T4_splat_bomb_stays_one_element) {
  Builder b;
  const auto x = b.input({4});
  const auto big = b.op(ir::FillAttrs{}, {b.ints({2}, {1 << 20, 1 << 15}), b.scalar(2)});
  const auto twice = b.mul(big, b.scalar(3));
  b.output(twice);
  b.output(b.mul(x, x));
  ir::Network after = b.net;
  PassOptions options;
  WorkContext work;
  ASSERT_TRUE(canonicalize(after, options, work).ok());
  const ir::Value& v = after.values[static_cast<size_t>(after.outputs[0])];
  ASSERT_TRUE(v.is_const());
  EXPECT_TRUE(v.constant->splat);
  EXPECT_EQ(v.constant->bytes.size(), 4u);
  float f;
  std::memcpy(&f, v.constant->bytes.data(), 4);
  EXPECT_EQ(f, 6);
}

TEST(FoldConstants, T13_allocation_from_a_value_is_capped) {
  Builder b;
  const auto x = b.input({4});
  const auto range =
      b.op(ir::RangeAttrs{}, {b.ints({}, {0}), b.ints({}, {1 << 30}), b.ints({}, {1})});
  b.output(b.op(ir::CastAttrs{DType::kFloat}, {range}));
  b.output(b.mul(x, x));
  ir::Network after = b.net;
  PassOptions options;
  options.max_folded_bytes = 1 << 20;
  WorkContext work;
  ASSERT_TRUE(canonicalize(after, options, work).ok());
  EXPECT_EQ(histogram(after)["range"], 1);
}

TEST(FoldConstants, integer_division_by_zero_is_left_to_the_run) {
  Builder b;
  b.input({1});
  b.output(b.binary(BinaryFn::kFloorDiv, b.ints({2}, {7, 8}), b.ints({2}, {0, 2})));
  ir::Network after = b.net;
  PassOptions options;
  WorkContext work;
  ASSERT_TRUE(canonicalize(after, options, work).ok());
}

TEST(FoldConstants, C8_work_budget_ends_the_passes) {
  Builder b;
  const auto x = b.input({2});
  b.output(b.mul(x, x));
  PassOptions options;
  WorkContext work({}, 1);
  EXPECT_EQ(canonicalize(b.net, options, work).code(), Code::kResourceExhausted);
}

TEST(FoldShapes, keras_reshape_gets_a_constant_operand) {
  Builder b;
  const auto x = b.input({-1, 4, 2, 3});
  const auto shape = b.op(ir::ShapeAttrs{}, {x});
  ir::StridedSliceAttrs first;
  first.shrink_axis_mask = 1;
  const auto n = b.op(first, {shape, b.ints({1}, {0}), b.ints({1}, {1}), b.ints({1}, {1})});
  const auto dims = b.op(ir::PackAttrs{}, {n, b.ints({}, {24})});
  b.output(b.op(ir::ReshapeAttrs{}, {b.unary(UnaryFn::kTanh, x), dims}));
  EXPECT_EQ(histogram(canonical(b.net)), (Counts{{"reshape", 1}, {"unary", 1}}));
  EXPECT_GT(histogram(canonical(b.net, "fold_shapes"))["shape"], 0);
}

TEST(Simplify, views_and_neutral_operands_disappear) {
  Builder b;
  const auto x = b.input({-1, 6});
  auto y = b.op(ir::ReshapeAttrs{}, {x, b.ints({3}, {-1, 2, 3})});
  y = b.op(ir::ReshapeAttrs{}, {y, b.ints({2}, {-1, 6})});
  y = b.mul(b.add(y, b.scalar(0)), b.scalar(1));
  b.output(b.unary(UnaryFn::kTanh, y));
  EXPECT_EQ(histogram(canonical(b.net)), (Counts{{"unary", 1}}));
  EXPECT_EQ(histogram(canonical(b.net, "simplify"))["reshape"], 2);
}

TEST(Simplify, adding_zero_that_broadcasts_stays) {
  Builder b;
  const auto x = b.input({1, 3});
  b.output(b.add(x, b.floats({2, 3}, {0, 0, 0, 0, 0, 0})));
  EXPECT_EQ(canonical(b.net).values[0].type.dims.size(), 2u);
  EXPECT_EQ(histogram(canonical(b.net)), (Counts{{"binary", 1}}));
}

TEST(Simplify, mean_and_reshape_keep_dims) {
  Builder b;
  const auto x = b.input({-1, 4, 4, 5});
  const auto m = b.op(ir::ReduceAttrs{ir::ReduceFn::kMean, {1, 2}, false}, {x});
  b.output(b.op(ir::ReshapeAttrs{}, {m, b.ints({4}, {-1, 1, 1, 5})}));
  const ir::Network after = canonical(b.net);
  EXPECT_EQ(histogram(after), (Counts{{"reduce", 1}}));
  EXPECT_TRUE(after.ops[0].as<ir::ReduceAttrs>().keep_dims);
}

TEST(MergeCommon, equal_ops_are_one) {
  Builder b;
  const auto x = b.input({2, 5});
  const ir::ReduceAttrs mean{ir::ReduceFn::kMax, {1}, true};
  b.output(b.mul(b.op(mean, {x}), b.unary(UnaryFn::kTanh, b.op(mean, {x}))));
  EXPECT_EQ(histogram(canonical(b.net))["reduce"], 1);
  EXPECT_EQ(histogram(canonical(b.net, "merge_common"))["reduce"], 2);
}

TEST(DropBroadcasts, table_row_of_zeros_like) {
  Builder b;
  const auto ids = b.input({-1, 4}, DType::kInt32);
  const auto table = b.weights({5, 8}, 1), types = b.weights({2, 8}, 2);
  const auto shape = b.op(ir::ShapeAttrs{}, {ids});
  const auto zeros = b.op(ir::FillAttrs{}, {shape, b.ints({}, {1})});
  b.output(b.add(b.op(ir::GatherAttrs{}, {table, ids}), b.op(ir::GatherAttrs{}, {types, zeros})));
  EXPECT_EQ(histogram(canonical(b.net)), (Counts{{"binary", 1}, {"gather", 1}}));
  EXPECT_EQ(histogram(canonical(b.net, "drop_broadcasts"))["gather"], 2);
}

// conv -> (x * s) + t in the orders in which batch normalization is written.
class BatchNorm : public ::testing::TestWithParam<int> {};

TEST_P(BatchNorm, folds_into_the_convolution) {
  Builder b;
  const auto x = b.input({-1, 6, 6, 3});
  auto y = b.conv(x, b.weights({3, 3, 3, 4}, 1), b.same());
  const auto s = b.floats({4}, {0.5f, -2, 1.5f, 3}), t = b.floats({1, 1, 1, 4}, {1, 2, -3, 4});
  const auto m = b.floats({4}, {0.1f, 0.2f, -0.3f, 0.4f});
  switch (GetParam()) {
    case 0:
      y = b.add(b.mul(y, s), t);
      break;
    case 1:
      y = b.add(b.mul(b.sub(y, m), s), t);
      break;
    case 2:
      y = b.sub(b.mul(s, y), t);
      break;
    case 3:
      y = b.add(b.binary(BinaryFn::kDiv, b.sub(y, m), s), t);
      break;
    case 4:
      y = b.op(ir::AffineAttrs{}, {y, s, m});
      break;
    case 5:
      y = b.op(ir::AffineAttrs{}, {b.add(y, m), s, m});
      break;
    default:
      y = b.sub(t, y);
      break;
  }
  b.output(b.unary(UnaryFn::kRelu, y));
  const ir::Network after = canonical(b.net);
  EXPECT_EQ(histogram(after), (Counts{{"conv", 1}}));
  EXPECT_TRUE(after.ops[0].as<ir::ConvAttrs>().has_bias);
  EXPECT_EQ(after.ops[0].as<ir::ConvAttrs>().act.fn, UnaryFn::kRelu);
  EXPECT_GT(histogram(canonical(b.net, "fold_affine")).size(), 1u);
}
INSTANTIATE_TEST_SUITE_P(Orders, BatchNorm, ::testing::Range(0, 7));

TEST(FoldAffine, depthwise_and_matmul) {
  Builder b;
  const auto x = b.input({-1, 5, 5, 4});
  ir::ConvAttrs depthwise;
  depthwise.groups = 4;
  auto y = b.mul(b.conv(x, b.weights({3, 3, 1, 4}, 1), depthwise), b.weights({4}, 2));
  y = b.op(ir::ReshapeAttrs{}, {y, b.ints({2}, {-1, 36})});
  y = b.add(b.op(ir::MatMulAttrs{}, {y, b.weights({36, 5}, 3)}), b.weights({5}, 4));
  b.output(y);
  EXPECT_EQ(histogram(canonical(b.net)), (Counts{{"conv", 1}, {"matmul", 1}, {"reshape", 1}}));
}

TEST(FoldAffine, transposed_weights) {
  Builder b;
  const auto x = b.input({-1, 7});
  ir::MatMulAttrs attrs;
  attrs.transpose_b = true;
  b.output(b.mul(b.op(attrs, {x, b.weights({5, 7}, 1)}), b.weights({5}, 2)));
  EXPECT_EQ(histogram(canonical(b.net)), (Counts{{"matmul", 1}}));
}

TEST(FoldAffine, a_bias_that_is_there_is_scaled) {
  Builder b;
  ir::MatMulAttrs attrs;
  attrs.has_bias = true;
  const auto y = b.op(attrs, {b.input({2, 3}), b.weights({3, 4}, 1), b.weights({4}, 2)});
  b.output(b.add(b.mul(y, b.weights({4}, 3)), b.weights({4}, 4)));
  EXPECT_EQ(histogram(canonical(b.net)), (Counts{{"matmul", 1}}));
}

TEST(FoldAffine, second_reader_forbids_it) {
  Builder b;
  const auto x = b.input({2, 3});
  const auto y = b.op(ir::MatMulAttrs{}, {x, b.weights({3, 4}, 1)});
  b.output(b.mul(y, b.weights({4}, 2)));
  b.output(y);
  EXPECT_EQ(histogram(canonical(b.net)), (Counts{{"binary", 1}, {"matmul", 1}}));
}

TEST(FoldAffine, T8_infinite_scale_is_left_alone) {
  Builder b;
  const auto x = b.input({2, 3});
  const auto y = b.op(ir::MatMulAttrs{}, {x, b.weights({3, 2}, 1)});
  b.output(b.mul(y, b.floats({2}, {INFINITY, 1})));
  ir::Network after = b.net;
  WorkContext work;
  ASSERT_TRUE(canonicalize(after, {}, work).ok());
  EXPECT_EQ(histogram(after), (Counts{{"binary", 1}, {"matmul", 1}}));
}

TEST(MergeAffine, input_normalization_is_one_op) {
  Builder b;
  const auto x = b.input({-1, 3, 3, 3});
  auto y = b.mul(x, b.scalar(1 / 255.f));
  y = b.sub(y, b.floats({3}, {0.4f, 0.5f, 0.6f}));
  y = b.binary(BinaryFn::kDiv, y, b.floats({3}, {0.2f, 0.25f, 0.3f}));
  b.output(y);
  EXPECT_EQ(histogram(canonical(b.net)), (Counts{{"affine", 1}}));
}

TEST(FoldPad, convolution_takes_the_border) {
  Builder b;
  const auto x = b.input({-1, 6, 7, 2});
  const auto padded = b.op(ir::PadAttrs{}, {x, b.ints({4, 2}, {0, 0, 1, 2, 3, 0, 0, 0})});
  b.output(b.conv(padded, b.weights({3, 3, 2, 4}, 1), b.strided(2)));
  const ir::Network after = canonical(b.net);
  EXPECT_EQ(histogram(after), (Counts{{"conv", 1}}));
  EXPECT_EQ(after.ops[0].as<ir::ConvAttrs>().pads, (std::vector<int64_t>{1, 2, 3, 0}));
  EXPECT_EQ(histogram(canonical(b.net, "fold_pad"))["pad"], 1);
}

TEST(FoldPad, same_padding_becomes_explicit) {
  Builder b;
  const auto x = b.input({-1, 6, 6, 2});
  const auto padded = b.op(ir::PadAttrs{}, {x, b.ints({4, 2}, {0, 0, 1, 1, 1, 1, 0, 0})});
  b.output(b.conv(padded, b.weights({3, 3, 2, 4}, 1), b.same(2)));
  EXPECT_EQ(histogram(canonical(b.net)), (Counts{{"conv", 1}}));
}

TEST(FoldPad, border_of_another_value_or_axis_stays) {
  Builder b;
  const auto x = b.input({-1, 6, 6, 2});
  const auto ones =
      b.op(ir::PadAttrs{}, {x, b.ints({4, 2}, {0, 0, 1, 1, 1, 1, 0, 0}), b.scalar(1)});
  b.output(b.conv(ones, b.weights({3, 3, 2, 4}, 1)));
  const auto channels = b.op(ir::PadAttrs{}, {x, b.ints({4, 2}, {0, 0, 0, 0, 0, 0, 1, 1})});
  b.output(b.conv(channels, b.weights({3, 3, 4, 4}, 2)));
  EXPECT_EQ(histogram(canonical(b.net))["pad"], 2);
}

TEST(FoldPad, max_pool_only_where_it_is_exact) {
  Builder b;
  const auto x = b.input({-1, 6, 6, 2});
  const auto border = b.ints({4, 2}, {0, 0, 1, 1, 1, 1, 0, 0});
  const ir::PoolAttrs pool{ir::PoolFn::kMax, {3, 3}, {2, 2}};
  b.output(b.op(pool, {b.op(ir::PadAttrs{}, {b.unary(UnaryFn::kRelu, x), border})}));
  EXPECT_EQ(histogram(canonical(b.net))["pad"], 0);
  b.output(b.op(pool, {b.op(ir::PadAttrs{}, {x, border})}));  // may be negative: the zeros count
  EXPECT_EQ(histogram(canonical(b.net))["pad"], 1);
}

}  // namespace
}  // namespace graft::passes
