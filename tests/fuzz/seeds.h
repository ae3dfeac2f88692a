// Small valid inputs that the corpora start from.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace graft {

using Seeds = std::vector<std::pair<std::string, std::string>>;  // name, bytes

Seeds graph_seeds();  // GraphDefs
Seeds seeds();        // of the fuzz target that is linked: graph_target.cc or plan_target.cc

}  // namespace graft
