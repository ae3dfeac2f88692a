// Target detection and thread counts: bad values are errors, never silent defaults.
#include <gtest/gtest.h>

#include <cstdlib>

#include "backends/backend.h"
#include "backends/cpu/cpu_features.h"

namespace graft::backends {
namespace {

class Env {
 public:
  Env(const char* name, const char* value) : name_(name) { setenv(name, value, 1); }
  ~Env() { unsetenv(name_); }

 private:
  const char* name_;
};

TEST(Target, detects_and_caps) {
  unsetenv("GRAFT_ISA");
  const auto best = detect_target("");
  ASSERT_TRUE(best.ok());
  EXPECT_EQ(*best, cpu::machine_target());
  EXPECT_GT(best->l1d_bytes, 0);
  EXPECT_EQ(best->isa >= ir::Isa::kAvx2, __builtin_cpu_supports("avx2") != 0);
  EXPECT_EQ(best->isa >= ir::Isa::kAvx512, __builtin_cpu_supports("avx512bw") != 0);
  const auto capped = detect_target("baseline");
  ASSERT_TRUE(capped.ok());
  EXPECT_EQ(capped->isa, ir::Isa::kBaseline);
  const Env env("GRAFT_ISA", "baseline");
  EXPECT_EQ(detect_target("")->isa, ir::Isa::kBaseline);
}

TEST(Target, O12_garbage_isa_is_an_error_that_lists_the_levels) {
  for (const char* bad : {"AVX2", "avx3", " ", "avx2 ", "\x1b[31m"}) {
    const auto option = detect_target(bad);
    ASSERT_FALSE(option.ok()) << bad;
    EXPECT_EQ(option.status().code(), Code::kInvalidArgument);
    EXPECT_NE(option.status().message().find("baseline, avx2, avx512"), std::string::npos);
    EXPECT_EQ(option.status().message().find('\x1b'), std::string::npos);
    const Env env("GRAFT_ISA", bad);
    const auto variable = detect_target("");
    ASSERT_FALSE(variable.ok()) << bad;
    EXPECT_NE(variable.status().message().find("GRAFT_ISA"), std::string::npos);
  }
}

TEST(Target, O12_isa_above_the_machine_is_an_error) {
  if (cpu::machine_target().isa >= ir::Isa::kAmx) GTEST_SKIP() << "no level above this machine";
  const auto r = detect_target("amx");
  ASSERT_FALSE(r.ok());
  EXPECT_EQ(r.status().code(), Code::kInvalidArgument);
  EXPECT_NE(r.status().message().find("above what this machine has"), std::string::npos);
}

TEST(Threads, O8_option_out_of_range_is_an_error) {
  for (int bad : {-1, -1000000, 1025, 1000000}) {
    const auto r = resolve_threads(bad);
    ASSERT_FALSE(r.ok()) << bad;
    EXPECT_EQ(r.status().code(), Code::kInvalidArgument);
    EXPECT_NE(r.status().message().find(std::to_string(bad)), std::string::npos);
  }
  EXPECT_EQ(*resolve_threads(3), 3);
}

TEST(Threads, O12_garbage_variable_is_an_error) {
  for (const char* bad : {"0", "-1", "1000000", "two", "2x", "99999999999999999999", " 2"}) {
    const Env env("GRAFT_THREADS", bad);
    const auto r = resolve_threads(0);
    ASSERT_FALSE(r.ok()) << bad;
    EXPECT_EQ(r.status().code(), Code::kInvalidArgument);
    EXPECT_NE(r.status().message().find("GRAFT_THREADS"), std::string::npos);
    EXPECT_EQ(*resolve_threads(2), 2) << "an option wins over the variable";
  }
  const Env env("GRAFT_THREADS", "5");
  EXPECT_EQ(*resolve_threads(0), 5);
}

TEST(Threads, default_is_at_least_one) {
  unsetenv("GRAFT_THREADS");
  EXPECT_GE(*resolve_threads(0), 1);
}

TEST(NullBackend, refuses_everything) {
  ir::Op op;
  Problem problem;
  problem.op = &op;
  EXPECT_EQ(null_backend().create_step(problem, nullptr).status().code(), Code::kUnsupported);
  EXPECT_FALSE(null_backend().has_kernel(problem));
}

}  // namespace
}  // namespace graft::backends
