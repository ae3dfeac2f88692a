#include <algorithm>
#include <array>
#include <bitset>

#include "base/log.h"
#include "graphdef/graph.h"
#include "graphdef/inputs.h"

namespace graft::graphdef {
namespace {

using Pairs = std::bitset<4096>;

// Pairs of neighbouring characters, six bits each: cheap to compare for millions of names.
Pairs pairs_of(std::string_view text) {
  Pairs pairs;
  for (size_t i = 0; i + 1 < text.size(); ++i)
    pairs.set((static_cast<size_t>(text[i]) & 63) << 6 | (static_cast<size_t>(text[i + 1]) & 63));
  return pairs;
}

// The names most like `wanted`, best first, quoted; "" when none is close.
std::string nearest_names(const Graph& graph, std::string_view wanted) {
  constexpr size_t kNames = 3;
  struct Candidate {
    double score;
    int32_t node;
  };
  std::vector<Candidate> best;
  const std::string_view short_wanted = wanted.substr(0, 256);
  const Pairs pairs = pairs_of(short_wanted);
  const size_t count = pairs.count();
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    const std::string_view name = graph.nodes[i].name.substr(0, 256);
    size_t common = 0;
    for (size_t k = 0; k + 1 < name.size(); ++k)
      common += pairs.test((static_cast<size_t>(name[k]) & 63) << 6 |
                           (static_cast<size_t>(name[k + 1]) & 63));
    const size_t total = count + (name.empty() ? 0 : name.size() - 1);
    const double score =
        total == 0 ? 0 : 2.0 * static_cast<double>(common) / static_cast<double>(total);
    if (score < 0.5) continue;
    const auto place =
        std::find_if(best.begin(), best.end(), [&](const Candidate& c) { return score > c.score; });
    best.insert(place, {score, static_cast<int32_t>(i)});
    if (best.size() > kNames) best.pop_back();
  }
  std::string text;
  for (const Candidate& c : best)
    text += (text.empty() ? "\"" : ", \"") +
            printable(graph.nodes[static_cast<size_t>(c.node)].name) + "\"";
  return text;
}

}  // namespace

Result<InputRef> find_tensor(const Graph& graph, std::string_view tensor_name) {
  InputText input;
  if (!parse_input(tensor_name, input) || input.control)
    return invalid_argument("\"" + printable(tensor_name) +
                            "\" is no tensor name; expected \"node\" or \"node:port\"");
  const int32_t node = graph.find(input.name);
  if (node >= 0) return InputRef{node, input.port};
  const std::string near = nearest_names(graph, input.name);
  return invalid_argument("the graph has no node \"" + printable(input.name) + "\"" +
                          (near.empty() ? "" : "; nearest names: " + near));
}

std::string tensor_name(const Graph& graph, InputRef ref) {
  std::string name(graph.nodes[static_cast<size_t>(ref.node)].name);
  if (ref.port != 0) name += ":" + std::to_string(ref.port);
  return name;
}

}  // namespace graft::graphdef
