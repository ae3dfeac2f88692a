#include "partition/contraction.h"

#include <algorithm>

#include "base/check.h"
#include "base/fault.h"

namespace graft::partition {

std::vector<int32_t> label_nodes(const Topology& topology) {
  std::vector<int32_t> label(topology.kind.size(), 0);
  for (int32_t v : topology.order)
    for (int32_t u : topology.ins(v)) {
      const auto a = static_cast<size_t>(u), b = static_cast<size_t>(v);
      label[b] = std::max(label[b], label[a] + (topology.kind[a] != topology.kind[b]));
    }
  return label;
}

Contraction::Contraction(const Topology& topology, const std::vector<int32_t>& label)
    : topology_(topology) {
  const size_t count = topology.kind.size();
  parent_.resize(count);
  next_member_.assign(count, -1);
  for (size_t i = 0; i < count; ++i) parent_[i] = static_cast<int32_t>(i);
  last_member_ = parent_;
  mark_.assign(count, 0);
  for (int32_t v : topology.order)
    for (int32_t u : topology.ins(v)) {
      const auto a = static_cast<size_t>(u), b = static_cast<size_t>(v);
      if (topology.kind[a] < 0 || topology.kind[a] != topology.kind[b] || label[a] != label[b])
        continue;
      const int32_t into = group(u), from = group(v);
      if (into != from) unite(into, from);
    }
  // By label, then in the nodes' own order: an edge within one label joins native nodes only.
  std::vector<int32_t> groups;
  for (int32_t v : topology.order)
    if (group(v) == v) groups.push_back(v);
  std::stable_sort(groups.begin(), groups.end(), [&](int32_t a, int32_t b) {
    return label[static_cast<size_t>(a)] < label[static_cast<size_t>(b)];
  });
  head_ = static_cast<int32_t>(count);
  before_.assign(count + 1, head_);
  after_.assign(count + 1, head_);
  key_.assign(count + 1, 0);
  int32_t last = head_;
  for (int32_t g : groups) {
    after_[static_cast<size_t>(last)] = g;
    before_[static_cast<size_t>(g)] = last;
    last = g;
  }
  before_[static_cast<size_t>(head_)] = last;
  int64_t visits = 0;
  renumber(visits);
}

int32_t Contraction::group(int32_t node) {
  auto i = static_cast<size_t>(node);
  while (parent_[i] != static_cast<int32_t>(i)) {
    parent_[i] = parent_[static_cast<size_t>(parent_[i])];
    i = static_cast<size_t>(parent_[i]);
  }
  return static_cast<int32_t>(i);
}

void Contraction::unite(int32_t into, int32_t from) {
  const auto i = static_cast<size_t>(into), f = static_cast<size_t>(from);
  parent_[f] = into;
  next_member_[static_cast<size_t>(last_member_[i])] = from;
  last_member_[i] = last_member_[f];
}

void Contraction::unlink(int32_t g) {
  const auto i = static_cast<size_t>(g);
  after_[static_cast<size_t>(before_[i])] = after_[i];
  before_[static_cast<size_t>(after_[i])] = before_[i];
}

void Contraction::renumber(int64_t& visits) {
  constexpr int64_t kSpan = int64_t{1} << 62;
  const int64_t gap = kSpan / (static_cast<int64_t>(parent_.size()) + 1);
  int64_t key = 0;
  for (int32_t g = after_[static_cast<size_t>(head_)]; g != head_;
       g = after_[static_cast<size_t>(g)]) {
    key_[static_cast<size_t>(g)] = key += gap;
    ++visits;
  }
}

// Puts `groups`, already unlinked, behind `place` in the order of their old keys.
void Contraction::insert_behind(int32_t place, std::vector<int32_t>& groups, int64_t& visits) {
  if (groups.empty()) return;
  std::sort(groups.begin(), groups.end(), [&](int32_t a, int32_t b) {
    return key_[static_cast<size_t>(a)] < key_[static_cast<size_t>(b)];
  });
  const int32_t next = after_[static_cast<size_t>(place)];
  const int64_t low = place == head_ ? 0 : key_[static_cast<size_t>(place)];
  const int64_t high =
      next == head_ ? (int64_t{1} << 62) + (int64_t{1} << 61) : key_[static_cast<size_t>(next)];
  const int64_t gap = (high - low) / (static_cast<int64_t>(groups.size()) + 1);
  int32_t last = place;
  int64_t key = low;
  for (int32_t g : groups) {
    const auto i = static_cast<size_t>(g);
    after_[static_cast<size_t>(last)] = g;
    before_[i] = last;
    key_[i] = key += gap;
    last = g;
  }
  after_[static_cast<size_t>(last)] = next;
  before_[static_cast<size_t>(next)] = last;
  visits += static_cast<int64_t>(groups.size());
  if (gap == 0) renumber(visits);
}

// One direction of the search for a path between two groups; stays within their key range.
class PathSearch {
 public:
  enum class Step { kRunning, kExhausted, kMet };

