#include <gtest/gtest.h>

#include <cstdint>
#include <limits>

#include "base/check.h"
#include "base/checked.h"
#include "base/dtype.h"
#include "base/status.h"
#include "base/work.h"

namespace graft {
namespace {

constexpr int64_t kMax = std::numeric_limits<int64_t>::max(),
                  kMin = std::numeric_limits<int64_t>::min();

TEST(Status, code_message_and_context) {
  const Status ok;
  EXPECT_TRUE(ok.ok());
  EXPECT_EQ(ok.message(), "");
  EXPECT_TRUE(ok.with_context("x").ok());
  const Status bad = invalid_graph("node a").with_context("file f");
  EXPECT_EQ(bad.code(), Code::kInvalidGraph);
  EXPECT_EQ(bad.message(), "file f: node a");
  EXPECT_EQ(code_name(bad.code()), "InvalidGraph");
}

TEST(Status, misuse_of_results_throws_and_never_is_undefined) {
  Result<int> failed = unsupported("op Foo");
  EXPECT_THROW((void)failed.value(), InternalError);
  EXPECT_THROW((void)*failed, InternalError);
  EXPECT_THROW((void)std::move(failed).value(), InternalError);
  EXPECT_THROW(Result<int>{ok_status()}, InternalError);
}

Result<int> half_of(int x) {
  if (x % 2) return invalid_argument("odd");
  return x / 2;
}
Result<int> quarter_of(int x) {
  GRAFT_ASSIGN_OR_RETURN(const int half, half_of(x));
  GRAFT_ASSIGN_OR_RETURN(const int quarter, half_of(half));
  return quarter;
}

TEST(Status, macros_pass_values_and_errors) {
  EXPECT_EQ(quarter_of(8).value(), 2);
  EXPECT_EQ(quarter_of(6).status().code(), Code::kInvalidArgument);
}

TEST(Check, guard_turns_exceptions_into_statuses) {
  const Status check = guard([]() -> Status {
    GRAFT_CHECK(1 == 2, "the sum is wrong");
    return ok_status();
  });
  EXPECT_EQ(check.code(), Code::kInternal);
  EXPECT_NE(check.message().find("1 == 2 the sum is wrong"), std::string::npos) << check.message();
  EXPECT_NE(check.message().find("status_test.cc:"), std::string::npos) << check.message();
  EXPECT_EQ(guard([]() -> Result<int> { throw std::bad_alloc(); }).status().code(),
            Code::kResourceExhausted);
  EXPECT_EQ(guard([]() -> Result<int> { throw 7; }).status().code(), Code::kInternal);
  EXPECT_EQ(guard([]() -> Result<int> { return 7; }).value(), 7);
}

TEST(Checked, arithmetic_never_wraps) {
  EXPECT_EQ(checked_add(kMax, 0), kMax);
  EXPECT_FALSE(checked_add(kMax, 1));
  EXPECT_FALSE(checked_add(kMin, -1));
  EXPECT_EQ(checked_mul(kMax / 2, 2), kMax - 1);
  EXPECT_FALSE(checked_mul(kMax / 2 + 1, 2));
  EXPECT_FALSE(checked_mul(kMin, -1));
}

TEST(Checked, product_of_dims) {
  const auto product = [](std::vector<int64_t> dims) { return checked_product(dims); };
  EXPECT_EQ(product({}), 1);
  EXPECT_EQ(product({2, 3, 5}), 30);
  EXPECT_EQ(product({7, 0}), 0);
  EXPECT_FALSE(product({2, -1}));
  EXPECT_FALSE(product({int64_t{1} << 32, int64_t{1} << 31}));
  EXPECT_FALSE(product({0, int64_t{1} << 32, int64_t{1} << 32}))
      << "a zero does not hide an overflow";
}

TEST(DType, names_sizes_and_dispatch) {
  for (int number = 0; number < 30; ++number) {
    const auto dtype = static_cast<DType>(number);
    if (!is_plan_dtype(dtype)) {
      EXPECT_THROW(visit_dtype(dtype, [&]<typename T>() {}), InternalError);
      continue;
    }
    EXPECT_EQ(dtype_from_name(dtype_name(dtype)), dtype);
    visit_dtype(dtype, [&]<typename T>() {
      EXPECT_EQ(sizeof(T), dtype_size(dtype)) << dtype_name(dtype);
      EXPECT_EQ(dtype_of<T>(), dtype);
    });
  }
  EXPECT_EQ(dtype_name(static_cast<DType>(9999)), "dtype 9999");
  EXPECT_EQ(dtype_from_name("float33"), DType::kInvalid);
}

TEST(Work, budget_and_stop_token) {
  WorkContext work({}, 10);
  EXPECT_TRUE(work.spend(10, "testing").ok());
  EXPECT_EQ(work.spend(1, "testing").code(), Code::kResourceExhausted);
  std::stop_source source;
  WorkContext stoppable(source.get_token());
  EXPECT_TRUE(stoppable.spend(1, "testing").ok());
  source.request_stop();
  EXPECT_EQ(stoppable.spend(1, "testing").code(), Code::kCancelled);
}

}  // namespace
}  // namespace graft
