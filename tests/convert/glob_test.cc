#include "convert/glob.h"

#include <gtest/gtest.h>

namespace graft::convert_detail {
namespace {

TEST(Glob, literals_stars_and_question_marks) {
  for (auto [pattern, text] : {std::pair{"", ""},
                               {"*", ""},
                               {"*", "anything/at/all"},
                               {"a?c", "abc"},
                               {"a*c", "ac"},
                               {"a*c", "abbc"},
                               {"*/conv?/*", "block1/conv2/weights"},
                               {"*ab*ab", "xababab"},
                               {"**a**", "a"},
                               {"a.c", "a.c"}})
    EXPECT_TRUE(glob_match(pattern, text)) << pattern << " " << text;
  for (auto [pattern, text] : {std::pair{"", "a"},
                               {"a", ""},
                               {"?", ""},
                               {"a?c", "ac"},
                               {"a*c", "acd"},
                               {"A", "a"},
                               {"a.c", "abc"},
                               {"*b", "a"}})
    EXPECT_FALSE(glob_match(pattern, text)) << pattern << " " << text;
}

// A star in the text is a character like any other.
TEST(Glob, special_characters_of_the_text) {
  EXPECT_TRUE(glob_match("*", "*"));
  EXPECT_TRUE(glob_match("a*", "a*b"));
  EXPECT_FALSE(glob_match("ab", "*b"));
  EXPECT_TRUE(glob_match("?", "*"));
}

TEST(Glob, bad_case_for_backtracking_stays_linear) {
  const std::string text(5000, 'a');
  std::string pattern;
  for (int i = 0; i < 500; ++i) pattern += "a*";
  EXPECT_TRUE(glob_match(pattern, text));
  EXPECT_FALSE(glob_match(pattern + "b", text));
}

TEST(Glob, any_of_several) {
  EXPECT_TRUE(any_glob_match({"x", "b*"}, "bc"));
  EXPECT_FALSE(any_glob_match({"x", "b*"}, "c"));
  EXPECT_FALSE(any_glob_match({}, "c"));
}

}  // namespace
}  // namespace graft::convert_detail
