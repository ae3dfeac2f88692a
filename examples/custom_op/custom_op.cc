// A converter in C++: a graph with an op of one's own becomes an engine, without TensorFlow.
//
//   custom_op GRAPH.pb INPUT OUTPUT    converts the graph, whose MishPlus nodes the converter
//   writes as IR ops, and says what
//                                      became of it; exit code 3 where a MishPlus node stays native
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "graft/convert.h"
#include "graft/converter.h"
#include "graft/files.h"

namespace {

using graft::ConverterNode;
using graft::ConverterTensor;
using graft::Result;
using graft::Status;

Result<ConverterTensor> unary(ConverterNode& node, ConverterTensor x, const std::string& fn) {
  const ConverterTensor inputs[] = {x};
  return node.emit("unary", inputs, "fn=" + fn);
}

Result<ConverterTensor> multiply(ConverterNode& node, ConverterTensor a, ConverterTensor b) {
  const ConverterTensor inputs[] = {a, b};
  return node.emit("binary", inputs, "fn=mul");
}

// y = x * tanh(softplus(beta * x))
Status mish_plus(ConverterNode& node) {
  const Result<float> beta = node.attr_float("beta", 1.0f);
  if (!beta.ok()) return beta.status();
  const Result<ConverterTensor> x = node.input(0);
  if (!x.ok()) return x.status();
  const Result<ConverterTensor> scale = node.constant_scalar(*beta, graft::DType::kFloat);
  if (!scale.ok()) return scale.status();
  Result<ConverterTensor> y = multiply(node, *x, *scale);
  if (y.ok()) y = unary(node, *y, "softplus");
  if (y.ok()) y = unary(node, *y, "tanh");
  if (y.ok()) y = multiply(node, *x, *y);
  return y.ok() ? node.output(*y) : y.status();
}

int fail(const Status& status) {
  std::fprintf(stderr, "%s\n", status.message().c_str());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: %s GRAPH.pb INPUT OUTPUT\n", argv[0]);
    return 2;
  }
  if (Status s = graft::register_converter("MishPlus", mish_plus); !s.ok()) return fail(s);
  const Result<std::vector<std::byte>> graph = graft::read_file(argv[1], int64_t{1} << 31);
  if (!graph.ok()) return fail(graph.status());
  graft::ConvertOptions options;
  options.inputs = {argv[2]};
  options.outputs = {argv[3]};
  options.min_segment_size = 1;
  const Result<graft::Conversion> conversion = graft::convert(*graph, options);
  if (!conversion.ok()) return fail(conversion.status());
  std::printf("%s\n", conversion->report.summary().c_str());
  for (const graft::NodeVerdict& node : conversion->report.nodes) {
    if (node.op != "MishPlus") continue;
    std::printf(
        "%s: %s\n", node.name.c_str(),
        node.engine >= 0 ? ("in an engine, by " + node.converter).c_str() : node.reason.c_str());
    if (node.engine < 0) return 3;
  }
  return 0;
}
