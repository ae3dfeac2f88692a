#include "session/cut.h"

#include <algorithm>
#include <deque>

#include "graphdef/writer.h"

namespace graft::session {
namespace {

using graphdef::Graph;
using graphdef::InputRef;

// Text that the made Placeholders view.
using Texts = std::deque<std::string>;

graphdef::Node placeholder(const Graph& whole, const Fed& fed, Texts& texts) {
  graphdef::Node node;
  // Port 0 keeps the node's name, so that messages name what the caller fed.
  node.name = texts.emplace_back(graphdef::tensor_name(whole, fed.tensor));
  node.op = "Placeholder";
  const auto add = [&](std::string_view name, std::string value) {
    const std::string& kept = texts.emplace_back(std::move(value));
    node.attrs.push_back({name, std::as_bytes(std::span(kept))});
  };
  add("dtype", graphdef::attr_of_type(fed.dtype));
  add("shape", graphdef::attr_of_shape({false, fed.dims}));
  return node;
}

enum Need : uint8_t { kNone, kEffect, kValue };

}  // namespace

Cut cut_graph(const Graph& whole, std::span<const InputRef> fetches, std::span<const Fed> feeds) {
  const auto fed_index = [&](InputRef ref) {
    const auto it =
        std::find_if(feeds.begin(), feeds.end(), [&](const Fed& f) { return f.tensor == ref; });
    return it - feeds.begin();
  };
  const auto is_fed = [&](InputRef ref) {
    return fed_index(ref) < static_cast<ptrdiff_t>(feeds.size());
  };

  std::vector<Need> need(whole.nodes.size(), kNone);
  std::vector<int32_t> stack;
  const auto visit = [&](int32_t node, Need how) {
    if (need[node] >= how) return;
    need[node] = how;
    stack.push_back(node);
  };
  for (InputRef ref : fetches) {
    if (!is_fed(ref)) visit(ref.node, kValue);
  }
  while (!stack.empty()) {
    const int32_t at = stack.back();
    stack.pop_back();
    for (InputRef ref : whole.nodes[at].inputs) {
      if (!is_fed(ref)) visit(ref.node, need[at]);
    }
    for (int32_t control : whole.nodes[at].control_inputs) visit(control, kEffect);
  }

  Cut cut;
  cut.graph.functions = whole.functions;
  cut.graph.producer = std::max(whole.producer, 24);  // the made placeholders have true shapes
  cut.graph.min_consumer = whole.min_consumer;
  cut.graph.owners = whole.owners;
  auto texts = std::make_shared<Texts>();
  std::vector<graphdef::Node>& nodes = cut.graph.nodes;
  for (const Fed& fed : feeds) {
    cut.feeds.push_back({static_cast<int32_t>(nodes.size()), 0});
    nodes.push_back(placeholder(whole, fed, *texts));
    cut.effects_only.push_back(false);
  }
  cut.graph.owners.push_back(texts);
  std::vector<int32_t> renumbered(whole.nodes.size(), -1);
  for (size_t i = 0; i < whole.nodes.size(); ++i) {
    if (need[i] == kNone) continue;
    // A node that is fed and yet needed for another of its outputs keeps its name; the fed tensor's
    // stand-in has it too.
    renumbered[i] = static_cast<int32_t>(nodes.size());
    nodes.push_back(whole.nodes[i]);
    cut.effects_only.push_back(need[i] == kEffect);
  }
  const auto map = [&](InputRef ref) {
    return is_fed(ref) ? cut.feeds[fed_index(ref)] : InputRef{renumbered[ref.node], ref.port};
  };
  for (size_t i = feeds.size(); i < nodes.size(); ++i) {
    for (InputRef& input : nodes[i].inputs) input = map(input);
    for (int32_t& control : nodes[i].control_inputs) control = renumbered[control];
  }
  for (size_t i = 0; i < nodes.size(); ++i)
    cut.graph.index.emplace(nodes[i].name, static_cast<int32_t>(i));
  for (InputRef ref : fetches) cut.fetches.push_back(map(ref));
  return cut;
}

}  // namespace graft::session
