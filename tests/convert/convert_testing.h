// Graphs that the tests of the conversion share.
#pragma once

#include <string>
#include <vector>

#include "frontend/graph_builder.h"
#include "graft/convert.h"

namespace graft::convert_testing {

using frontend::GraphBuilder;

inline frontend::AttrList float_t() { return {{"T", frontend::type_attr(DType::kFloat)}}; }

// x [?, 4] -> `layers` times (mul, add, act), named "<i>/mul" ...; the last node is `out`.
inline GraphBuilder mlp(int layers = 2) {
  GraphBuilder b;
  b.placeholder("x", DType::kFloat, {-1, 4});
  std::string from = "x";
  for (int i = 0; i < layers; ++i) {
    const std::string at = std::to_string(i) + "/";
    b.floats(at + "w", {4, 4});
    b.floats(at + "b", {4});
    b.add("MatMul", at + "mul", {from, at + "w"}, float_t());
    b.add("BiasAdd", at + "add", {at + "mul", at + "b"}, float_t());
    b.add("Relu", at + "act", {at + "add"}, float_t());
    from = at + "act";
  }
  b.add("Identity", "out", {from}, float_t());
  return b;
}

// Two segments of three and of two effective nodes, parted by an op that stays native.
inline GraphBuilder two_islands() {
  GraphBuilder b = mlp(1);
  frontend::AttrList attrs = float_t();
  graphdef::ShapeView shape;
  shape.dims = {-1, 4};
  attrs.emplace_back("_output_shapes", graphdef::attr_of_shapes({shape}));
  b.add("Lgamma", "strange", {"out"}, attrs);
  b.add("Relu", "second/a", {"strange"}, float_t());
  b.add("Tanh", "second/b", {"second/a"}, float_t());
  b.add("Identity", "end", {"second/b"}, float_t());
  return b;
}

inline ConvertOptions to(std::vector<std::string> outputs) {
  ConvertOptions options;
  options.outputs = std::move(outputs);
  return options;
}

inline const NodeVerdict& verdict(const Report& report, const std::string& name) {
  static const NodeVerdict kNone{"(no such node)", "", -2, "", "", ""};
  for (const NodeVerdict& v : report.nodes)
    if (v.name == name) return v;
  return kNone;
}

}  // namespace graft::convert_testing
