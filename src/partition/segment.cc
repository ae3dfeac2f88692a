#include "partition/segment.h"

#include <algorithm>
#include <numeric>
#include <unordered_set>

#include "base/check.h"
#include "partition/contraction.h"
#include "partition/emit.h"
#include "partition/topology.h"

namespace graft::partition {
namespace {

// Joins what the label pass split needlessly, within what is left of 20 visits per node and edge.
void merge_groups(const Topology& topology, Contraction& contraction, int64_t& visits) {
  const int64_t total = static_cast<int64_t>(topology.kind.size() + topology.out.size());
  const int64_t end = 16 * total;  // the passes before and after take the rest
  int64_t candidates = 0;
  std::unordered_set<uint64_t> refused;
  const auto joinable = [&](int32_t u, int32_t v) {
    const int32_t kind = topology.kind[static_cast<size_t>(u)];
    return kind >= 0 && kind == topology.kind[static_cast<size_t>(v)] &&
           contraction.group(u) != contraction.group(v);
  };
  for (int32_t v : topology.order)
    for (int32_t u : topology.ins(v)) candidates += joinable(u, v);
  visits += total;
  for (int32_t v : topology.order) {
    for (int32_t u : topology.ins(v)) {
      if (!joinable(u, v)) continue;
      if (visits >= end) return;
      const uint64_t pair = static_cast<uint64_t>(contraction.group(u)) << 32 |
                            static_cast<uint32_t>(contraction.group(v));
      const int64_t fair = 8 * (end - visits) / std::max<int64_t>(candidates, 1);
      --candidates;
      if (refused.contains(pair)) continue;
      if (!contraction.join(u, v, std::min(end - visits, std::max<int64_t>(64, fair)), visits))
        refused.insert(pair);
    }
  }
}

struct Group {
  std::vector<int32_t> nodes;
  int64_t effective = 0;
  double value = 0;
  bool has_input = false;
};

std::vector<Group> collect_groups(const graphdef::Graph& graph, std::span<const NodeClass> classes,
                                  const Topology& topology, Contraction& contraction) {
  std::vector<Group> groups;
  std::vector<int32_t> number(topology.kind.size(), -1);
  for (int32_t v : topology.order) {
    const auto i = static_cast<size_t>(v);
    if (topology.kind[i] < 0) continue;
    const auto root = static_cast<size_t>(contraction.group(v));
    if (number[root] < 0) {
      number[root] = static_cast<int32_t>(groups.size());
      groups.emplace_back();
    }
    Group& group = groups[static_cast<size_t>(number[root])];
    group.nodes.push_back(v);
    group.effective += classes[i].effective;
    group.value += classes[i].value;
    for (const auto& input : graph.nodes[i].inputs)
      if (!is_free(graph, classes, input.node) &&
          (topology.kind[static_cast<size_t>(input.node)] < 0 ||
           contraction.group(input.node) != static_cast<int32_t>(root)))
        group.has_input = true;
  }
  return groups;
}

Segmentation segment_once(const graphdef::Graph& graph, std::span<const NodeClass> classes,
                          std::span<const graphdef::InputRef> fetched,
                          const SegmentOptions& options) {
  Topology topology = make_topology(graph, classes);
  const auto label = label_nodes(topology);
  Contraction contraction(topology, label);
  Segmentation result;
  result.edge_visits =
      topology.visits + 2 * static_cast<int64_t>(topology.kind.size() + topology.in.size());
  merge_groups(topology, contraction, result.edge_visits);

  std::vector<Group> groups = collect_groups(graph, classes, topology, contraction);
  result.dropped_reason = std::move(topology.reason);
  const auto drop = [&](const Group& group, const std::string& reason) {
    for (int32_t v : group.nodes) result.dropped_reason[static_cast<size_t>(v)] = reason;
  };
  std::vector<size_t> kept;
  for (size_t g = 0; g < groups.size(); ++g) {
    if (groups[g].effective < options.min_segment_size) {
      drop(groups[g], "its segment has " + std::to_string(groups[g].effective) +
                          " effective nodes, min_segment_size is " +
                          std::to_string(options.min_segment_size));
    } else if (!groups[g].has_input) {
      drop(groups[g], "its segment has no inputs: everything in it is constant");
    } else {
      kept.push_back(g);
    }
  }
  if (options.max_segments > 0 && kept.size() > static_cast<size_t>(options.max_segments)) {
    std::stable_sort(kept.begin(), kept.end(),
                     [&](size_t a, size_t b) { return groups[a].value > groups[b].value; });
    for (size_t i = static_cast<size_t>(options.max_segments); i < kept.size(); ++i)
      drop(groups[kept[i]], "its segment is not among the " + std::to_string(options.max_segments) +
                                " most valuable, max_engines is the limit");
    kept.resize(static_cast<size_t>(options.max_segments));
    std::sort(kept.begin(), kept.end());
  }
  result.segment_of.assign(graph.nodes.size(), -1);
  for (size_t g : kept) {
    Segment& segment = result.segments.emplace_back();
    segment.nodes = std::move(groups[g].nodes);
    segment.effective_nodes = groups[g].effective;
    for (int32_t v : segment.nodes)
      result.segment_of[static_cast<size_t>(v)] = static_cast<int32_t>(result.segments.size() - 1);
  }
  fill_borders(graph, classes, fetched, result);
  return result;
}

// Bonds whose nodes are not all in one segment.
std::vector<bool> broken_bonds(std::span<const NodeClass> classes, const Segmentation& result) {
  constexpr int32_t kNone = -2;
  std::vector<bool> broken(classes.size(), false);
  std::vector<int32_t> segment_of_bond(classes.size(), kNone);
  for (size_t i = 0; i < classes.size(); ++i) {
    if (classes[i].bond < 0) continue;
    const auto bond = static_cast<size_t>(classes[i].bond);
    GRAFT_CHECK(bond < classes.size(), "bond");
    if (segment_of_bond[bond] == kNone) segment_of_bond[bond] = result.segment_of[i];
    if (result.segment_of[i] < 0 || result.segment_of[i] != segment_of_bond[bond])
      broken[bond] = true;
  }
  return broken;
}

}  // namespace

Segmentation segment(const graphdef::Graph& graph, std::span<const NodeClass> classes,
                     std::span<const graphdef::InputRef> fetched, const SegmentOptions& options) {
  GRAFT_CHECK(classes.size() == graph.nodes.size(), "one class per node");
  Segmentation result = segment_once(graph, classes, fetched, options);
  const auto is_bonded = [](const NodeClass& c) { return c.bond >= 0; };
  if (std::none_of(classes.begin(), classes.end(), is_bonded)) return result;
  std::vector<NodeClass> left(classes.begin(), classes.end());
  std::vector<std::string> reason(classes.size());
  for (;;) {  // each time round at least one bond is given up
    const std::vector<bool> broken = broken_bonds(left, result);
    bool any = false;
    for (size_t i = 0; i < left.size(); ++i) {
      if (left[i].bond < 0 || !broken[static_cast<size_t>(left[i].bond)]) continue;
      any = true;
      if (left[i].supported)
        reason[i] = result.dropped_reason[i].empty()
                        ? "it shares a tensor that no border of an engine passes (a tensor list, "
                          "quantized or "
                          "complex numbers) with a node that is not in its engine"
                        : result.dropped_reason[i];
      left[i].supported = false;
      left[i].bond = -1;
    }
    if (!any) break;
    const int64_t visits = result.edge_visits;
    result = segment_once(graph, left, fetched, options);
    result.edge_visits += visits;
  }
  for (size_t i = 0; i < reason.size(); ++i)
    if (!reason[i].empty()) result.dropped_reason[i] = reason[i];
  return result;
}

}  // namespace graft::partition
