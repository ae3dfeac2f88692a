#include "convert/partitioned.h"

#include <algorithm>

#include "convert/outputs.h"

namespace graft::convert_detail {
namespace {

void add_size_table(const partition::Segmentation& all, Report& report) {
  std::vector<int64_t> sizes;
  for (const partition::Segment& segment : all.segments) sizes.push_back(segment.effective_nodes);
  std::sort(sizes.begin(), sizes.end());
  sizes.erase(std::unique(sizes.begin(), sizes.end()), sizes.end());
  for (int64_t least : sizes) {
    Report::SizeRow row{least, 0, 0};
    for (const partition::Segment& segment : all.segments)
      if (segment.effective_nodes >= least)
        row.engines += 1, row.nodes += static_cast<int64_t>(segment.nodes.size());
    report.by_min_segment_size.push_back(row);
  }
}

// Whether something of p.rebuilt is in no segment; it enters `kept`.
bool keep_native(const Partitioned& p, KeptControlFlow& kept) {
  bool any = false;
  for (const frontend::RebuiltOp& op : p.rebuilt) {
    const auto v = static_cast<size_t>(p.graph.find(op.name));
    if (p.segmentation.segment_of[v] >= 0) continue;
    const NodeVerdict& verdict = p.classified.verdicts[v];
    const bool supported = p.classified.classes[v].supported;
    keep_native(p.source, op,
                supported ? Left{"segment", p.segmentation.dropped_reason[v], ""}
                          : Left{verdict.reason_code, verdict.reason, verdict.hint},
                kept);
    any = true;
  }
  return any;
}

// Imports and segments p.graph.
Status partition_once(const ConvertOptions& options, WorkContext& work, Partitioned& p) {
  frontend::ImportOptions import_options;
  import_options.quantization_ops = options.precision == Precision::kInt8;
  import_options.fetched = p.fetched;
  for (const std::string& name : options.inputs)
    import_options.fed.insert(std::string_view(name).substr(0, name.find(':')));
  GRAFT_ASSIGN_OR_RETURN(p.imported, frontend::import_all(p.graph, work, {}, import_options));
  for (const frontend::RebuiltOp& op : p.rebuilt) {
    std::vector<frontend::InlinedNode>& inlined = p.imported.inlined[p.graph.find(op.name)];
    for (int32_t v : op.members) {
      const graphdef::Node& node = p.source.nodes[v];
      inlined.push_back({std::string(node.name), std::string(node.op)});
    }
  }
  frontend::bond_lists(p.graph, p.fetched, p.imported);
  p.classified = classify(p.graph, p.imported, options);
  partition::SegmentOptions segment_options;
  segment_options.min_segment_size = options.min_segment_size;
  segment_options.max_segments = std::max<int64_t>(options.max_engines, 0);
  if (options.min_segment_size == -1) {
    p.segmentation = {};
    p.segmentation.segment_of.assign(p.graph.nodes.size(), -1);
    p.segmentation.dropped_reason.assign(
        p.graph.nodes.size(), "minimum_segment_size is -1: the main graph is left unconverted");
  } else {
    p.segmentation = partition::segment(p.graph, p.classified.classes, p.fetched, segment_options);
  }
  return ok_status();
}

Status partition_source(const ConvertOptions& options, WorkContext& work, KeptControlFlow& kept,
                        Partitioned& p) {
  const std::vector<graphdef::InputRef> fetched = p.fetched;
  if (options.min_segment_size != -1 && frontend::has_lowered_control_flow(p.source)) {
    while (!kept.all) {
      GRAFT_RETURN_IF_ERROR(
          rebuild(options, work, fetched, kept, p.source, p.graph, p.fetched, p.rebuilt));
      if (p.rebuilt.empty()) break;
      GRAFT_RETURN_IF_ERROR(partition_once(options, work, p));
      if (!keep_native(p, kept)) return ok_status();
    }
  }
  p.graph = p.source;
  p.fetched = fetched;
  p.rebuilt.clear();
  return partition_once(options, work, p);
}

}  // namespace

Result<Partitioned> partition_graph(std::span<const std::byte> bytes, const ConvertOptions& options,
                                    WorkContext& work, Report& report, KeptControlFlow& kept) {
  Partitioned p;
  GRAFT_ASSIGN_OR_RETURN(graphdef::Graph whole, graphdef::parse(bytes));
  if (whole.nodes.empty()) return invalid_graph("the graph has no nodes");
  GRAFT_ASSIGN_OR_RETURN(p.fetched, resolve_outputs(whole, options));
  for (graphdef::InputRef ref : p.fetched)
    report.outputs.push_back(graphdef::tensor_name(whole, ref));
  int64_t pruned = 0;
  GRAFT_ASSIGN_OR_RETURN(p.source, prune(whole, p.fetched, &pruned));
  for (size_t i = 0; i < p.fetched.size(); ++i)
    p.fetched[i].node = p.source.find(whole.nodes[p.fetched[i].node].name);
  if (pruned > 0)
    report.warnings.push_back(std::to_string(pruned) + " nodes that no output needs were dropped");
  GRAFT_RETURN_IF_ERROR(check_frozen(p.source));
  GRAFT_RETURN_IF_ERROR(partition_source(options, work, kept, p));
  report.warnings.insert(report.warnings.end(), p.classified.warnings.begin(),
                         p.classified.warnings.end());
  partition::SegmentOptions all_sizes;
  all_sizes.min_segment_size = 1;
  add_size_table(partition::segment(p.graph, p.classified.classes, p.fetched, all_sizes), report);
  return p;
}

}  // namespace graft::convert_detail
