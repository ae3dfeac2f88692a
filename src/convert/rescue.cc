// An engine node's outputs are what its native segment returns, and the segment's arguments are the
// node's inputs: both are edges that pass through, so that every reference is followed to a node
// that is written.
#include "graft/rescue.h"

#include <algorithm>
#include <list>
#include <map>
#include <memory>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include "base/check.h"
#include "base/log.h"
#include "graphdef/attr.h"
#include "graphdef/function_body.h"
#include "graphdef/writer.h"
#include "partition/calib.h"

namespace graft {
namespace {

using graphdef::FunctionGraph;
using graphdef::Graph;
using graphdef::InputRef;
using graphdef::Node;

bool is_engine(const Node& node) { return node.op == "TRTEngineOp" || node.op == "GraftEngineOp"; }

// The attribute as TF-TRT wrote it since 2.0, before, and the name that both give the function.
Result<std::string> segment_name(const Node& node) {
  if (const graphdef::AttrView* attr = node.find_attr("segment_func")) {
    GRAFT_ASSIGN_OR_RETURN(const graphdef::AttrValue value, graphdef::decode_attr(attr->value));
    if (value.kind == graphdef::AttrValue::Kind::kFunc && !value.func.name.empty())
      return std::string(value.func.name);
  }
  GRAFT_ASSIGN_OR_RETURN(const std::string_view old,
                         graphdef::attr_string_or(node, "segment_funcdef_name", ""));
  return old.empty() ? std::string(node.name) + "_native_segment" : std::string(old);
}

Status check_dtypes(const Node& node, std::string_view attr, const char* what,
                    const std::vector<DType>& segment) {
  if (node.find_attr(attr) == nullptr) return ok_status();
  GRAFT_ASSIGN_OR_RETURN(const std::vector<DType> types, graphdef::attr_type_list(node, attr));
  if (types == segment) return ok_status();
  return invalid_graph("its native segment has other " + std::string(what) +
                       " than its attribute '" + std::string(attr) + "'");
}

// One engine node and the nodes that stand for it.
struct Segment {
  FunctionGraph function;
  std::string function_name;
  std::vector<std::string> names;  // of the function's nodes in the new graph; "": an argument
  bool is_arg(int32_t node) const { return static_cast<size_t>(node) < function.arg_dtypes.size(); }
};

class Rescue {
 public:
  explicit Rescue(const Graph& graph) : graph_(graph) {}

  Status read_segments() {
    for (size_t v = 0; v < graph_.nodes.size(); ++v) {
      const Node& node = graph_.nodes[v];
      if (!is_engine(node)) continue;
      auto segment = read_segment(node);
      if (!segment.ok())
        return segment.status().with_context("engine node '" + printable(node.name) + "'");
      segments_.emplace(static_cast<int32_t>(v), std::move(*segment));
    }
    for (size_t v = 0; v < graph_.nodes.size(); ++v) {
      if (is_engine(graph_.nodes[v])) continue;
      if (stands_in(graph_.nodes[v]))
        stand_ins_.insert(static_cast<int32_t>(v));
      else
        taken_.emplace(graph_.nodes[v].name);
    }
    // Names once those of all other nodes are known.
    for (size_t v = 0; v < graph_.nodes.size(); ++v)
      if (Segment* segment = segment_of(static_cast<int32_t>(v)))
        name_nodes(graph_.nodes[v].name, *segment);
    return ok_status();
  }

  // Functions whose bodies hold engines get them as they were, too.
  Status rescue_bodies() {
    const std::unordered_set<std::string_view> dropped = segment_functions();
    for (const graphdef::Function& function : graph_.functions) {
      if (dropped.contains(function.name)) continue;
      const auto body = graphdef::function_graph(graph_, function.name);
      if (!body.ok()) continue;  // not of a form that can hold engines of ours or TF-TRT's
      if (std::none_of(body->graph.nodes.begin(), body->graph.nodes.end(), is_engine)) continue;
      if (Status s = rescue_body(function, *body); !s.ok())
        return s.with_context("function '" + printable(function.name) + "'");
    }
    return ok_status();
  }

