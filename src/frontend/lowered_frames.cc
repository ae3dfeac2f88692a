#include "frontend/lowered_frames.h"

#include <algorithm>
#include <map>

#include "base/log.h"
#include "graphdef/attr.h"

namespace graft::frontend {
namespace {

using graphdef::Graph;
using graphdef::Node;

bool enters(const Node& node) { return node.op == "Enter" || node.op == "RefEnter"; }
bool exits(const Node& node) { return node.op == "Exit" || node.op == "RefExit"; }
bool closes_loops(const Node& node) {
  return node.op == "NextIteration" || node.op == "RefNextIteration";
}

class Finder {
 public:
  explicit Finder(const Graph& graph) : graph_(graph) {
    result_.all.push_back({"", -1, 0, ""});
    result_.of.assign(graph.nodes.size(), 0);
  }

  LoopFrames run() {
    for (int32_t v : graphdef::topological_order(graph_)) place(v);
    for (size_t v = 0; v < graph_.nodes.size(); ++v) check_back_edges(static_cast<int32_t>(v));
    return std::move(result_);
  }

 private:
  const Node& node(int32_t v) const { return graph_.nodes[static_cast<size_t>(v)]; }
  int32_t frame_of(int32_t v) const { return result_.of[static_cast<size_t>(v)]; }
  const LoopFrame& frame(int32_t f) const { return result_.all[static_cast<size_t>(f)]; }

  void break_frame(int32_t f, const std::string& why) {
    if (f > 0 && frame(f).broken.empty()) result_.all[static_cast<size_t>(f)].broken = why;
  }
  std::string named(int32_t v) const {
    return "node '" + printable(node(v).name) + "' (" + printable(node(v).op) + ")";
  }

  // The frame of the node's inputs; a NextIteration tells nothing, since it may not be placed yet.
  int32_t frame_of_inputs(int32_t v) {
    int32_t found = -1;
    const auto look = [&](int32_t source) {
      if (closes_loops(node(source))) return;
      const int32_t f = frame_of(source);
      if (found < 0) found = f;
      if (f == found) return;
      const std::string why = named(v) + " reads of the frames '" + printable(frame(found).name) +
                              "' and '" + printable(frame(f).name) + "'";
      break_frame(found, why);
      break_frame(f, why);
      if (frame(f).depth > frame(found).depth) found = f;
    };
    for (const auto& input : node(v).inputs) look(input.node);
    for (int32_t source : node(v).control_inputs) look(source);
    return std::max(found, 0);
  }

  void place(int32_t v) {
    int32_t f = frame_of_inputs(v);
    if (enters(node(v))) {
      const auto name = graphdef::attr_string_or(node(v), "frame_name", "");
      const bool named_well = name.ok() && !name->empty();
      f = child(f, named_well ? *name : node(v).name);
      if (!named_well) break_frame(f, named(v) + " has no attribute 'frame_name'");
    } else if (exits(node(v)) && f > 0) {
      f = frame(f).parent;
    }
    result_.of[static_cast<size_t>(v)] = f;
  }

  int32_t child(int32_t parent, std::string_view name) {
    const auto [it, fresh] = children_.try_emplace({parent, std::string(name)},
                                                   static_cast<int32_t>(result_.all.size()));
    if (fresh) result_.all.push_back({std::string(name), parent, frame(parent).depth + 1, ""});
    return it->second;
  }

  void check_back_edges(int32_t v) {
    const auto check = [&](int32_t source, bool is_data) {
      if (!closes_loops(node(source))) return;
      if (node(v).op == "Merge" && is_data && frame_of(v) == frame_of(source)) return;
      const std::string why = named(v) + " reads '" + printable(node(source).name) + "' (" +
                              printable(node(source).op) + "), as only a Merge of its frame may";
      break_frame(frame_of(v), why);
      break_frame(frame_of(source), why);
    };
    for (const auto& input : node(v).inputs) check(input.node, true);
    for (int32_t source : node(v).control_inputs) check(source, false);
  }

  const Graph& graph_;
  LoopFrames result_;
  std::map<std::pair<int32_t, std::string>, int32_t> children_;
};

}  // namespace

LoopFrames find_frames(const Graph& graph) { return Finder(graph).run(); }

bool is_frame_op(std::string_view op) {
  constexpr std::string_view kOps[] = {
      "Enter",  "RefEnter",  "Exit",     "RefExit",       "Switch",           "RefSwitch",
      "Merge",  "RefMerge",  "LoopCond", "NextIteration", "RefNextIteration", "_SwitchN",
      "_Merge", "_XlaMerge", "_Switch"};
  return std::find(std::begin(kOps), std::end(kOps), op) != std::end(kOps);
}

}  // namespace graft::frontend
