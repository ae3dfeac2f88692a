#include "frontend/lowered_edit.h"

#include <algorithm>
#include <deque>

#include "base/check.h"
#include "base/log.h"
#include "graphdef/inputs.h"
#include "graphdef/output_names.h"

namespace graft::frontend {

using graphdef::InputRef;
using graphdef::Node;
using graphdef::NodeSpec;

struct LoweredEdit::Kept {
  std::deque<std::string> texts;
};

namespace {

// An attribute that names other nodes, which a body may not have.
bool is_colocation(const graphdef::FieldReader& field) {
  if (field.key() != graphdef::bytes_key(5)) return false;
  graphdef::FieldReader entry(field.bytes());
  while (entry.next())
    if (entry.key() == graphdef::bytes_key(1)) return entry.text() == "_class";
  return false;
}

std::string flat(const Rope& rope) {
  const std::vector<std::byte> bytes = rope.flatten();
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// A name that TensorFlow takes for a function.
std::string function_name(std::string_view text) {
  std::string name;
  for (char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    name.push_back(plain ? c : '_');
  }
  return name.empty() || name[0] == '_' ? "f" + name : name;
}

}  // namespace

LoweredEdit::LoweredEdit(const graphdef::Graph& source, const LoweredRequest& asked,
                         WorkContext& work)
    : graph(source),
      request(asked),
      frames(find_frames(source)),
      owner(source.nodes.size(), -1),
      renamed(source.nodes.size(), false),
      is_fetched(source.nodes.size(), false),
      left(source.nodes.size()),
      kept_(std::make_shared<Kept>()),
      argument_stem_("arg"),
      work_(work) {
  graph.owners.push_back(kept_);
  for (InputRef ref : request.fetched) is_fetched[static_cast<size_t>(ref.node)] = true;
  const auto begins_name = [&](const Node& n) { return n.name.starts_with(argument_stem_); };
  while (std::any_of(graph.nodes.begin(), graph.nodes.end(), begins_name)) argument_stem_ += "_";
  for (const graphdef::Function& function : graph.functions) function_names_.emplace(function.name);
}

std::string LoweredEdit::named(int32_t v) const {
  return "'" + printable(node(v).name) + "' (" + printable(node(v).op) + ")";
}

std::string LoweredEdit::free_name(const std::string& wanted) const {
  const std::string stem = graphdef::is_legal_name(wanted) ? wanted : "control_flow";
  std::string name = stem;
  for (int64_t suffix = 1; graph.find(name) >= 0; ++suffix)
    name = stem + "_" + std::to_string(suffix);
  return name;
}

std::string_view LoweredEdit::keep(std::string text) {
  return kept_->texts.emplace_back(std::move(text));
}

void LoweredEdit::set(int32_t v, NodeSpec spec, const std::vector<InputRef>& inputs,
                      const std::vector<int32_t>& controls) {
  for (InputRef ref : inputs) spec.inputs.push_back(graphdef::tensor_name(graph, ref));
  for (int32_t source : controls) spec.inputs.push_back("^" + std::string(node(source).name));
  const std::string_view raw = keep(flat(graphdef::serialize_node(spec)));
  Node made;
  made.raw = std::as_bytes(std::span(raw));
  made.inputs = inputs;
  made.control_inputs = controls;
  graphdef::FieldReader reader(made.raw);
  while (reader.next()) {
    if (reader.key() == graphdef::bytes_key(1)) made.name = reader.text();
    if (reader.key() == graphdef::bytes_key(2)) made.op = reader.text();
    if (reader.key() == graphdef::bytes_key(4)) made.device = reader.text();
    if (reader.key() != graphdef::bytes_key(5)) continue;
    graphdef::AttrView& attr = made.attrs.emplace_back();
    graphdef::FieldReader entry(reader.bytes());
    while (entry.next()) {
      if (entry.key() == graphdef::bytes_key(1)) attr.name = entry.text();
      if (entry.key() == graphdef::bytes_key(2)) attr.value = entry.bytes();
    }
  }
  graph.nodes[static_cast<size_t>(v)] = std::move(made);
}

int32_t LoweredEdit::add(NodeSpec spec, const std::vector<InputRef>& inputs,
                         const std::vector<int32_t>& controls, int32_t frame) {
  const auto v = static_cast<int32_t>(graph.nodes.size());
  graph.nodes.emplace_back();
  frames.of.push_back(frame);
  owner.push_back(-1);
  renamed.push_back(false);
  set(v, std::move(spec), inputs, controls);
  graph.index.emplace(node(v).name, v);
  return v;
}

void LoweredEdit::make_identity(int32_t v, InputRef source, DType dtype) {
  NodeSpec spec{std::string(node(v).name), "Identity", std::string(node(v).device), {}, {}};
  spec.attrs.emplace_back("T", graphdef::attr_of_type(dtype));
  const std::vector<int32_t> controls = node(v).control_inputs;
  set(v, std::move(spec), {source}, controls);
  renamed[static_cast<size_t>(v)] = true;
}

Result<std::string> LoweredEdit::add_function(graphdef::FunctionSpec function) {
  const std::string stem = function_name(function.name);
  function.name = stem;
  for (int64_t suffix = 1; !function_names_.insert(function.name).second; ++suffix)
    function.name = stem + "_" + std::to_string(suffix);
  graphdef::GraphWriter writer;
  writer.add_function(function);
  GRAFT_ASSIGN_OR_RETURN(const Rope written, writer.finish_rope());
  const std::string_view bytes = keep(flat(written));
  graphdef::FieldReader top(std::as_bytes(std::span(bytes)));
  GRAFT_CHECK(top.next() && top.key() == graphdef::bytes_key(2), "a library was written");
  graphdef::FieldReader library(top.bytes());
  GRAFT_CHECK(library.next() && library.key() == graphdef::bytes_key(1), "a function was written");
  graph.functions.push_back({keep(function.name), library.bytes()});
  return function.name;
}

Status LoweredEdit::spend_copy() {
  if (--copies_left_ < 0) return unsupported("the functions would hold too many nodes in all");
  return work_.spend(1, "rebuilding control flow");
}

Result<std::vector<int32_t>> LoweredEdit::plain_controls(std::vector<int32_t> controls) {
  std::vector<int32_t> plain;
  std::unordered_set<int32_t> seen;
  while (!controls.empty()) {
    const int32_t v = controls.back();
    controls.pop_back();
    if (!seen.insert(v).second) continue;
    GRAFT_RETURN_IF_ERROR(spend_copy());
    if (node(v).op == "NoOp" && !is_fed(v))
      controls.insert(controls.end(), node(v).control_inputs.begin(), node(v).control_inputs.end());
    else
      plain.push_back(v);
  }
  std::sort(plain.begin(), plain.end());
  return plain;
}

void BodyCopy::need(int32_t v) {
  if (seen_.insert(v).second) pending_.push_back(v);
}

Result<std::string> BodyCopy::read(InputRef ref) {
  GRAFT_ASSIGN_OR_RETURN(const std::optional<size_t> argument, tensor_(ref));
  if (argument) return edit_.argument(*argument);
  if (edit_.is_fed(ref.node)) return unsupported("node " + edit_.named(ref.node) + " is fed");
  GRAFT_ASSIGN_OR_RETURN(const std::string port,
                         graphdef::output_name(edit_.node(ref.node), ref.port));
  need(ref.node);
  return std::string(edit_.node(ref.node).name) + ":" + port;
}

Status BodyCopy::returns(InputRef ref, DType dtype) {
  const std::string name = "return_" + std::to_string(function_.outputs.size());
  GRAFT_ASSIGN_OR_RETURN(std::string value, read(ref));
  function_.outputs.push_back({name, dtype});
  function_.returns.emplace_back(name, std::move(value));
  return ok_status();
}

void BodyCopy::runs(int32_t v) {
  if (!control_(v) || !run_.insert(v).second) return;
  need(v);
  function_.control_returns.emplace_back(
      "control_" + std::to_string(function_.control_returns.size()), edit_.node(v).name);
}

Result<graphdef::FunctionSpec> BodyCopy::finish() {
  while (!pending_.empty()) {
    const int32_t v = pending_.back();
    pending_.pop_back();
    GRAFT_RETURN_IF_ERROR(edit_.spend_copy());
    copied_.push_back(v);
    const Node& node = edit_.node(v);
    std::vector<std::string> inputs;
    for (InputRef ref : node.inputs) {
      GRAFT_ASSIGN_OR_RETURN(std::string name, read(ref));
      inputs.push_back(std::move(name));
    }
    for (int32_t source : node.control_inputs) {
      if (!control_(source)) continue;
      if (edit_.is_fed(source)) return unsupported("node " + edit_.named(source) + " is fed");
      need(source);
      inputs.push_back("^" + std::string(edit_.node(source).name));
    }
    function_.nodes.push_back(serialize_node_with_inputs(node, inputs, is_colocation));
  }
  return std::move(function_);
}

void record_op(LoweredEdit& edit, LoweredOp op, const std::vector<int32_t>& members) {
  const auto number = static_cast<int32_t>(edit.ops.size());
  for (int32_t v : members) edit.owner[static_cast<size_t>(v)] = number;
  for (int32_t v : members) {
    const auto inner = edit.op_of_node.find(v);
    if (inner == edit.op_of_node.end()) continue;
    const LoweredOp& held = edit.ops[static_cast<size_t>(inner->second)];
    op.anchors.insert(op.anchors.end(), held.anchors.begin(), held.anchors.end());
  }
  edit.op_of_node.emplace(op.node, number);
  edit.ops.push_back(std::move(op));
}

}  // namespace graft::frontend
