// A graph that is being edited, and the copying of its nodes into function bodies.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/work.h"
#include "frontend/lowered.h"
#include "frontend/lowered_frames.h"
#include "graphdef/attr.h"
#include "graphdef/writer.h"

namespace graft::frontend {

// Nodes that all bodies together may hold; one node may be in several.
inline constexpr int64_t kMaxLoweredCopies = int64_t{1} << 20;

struct LoweredOp {
  int32_t node = -1;
  std::string what;
  std::vector<std::string> anchors;  // those of what is within it included
};

class LoweredEdit {
 public:
  LoweredEdit(const graphdef::Graph& source, const LoweredRequest& request, WorkContext& work);

  graphdef::Graph graph;  // the source's nodes, then those that are made
  const LoweredRequest& request;
  LoopFrames frames;
  std::vector<LoweredOp> ops;
  std::unordered_map<int32_t, int32_t> op_of_node;
  std::vector<int32_t> owner;  // per node: the op whose functions hold it, or which it was part of
  std::vector<bool> renamed;   // per node: an Identity that was a Merge or an Exit
  std::vector<bool> is_fetched;   // per node of the source
  std::vector<std::string> left;  // per node of the source: why it was not rebuilt

  const graphdef::Node& node(int32_t v) const { return graph.nodes[static_cast<size_t>(v)]; }
  int32_t frame_of(int32_t v) const { return frames.of[static_cast<size_t>(v)]; }
  bool is_fed(int32_t v) const {
    return static_cast<size_t>(v) < request.fed.size() && request.fed[static_cast<size_t>(v)];
  }
  // "'name' (Op)"
  std::string named(int32_t v) const;
  std::string free_name(const std::string& wanted) const;  // that no node has

  // Adds a node of the given inputs; spec.inputs are left empty.
  int32_t add(graphdef::NodeSpec spec, const std::vector<graphdef::InputRef>& inputs,
              const std::vector<int32_t>& controls, int32_t frame);
  // The node keeps its name, device and control inputs.
  void make_identity(int32_t v, graphdef::InputRef source, DType dtype);
  // Adds the function to the library; `function.name` is made unique and returned.
  Result<std::string> add_function(graphdef::FunctionSpec function);
  std::string argument(size_t i) const { return argument_stem_ + std::to_string(i); }
  Status spend_copy();
  // Control inputs, each once, without NoOps: what those wait for stands for them. A NoOp is in no
  // engine and would part the nodes before it from those behind it.
  Result<std::vector<int32_t>> plain_controls(std::vector<int32_t> controls);

 private:
  void set(int32_t v, graphdef::NodeSpec spec, const std::vector<graphdef::InputRef>& inputs,
           const std::vector<int32_t>& controls);
  std::string_view keep(std::string text);

  struct Kept;
  std::shared_ptr<Kept> kept_;  // what the made nodes view
  std::string argument_stem_;   // begins no node's name
  std::unordered_set<std::string> function_names_;
  WorkContext& work_;
  int64_t copies_left_ = kMaxLoweredCopies;
};

// Copies nodes into the body of a function.
class BodyCopy {
 public:
  // The argument that a tensor is within the body; nullopt: its node is copied.
  using ReadTensor = std::function<Result<std::optional<size_t>>(graphdef::InputRef)>;
  // Whether the source of a control edge is copied; else the edge is left out.
  using ReadControl = std::function<bool(int32_t)>;

  BodyCopy(LoweredEdit& edit, ReadTensor tensor, ReadControl control)
      : edit_(edit), tensor_(std::move(tensor)), control_(std::move(control)) {}

  Status returns(graphdef::InputRef ref, DType dtype);
  void runs(int32_t node);  // though nothing reads it, if it is to be copied
  // The function without its inputs.
  Result<graphdef::FunctionSpec> finish();
  const std::vector<int32_t>& copied() const { return copied_; }

 private:
  Result<std::string> read(graphdef::InputRef ref);
  void need(int32_t v);

  LoweredEdit& edit_;
  ReadTensor tensor_;
  ReadControl control_;
  graphdef::FunctionSpec function_;
  std::unordered_set<int32_t> seen_, run_;
  std::vector<int32_t> pending_, copied_;
};

// Enters what the functions of a new op hold, and what else it stands for.
void record_op(LoweredEdit& edit, LoweredOp op, const std::vector<int32_t>& members);

// Rebuilds the loop of frame `f`, whose nodes are given; Unsupported says what it has that is not
// recognised.
Status rebuild_loop(LoweredEdit& edit, int32_t f, const std::vector<int32_t>& nodes,
                    const std::vector<int32_t>& exits);
// Rebuilds the conditionals of the frames of that depth, innermost first. What is not recognised
// is said in edit.left.
Status rebuild_conditionals(LoweredEdit& edit, int depth);

}  // namespace graft::frontend
