// Shell-style patterns for the deny and allow lists: '*' any run of characters, '?' one character.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace graft::convert_detail {

bool glob_match(std::string_view pattern,
                std::string_view text);  // linear in pattern x text, no recursion
bool any_glob_match(const std::vector<std::string>& patterns, std::string_view text);

}  // namespace graft::convert_detail
