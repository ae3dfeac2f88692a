// Users' converters: what one makes is what the importer of an op would make, and each failure of
// one is a refusal that names it.
#include "graft/converter.h"

#include <atomic>
#include <stdexcept>
#include <thread>

#include "graph_builder.h"

namespace graft::frontend {
namespace {

// Registered as long as the test runs.
class Registered {
 public:
  Registered(std::string op, ConverterFn fn, ConverterOptions options = {}) : op_(std::move(op)) {
    const Status status = register_converter(op_, std::move(fn), options);
    EXPECT_TRUE(status.ok()) << status.message();
  }
  ~Registered() { (void)unregister_converter(op_); }

 private:
  std::string op_;
};

using Tensors = std::vector<ConverterTensor>;

// x * tanh(softplus(beta * x))
Status mish(ConverterNode& node) {
  auto beta = node.attr_float("beta", 1.0f);
  if (!beta.ok()) return beta.status();
  auto x = node.input(0);
  if (!x.ok()) return x.status();
  const auto type = node.type(*x);
  const auto scale = node.constant_scalar(*beta, type->dtype);
  if (!scale.ok()) return scale.status();
  auto y = node.emit("binary", Tensors{*x, *scale}, "fn=mul");
  if (!y.ok()) return y.status();
  for (const char* fn : {"fn=softplus", "fn=tanh"}) {
    y = node.emit("unary", Tensors{*y}, fn);
    if (!y.ok()) return y.status();
  }
  y = node.emit("binary", Tensors{*x, *y}, "fn=mul");
  if (!y.ok()) return y.status();
  return node.output(*y);
}

GraphBuilder own_op(AttrList attrs = {}) {
  GraphBuilder g;
  g.placeholder("x", DType::kFloat, {-1, 4});
  return g.add("MyOp", "n", {"x"}, std::move(attrs));
}

ConverterFn relu(std::string_view attr = {}) {
  return [attr](ConverterNode& node) -> Status {
    if (!attr.empty()) node.ignore({attr});
    const auto y = node.emit("unary", Tensors{*node.input(0)}, "fn=relu");
    return y.ok() ? node.output(*y) : y.status();
  };
}

TEST(Converter, makes_the_ops_of_its_node) {
  const Registered own("MyOp", mish, {"mish"});
  const graphdef::Graph graph = own_op({{"beta", graphdef::attr_of_float(2.0f)}}).graph();
  WorkContext work;
  const auto imported = import_all(graph, work);
  ASSERT_TRUE(imported.ok()) << imported.status().message();
  EXPECT_TRUE(imported->support[1].yes) << imported->support[1].reason;
  ASSERT_EQ(imported->ops[1].size(), 4u);
  EXPECT_EQ(imported->network.ops[0].kind(), ir::OpKind::kBinary);
  EXPECT_EQ(imported->network.ops[2].as<ir::UnaryAttrs>().fn.fn, ir::UnaryFn::kTanh);
  EXPECT_EQ(imported->converters.at(1), std::set<std::string>{"mish"});
  const ir::TensorType& type =
      imported->network.values[static_cast<size_t>(imported->values[1][0])].type;
  EXPECT_EQ(type.dtype, DType::kFloat);
  EXPECT_EQ(type.rank(), 2);
}

TEST(Converter, an_op_without_one_stays_native_again) {
  { const Registered own("MyOp", mish); }
  expect_refused(own_op(), "unsupported_op", "no importer for MyOp");
  EXPECT_EQ(unregister_converter("MyOp").code(), Code::kInvalidArgument);
}

TEST(Converter, reads_attributes_of_every_kind) {
  using namespace graphdef;
  const Registered own("MyOp", [](ConverterNode& n) -> Status {
    EXPECT_EQ(n.name(), "n");
    EXPECT_EQ(n.op(), "MyOp");
    EXPECT_EQ(n.inputs(), 1u);
    EXPECT_EQ(*n.attr_int("i"), 7);
    EXPECT_EQ(*n.attr_int("absent", 9), 9);
    EXPECT_EQ(*n.attr_float("f"), 0.5f);
    EXPECT_EQ(*n.attr_bool("b"), true);
    EXPECT_EQ(*n.attr_string("s"), "text");
    EXPECT_EQ(*n.attr_type("t"), DType::kHalf);
    EXPECT_EQ(*n.attr_shape("shape"), (std::vector<int64_t>{-1, 3}));
    EXPECT_EQ(*n.attr_ints("ints"), (std::vector<int64_t>{1, -2}));
    EXPECT_EQ(*n.attr_strings("strings"), (std::vector<std::string>{"a", "b"}));
    EXPECT_EQ(*n.attr_types("types"), (std::vector<DType>{DType::kFloat, DType::kInt32}));
    EXPECT_EQ(*n.attr_floats("absent", std::vector<float>{1}), std::vector<float>{1});
    const auto tensor = n.attr_tensor("tensor");
    EXPECT_EQ(tensor->dims, (std::vector<int64_t>{2}));
    EXPECT_EQ(tensor->bytes.size(), 8u);
    // What can't be read is an error that says why.
    EXPECT_EQ(n.attr_int("absent").status().message(),
              "attribute 'absent' is missing, expected an int");
    EXPECT_EQ(n.attr_int("f", 1).status().message(), "attribute 'f' is not an int");
    EXPECT_EQ(n.attr_floats("ints").status().message(), "attribute 'ints' is not a list of floats");
    EXPECT_FALSE(n.attr_tensor("absent").ok());
    return relu()(n);
  });
  ShapeView shape;
  shape.dims = {-1, 3};
  const float elems[] = {1, 2};
  expect_supported(
      own_op({{"i", attr_of_int(7)},
              {"f", attr_of_float(0.5f)},
              {"b", attr_of_bool(true)},
              {"s", attr_of_string("text")},
              {"t", attr_of_type(DType::kHalf)},
              {"shape", attr_of_shape(shape)},
              {"ints", attr_of_ints({1, -2})},
              {"strings", attr_of_strings({"a", "b"})},
              {"types", attr_of_types({DType::kFloat, DType::kInt32})},
              {"tensor", tensor_attr(DType::kFloat, {2},
                                     std::string(reinterpret_cast<const char*>(elems), 8))},
              {"_private", attr_of_int(1)}}));
}

TEST(Converter, an_attribute_that_it_did_not_read_is_a_refusal) {
  const AttrList attrs{{"alpha", graphdef::attr_of_int(1)}};
  {
    const Registered own("MyOp", relu(), {"mine"});
    expect_refused(own_op(attrs), "unsupported_attr",
                   "converter 'mine' of MyOp: attribute 'alpha' was not read");
  }
  const Registered own("MyOp", relu("alpha"));
  expect_supported(own_op(attrs));
}

TEST(Converter, types_and_constants_of_inputs) {
  const Registered own("MyOp", [](ConverterNode& n) -> Status {
    const auto x = n.type(*n.input(0));
    EXPECT_EQ(x->dims, (std::vector<int64_t>{-1, 4}));
    EXPECT_EQ(x->dtype, DType::kFloat);
    const auto elems = n.constant_of(*n.input(1));
    EXPECT_EQ(elems->dims, std::vector<int64_t>{2});
    EXPECT_EQ(elems->dtype, DType::kInt32);
    int32_t last = 0;
    std::memcpy(&last, elems->bytes.data() + 4, 4);
    EXPECT_EQ(last, 5);
    EXPECT_EQ(n.constant_of(*n.input(0)).status().code(), Code::kUnsupported);
    // Shape arithmetic on known extents is known, too.
    const auto shape = n.emit("shape", Tensors{*n.constant_ints(std::vector<int64_t>{7, 8, 9})});
    const auto extent = n.constant_of(*shape);
    EXPECT_TRUE(extent.ok()) << extent.status().message();
    EXPECT_EQ(n.input(2).status().code(), Code::kInvalidArgument);
    return relu()(n);
  });
  GraphBuilder g;
  g.placeholder("x", DType::kFloat, {-1, 4}).ints("k", {2}, {3, 5});
  expect_supported(g.add("MyOp", "n", {"x", "k"}, {}));
}

TEST(Converter, constants_are_checked) {
  const Registered own("MyOp", [](ConverterNode& n) -> Status {
    const float data[] = {1, 2, 3};
    const std::vector<int64_t> dims{3}, wrong{4}, negative{-3}, huge{INT64_MAX, INT64_MAX};
    EXPECT_TRUE(n.constant({DType::kFloat, dims, data, sizeof data}).ok());
    EXPECT_FALSE(n.constant({DType::kFloat, wrong, data, sizeof data}).ok());
    EXPECT_FALSE(n.constant({DType::kFloat, negative, data, sizeof data}).ok());
    EXPECT_FALSE(n.constant({DType::kFloat, huge, data, sizeof data}).ok());
    EXPECT_FALSE(n.constant({DType::kFloat, dims, nullptr, sizeof data}).ok());
    EXPECT_FALSE(n.constant({DType::kString, dims, data, sizeof data}).ok());
    EXPECT_FALSE(n.constant_scalar(300, DType::kUint8).ok());
    EXPECT_FALSE(n.constant_scalar(0.5, DType::kInt32).ok());
    EXPECT_FALSE(n.constant_scalar(1, DType::kResource).ok());
    EXPECT_TRUE(n.constant_scalar(0.5, DType::kBfloat16).ok());
    return relu()(n);
  });
  expect_supported(own_op());
}

// 2^35 elements, of which the graph holds one.
std::string repeated_float() {
  std::string attr = tensor_attr(DType::kFloat, {1 << 20, 1 << 15}, "");
  attr.resize(attr.size() - 2);                // tensor_content, which is empty
  attr += std::string("\x2d\0\0\x80\x3f", 5);  // float_val 1
  attr[1] = static_cast<char>(attr.size() - 2);
  return attr;
}

TEST(Converter, a_repeated_element_is_not_spread_without_limit) {
  const Registered own("MyOp",
                       [](ConverterNode& n) { return n.constant_of(*n.input(0)).status(); });
  GraphBuilder g;
  g.add("Const", "k", {}, {{"dtype", type_attr(DType::kFloat)}, {"value", repeated_float()}});
  expect_refused(g.add("MyOp", "n", {"k"}, {}), "converter", "one repeated element");
}

struct Failure {
  const char* what;
  ConverterFn converter;
  const char* part;
};
void PrintTo(const Failure& f, std::ostream* os) { *os << f.what; }

class Refused : public testing::TestWithParam<Failure> {};

TEST_P(Refused, names_converter_op_and_reason) {
  const Registered own("MyOp", GetParam().converter, {"mine"});
  expect_refused(own_op(), "converter", "converter 'mine' of MyOp: ");
  expect_refused(own_op(), "converter", GetParam().part);
}

Status emit_one(ConverterNode& n, std::string_view op, std::string_view attrs, size_t inputs = 1,
                size_t outputs = 1) {
  const auto made = n.emit_many(op, Tensors(inputs, *n.input(0)), attrs, outputs);
  return made.ok() ? n.output((*made)[0]) : made.status();
}

ConverterTensor& kept() {
  static ConverterTensor tensor;
  return tensor;
}

const Failure kFailures[] = {
    {"unknown op", [](auto& n) { return emit_one(n, "frobnicate", ""); },
     "there is no IR op 'frobnicate'"},
    {"op with bodies", [](auto& n) { return emit_one(n, "while", ""); }, "makes no while"},
    {"attribute", [](auto& n) { return emit_one(n, "unary", "fn=frob"); },
     "unary does not take attribute \"fn=frob\""},
    {"attribute name", [](auto& n) { return emit_one(n, "unary", "fun=relu"); },
     "unary does not take attribute \"fun=relu\""},
    {"number of inputs", [](auto& n) { return emit_one(n, "unary", "fn=relu", 2); }, "2 inputs"},
    {"number of outputs", [](auto& n) { return emit_one(n, "unary", "fn=relu", 1, 2); },
     "2 outputs"},
    {"no outputs", [](auto& n) { return emit_one(n, "split", "axis=0", 1, 0); }, "no outputs"},
    {"too many outputs", [](auto& n) { return emit_one(n, "split", "axis=0", 1, size_t{1} << 40); },
     "too many"},
    {"dtype rule", [](auto& n) { return emit_one(n, "unary", "fn=logical_not"); }, "unary"},
    {"axis", [](auto& n) { return emit_one(n, "expand_dims", "axis=7"); }, "expand_dims"},
    {"a tensor never made", [](ConverterNode& n) { return n.output(ConverterTensor{}); },
     "never made"},
    {"a tensor out of range",
     [](ConverterNode& n) {
       return n.output({n.input(0)->call, 12345});
     },
     "no tensor 12345"},
    {"a tensor of an earlier call",
     [](ConverterNode& n) {
       if (kept().call != 0) return n.output(kept());
       kept() = *n.input(0);
       return n.output({kept().call + 1, kept().value});
     },
     "of another node"},
    {"no output", [](ConverterNode&) { return ok_status(); }, "it set no output"},
    {"its own status", [](ConverterNode&) { return invalid_argument("because"); }, "because"},
    {"its own refusal", [](ConverterNode& n) { return n.refuse("beta is odd", "make it even"); },
     "beta is odd"},
    {"a refusal that it forgets to return",
     [](ConverterNode& n) {
       (void)n.refuse("too late");
       return relu()(n);
     },
     "too late"},
    {"an exception", [](ConverterNode&) -> Status { throw std::runtime_error("out of ideas"); },
     "out of ideas"},
    {"another exception", [](ConverterNode&) -> Status { throw 7; }, "no std::exception"},
    {"a result that it did not check", [](ConverterNode& n) { return n.output(*n.input(3)); },
     "input 3"},
};
INSTANTIATE_TEST_SUITE_P(All, Refused, testing::ValuesIn(kFailures));

TEST(Converter, a_failed_attempt_adds_nothing) {
  const Registered own("MyOp", [](ConverterNode& n) -> Status {
    EXPECT_FALSE(n.emit("unary", Tensors{*n.input(0)}, "fn=invert").ok());
    return relu()(n);
  });
  expect_supported(own_op());
}

TEST(Converter, a_refusal_takes_back_what_was_made) {
  const Registered own("MyOp", [](ConverterNode& n) -> Status {
    EXPECT_TRUE(relu()(n).ok());
    return n.refuse("no", "hint");
  });
  const graphdef::Graph graph = own_op().graph();
  WorkContext work;
  const auto imported = import_all(graph, work);
  ASSERT_TRUE(imported.ok());
  EXPECT_TRUE(imported->network.ops.empty());
  EXPECT_EQ(imported->support[1].hint, "hint");
  EXPECT_TRUE(imported->converters.empty());
}

TEST(Converter, outputs_that_are_read_must_be_there) {
  const Registered own("MyOp", relu());
  GraphBuilder g = own_op();
  g.add("Relu", "r", {"n:2"}, {{"T", type_attr(DType::kFloat)}});
  const graphdef::Graph graph = g.graph();
  WorkContext work;
  auto imported = import_all(graph, work);
  ASSERT_TRUE(imported.ok()) << imported.status().message();
  EXPECT_EQ(imported->support[1].reason,
            "converter 'MyOp' of MyOp: it set 1 outputs, the graph reads output 2");

  const graphdef::Graph plain = own_op().graph();
  const graphdef::InputRef second{1, 1};
  imported = import_all(plain, work, {}, {.fetched = {&second, 1}});
  ASSERT_TRUE(imported.ok());
  EXPECT_FALSE(imported->support[1].yes);
}

// The graph's own nodes say what a custom op's outputs are.
TEST(Converter, what_a_consumer_can_not_take_is_its_failure_not_the_graphs) {
  const Registered own("MyOp", [](ConverterNode& n) { return emit_one(n, "cast", "to=float16"); });
  const Registered good("GoodOp", relu());
  GraphBuilder g = own_op();
  g.add("GoodOp", "good", {"x"}, {});
  g.add("Identity", "i", {"n"}, {{"T", type_attr(DType::kFloat)}});
  const graphdef::Graph graph = g.graph();
  WorkContext work;
  const auto imported = import_all(graph, work);
  ASSERT_TRUE(imported.ok()) << imported.status().message();
  EXPECT_FALSE(imported->support[1].yes);
  EXPECT_EQ(imported->support[1].code, "converter");
  EXPECT_NE(imported->support[1].reason.find("attribute 'T' is float32"), std::string::npos)
      << imported->support[1].reason;
  EXPECT_TRUE(imported->support[2].yes);
}

TEST(Converter, many_that_the_graph_can_not_take_are_given_up) {
  const Registered own("MyOp", [](ConverterNode& n) { return emit_one(n, "cast", "to=float16"); });
  GraphBuilder g = own_op();
  for (int i = 0; i < 20; ++i) {
    const std::string name = "m" + std::to_string(i);
    g.add("MyOp", name, {"x"}, {});
    g.add("Identity", name + "i", {name}, {{"T", type_attr(DType::kFloat)}});
  }
  const graphdef::Graph graph = g.graph();
  WorkContext work;
  const auto imported = import_all(graph, work);
  ASSERT_TRUE(imported.ok()) << imported.status().message();
  for (size_t i = 1; i < graph.nodes.size(); ++i) EXPECT_FALSE(imported->support[i].yes);
}

TEST(Converter, an_invalid_graph_stays_one) {
  const Registered own("MyOp", relu());
  GraphBuilder g = own_op();
  g.placeholder("y", DType::kHalf, {4});
  g.add("Identity", "i", {"y"}, {{"T", type_attr(DType::kFloat)}});
  const graphdef::Graph graph = g.graph();
  WorkContext work;
  EXPECT_EQ(import_all(graph, work).status().code(), Code::kInvalidGraph);
}

TEST(Converter, contradicting_output_shapes_are_a_refusal) {
  const Registered own("MyOp", relu());
  graphdef::ShapeView shape;
  shape.dims = {-1, 5};
  expect_refused(own_op({{"_output_shapes", graphdef::attr_of_shapes({shape})}}), "converter",
                 "_output_shapes");
  shape.dims = {2, 4};
  expect_supported(own_op({{"_output_shapes", graphdef::attr_of_shapes({shape})}}));
}

TEST(Converter, replaces_an_importer_when_told_to) {
  EXPECT_EQ(register_converter("Relu6", relu()).code(), Code::kInvalidArgument);
  GraphBuilder g;
  g.placeholder("x", DType::kFloat, {4});
  g.add("Relu6", "n", {"x"}, {{"T", type_attr(DType::kFloat)}});
  {
    const Registered own("Relu6", [](ConverterNode& n) { return n.refuse("not today"); },
                         {.override_existing = true});
    expect_refused(g, "converter", "not today");
  }
  expect_supported(g);
}

TEST(Converter, registration_is_checked) {
  const Registered own("MyOp", relu());
  EXPECT_NE(register_converter("MyOp", relu()).message().find("there is one"), std::string::npos);
  EXPECT_TRUE(register_converter("MyOp", relu(), {.override_existing = true}).ok());
  EXPECT_FALSE(register_converter("", relu()).ok());
  EXPECT_FALSE(register_converter("My Op", relu()).ok());
  EXPECT_FALSE(register_converter("Other", nullptr).ok());
  for (const char* output : {"", "a b", "a*", "@T"})
    EXPECT_FALSE(register_converter("Other", relu(), {.outputs = {output}}).ok()) << output;
  for (const char* op : {"Const", "Placeholder", "NoOp", "While", "PartitionedCall", "Switch",
                         "VarHandleOp", "HashTableV2", "TRTEngineOp", "TensorListStack"})
    EXPECT_FALSE(register_converter(op, relu(), {.override_existing = true}).ok()) << op;
  for (const char* op : {"CheckNumerics", "Acme>MyOp"}) {  // ops that stay native else
    EXPECT_TRUE(register_converter(op, relu()).ok()) << op;
    EXPECT_TRUE(unregister_converter(op).ok());
  }
}

TEST(Converter, a_conversion_keeps_what_it_began_with) {
  std::atomic<int> calls{0};
  ASSERT_TRUE(register_converter("MyOp", [&](ConverterNode& n) -> Status {
                ++calls;
                (void)unregister_converter("MyOp");
                return relu()(n);
              }).ok());
  GraphBuilder g = own_op();
  g.add("MyOp", "m", {"n"}, {});
  expect_supported(g);
  EXPECT_EQ(calls, 2);
  expect_refused(own_op(), "unsupported_op");
}

TEST(Converter, stops_with_the_conversion) {
  std::stop_source stop;
  const Registered own("MyOp", [&](ConverterNode& n) -> Status {
    stop.request_stop();
    (void)relu()(n);
    return ok_status();
  });
  const graphdef::Graph graph = own_op().graph();
  WorkContext work(stop.get_token());
  EXPECT_EQ(import_all(graph, work).status().code(), Code::kCancelled);
}

TEST(Converter, registration_and_conversion_from_many_threads) {
  std::vector<std::thread> threads;
  std::atomic<bool> failed{false};
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([t, &failed] {
      const std::string op = "MyOp" + std::to_string(t);
      GraphBuilder g;
      g.placeholder("x", DType::kFloat, {4});
      g.add(op, "n", {"x"}, {});
      const graphdef::Graph graph = g.graph();
      for (int i = 0; i < 200; ++i) {
        if (!register_converter(op, relu()).ok()) failed = true;
        WorkContext work;
        const auto imported = import_all(graph, work);
        if (!imported.ok() || !imported->support[1].yes) failed = true;
        if (!unregister_converter(op).ok()) failed = true;
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_FALSE(failed);
}

}  // namespace
}  // namespace graft::frontend