  Result<Rescued> write() const {
    graphdef::GraphWriter writer;
    Rescued result;
    std::list<std::string> renamed;  // what the writer views
    for (size_t v = 0; v < graph_.nodes.size(); ++v) {
      const Node& node = graph_.nodes[v];
      if (const Segment* segment = segment_of(static_cast<int32_t>(v))) {
        result.engines.push_back(std::string(node.name));
        GRAFT_RETURN_IF_ERROR(add_segment(static_cast<int32_t>(v), *segment, writer));
        continue;
      }
      if (stand_ins_.contains(static_cast<int32_t>(v))) continue;
      GRAFT_ASSIGN_OR_RETURN(const std::vector<std::string> inputs, inputs_of(node));
      if (names_.empty()) {
        writer.add_with_inputs(node, inputs);
        continue;
      }
      GRAFT_ASSIGN_OR_RETURN(renamed.emplace_back(), graphdef::rename_functions(node.raw, names_));
      Node copy = node;
      copy.raw = graphdef::as_bytes(renamed.back());
      writer.add_with_inputs(copy, inputs);
    }
    std::unordered_set<std::string_view> dropped = segment_functions();
    dropped.insert(body_segments_.begin(), body_segments_.end());
    std::unordered_set<std::string_view> library;
    for (const graphdef::Function& function : graph_.functions) library.insert(function.name);
    std::list<std::string> kept;  // what the writer views
    for (const graphdef::Function& function : graph_.functions) {
      if (dropped.contains(function.name)) continue;
      const auto body = bodies_.find(function.name);
      const auto name = names_.find(function.name);
      if (name != names_.end() && library.contains(name->second)) continue;  // it is still there
      const graphdef::Bytes raw =
          body == bodies_.end() ? function.raw : graphdef::Bytes(body->second);
      if (names_.empty()) {
        writer.add_function_raw(raw);
        continue;
      }
      GRAFT_ASSIGN_OR_RETURN(
          std::string renamed,
          graphdef::rename_function(raw, name == names_.end() ? function.name : name->second, "",
                                    names_));
      kept.push_back(std::move(renamed));
      writer.add_function_raw(graphdef::as_bytes(kept.back()));
    }
    result.engines.insert(result.engines.end(), body_engines_.begin(), body_engines_.end());
    writer.add_library_rest(graph_.library_rest);
    writer.add_rest(graph_.rest);
    GRAFT_ASSIGN_OR_RETURN(result.graph, writer.finish());
    return result;
  }

 private:
  const Segment* segment_of(int32_t node) const {
    const auto it = segments_.find(node);
    return it == segments_.end() ? nullptr : &it->second;
  }
  Segment* segment_of(int32_t node) {
    const auto it = segments_.find(node);
    return it == segments_.end() ? nullptr : &it->second;
  }
  Status rescue_body(const graphdef::Function& function, const FunctionGraph& body) {
    GRAFT_ASSIGN_OR_RETURN(
        std::vector<std::byte> bytes,
        graphdef::body_graph(
            body, std::vector<std::optional<graphdef::ShapeView>>(body.arg_dtypes.size()), graph_));
    GRAFT_ASSIGN_OR_RETURN(const Graph graph, graphdef::parse(bytes));
    Rescue inner(graph);
    GRAFT_RETURN_IF_ERROR(inner.read_segments());
    for (std::string_view name : inner.segment_functions()) body_segments_.emplace(name);
    GRAFT_ASSIGN_OR_RETURN(const Rescued rescued, inner.write());
    body_engines_.insert(body_engines_.end(), rescued.engines.begin(), rescued.engines.end());
    GRAFT_ASSIGN_OR_RETURN(const Graph changed, graphdef::parse(rescued.graph));
    std::vector<std::string> returns;
    for (InputRef ref : body.returns) {
      GRAFT_ASSIGN_OR_RETURN(
          std::string name,
          inner.tensor_of({graph.find(body.graph.nodes[ref.node].name), ref.port}));
      returns.push_back(std::move(name));
    }
    GRAFT_ASSIGN_OR_RETURN(bodies_[std::string(function.name)],
                           graphdef::with_body(function.raw, body, changed, returns));
    if (const std::string_view old = graphdef::original_name(function.raw); !old.empty())
      names_.emplace(function.name, old);
    return ok_status();
  }
  std::unordered_set<std::string_view> segment_functions() const {
    std::unordered_set<std::string_view> names;
    for (const auto& [node, segment] : segments_) names.insert(segment.function_name);
    return names;
  }

