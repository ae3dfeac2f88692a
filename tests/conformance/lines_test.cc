// Every line of lines.txt, at every instruction level of this machine: kernels against the
// reference evaluator.
#include <gtest/gtest.h>

#include <fstream>

#include "conformance/compare_line.h"
#include "conformance/problem.h"

namespace graft::conformance {
namespace {

std::vector<std::string> lines() {
  std::ifstream file(GRAFT_TEST_DATA "/conformance/lines.txt");
  std::vector<std::string> all;
  for (std::string line; std::getline(file, line);)
    if (!line.empty() && line[0] != '#') all.push_back(line);
  return all;
}

class Lines : public ::testing::TestWithParam<std::string> {};

TEST_P(Lines, kernels_agree_with_the_reference) {
  for (const char* isa : {"baseline", "avx2", "avx512"}) {
    const auto verdict = compare_line(GetParam(), isa, 2);
    const std::string text = verdict.status().message();
    if (!verdict.ok() && text.find("is above what this machine has") != std::string::npos) continue;
    ASSERT_TRUE(verdict.ok()) << text;
    EXPECT_TRUE(verdict->passed())
        << isa << ": " << verdict->text() << "\nagain: line_runner '" << GetParam() << "'";
  }
}

INSTANTIATE_TEST_SUITE_P(File, Lines, ::testing::ValuesIn(lines()), [](const auto& info) {
  return info.param.substr(0, info.param.find(' ')) + "_" + std::to_string(info.index);
});

TEST(Line, there_are_lines) { EXPECT_GE(lines().size(), 40u); }

// The comparison itself can fail: a bar of nothing on numbers that round.
TEST(Line, a_difference_is_seen) {
  const auto verdict = compare_line("softmax : float32[7,33] -> 1 rtol=1e-12", "", 1);
  ASSERT_TRUE(verdict.ok()) << verdict.status().message();
  EXPECT_GT(verdict->error, 0);
  EXPECT_FALSE(verdict->passed());
}

TEST(Line, what_cannot_be_read_is_named) {
  EXPECT_NE(parse_problem("conv float32[1]").status().message().find("conv float32[1]"),
            std::string::npos);
  EXPECT_NE(parse_problem("warp : float32[1] -> 1").status().message().find("warp"),
            std::string::npos);
  EXPECT_NE(parse_problem("unary : float33[1] -> 1").status().message().find("float33"),
            std::string::npos);
  EXPECT_NE(parse_problem("unary : *int32[2]=4 -> 1").status().message().find("int32[2]=4"),
            std::string::npos);
  EXPECT_NE(parse_problem("unary : float32[1] -> 1 atol=3").status().message().find("atol"),
            std::string::npos);
}

}  // namespace
}  // namespace graft::conformance
