// remove_transposes: NCHW networks end in NHWC.
#include "network_runner.h"

namespace graft::passes {
namespace {

using ir::UnaryFn;

ir::ValueId nhwc(Builder& b, ir::ValueId x) { return b.op(ir::TransposeAttrs{{0, 2, 3, 1}}, {x}); }
ir::ValueId nchw(Builder& b, ir::ValueId x) { return b.op(ir::TransposeAttrs{{0, 3, 1, 2}}, {x}); }
ir::ValueId conv_nchw(Builder& b, ir::ValueId x, unsigned seed, int64_t in, int64_t out) {
  return nchw(b, b.conv(nhwc(b, x), b.weights({3, 3, in, out}, seed), b.same()));
}

TEST(RemoveTransposes, nchw_block_keeps_one_at_each_border) {
  Builder b;
  const auto x = b.input({-1, 3, 6, 6});
  auto y = conv_nchw(b, x, 1, 3, 4);
  y = b.add(b.mul(y, b.weights({4, 1, 1}, 2)), b.weights({1, 4, 1, 1}, 3));  // NCHW batch norm
  const auto shortcut = b.unary(UnaryFn::kRelu, y);
  y = b.unary(UnaryFn::kRelu, conv_nchw(b, shortcut, 4, 4, 4));
  y = b.op(ir::ConcatAttrs{1}, {b.add(y, shortcut), shortcut});
  y = b.op(ir::PadAttrs{}, {y, b.ints({4, 2}, {0, 0, 0, 0, 1, 1, 1, 1})});
  b.output(conv_nchw(b, y, 5, 8, 2));
  EXPECT_EQ(histogram(canonical(b.net))["transpose"], 2);
  EXPECT_EQ(histogram(canonical(b.net, "remove_transposes"))["transpose"], 6);
}

TEST(RemoveTransposes, global_pooling_ends_the_layout) {
  for (bool keep : {true, false}) {
    Builder b;
    const auto y = conv_nchw(b, b.input({-1, 3, 6, 6}), 1, 3, 4);
    auto m = b.op(ir::ReduceAttrs{ir::ReduceFn::kMean, {2, 3}, keep}, {y});
    if (keep) m = b.op(ir::SqueezeAttrs{{2, 3}}, {m});
    b.output(m);
    EXPECT_EQ(histogram(canonical(b.net))["transpose"], 1);
  }
}

TEST(RemoveTransposes, inverse_pairs_and_unit_dims) {
  Builder b;
  const auto x = b.input({-1, 3, 4});
  const auto there = b.op(ir::TransposeAttrs{{2, 0, 1}}, {x});
  b.output(b.unary(UnaryFn::kTanh, b.op(ir::TransposeAttrs{{1, 2, 0}}, {there})));
  b.output(b.op(ir::TransposeAttrs{{0, 3, 1, 2}}, {b.input({-1, 1, 1, 4})}));
  EXPECT_EQ(histogram(canonical(b.net)), (Counts{{"reshape", 1}, {"unary", 1}}));
}

TEST(RemoveTransposes, two_that_do_not_cancel_are_joined) {
  Builder b;
  const auto there = b.op(ir::TransposeAttrs{{2, 0, 1}}, {b.input({2, 3, 4})});
  b.output(b.op(ir::TransposeAttrs{{0, 2, 1}}, {there}));
  EXPECT_EQ(histogram(canonical(b.net)), (Counts{{"transpose", 1}}));
}

TEST(RemoveTransposes, channel_reduction_without_kept_dims_keeps_its_order) {
  Builder b;
  const auto y = conv_nchw(b, b.input({2, 3, 5, 6}), 1, 3, 4);
  b.output(b.op(ir::ReduceAttrs{ir::ReduceFn::kMax, {2}, false}, {y}));  // [N, C, W]: order changes
  b.output(b.op(ir::ReduceAttrs{ir::ReduceFn::kMax, {1}, false}, {y}));  // [N, H, W]: does not
  canonical(b.net);
}

}  // namespace
}  // namespace graft::passes
