// splice_tool IN OUT NATIVE_OPS FETCH...: splices a frozen graph with empty engines around
// everything but Placeholders and NATIVE_OPS (comma list), for tests/e2e/test_splice_tf.py, which
// lets TensorFlow run the native segments.
#include <cstdio>
#include <string>

#include "base/file_io.h"
#include "graphdef/attr.h"
#include "partition/splice.h"

namespace graft {
namespace {

using namespace graphdef;

// Good enough for the graphs of the test: the attribute that most ops name their output type by.
DType dtype_of_output(const Node& node, int32_t port) {
  if (node.op == "TopKV2" && port == 1) return DType::kInt32;
  for (const char* name : {"DstT", "out_type", "output_type", "dtype", "T"})
    if (node.find_attr(name)) {
      const auto type = attr_type(node, name);
      if (type.ok()) return *type;
    }
  return node.op == "Shape" ? DType::kInt32 : DType::kFloat;
}

Status run(int argc, char** argv) {
  if (argc < 4) return invalid_argument("IN OUT NATIVE_OPS FETCH...");
  GRAFT_ASSIGN_OR_RETURN(const auto bytes, read_file(argv[1], Limits().max_graph_bytes));
  GRAFT_ASSIGN_OR_RETURN(const Graph graph, parse(bytes));
  const std::string native = std::string(",") + argv[3] + ",";
  std::vector<partition::NodeClass> classes;
  for (const Node& node : graph.nodes) {
    partition::NodeClass c;
    c.supported = node.op != "Placeholder" &&
                  native.find("," + std::string(node.op) + ",") == std::string::npos;
    c.free = node.op == "Const";
    classes.push_back(c);
  }
  std::vector<InputRef> fetched;
  for (int i = 4; i < argc; ++i) {
    GRAFT_ASSIGN_OR_RETURN(const InputRef ref, find_tensor(graph, argv[i]));
    fetched.push_back(ref);
  }
  partition::SegmentOptions options;
  options.min_segment_size = 1;
  const auto segmentation = partition::segment(graph, classes, fetched, options);
  std::vector<partition::EngineNode> engines;
  for (const auto& segment : segmentation.segments) {
    partition::EngineNode engine;
    engine.segment = &segment;
    engine.name = "TRTEngineOp_000_" + std::to_string(engines.size());
    engine.op = "TRTEngineOp";
    const auto dtypes = [&](const std::vector<InputRef>& refs) {
      std::vector<DType> out;
      for (InputRef ref : refs)
        out.push_back(dtype_of_output(graph.nodes[static_cast<size_t>(ref.node)], ref.port));
      return out;
    };
    engine.input_dtypes = dtypes(segment.inputs);
    engine.output_dtypes = dtypes(segment.outputs);
    engine.attrs = {{"InT", attr_of_types(engine.input_dtypes)},
                    {"OutT", attr_of_types(engine.output_dtypes)}};
    ShapeView unknown;
    unknown.unknown_rank = true;
    engine.output_shapes.assign(segment.outputs.size(), unknown);
    engines.push_back(std::move(engine));
  }
  std::vector<std::string> names;
  GRAFT_ASSIGN_OR_RETURN(const auto mixed, partition::splice(graph, engines, fetched, names));
  return write_file_atomic(argv[2], mixed);
}

}  // namespace
}  // namespace graft

int main(int argc, char** argv) {
  const graft::Status status = graft::run(argc, argv);
  if (!status.ok()) std::fprintf(stderr, "%s\n", status.message().c_str());
  return status.ok() ? 0 : 1;
}
