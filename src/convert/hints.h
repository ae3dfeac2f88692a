// What the user may do about a native node whose refusal says nothing of its own.
#pragma once

#include <string_view>

namespace graft::convert_detail {

// By the reason's code; for one that is not known, the page of what is supported.
std::string_view default_hint(std::string_view code, std::string_view reason);

}  // namespace graft::convert_detail
