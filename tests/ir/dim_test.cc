#include "ir/dim.h"

#include <gtest/gtest.h>

namespace graft::ir {
namespace {

class DimTest : public ::testing::Test {
 protected:
  DimTable t;
  Dim n = t.input(0, 0), s = t.input(0, 1), h = t.input(1, 2);
};

TEST_F(DimTest, InternsInputs) {
  EXPECT_EQ(n, t.input(0, 0));
  EXPECT_NE(n, s);
  EXPECT_NE(t.opaque(), t.opaque());
  EXPECT_FALSE(n.is_const());
}

TEST_F(DimTest, FoldsConstantsWithoutTouchingTheTable) {
  const int32_t size = t.size();
  EXPECT_EQ(t.add(2, 3), Dim(5));
  EXPECT_EQ(t.floor_div(-7, 2), Dim(-4));
  EXPECT_EQ(t.ceil_div(7, 2), Dim(4));
  EXPECT_EQ(t.ceil_div(-7, 2), Dim(-3));
  EXPECT_EQ(t.max(3, 9), Dim(9));
  EXPECT_EQ(t.broadcast(1, 0), Dim(0));
  EXPECT_EQ(t.size(), size);
}

TEST_F(DimTest, NeutralElements) {
  EXPECT_EQ(t.add(n, 0), n);
  EXPECT_EQ(t.sub(n, 0), n);
  EXPECT_EQ(t.mul(1, n), n);
  EXPECT_EQ(t.mul(n, 0), Dim(0));
  EXPECT_EQ(t.floor_div(n, 1), n);
  EXPECT_EQ(t.sub(n, n), Dim(0));
  EXPECT_EQ(t.floor_div(n, n), Dim(1));
}

TEST_F(DimTest, EqualExpressionsAreEqualDims) {
  EXPECT_EQ(t.mul(n, s), t.mul(s, n));
  EXPECT_EQ(t.add(t.add(n, 1), s), t.add(s, t.add(1, n)));
  EXPECT_EQ(t.mul(t.add(n, 1), 4), t.add(t.mul(4, n), 4));
  EXPECT_EQ(t.mul(t.mul(n, s), h), t.mul(n, t.mul(h, s)));
  EXPECT_EQ(t.sub(t.add(n, s), s), n);
  EXPECT_EQ(t.max(n, s), t.max(s, n));
  EXPECT_EQ(t.broadcast(n, s), t.broadcast(s, n));
}

TEST_F(DimTest, ExactQuotients) {
  EXPECT_EQ(t.floor_div(t.mul(n, 768), 768), n);
  EXPECT_EQ(t.floor_div(t.mul(t.mul(n, s), 768), t.mul(n, s)), Dim(768));
  EXPECT_EQ(t.floor_div(t.mul(t.add(n, 1), 8), t.add(n, 1)), Dim(8));
  EXPECT_EQ(t.floor_div(t.add(t.mul(n, 4), t.mul(s, 6)), 2), t.add(t.mul(n, 2), t.mul(s, 3)));
}

TEST_F(DimTest, RoundedQuotients) {
  // ceil(ceil(h/2)/2) = ceil(h/4); whole parts leave the division.
  EXPECT_EQ(t.ceil_div(t.ceil_div(h, 2), 2), t.ceil_div(h, 4));
  EXPECT_EQ(t.floor_div(t.floor_div(h, 2), 3), t.floor_div(h, 6));
  EXPECT_EQ(t.floor_div(t.add(t.mul(n, 2), 3), 2), t.add(n, 1));
  EXPECT_EQ(t.ceil_div(t.add(t.mul(n, 2), 3), 2), t.add(n, 2));
  EXPECT_EQ(t.floor_div(t.mul(h, 4), 6), t.floor_div(t.mul(h, 2), 3));
  EXPECT_NE(t.floor_div(h, 2), t.ceil_div(h, 2));
}

TEST_F(DimTest, MaxAndMinOfComparables) {
  EXPECT_EQ(t.max(n, 0), n);
  EXPECT_EQ(t.min(n, t.add(n, s)), n);
  EXPECT_EQ(t.max(t.add(n, 2), n), t.add(n, 2));
  EXPECT_EQ(t.text(t.max(t.sub(n, 2), 0)), "max(d0_0-2,0)");
}

TEST_F(DimTest, BroadcastKeepsTheExtentThatIsNotOne) {
  EXPECT_EQ(t.broadcast(n, 1), n);
  EXPECT_EQ(t.broadcast(7, n), Dim(7));
  EXPECT_EQ(t.text(t.broadcast(n, s)), "bcast(d0_0,d0_1)");
}

TEST_F(DimTest, OverflowAndDivisionByZeroAreOneOpaqueDim) {
  const Dim bad = t.floor_div(5, 0);
  EXPECT_FALSE(bad.is_const());
  EXPECT_EQ(bad, t.floor_div(n, 0));
  EXPECT_EQ(bad, t.mul(int64_t{1} << 40, int64_t{1} << 40));
  EXPECT_EQ(bad,
            t.sub(INT64_MIN + (int64_t{1} << 33), int64_t{1} << 33));  // would read as a symbol
  EXPECT_EQ(t.text(bad), "?");
}

TEST_F(DimTest, LongSumsAndProductsStayBounded) {
  Dim sum = 0, product = 1;
  for (int i = 0; i < 2000; ++i) {
    const Dim d = t.input(7, i);
    sum = t.add(sum, d);
    product = t.mul(product, t.add(d, 1));
  }
  EXPECT_FALSE(sum.is_const());
  EXPECT_FALSE(product.is_const());
  EXPECT_LT(t.size(), 400000);
  EXPECT_LT(t.text(product).size(), 100000u);
}

TEST_F(DimTest, Text) {
  EXPECT_EQ(t.text(t.add(t.mul(n, 128), 3)), "d0_0*128+3");
  EXPECT_EQ(t.text(t.mul(t.mul(s, n), 2)), "d0_0*d0_1*2");
  EXPECT_EQ(t.text(t.sub(4, n)), "4-d0_0");
  EXPECT_EQ(t.text(Dim(-3)), "-3");
}

}  // namespace
}  // namespace graft::ir