  Result<Segment> read_segment(const Node& node) const {
    Segment segment;
    GRAFT_ASSIGN_OR_RETURN(segment.function_name, segment_name(node));
    const bool known =
        std::any_of(graph_.functions.begin(), graph_.functions.end(),
                    [&](const auto& function) { return function.name == segment.function_name; });
    if (!known)
      return unsupported("the graph has no function '" + printable(segment.function_name) +
                         "', its native segment: without it the nodes that it replaced are not "
                         "known; convert the original graph");
    GRAFT_ASSIGN_OR_RETURN(segment.function,
                           graphdef::function_graph(graph_, segment.function_name));
    if (segment.function.arg_dtypes.size() != node.inputs.size())
      return invalid_graph("it has " + std::to_string(node.inputs.size()) +
                           " inputs, its native segment " +
                           std::to_string(segment.function.arg_dtypes.size()) + " arguments");
    GRAFT_RETURN_IF_ERROR(check_dtypes(node, "InT", "arguments", segment.function.arg_dtypes));
    GRAFT_RETURN_IF_ERROR(check_dtypes(node, "OutT", "returns", segment.function.return_dtypes));
    for (const Node& inner : segment.function.graph.nodes)
      if (is_engine(inner))
        return unsupported("its native segment holds an engine, '" + printable(inner.name) + "'");
    return segment;
  }

  // Whether the conversion put this node in the place of the segment's node of that name, because
  // its tensor is fetched or its shape is read.
  bool stands_in(const Node& node) const {
    if ((node.op != "EnsureShape" && node.op != "Identity") || node.inputs.size() != 1 ||
        !node.control_inputs.empty())
      return false;
    const Segment* segment = segment_of(node.inputs[0].node);
    const auto port = static_cast<size_t>(node.inputs[0].port);
    if (!segment || port >= segment->function.returns.size()) return false;
    const InputRef inner = segment->function.returns[port];
    return !segment->is_arg(inner.node) && inner.port == 0 &&
           segment->function.graph.nodes[static_cast<size_t>(inner.node)].name == node.name;
  }

  // Their own names where they are free: those from before the conversion.
  void name_nodes(std::string_view engine, Segment& segment) {
    for (size_t i = 0; i < segment.function.graph.nodes.size(); ++i) {
      if (segment.is_arg(static_cast<int32_t>(i))) {
        segment.names.emplace_back();
        continue;
      }
      const std::string own(segment.function.graph.nodes[i].name);
      std::string name = own;
      for (int64_t suffix = 0; !taken_.insert(name).second; ++suffix)
        name = std::string(engine) + "/" + own + (suffix > 0 ? "_" + std::to_string(suffix) : "");
      segment.names.push_back(std::move(name));
    }
  }

  static std::string tensor(std::string name, int32_t port) {
    return port == 0 ? name : name + ":" + std::to_string(port);
  }

  // What a tensor of the graph is called in the new one. Each step goes to a producer.
  Result<std::string> tensor_of(InputRef ref) const {
    if (stand_ins_.contains(ref.node)) ref = graph_.nodes[static_cast<size_t>(ref.node)].inputs[0];
    while (const Segment* segment = segment_of(ref.node)) {
      const auto port = static_cast<size_t>(ref.port);
      if (port >= segment->function.returns.size())
        return invalid_graph("output " + std::to_string(port) + " of engine node '" +
                             printable(graph_.nodes[static_cast<size_t>(ref.node)].name) +
                             "' is read, its native segment returns " +
                             std::to_string(segment->function.returns.size()));
      const InputRef inner = segment->function.returns[port];
      if (!segment->is_arg(inner.node))
        return tensor(segment->names[static_cast<size_t>(inner.node)], inner.port);
      ref = graph_.nodes[static_cast<size_t>(ref.node)].inputs[static_cast<size_t>(inner.node)];
      if (stand_ins_.contains(ref.node))
        ref = graph_.nodes[static_cast<size_t>(ref.node)].inputs[0];
    }
    return graphdef::tensor_name(graph_, ref);
  }

  // Nodes to wait for instead of `node`: of an engine those that make its outputs or have effects,
  // and what it waits for itself, where it passes inputs on.
  void add_control(int32_t node, std::vector<std::string>& inputs) const {
    const Segment* segment = segment_of(node);
    const auto add = [&](const std::string& name) {
      if (std::find(inputs.begin(), inputs.end(), "^" + name) == inputs.end())
        inputs.push_back("^" + name);
    };
    // A stand-in has the name of the node that takes its place.
    if (!segment) return add(std::string(graph_.nodes[static_cast<size_t>(node)].name));
    std::vector<int32_t> last = segment->function.control_returns;
    for (InputRef ref : segment->function.returns) last.push_back(ref.node);
    std::sort(last.begin(), last.end());
    last.erase(std::unique(last.begin(), last.end()), last.end());
    bool passes_on = last.empty();
    for (int32_t inner : last) {
      if (segment->is_arg(inner))
        passes_on = true;
      else
        add(segment->names[static_cast<size_t>(inner)]);
    }
    if (!passes_on) return;
    for (int32_t control : graph_.nodes[static_cast<size_t>(node)].control_inputs)
      add_control(control, inputs);
  }