  PathSearch(Contraction& c, bool forward, int32_t start, int32_t goal)
      : c_(c), forward_(forward), start_(start), goal_(goal), member_(start) {
    seen_.push_back(start);
    mark(start);
  }

  Step step() {
    while (true) {
      const auto edges = forward_ ? c_.topology_.outs(member_) : c_.topology_.ins(member_);
      if (edge_ < edges.size()) return look(c_.group(edges[edge_++]));
      edge_ = 0;
      member_ = c_.next_member_[static_cast<size_t>(member_)];
      if (member_ >= 0) return Step::kRunning;
      if (++head_ == seen_.size()) return Step::kExhausted;
      member_ = seen_[head_];
    }
  }

  // What was reached, without the start.
  std::vector<int32_t> reached() const { return {seen_.begin() + 1, seen_.end()}; }

 private:
  uint32_t own_mark() const { return 2 * c_.round_ + (forward_ ? 1 : 0); }
  void mark(int32_t g) { c_.mark_[static_cast<size_t>(g)] = own_mark(); }

  Step look(int32_t g) {
    const uint32_t seen_by = c_.mark_[static_cast<size_t>(g)];
    if (seen_by == own_mark()) return Step::kRunning;
    const bool from_start = seen_[head_] == start_;
    if (g == goal_ && from_start) return Step::kRunning;  // the edge that is to be contracted
    if (seen_by == (own_mark() ^ 1) && !GRAFT_FAULT(segment_ignores_path)) return Step::kMet;
    const int64_t key = c_.key_[static_cast<size_t>(g)],
                  limit = c_.key_[static_cast<size_t>(goal_)];
    if (forward_ ? key > limit : key < limit) return Step::kRunning;
    mark(g);
    seen_.push_back(g);
    return Step::kRunning;
  }

  Contraction& c_;
  const bool forward_;
  const int32_t start_, goal_;
  std::vector<int32_t> seen_;
  size_t head_ = 0, edge_ = 0;
  int32_t member_;
};

bool Contraction::join(int32_t source, int32_t dest, int64_t max_visits, int64_t& visits) {
  const int32_t a = group(source), b = group(dest);
  if (a == b) return true;
  GRAFT_CHECK(key_[static_cast<size_t>(a)] < key_[static_cast<size_t>(b)],
              "the groups' order is broken");
  ++round_;
  PathSearch down(*this, true, a, b), up(*this, false, b, a);
  using Step = PathSearch::Step;
  Step down_step = Step::kRunning, up_step = Step::kRunning;
  for (int64_t spent = 0; down_step == Step::kRunning && up_step == Step::kRunning; spent += 2) {
    if (spent >= max_visits) return false;
    down_step = down.step();
    if (down_step == Step::kRunning) up_step = up.step();
    visits += 2;
  }
  if (down_step == Step::kMet || up_step == Step::kMet) return false;
  // Everything below a (or above b) in the range is known: it moves past the place where the joined
  // group goes.
  const bool down_done = down_step == Step::kExhausted;
  std::vector<int32_t> moved = down_done ? down.reached() : up.reached();
  for (int32_t g : moved) unlink(g);
  unlink(down_done ? a : b);
  unite(down_done ? b : a, down_done ? a : b);
  insert_behind(down_done ? b : before_[static_cast<size_t>(a)], moved, visits);
  return true;
}

}  // namespace graft::partition
