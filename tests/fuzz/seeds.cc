#include "seeds.h"

#include "graphdef/writer.h"

namespace graft {
namespace {

using namespace graphdef;

std::string proto_field(char key, const std::string& payload) {
  return std::string(1, key) + static_cast<char>(payload.size()) + payload;
}

// AttrValue with a float tensor of small dims, every element 0.5 (short form).
std::string float_tensor(const std::vector<int>& dims) {
  std::string shape;
  for (int dim : dims) shape += proto_field('\x12', std::string("\x08") + static_cast<char>(dim));
  const std::string half("\x2d\0\0\0\x3f", 5);
  return proto_field('\x42', std::string("\x08\x01") + proto_field('\x12', shape) + half);
}
std::string int_tensor(const std::vector<int>& values) {
  std::string content;
  for (int value : values)
    content += std::string(1, static_cast<char>(value)) + std::string(3, '\0');
  const std::string shape =
      proto_field('\x12', std::string("\x08") + static_cast<char>(values.size()));
  return proto_field(
      '\x42', std::string("\x08\x03") + proto_field('\x12', shape) + proto_field('\x22', content));
}

class Seed {
 public:
  void add(const std::string& name, const std::string& op, std::vector<std::string> inputs,
           decltype(NodeSpec::attrs) attrs) {
    NodeSpec spec;
    spec.name = name, spec.op = op, spec.inputs = std::move(inputs), spec.attrs = std::move(attrs);
    writer_.add(spec);
  }
  void placeholder(const std::vector<int64_t>& dims) {
    ShapeView shape;
    shape.dims = dims;
    add("x", "Placeholder", {},
        {{"dtype", attr_of_type(DType::kFloat)}, {"shape", attr_of_shape(shape)}});
  }
  void constant(const std::string& name, DType dtype, std::string tensor) {
    add(name, "Const", {}, {{"dtype", attr_of_type(dtype)}, {"value", std::move(tensor)}});
  }
  std::string finish() {
    const auto bytes = writer_.finish().value();
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }

 private:
  GraphWriter writer_;
};

const std::pair<std::string, std::string> kFloatT = {"T", attr_of_type(DType::kFloat)};

std::string convolution() {
  Seed s;
  s.placeholder({-1, 4, 4, 2});
  s.constant("w", DType::kFloat, float_tensor({3, 3, 2, 3}));
  s.constant("b", DType::kFloat, float_tensor({3}));
  s.add("conv", "Conv2D", {"x", "w"},
        {kFloatT,
         {"strides", attr_of_ints({1, 2, 2, 1})},
         {"padding", attr_of_string("SAME")},
         {"data_format", attr_of_string("NHWC")},
         {"dilations", attr_of_ints({1, 1, 1, 1})}});
  s.add("bias", "BiasAdd", {"conv", "b"}, {kFloatT, {"data_format", attr_of_string("NHWC")}});
  s.add("relu", "Relu", {"bias"}, {kFloatT});
  s.add("pool", "MaxPool", {"relu"},
        {kFloatT,
         {"ksize", attr_of_ints({1, 2, 2, 1})},
         {"strides", attr_of_ints({1, 1, 1, 1})},
         {"padding", attr_of_string("VALID")},
         {"data_format", attr_of_string("NHWC")}});
  s.constant("axes", DType::kInt32, int_tensor({1, 2}));
  s.add("mean", "Mean", {"pool", "axes"},
        {kFloatT, {"Tidx", attr_of_type(DType::kInt32)}, {"keep_dims", attr_of_bool(false)}});
  s.add("softmax", "Softmax", {"mean"}, {kFloatT});
  return s.finish();
}

std::string shapes() {
  Seed s;
  s.placeholder({2, 6});
  s.constant("axis", DType::kInt32, int_tensor({1}));
  s.constant("to", DType::kInt32, int_tensor({3, 4}));
  s.constant("w", DType::kFloat, float_tensor({4, 5}));
  s.add("reshape", "Reshape", {"x", "to"}, {kFloatT, {"Tshape", attr_of_type(DType::kInt32)}});
  s.add("matmul", "MatMul", {"reshape", "w"},
        {kFloatT, {"transpose_a", attr_of_bool(false)}, {"transpose_b", attr_of_bool(false)}});
  s.add("perm", "Transpose", {"matmul", "order"},
        {kFloatT, {"Tperm", attr_of_type(DType::kInt32)}});
  s.constant("order", DType::kInt32, int_tensor({1, 0}));
  s.add("sum", "Sum", {"perm", "axis"},
        {kFloatT, {"Tidx", attr_of_type(DType::kInt32)}, {"keep_dims", attr_of_bool(true)}});
  s.add("out", "AddV2", {"sum", "perm", "^x"}, {kFloatT});
  return s.finish();
}

}  // namespace

Seeds graph_seeds() { return {{"convolution", convolution()}, {"shapes", shapes()}}; }

}  // namespace graft
