#include "partition/splice.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "base/check.h"
#include "base/fault.h"
#include "partition/native_segment.h"
#include "partition/rewrite.h"

namespace graft::partition {
namespace {

using graphdef::Graph;
using graphdef::InputRef;
using graphdef::Node;
using graphdef::NodeSpec;

uint64_t key_of(InputRef ref) {
  return static_cast<uint64_t>(ref.node) << 32 | static_cast<uint32_t>(ref.port);
}

std::string with_port(const std::string& name, size_t port) {
  return port == 0 ? name : name + ":" + std::to_string(port);
}

class Splicer {
 public:
  Splicer(const Graph& graph, const std::vector<EngineNode>& engines,
          std::span<const InputRef> fetched)
      : graph_(graph),
        engines_(engines),
        engine_of_(graph.nodes.size(), -1),
        first_of_(graph.nodes.size(), -1) {
    for (InputRef ref : fetched) {
      int32_t& port = fetched_port_.emplace(ref.node, ref.port).first->second;
      port = std::max(port, ref.port);
    }
  }

  Status run(std::vector<std::string>& names) {
    place_engines();
    choose_names(names);
    name_outputs();
    mark_dropped_constants();
    for (size_t v = 0; v < graph_.nodes.size(); ++v) {
      if (first_of_[v] >= 0) write_engine(static_cast<size_t>(first_of_[v]));
      if (engine_of_[v] < 0 && !dropped_[v]) write_native(static_cast<int32_t>(v));
    }
    return write_library();
  }

  graphdef::GraphWriter& writer() { return writer_; }

 private:
  const Node& node(int32_t v) const { return graph_.nodes[static_cast<size_t>(v)]; }
  int32_t engine_of(int32_t v) const { return engine_of_[static_cast<size_t>(v)]; }

  void place_engines() {
    for (size_t e = 0; e < engines_.size(); ++e) {
      const Segment& segment = *engines_[e].segment;
      GRAFT_CHECK(!segment.nodes.empty() &&
                      engines_[e].input_dtypes.size() == segment.inputs.size() &&
                      engines_[e].output_dtypes.size() == segment.outputs.size() &&
                      engines_[e].output_shapes.size() == segment.outputs.size(),
                  "an engine's signature does not fit its segment");
      for (int32_t v : segment.nodes) engine_of_[static_cast<size_t>(v)] = static_cast<int32_t>(e);
      const int32_t first = *std::min_element(segment.nodes.begin(), segment.nodes.end());
      first_of_[static_cast<size_t>(first)] = static_cast<int32_t>(e);
    }
  }

  void choose_names(std::vector<std::string>& names) {
    std::unordered_set<std::string> functions;
    for (const auto& function : graph_.functions) functions.emplace(function.name);
    names.clear();
    std::unordered_set<std::string> used;
    for (const EngineNode& engine : engines_) {
      const auto taken = [&](const std::string& name) {
        return graph_.find(name) >= 0 || functions.contains(name + "_native_segment") ||
               used.contains(name);
      };
      std::string name = engine.name;
      for (int64_t suffix = 1; taken(name); ++suffix)
        name = engine.name + "_" + std::to_string(suffix);
      used.insert(name);
      names.push_back(name);
    }
    names_ = names;
  }

  // What the outside calls each engine output: the engine's own port, or a node of the old name
  // behind it that keeps the static shape and the name of what is fetched.
  void name_outputs() {
    std::vector<bool> native_reads(graph_.nodes.size(), false);  // of output 0
    for (size_t v = 0; v < graph_.nodes.size(); ++v)
      if (engine_of_[v] < 0)
        for (InputRef ref : graph_.nodes[v].inputs)
          if (ref.port == 0) native_reads[static_cast<size_t>(ref.node)] = true;
    for (size_t e = 0; e < engines_.size(); ++e) {
      const auto& outputs = engines_[e].segment->outputs;
      for (size_t i = 0; i < outputs.size(); ++i) {
        const InputRef ref = outputs[i];
        output_.emplace(key_of(ref), std::pair{e, i});
        const bool known = !engines_[e].output_shapes[i].unknown_rank;
        if (ref.port == 0 && (fetched_port_.contains(ref.node) ||
                              (known && native_reads[static_cast<size_t>(ref.node)])))
          kept_name_.insert(ref.node);
      }
    }
    for (const auto& [v, port] : fetched_port_)
      if (port > 0 && engine_of(v) >= 0) kept_name_.insert(v);
  }

  void mark_dropped_constants() {
    dropped_.assign(graph_.nodes.size(), false);
    for (const EngineNode& engine : engines_)
      for (int32_t c : engine.segment->consts)
        dropped_[static_cast<size_t>(c)] = !fetched_port_.contains(c);
    for (size_t v = 0; v < graph_.nodes.size(); ++v) {
      if (engine_of_[v] >= 0) continue;
      for (InputRef ref : graph_.nodes[v].inputs) dropped_[static_cast<size_t>(ref.node)] = false;
      for (int32_t source : graph_.nodes[v].control_inputs)
        dropped_[static_cast<size_t>(source)] = false;
    }
  }

  bool exists(std::string_view name) const {
    const int32_t v = graph_.find(name);
    if (v < 0) return false;
    return engine_of(v) < 0 ? !dropped_[static_cast<size_t>(v)] : kept_name_.contains(v);
  }

