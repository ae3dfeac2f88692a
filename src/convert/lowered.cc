#include "convert/lowered.h"

#include <memory>

#include "graphdef/graph.h"

namespace graft::convert_detail {

namespace {

// Conversions and rounds of segmenting after which nothing is rebuilt any more: each imports the
// whole graph anew.
constexpr int kMaxRounds = 16;

}  // namespace

void keep_native(const graphdef::Graph& source, const frontend::RebuiltOp& op, const Left& why,
                 KeptControlFlow& kept) {
  kept.anchors.insert(op.anchors.begin(), op.anchors.end());
  for (int32_t v : op.members)
    kept.nodes.emplace(std::string(source.nodes[v].name),
                       Left{why.code, op.what + " stays native: " + why.reason, why.hint});
}

Status rebuild(const ConvertOptions& options, WorkContext& work,
               const std::vector<graphdef::InputRef>& fetched, KeptControlFlow& kept,
               const graphdef::Graph& source, graphdef::Graph& graph,
               std::vector<graphdef::InputRef>& rebuilt_fetched,
               std::vector<frontend::RebuiltOp>& ops) {
  ops.clear();
  if (++kept.rounds > kMaxRounds) {
    kept.all = true;
    return ok_status();
  }
  std::vector<bool> fed(source.nodes.size(), false);
  for (const std::string& name : options.inputs) {
    const int32_t v = source.find(std::string_view(name).substr(0, name.find(':')));
    if (v >= 0) fed[v] = true;
  }
  GRAFT_ASSIGN_OR_RETURN(
      frontend::Rebuilt rebuilt,
      frontend::rebuild_control_flow(source, {fetched, fed, kept.anchors}, work));
  for (size_t v = 0; v < rebuilt.left.size(); ++v)
    if (!rebuilt.left[v].empty())
      kept.nodes.emplace(std::string(source.nodes[v].name),
                         Left{"control_flow", rebuilt.left[v], ""});
  graph = std::move(rebuilt.graph);
  rebuilt_fetched = std::move(rebuilt.fetched);
  ops = std::move(rebuilt.ops);
  return ok_status();
}

std::vector<NodeVerdict> source_verdicts(const graphdef::Graph& source,
                                         const graphdef::Graph& graph,
                                         const std::vector<frontend::RebuiltOp>& ops,
                                         const KeptControlFlow& kept,
                                         const std::vector<NodeVerdict>& verdicts) {
  std::vector<int32_t> stands(source.nodes.size(), -1);
  for (const frontend::RebuiltOp& op : ops)
    for (int32_t v : op.members) stands[v] = graph.find(op.name);
  std::vector<NodeVerdict> result;
  result.reserve(source.nodes.size());
  for (size_t i = 0; i < source.nodes.size(); ++i) {
    const graphdef::Node& node = source.nodes[i];
    int32_t at = graph.find(node.name);
    if (at < 0 || (stands[i] >= 0 && verdicts[stands[i]].engine >= 0)) at = stands[i];
    NodeVerdict& verdict = result.emplace_back(
        at >= 0 ? verdicts[at]
                : NodeVerdict{"", "", -1, "segment", "nothing needs it any more", "", ""});
    verdict.name = node.name;
    verdict.op = node.op;
    const auto left = kept.nodes.find(verdict.name);
    if (verdict.engine >= 0 || left == kept.nodes.end()) continue;
    verdict.reason_code = left->second.code;
    verdict.reason = left->second.reason;
    verdict.hint = left->second.hint;
  }
  return result;
}

Rope owning(const Rope& rope, const graphdef::Graph& graph) {
  const auto owners =
      std::make_shared<const std::vector<std::shared_ptr<const void>>>(graph.owners);
  Rope result;
  for (const Rope::Piece& piece : rope.pieces())
    result.append_view(piece.bytes, piece.owner ? piece.owner : owners);
  return result;
}

}  // namespace graft::convert_detail
