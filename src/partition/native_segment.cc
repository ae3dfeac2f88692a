#include "partition/native_segment.h"

#include <unordered_map>
#include <unordered_set>

#include "base/check.h"
#include "graphdef/output_names.h"
#include "partition/rewrite.h"

namespace graft::partition {
namespace {

using graphdef::Graph;
using graphdef::InputRef;
using graphdef::Node;

class Builder {
 public:
  Builder(const Graph& graph, const EngineNode& engine)
      : graph_(graph), engine_(engine), segment_(*engine.segment) {
    for (const auto* list : {&segment_.consts, &segment_.nodes})
      for (int32_t v : *list) inside_.insert(graph.nodes[static_cast<size_t>(v)].name);
  }

  Result<graphdef::FunctionSpec> build(const std::string& function_name) {
    graphdef::FunctionSpec function;
    function.name = function_name;
    for (size_t i = 0; i < segment_.inputs.size(); ++i) {
      std::string name = argument_name("TensorRTInputPH_", i);
      arguments_.emplace(key_of(segment_.inputs[i]), name);
      function.inputs.push_back({std::move(name), engine_.input_dtypes[i]});
    }
    for (int32_t v : segment_.consts) function.nodes.push_back(rewrite_node(node(v), {}, exists()));
    for (int32_t v : segment_.nodes) {
      GRAFT_ASSIGN_OR_RETURN(const auto inputs, inputs_of(node(v)));
      function.nodes.push_back(rewrite_node(node(v), inputs, exists()));
    }
    for (size_t i = 0; i < segment_.outputs.size(); ++i) {
      const std::string name = "TensorRTOutputPH_" + std::to_string(i);
      GRAFT_ASSIGN_OR_RETURN(std::string value, inner_name(segment_.outputs[i]));
      function.outputs.push_back({name, engine_.output_dtypes[i]});
      function.returns.emplace_back(name, std::move(value));
    }
    return function;
  }

 private:
  static uint64_t key_of(InputRef ref) {
    return static_cast<uint64_t>(ref.node) << 32 | static_cast<uint32_t>(ref.port);
  }
  const Node& node(int32_t v) const { return graph_.nodes[static_cast<size_t>(v)]; }
  NodeExists exists() const {
    return [this](std::string_view name) { return inside_.contains(name); };
  }

  // Arguments and nodes of a function share one name space.
  std::string argument_name(const std::string& stem, size_t index) const {
    std::string name = stem + std::to_string(index);
    while (inside_.contains(name)) name += "_arg";
    return name;
  }

  Result<std::string> inner_name(InputRef ref) const {
    if (auto it = arguments_.find(key_of(ref)); it != arguments_.end()) return it->second;
    GRAFT_CHECK(inside_.contains(node(ref.node).name),
                "an input of a segment node is in no list of the segment");
    GRAFT_ASSIGN_OR_RETURN(const std::string port, graphdef::output_name(node(ref.node), ref.port));
    return std::string(node(ref.node).name) + ":" + port;
  }

  Result<std::vector<std::string>> inputs_of(const Node& n) const {
    std::vector<std::string> inputs;
    for (InputRef ref : n.inputs) {
      GRAFT_ASSIGN_OR_RETURN(std::string name, inner_name(ref));
      inputs.push_back(std::move(name));
    }
    for (int32_t source : n.control_inputs)
      if (inside_.contains(node(source).name))
        inputs.push_back("^" + std::string(node(source).name));
    return inputs;
  }

  const Graph& graph_;
  const EngineNode& engine_;
  const Segment& segment_;
  std::unordered_set<std::string_view> inside_;
  std::unordered_map<uint64_t, std::string> arguments_;
};

}  // namespace

Result<graphdef::FunctionSpec> native_segment(const Graph& graph, const EngineNode& engine,
                                              const std::string& function_name) {
  return Builder(graph, engine).build(function_name);
}

}  // namespace graft::partition