  Result<std::vector<std::string>> inputs_of(const Node& node) const {
    std::vector<std::string> inputs;
    for (InputRef ref : node.inputs) {
      GRAFT_ASSIGN_OR_RETURN(std::string input, tensor_of(ref));
      inputs.push_back(std::move(input));
    }
    for (int32_t control : node.control_inputs) add_control(control, inputs);
    return inputs;
  }

  Status add_segment(int32_t engine, const Segment& segment, graphdef::GraphWriter& writer) const {
    const Node& outer = graph_.nodes[static_cast<size_t>(engine)];
    for (size_t i = segment.function.arg_dtypes.size(); i < segment.function.graph.nodes.size();
         ++i) {
      const Node& node = segment.function.graph.nodes[i];
      std::vector<std::string> inputs, controls;
      // Where the segment begins; its constants need not wait for what the engine waits for.
      bool begins = node.op != "Const";
      bool reads_argument = false;
      for (InputRef ref : node.inputs) {
        if (segment.is_arg(ref.node)) {
          GRAFT_ASSIGN_OR_RETURN(std::string input,
                                 tensor_of(outer.inputs[static_cast<size_t>(ref.node)]));
          inputs.push_back(std::move(input));
          reads_argument = true;
        } else {
          inputs.push_back(tensor(segment.names[static_cast<size_t>(ref.node)], ref.port));
          begins = false;
        }
      }
      for (int32_t control : node.control_inputs) {
        if (segment.is_arg(control)) continue;
        controls.push_back("^" + segment.names[static_cast<size_t>(control)]);
        begins = false;
      }
      if (begins || reads_argument)
        for (int32_t control : outer.control_inputs) add_control(control, controls);
      inputs.insert(inputs.end(), controls.begin(), controls.end());
      add_node(node, segment.names[i], std::move(inputs), writer);
    }
    return ok_status();
  }

  static void add_node(const Node& node, const std::string& name, std::vector<std::string> inputs,
                       graphdef::GraphWriter& writer) {
    if (name == node.name) return writer.add_with_inputs(node, inputs);
    graphdef::NodeSpec spec;
    spec.name = name;
    spec.op = node.op;
    spec.device = node.device;
    spec.inputs = std::move(inputs);
    for (const graphdef::AttrView& attr : node.attrs) {
      Rope value;
      value.append_view(attr.value);
      spec.attrs.emplace_back(std::string(attr.name), std::move(value));
    }
    writer.add(spec);
  }

  const Graph& graph_;
  std::unordered_map<int32_t, Segment> segments_;
  std::unordered_set<int32_t> stand_ins_;
  std::unordered_set<std::string> taken_;  // names of the new graph
  // Functions with new bodies; engines that were in them, and the functions of their segments.
  std::map<std::string, std::vector<std::byte>, std::less<>> bodies_;
  std::vector<std::string> body_engines_;
  graphdef::FunctionNames names_;  // of converted functions: what they were called
  std::set<std::string, std::less<>> body_segments_;
};

Result<Rescued> rescue_impl(std::span<const std::byte> bytes) {
  GRAFT_ASSIGN_OR_RETURN(Graph graph, graphdef::parse(bytes));
  const auto is_calib = [](const Node& node) { return partition::is_calib_op(node.op); };
  if (std::any_of(graph.nodes.begin(), graph.nodes.end(), is_calib)) {
    GRAFT_ASSIGN_OR_RETURN(const Rope rope, partition::remove_calib_nodes(graph));
    auto flat = std::make_shared<const std::vector<std::byte>>(rope.flatten());
    const graphdef::Bytes view(*flat);
    GRAFT_ASSIGN_OR_RETURN(graph, graphdef::parse(view, std::move(flat)));
  }
  Rescue rescue(graph);
  GRAFT_RETURN_IF_ERROR(rescue.read_segments());
  GRAFT_RETURN_IF_ERROR(rescue.rescue_bodies());
  return rescue.write();
}

}  // namespace

Result<Rescued> rescue(std::span<const std::byte> graph) {
  return guard([&] { return rescue_impl(graph); });
}

}  // namespace graft
