// recurrent: extents, and each broken constraint named.
#include "ir_test_util.h"

namespace graft::ir {
namespace {

using ::testing::HasSubstr;

RecurrentAttrs of(RecurrentFn fn) {
  RecurrentAttrs a;
  a.fn = fn;
  return a;
}

InferCase lstm(RecurrentAttrs a = {}) {
  return InferCase(a).in({7, 2, 20}).in({5, 20}).in({2, 5}).in({2, 5});
}

TEST(InferRecurrent, extents) {
  EXPECT_THAT(lstm().outputs(3).text(), HasSubstr("[7,2,5]"));
  RecurrentAttrs last;
  last.sequence = false;
  EXPECT_THAT(lstm(last).outputs(3).text(), HasSubstr("[1,2,5]"));
  EXPECT_THAT(
      InferCase(of(RecurrentFn::kGru)).in({7, 2, 15}).in({5, 15}).in({2, 5}).outputs(2).text(),
      HasSubstr("[7,2,5]"));
  EXPECT_THAT(
      InferCase(of(RecurrentFn::kSimple)).in({0, 2, 5}).in({5, 5}).in({2, 5}).outputs(2).text(),
      HasSubstr("[0,2,5]"));
}

TEST(InferRecurrent, constraints) {
  EXPECT_THAT(lstm().outputs(2).text(), HasSubstr("has 2 outputs, expected 3"));
  EXPECT_THAT(lstm().outputs(1).text(), HasSubstr("expected 3"));
  EXPECT_THAT(lstm(of(RecurrentFn::kGru)).outputs(2).text(), HasSubstr("has 4 inputs, expected 3"));
  RecurrentAttrs a = of(RecurrentFn::kGru);
  a.has_bias = true;
  EXPECT_THAT(InferCase(a).in({7, 2, 15}).in({5, 15}).in({2, 5}).in({5}).outputs(2).text(),
              HasSubstr("gru has no recurrent bias"));
  a = of(RecurrentFn::kSimple);
  a.cells = true;
  EXPECT_THAT(InferCase(a).in({7, 2, 5}).in({5, 5}).in({2, 5}).outputs(2).text(),
              HasSubstr("simple has no cell"));
  const RecurrentAttrs gru = of(RecurrentFn::kGru);
  EXPECT_THAT(InferCase(gru).in({7, 2, 15}).in({5, 16}).in({2, 5}).outputs(2).text(),
              HasSubstr("expected [U,3*U]"));
  EXPECT_THAT(InferCase(gru).in({7, 2, 14}).in({5, 15}).in({2, 5}).outputs(2).text(),
              HasSubstr("do not fit weights"));
  EXPECT_THAT(InferCase(gru).in({7, 2, 15}).in({5, 15}).in({3, 5}).outputs(2).text(),
              HasSubstr("does not fit gates"));
  EXPECT_THAT(InferCase(gru).in({2, 15}).in({5, 15}).in({2, 5}).outputs(2).text(),
              HasSubstr("gates"));
  EXPECT_THAT(InferCase(gru)
                  .in({7, 2, 15}, DType::kInt32)
                  .in({5, 15}, DType::kInt32)
                  .in({2, 5}, DType::kInt32)
                  .outputs(2)
                  .text(),
              HasSubstr("gates are int32"));
  RecurrentAttrs holes;
  holes.has_peephole = true;
  EXPECT_THAT(lstm(holes).in({5}).outputs(3).text(), HasSubstr("peephole [5] does not fit"));
}

}  // namespace
}  // namespace graft::ir
