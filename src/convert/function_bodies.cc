#include "convert/function_bodies.h"

#include <algorithm>
#include <cstdio>
#include <memory>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include "base/checked.h"
#include "base/log.h"
#include "graphdef/function_body.h"

namespace graft::convert_detail {
namespace {

using graphdef::Graph;
using graphdef::InputRef;
using graphdef::Node;
using graphdef::ShapeView;

constexpr int kMaxBodies = 256;  // each imports the functions that it calls anew

std::optional<ShapeView> shape_of(const frontend::Imported& imported, InputRef ref) {
  const auto& ports = imported.values[static_cast<size_t>(ref.node)];
  const ir::ValueId id = static_cast<size_t>(ref.port) < ports.size()
                             ? ports[static_cast<size_t>(ref.port)]
                             : ir::kNoValue;
  if (id == ir::kNoValue || imported.lists.contains(id) || imported.foreign.contains(id))
    return std::nullopt;
  ShapeView shape;
  for (ir::Dim d : imported.network.values[static_cast<size_t>(id)].type.dims)
    shape.dims.push_back(d.is_const() ? d.value() : -1);
  return shape;
}

ArgShapes input_shapes(const Node& node, const frontend::Imported& imported, size_t first) {
  ArgShapes shapes;
  for (size_t i = first; i < node.inputs.size(); ++i)
    shapes.push_back(shape_of(imported, node.inputs[i]));
  return shapes;
}

// Loop variables may change their extents, but for those that the loop itself declares.
ArgShapes loop_shapes(const Node& node) {
  ArgShapes shapes(node.inputs.size());
  const graphdef::AttrView* attr = node.find_attr("output_shapes");
  if (!attr) return shapes;
  const auto value = graphdef::decode_attr(attr->value);
  if (!value.ok() || value->list_shape.size() != shapes.size()) return shapes;
  for (size_t i = 0; i < shapes.size(); ++i)
    if (!value->list_shape[i].unknown_rank) shapes[i] = value->list_shape[i];
  return shapes;
}

// What is true of both.
void meet(ArgShapes& into, const ArgShapes& other) {
  for (size_t i = 0; i < into.size(); ++i) {
    if (!into[i]) continue;
    if (!other[i] || other[i]->dims.size() != into[i]->dims.size()) {
      into[i].reset();
      continue;
    }
    for (size_t k = 0; k < into[i]->dims.size(); ++k)
      if (into[i]->dims[k] != other[i]->dims[k]) into[i]->dims[k] = -1;
  }
}

// Nodes that neither a return nor a side effect needs: TensorFlow leaves them out when it runs the
// function.
std::vector<bool> needed_nodes(const graphdef::FunctionGraph& function) {
  std::vector<bool> needed(function.graph.nodes.size(), false);
  std::vector<int32_t> stack;
  const auto need = [&](int32_t v) {
    if (needed[static_cast<size_t>(v)]) return;
    needed[static_cast<size_t>(v)] = true;
    stack.push_back(v);
  };
  for (InputRef ref : function.returns) need(ref.node);
  for (int32_t v : function.control_returns) need(v);
  while (!stack.empty()) {
    const Node& node = function.graph.nodes[static_cast<size_t>(stack.back())];
    stack.pop_back();
    for (InputRef ref : node.inputs) need(ref.node);
    for (int32_t v : node.control_inputs) need(v);
  }
  return needed;
}

class Bodies {
 public:
  Bodies(const ConvertOptions& options, const ConvertBody& convert, Graph& graph, Report& report)
      : options_(options),
        convert_(convert),
        graph_(graph),
        source_(graph),
        report_(report),
        entries_(graph.functions.size()) {
    for (size_t i = 0; i < graph.functions.size(); ++i) index_.emplace(graph.functions[i].name, i);
  }

  Status run(const std::vector<CallSite>& sites) {
    GRAFT_RETURN_IF_ERROR(read_references());
    for (const CallSite& site : sites) reach(site.function);
    for (size_t i = 0; i < entries_.size(); ++i)
      if (entries_[i].reached)
        for (size_t callee : entries_[i].callees) ++entries_[callee].callers;
    for (const CallSite& site : sites) add(site);
    // Callers first; what call each other in a circle never becomes ready.
    std::set<size_t> ready;
    for (size_t i = 0; i < entries_.size(); ++i)
      if (entries_[i].reached && entries_[i].callers == 0) ready.insert(i);
    while (!ready.empty()) {
      const size_t i = *ready.begin();
      ready.erase(ready.begin());
      GRAFT_RETURN_IF_ERROR(finish(i));
      for (size_t callee : entries_[i].callees)
        if (--entries_[callee].callers == 0) ready.insert(callee);
    }
    for (const CallSite& site : sites) add_hint(site);
    return put_bodies(sites);
  }

