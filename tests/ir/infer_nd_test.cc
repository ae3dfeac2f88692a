// gather_nd, scatter_nd, scan, top_k: extents, and each broken constraint named.
#include "ir_test_util.h"

namespace graft::ir {
namespace {

using ::testing::HasSubstr;

TEST(InferNd, index_vectors) {
  const DType i = DType::kInt32;
  EXPECT_THAT(InferCase(GatherNdAttrs{}).in({4, 5, 6}).in({3, 2}, i).text(), HasSubstr("[3,6]"));
  EXPECT_THAT(InferCase(GatherNdAttrs{}).in({4, 5}).in({3, 3}, i).text(),
              HasSubstr("more axes than rank 2"));
  EXPECT_THAT(InferCase(GatherNdAttrs{}).in({4, 5}).in({3, 2}, DType::kInt16).text(),
              HasSubstr("expected int32 or int64"));
  EXPECT_THAT(InferCase(ScatterNdAttrs{}).in({4, 5}).in({3, 1}, i).in({3, 5}).text(),
              HasSubstr("[4,5]"));
  EXPECT_THAT(InferCase(ScatterNdAttrs{}).in({4, 5}).in({3, 1}, i).in({3, 4}).text(),
              HasSubstr("updates"));
  EXPECT_THAT(InferCase(ScatterNdAttrs{ScatterFn::kAdd})
                  .in({4}, DType::kBool)
                  .in({3, 1}, i)
                  .in({3}, DType::kBool)
                  .text(),
              HasSubstr("add does not take bool"));
}

TEST(InferNd, scan_and_top_k) {
  EXPECT_THAT(InferCase(ScanAttrs{ReduceFn::kSum, 1}).in({4, 5}).text(), HasSubstr("[4,5]"));
  EXPECT_THAT(InferCase(ScanAttrs{ReduceFn::kMax, 1}).in({4, 5}).text(),
              HasSubstr("neither sum nor prod"));
  EXPECT_THAT(InferCase(ScanAttrs{ReduceFn::kSum, 2}).in({4, 5}).text(), HasSubstr("axis"));
  EXPECT_THAT(InferCase(TopKAttrs{}).in({4, 5}).scalar(3).outputs(2).text(), HasSubstr("[4,3]"));
  EXPECT_THAT(InferCase(TopKAttrs{}).in({4, 5}).scalar(6).outputs(2).text(), HasSubstr("k is 6"));
  EXPECT_THAT(InferCase(TopKAttrs{}).in({4, 5}).scalar(3).text(),
              HasSubstr("has 1 outputs, expected 2"));
  EXPECT_THAT(InferCase(TopKAttrs{DType::kInt8}).in({4, 5}).scalar(3).outputs(2).text(),
              HasSubstr("expected int32 or int64"));
}

}  // namespace
}  // namespace graft::ir
