// Contraction: nodes joined into groups so that the graph of groups stays free of cycles. Groups
// carry keys that rise along every edge; joining two groups moves few others (order maintenance),
// so checks need not leave the key range.
#pragma once

#include <cstdint>
#include <vector>

#include "partition/topology.h"

namespace graft::partition {

class Contraction {
 public:
  // `label`: nodes of one label and kind that edges join become one group; see label_nodes.
  Contraction(const Topology& topology, const std::vector<int32_t>& label);

  int32_t group(int32_t node);
  // Joins the groups of `source` and `dest`, the ends of an edge, unless that would close a cycle
  // or cost more than `max_visits` to find out. True when they are one group afterwards. Adds what
  // was looked at to `visits`.
  bool join(int32_t source, int32_t dest, int64_t max_visits, int64_t& visits);

 private:
  friend class PathSearch;
  void unite(int32_t into, int32_t from);
  void unlink(int32_t g);
  void insert_behind(int32_t place, std::vector<int32_t>& groups, int64_t& visits);
  void renumber(int64_t& visits);

  const Topology& topology_;
  std::vector<int32_t> parent_;  // union-find; a group is its root node
  std::vector<int32_t> next_member_, last_member_;
  std::vector<int32_t> before_,
      after_;  // the groups in key order; the last entry is the list's head
  std::vector<int64_t> key_;
  std::vector<uint32_t> mark_;  // 2 * round + direction of the search that saw a group last
  uint32_t round_ = 0;
  int32_t head_ = 0;
};

// label(v) = max over predecessors u of label(u), plus 1 where the kind changes. Nodes of one label
// and kind have no path through another kind between them.
std::vector<int32_t> label_nodes(const Topology& topology);

}  // namespace graft::partition