  std::string engine_port(InputRef ref) const {
    const auto it = output_.find(key_of(ref));
    GRAFT_CHECK(it != output_.end(),
                "a tensor is read that its engine does not give: " + tensor_name(graph_, ref));
    return with_port(names_[it->second.first],
                     GRAFT_FAULT(splice_wrong_port) ? 0 : it->second.second);
  }

  // `by_engine`: engines read each other directly, natives behind the node that keeps the shape.
  std::string source_name(InputRef ref, bool by_engine) const {
    if (engine_of(ref.node) < 0 || (!by_engine && ref.port == 0 && kept_name_.contains(ref.node)))
      return tensor_name(graph_, ref);
    return engine_port(ref);
  }

  std::string control_name(int32_t source) const {
    const int32_t e = engine_of(source);
    return "^" + (e < 0 ? std::string(node(source).name) : names_[static_cast<size_t>(e)]);
  }

  void write_native(int32_t v) {
    const Node& n = node(v);
    std::vector<std::string> inputs;
    bool changed = false;
    for (InputRef ref : n.inputs) {
      inputs.push_back(source_name(ref, false));
      changed |= engine_of(ref.node) >= 0 && !(ref.port == 0 && kept_name_.contains(ref.node));
    }
    for (int32_t source : n.control_inputs) {
      std::string name = control_name(source);
      changed |= engine_of(source) >= 0;
      if (engine_of(source) < 0 || std::find(inputs.begin(), inputs.end(), name) == inputs.end())
        inputs.push_back(std::move(name));
    }
    const auto exists_fn = [this](std::string_view name) { return exists(name); };
    if (!changed && !has_dangling_colocation(n, exists_fn))
      writer_.add_raw(n.raw);
    else
      writer_.add_node(rewrite_node(n, inputs, exists_fn));
  }

  void write_engine(size_t e) {
    const EngineNode& engine = engines_[e];
    NodeSpec spec;
    spec.name = names_[e];
    spec.op = engine.op;
    spec.device = engine.device;
    spec.attrs = engine.attrs;
    for (InputRef ref : engine.segment->inputs) spec.inputs.push_back(source_name(ref, true));
    for (int32_t source : engine.segment->control_inputs) {
      if (GRAFT_FAULT(splice_drops_control)) break;
      std::string name = control_name(source);
      if (std::find(spec.inputs.begin(), spec.inputs.end(), name) == spec.inputs.end())
        spec.inputs.push_back(std::move(name));
    }
    if (engine.native_segment)
      spec.attrs.emplace_back("segment_func",
                              graphdef::attr_of_func(names_[e] + "_native_segment"));
    writer_.add(spec);
    int32_t last = -1;
    for (InputRef ref : engine.segment->outputs) {
      if (ref.node == last || !kept_name_.contains(ref.node)) continue;
      write_export(engine, ref.node);
      last = ref.node;
    }
  }

  // The node that keeps the name of an absorbed one.
  void write_export(const EngineNode& engine, int32_t v) {
    NodeSpec spec;
    spec.name = std::string(node(v).name);
    spec.device = std::string(node(v).device);
    const auto fetched = fetched_port_.find(v);
    const int32_t last_port = fetched == fetched_port_.end() ? 0 : fetched->second;
    std::vector<DType> dtypes;
    for (int32_t port = 0; port <= last_port; ++port) {
      const InputRef ref{v, port};
      spec.inputs.push_back(engine_port(ref));
      const size_t index = output_.at(key_of(ref)).second;
      dtypes.push_back(engine.output_dtypes[index]);
      if (last_port > 0) continue;
      spec.op = "Identity";
      spec.attrs = {{"T", graphdef::attr_of_type(dtypes[0])}};
      if (!engine.output_shapes[index].unknown_rank) {
        spec.op = "EnsureShape";
        spec.attrs.emplace_back("shape", graphdef::attr_of_shape(engine.output_shapes[index]));
      }
    }
    if (last_port > 0) {
      spec.op = "IdentityN";
      spec.attrs = {{"T", graphdef::attr_of_types(dtypes)}};
    }
    writer_.add(spec);
  }

  Status write_library() {
    for (const auto& function : graph_.functions) writer_.add_function_raw(function.raw);
    for (size_t e = 0; e < engines_.size(); ++e) {
      if (!engines_[e].native_segment) continue;
      GRAFT_ASSIGN_OR_RETURN(const auto function,
                             native_segment(graph_, engines_[e], names_[e] + "_native_segment"));
      writer_.add_function(function);
    }
    writer_.add_library_rest(graph_.library_rest);
    writer_.add_rest(graph_.rest);
    return ok_status();
  }

  const Graph& graph_;
  const std::vector<EngineNode>& engines_;
  std::vector<int32_t> engine_of_, first_of_;          // per node
  std::vector<bool> dropped_;                          // constants that engines alone use
  std::unordered_map<int32_t, int32_t> fetched_port_;  // node -> highest fetched output
  std::unordered_set<int32_t> kept_name_;              // absorbed nodes that get an export node
  std::unordered_map<uint64_t, std::pair<size_t, size_t>> output_;  // tensor -> engine, output
  std::vector<std::string> names_;
  graphdef::GraphWriter writer_;
};

}  // namespace

Result<Rope> splice(const Graph& graph, const std::vector<EngineNode>& engines,
                    std::span<const InputRef> fetched, std::vector<std::string>& names) {
  Splicer splicer(graph, engines, fetched);
  GRAFT_RETURN_IF_ERROR(splicer.run(names));
  return splicer.writer().finish_rope();
}

}  // namespace graft::partition