 private:
  struct Entry {
    std::set<size_t> callees;
    size_t callers = 0;  // functions that were not looked at yet
    bool reached = false, refused = false, barred = false, converted = false;
    std::optional<ArgShapes> shapes;
    std::vector<std::byte> body;  // the FunctionDef with engines
  };

  Status read_references() {
    for (size_t i = 0; i < entries_.size(); ++i) {
      GRAFT_ASSIGN_OR_RETURN(const auto names, graphdef::functions_in(source_.functions[i].raw));
      for (std::string_view name : names)
        if (const auto it = index_.find(name); it != index_.end())
          entries_[i].callees.insert(it->second);
    }
    return ok_status();
  }

  void reach(std::string_view name) {
    const auto it = index_.find(name);
    if (it == index_.end()) return;
    std::vector<size_t> stack{it->second};
    while (!stack.empty()) {
      Entry& entry = entries_[stack.back()];
      stack.pop_back();
      if (entry.reached) continue;
      entry.reached = true;
      stack.insert(stack.end(), entry.callees.begin(), entry.callees.end());
    }
  }

  void add(const CallSite& site) {
    const auto it = index_.find(site.function);
    if (it == index_.end()) return;
    Entry& entry = entries_[it->second];
    entry.refused |= site.refused;
    if (!site.shapes || (entry.shapes && entry.shapes->size() != site.shapes->size()))
      entry.barred = true;
    else if (!entry.shapes)
      entry.shapes = site.shapes;
    else
      meet(*entry.shapes, *site.shapes);
  }

  // Converts function i where that is asked for; else the shapes at its call sites are not known.
  Status finish(size_t i) {
    Entry& entry = entries_[i];
    std::vector<CallSite> sites;
    bool known = false;
    if (entry.refused && !entry.barred && entry.shapes && ++bodies_ <= kMaxBodies) {
      const Status status = convert(i, sites);
      if (status.code() == Code::kCancelled || status.code() == Code::kNotConverted) return status;
      known = status.ok();
      if (!known)
        report_.warnings.push_back("function '" + printable(source_.functions[i].name) +
                                   "' is not converted: " + status.message());
    }
    for (const CallSite& site : sites) add(site);
    if (!known)
      for (size_t callee : entry.callees) entries_[callee].barred = true;
    return ok_status();
  }

  ConvertOptions body_options(const graphdef::FunctionGraph& function) const {
    ConvertOptions options = options_;
    options.inputs.clear();
    options.outputs.clear();
    options.strict = options.strict_all = false;
    options.progress = nullptr;
    options.dump_dir.clear();
    if (options.max_engines > 0)
      options.max_engines -= static_cast<int64_t>(report_.engines.size());
    if (options.memory_limit_bytes >= 0)
      options.memory_limit_bytes =
          std::max<int64_t>(0, options.memory_limit_bytes - report_.memory_bytes);
    char index[32];
    std::snprintf(index, sizeof index, "fn%d_", bodies_ - 1);
    std::string& format = options.engine_name_format;
    if (format.empty()) {
      char text[64];
      std::snprintf(text, sizeof text, "TRTEngineOp_%03d_", static_cast<int>(options.graph_number));
      format = text + std::string(index) + "{index}";
    } else if (const size_t at = format.find("{index}"); at != std::string::npos) {
      format.insert(at, index);
    } else {
      format += "_" + std::string(index) + "{index}";
    }
    // Everything is kept: nodes that TensorFlow may run although nothing reads them, too.
    const Graph& graph = function.graph;
    const std::vector<bool> needed = needed_nodes(function);
    std::vector<bool> read(graph.nodes.size(), false);
    for (const Node& node : graph.nodes) {
      for (InputRef ref : node.inputs) read[static_cast<size_t>(ref.node)] = true;
      for (int32_t v : node.control_inputs) read[static_cast<size_t>(v)] = true;
    }
    for (InputRef ref : function.returns)
      options.outputs.push_back(graphdef::tensor_name(graph, ref));
    for (size_t v = function.arg_dtypes.size(); v < graph.nodes.size(); ++v) {
      const std::string name(graph.nodes[v].name);
      const bool effect =
          std::find(function.control_returns.begin(), function.control_returns.end(),
                    static_cast<int32_t>(v)) != function.control_returns.end();
      if (effect || !needed[v]) options.deny_nodes.push_back(name);
      if (effect || !read[v]) options.outputs.push_back(name);
    }
    return options;
  }

  Status convert(size_t i, std::vector<CallSite>& sites) {
    const graphdef::Function raw = source_.functions[i];  // the library grows
    if (graphdef::function_flag(raw.raw, "_XlaMustCompile"))
      return unsupported("it is marked _XlaMustCompile, and XLA compiles no engines");
    GRAFT_ASSIGN_OR_RETURN(const graphdef::FunctionGraph function,
                           graphdef::function_graph(source_, raw.name));
    const ArgShapes& shapes = *entries_[i].shapes;
    if (shapes.size() != function.arg_dtypes.size())
      return invalid_graph("it has " + std::to_string(function.arg_dtypes.size()) + " arguments, " +
                           std::to_string(shapes.size()) + " are given");
    GRAFT_ASSIGN_OR_RETURN(std::vector<std::byte> bytes,
                           graphdef::body_graph(function, shapes, source_));
    const ConvertOptions options = body_options(function);
    if ((options_.max_engines > 0 && options.max_engines <= 0) || options.outputs.empty())
      return ok_status();
    GRAFT_ASSIGN_OR_RETURN(Conversion conversion, convert_(bytes, options, sites));
    GRAFT_RETURN_IF_ERROR(check_strict(conversion.report, raw.name));
    if (conversion.report.engines.empty()) return ok_status();
    if (conversion.graph.size() > 0) GRAFT_RETURN_IF_ERROR(replace(i, function, conversion.graph));
    entries_[i].converted = true;
    add_report(raw.name, std::move(conversion.report));
    return ok_status();
  }

  Status check_strict(const Report& body, std::string_view name) const {
    if (!options_.strict) return ok_status();
    for (const NodeVerdict& node : body.nodes)
      if (node.reason_code == "build_failed")
        return Status(Code::kNotConverted, "function '" + printable(name) + "': node '" +
                                               node.name + "' stays native: " + node.reason);
    return ok_status();
  }

  Status replace(size_t i, const graphdef::FunctionGraph& function, const Rope& rope) {
    const auto flat = std::make_shared<const std::vector<std::byte>>(rope.flatten());
    GRAFT_ASSIGN_OR_RETURN(const Graph body, graphdef::parse(*flat, flat));
    GRAFT_ASSIGN_OR_RETURN(std::vector<std::byte> changed,
                           graphdef::with_body(source_.functions[i].raw, function, body,
                                               graphdef::return_tensors(function)));
    entries_[i].body = std::move(changed);
    std::unordered_set<std::string_view> known;
    for (const graphdef::Function& f : source_.functions) known.insert(f.name);
    for (const graphdef::Function& f : body.functions) {  // native segments of its engines
      if (known.contains(f.name)) continue;
      graph_.functions.push_back(f);
      source_.functions.push_back(f);
    }
    graph_.owners.push_back(flat);
    return ok_status();
  }

  void add_report(std::string_view name, Report&& body) {
    const auto first = static_cast<int>(report_.engines.size());
    const auto first_node = static_cast<int32_t>(report_.nodes.size());
    for (EngineReport& engine : body.engines) {
      engine.function = name;
      report_.engines.push_back(std::move(engine));
    }
    for (NodeVerdict& node : body.nodes) {
      node.name = std::string(name) + "/" + node.name;
      if (node.engine >= 0) node.engine += first;
      for (auto* edges : {&node.inputs, &node.control_inputs})
        for (int32_t& producer : *edges) producer += first_node;
      report_.nodes.push_back(std::move(node));
    }
    for (const std::string& warning : body.warnings)
      if (!warning.ends_with("matches nothing in the graph"))
        report_.warnings.push_back("function '" + printable(name) + "': " + warning);
    report_.nodes_total += body.nodes_total;
    report_.nodes_in_engines += body.nodes_in_engines;
    report_.memory_bytes = checked_add(report_.memory_bytes, body.memory_bytes).value_or(INT64_MAX);
  }

  // Converted functions have names of their own: TensorFlow's eager library, which holds those of
  // the whole process, takes no two functions of one name. The old ones stay where something else
  // still names them.
  Status put_bodies(const std::vector<CallSite>& sites) {
    graphdef::FunctionNames names;
    for (size_t i = 0; i < entries_.size(); ++i)
      if (!entries_[i].body.empty()) names.emplace(source_.functions[i].name, new_name(i));
    if (names.empty()) return ok_status();
    for (const CallSite& site : sites) {
      if (!site.refused || !names.contains(site.function)) continue;
      Node& node = graph_.nodes[static_cast<size_t>(graph_.find(site.node))];
      GRAFT_ASSIGN_OR_RETURN(std::string raw, graphdef::rename_functions(node.raw, names));
      node.raw = keep(std::move(raw));
    }
    std::set<std::string, std::less<>> named;  // by what stays as it is
    for (const CallSite& site : sites)
      if (!site.refused) named.insert(site.function);
    for (size_t i = 0; i < graph_.functions.size(); ++i) {
      if (i < entries_.size() && !entries_[i].body.empty()) continue;
      GRAFT_ASSIGN_OR_RETURN(const auto of_function,
                             graphdef::functions_in(graph_.functions[i].raw));
      named.insert(of_function.begin(), of_function.end());
    }
    for (size_t i = 0; i < entries_.size(); ++i) {
      if (entries_[i].body.empty()) continue;
      const std::string_view old = source_.functions[i].name;
      const std::string& name = names.find(old)->second;
      GRAFT_ASSIGN_OR_RETURN(std::string raw,
                             graphdef::rename_function(entries_[i].body, name, old, names));
      const graphdef::Bytes bytes = keep(std::move(raw));
      if (named.contains(old))
        graph_.functions.push_back({keep_name(name), bytes});
      else
        graph_.functions[i] = {keep_name(name), bytes};
    }
    return ok_status();
  }

  std::string new_name(size_t i) const {
    char suffix[32];
    std::snprintf(suffix, sizeof suffix, "_graft_%03d", static_cast<int>(options_.graph_number));
    const std::string stem = std::string(source_.functions[i].name) + suffix;
    std::string name = stem;
    for (int k = 1; index_.contains(name); ++k) name = stem + "_" + std::to_string(k);
    return name;
  }

  graphdef::Bytes keep(std::string bytes) {
    const auto owner = std::make_shared<const std::string>(std::move(bytes));
    graph_.owners.push_back(owner);
    return std::as_bytes(std::span(*owner));
  }
  std::string_view keep_name(const std::string& name) {
    const auto owner = std::make_shared<const std::string>(name);
    graph_.owners.push_back(owner);
    return *owner;
  }

  void add_hint(const CallSite& site) {
    const auto it = index_.find(site.function);
    if (it == index_.end() || !entries_[it->second].converted) return;
    for (NodeVerdict& node : report_.nodes)
      if (node.name == site.node && node.engine < 0)
        node.hint = "function '" + printable(site.function) + "' that it runs is converted inside";
  }

  const ConvertOptions& options_;
  const ConvertBody& convert_;
  Graph& graph_;
  Graph source_;  // bodies as they were, and the native segments of engines so far
  Report& report_;
  std::vector<Entry> entries_;
  std::unordered_map<std::string_view, size_t> index_;
  int bodies_ = 0;
};

}  // namespace

std::vector<CallSite> call_sites(const Graph& graph, const frontend::Imported& imported) {
  std::vector<CallSite> sites;
  if (graph.functions.empty()) return sites;
  std::unordered_set<std::string_view> library;
  for (const graphdef::Function& function : graph.functions) library.insert(function.name);
  for (size_t v = 0; v < graph.nodes.size(); ++v) {
    const Node& node = graph.nodes[v];
    const auto names = graphdef::functions_of(node);
    if (!names.ok()) continue;
    std::optional<ArgShapes> shapes;
    const frontend::Support& support = imported.support[v];
    if (node.op == "PartitionedCall" || node.op == "StatefulPartitionedCall")
      shapes = input_shapes(node, imported, 0);
    else if (node.op == "If" || node.op == "StatelessIf" || node.op == "Case" ||
             node.op == "StatelessCase")
      shapes = input_shapes(node, imported, 1);
    else if (node.op == "While" || node.op == "StatelessWhile")
      shapes = loop_shapes(node);
    const auto by_xla = graphdef::attr_bool_or(node, "_XlaMustCompile", false);
    if (!by_xla.ok() || *by_xla) shapes.reset();
    for (std::string_view name : *names)
      if (library.contains(name))
        sites.push_back({std::string(node.name), std::string(name), shapes,
                         shapes.has_value() && !support.yes && support.code != "input_node"});
  }
  return sites;
}

Status convert_bodies(const std::vector<CallSite>& sites, const ConvertOptions& options,
                      const ConvertBody& convert, Graph& graph, Report& report) {
  const bool any =
      std::any_of(sites.begin(), sites.end(), [](const CallSite& site) { return site.refused; });
  if (!any || options.min_segment_size == -1) return ok_status();
  if (options.precision == Precision::kInt8 || options.calibration != CalibrationMode::kNone) {
    report.warnings.emplace_back(
        "functions that native nodes run are not converted inside for INT8: their tensors have "
        "no place in a calibration table");
    return ok_status();
  }
  return Bodies(options, convert, graph, report).run(sites);
}

}  // namespace graft::convert_detail
