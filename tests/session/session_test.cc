#include "graft/session.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <thread>

#include "graft/convert.h"
#include "graft/engine.h"
#include "graft/files.h"
#include "graphdef/writer.h"

namespace graft {
namespace {

using graphdef::NodeSpec;
using Bytes = std::vector<std::byte>;
using Dims = std::vector<int64_t>;
using Feed = std::pair<std::string, TensorRef>;

// Serialized AttrValue holding a float TensorProto (dtype 1, shape, tensor_content), all lengths
// below 128.
std::string tensor_attr(const Dims& dims, const std::vector<float>& elems) {
  const auto field = [](int number, const std::string& payload) {
    std::string s(1, static_cast<char>(number << 3 | 2));
    size_t n = payload.size();
    for (; n >= 128; n >>= 7) s += static_cast<char>(n | 128);
    return s + static_cast<char>(n) + payload;
  };
  std::string shape;
  for (int64_t d : dims) shape += field(2, std::string("\x08") + static_cast<char>(d));
  std::string content(elems.size() * 4, '\0');
  std::memcpy(content.data(), elems.data(), content.size());
  return field(8, std::string("\x08\x01") + field(2, shape) + field(4, content));
}

class GraphBuilder {
 public:
  void add(const std::string& name, const std::string& op, std::vector<std::string> inputs,
           decltype(NodeSpec::attrs) attrs = {}) {
    writer_.add(NodeSpec{name, op, "", std::move(inputs), std::move(attrs)});
  }
  void placeholder(const std::string& name, const Dims& dims) {
    add(name, "Placeholder", {},
        {{"dtype", graphdef::attr_of_type(DType::kFloat)},
         {"shape", graphdef::attr_of_shape({false, dims})}});
  }
  void constant(const std::string& name, const Dims& dims, const std::vector<float>& elems) {
    add(name, "Const", {},
        {{"dtype", graphdef::attr_of_type(DType::kFloat)}, {"value", tensor_attr(dims, elems)}});
  }
  void typed(const std::string& name, const std::string& op, std::vector<std::string> inputs) {
    add(name, op, std::move(inputs), {{"T", graphdef::attr_of_type(DType::kFloat)}});
  }
  Bytes finish() {
    // versions { producer: 1087 }
    static const unsigned char kVersions[] = {0x22, 0x03, 0x08, 0xbf, 0x08};
    writer_.add_rest(std::as_bytes(std::span(kVersions)));
    auto bytes = writer_.finish();
    EXPECT_TRUE(bytes.ok());
    return *bytes;
  }

 private:
  graphdef::GraphWriter writer_;
};

// out = identity(relu(x * w + b)), with a side branch that cannot run.
Bytes plain_graph() {
  GraphBuilder g;
  g.placeholder("x", {-1, 2});
  g.constant("w", {2, 3}, {1, -1, 2, 0.5f, 3, -2});
  g.constant("b", {3}, {1, 2, 3});
  g.typed("mul", "MatMul", {"x", "w"});
  g.typed("add", "BiasAdd", {"mul", "b"});
  g.typed("act", "Relu", {"add"});
  g.typed("out", "Identity", {"act"});
  g.add("strange", "NobodyKnowsThis", {"act"});
  g.typed("after", "Relu", {"strange"});
  return g.finish();
}

std::vector<float> expected(const std::vector<float>& x) {
  const float w[] = {1, -1, 2, 0.5f, 3, -2}, b[] = {1, 2, 3};
  std::vector<float> y;
  for (size_t r = 0; r + 1 < x.size(); r += 2) {
    for (int c = 0; c < 3; ++c)
      y.push_back(std::max(0.0f, x[r] * w[c] + x[r + 1] * w[3 + c] + b[c]));
  }
  return y;
}

struct FloatTensor {
  Dims dims;
  std::vector<float> elems;
  TensorRef ref() const { return {DType::kFloat, dims, elems.data(), elems.size() * 4}; }
};

std::vector<float> floats(const HostTensor& t) {
  std::vector<float> v(t.bytes.size() / 4);
  if (!v.empty()) std::memcpy(v.data(), t.bytes.data(), t.bytes.size());
  return v;
}

std::unique_ptr<Session> must_create(const Bytes& graph, const SessionOptions& options = {}) {
  auto session = Session::create(graph, options);
  EXPECT_TRUE(session.ok()) << session.status().message();
  return session.ok() ? std::move(*session) : nullptr;
}

Result<std::vector<HostTensor>> run(Session& session, std::vector<std::string> fetches,
                                    std::vector<Feed> feeds) {
  return session.run(fetches, feeds);
}

const FloatTensor kX{{2, 2}, {1, 2, -3, 0.25f}};

TEST(Session, plain_graph_by_kernels_and_by_the_reference) {
  for (bool convert_plain : {true, false}) {
    SessionOptions options;
    options.convert_plain = convert_plain;
    auto session = must_create(plain_graph(), options);
    auto out = run(*session, {"out"}, {{"x", kX.ref()}});
    ASSERT_TRUE(out.ok()) << out.status().message();
    EXPECT_EQ((*out)[0].dims, (Dims{2, 3}));
    const auto got = floats((*out)[0]), want = expected(kX.elems);
    for (size_t i = 0; i < want.size(); ++i) EXPECT_NEAR(got[i], want[i], 1e-5f);
    EXPECT_EQ(session->engines().size(), 1u);
  }
}

TEST(Session, mixed_graph_answers_as_the_plain_one) {
  ConvertOptions options;
  options.outputs = {"out"};
  const Bytes plain = plain_graph();
  auto mixed = convert(plain, options);
  ASSERT_TRUE(mixed.ok()) << mixed.status().message();
  ASSERT_EQ(mixed->report.engines.size(), 1u) << mixed->report.summary();
  auto session = must_create(mixed->graph.flatten());
  ASSERT_EQ(session->engines().size(), 1u);
  EXPECT_EQ(session->engines()[0].first, mixed->report.engines[0].name);
  auto out = run(*session, {"out:0"}, {{"x:0", kX.ref()}});
  ASSERT_TRUE(out.ok()) << out.status().message();
  const auto got = floats((*out)[0]), want = expected(kX.elems);
  ASSERT_EQ(got.size(), want.size());
  for (size_t i = 0; i < want.size(); ++i) EXPECT_NEAR(got[i], want[i], 1e-5f);
}

TEST(Session, many_fetches_of_one_run_constants_feeds_and_twice_the_same) {
  auto session = must_create(plain_graph());
  auto out = run(*session, {"mul", "w", "x", "out", "out"}, {{"x", kX.ref()}});
  ASSERT_TRUE(out.ok()) << out.status().message();
  EXPECT_NEAR(floats((*out)[0])[0], 2, 1e-6f);
  EXPECT_EQ(floats((*out)[1]), (std::vector<float>{1, -1, 2, 0.5f, 3, -2}));
  EXPECT_EQ(floats((*out)[2]), kX.elems);
  EXPECT_EQ(floats((*out)[3]), floats((*out)[4]));
}

TEST(Session, feed_in_the_middle_needs_nothing_before_it) {
  auto session = must_create(plain_graph());
  const FloatTensor mid{{1, 3}, {-5, 0, 5}};
  auto out = run(*session, {"out"}, {{"mul", mid.ref()}});
  ASSERT_TRUE(out.ok()) << out.status().message();
  EXPECT_EQ(floats((*out)[0]), (std::vector<float>{0, 2, 8}));
}

TEST(Session, any_batch_and_none) {
  auto session = must_create(plain_graph());
  for (int64_t n : {1, 0, 5}) {
    const FloatTensor x{{n, 2}, std::vector<float>(static_cast<size_t>(2 * n), 1.0f)};
    auto out = run(*session, {"out"}, {{"x", x.ref()}});
    ASSERT_TRUE(out.ok()) << out.status().message();
    EXPECT_EQ((*out)[0].dims, (Dims{n, 3}));
  }
}

TEST(Session, S10_node_that_cannot_run_is_an_error_only_where_it_is_needed) {
  auto session = must_create(plain_graph());
  EXPECT_TRUE(run(*session, {"out"}, {{"x", kX.ref()}}).ok());
  const Status status = run(*session, {"after"}, {{"x", kX.ref()}}).status();
  EXPECT_EQ(status.code(), Code::kUnsupported);
  EXPECT_NE(status.message().find("'strange' (NobodyKnowsThis)"), std::string::npos)
      << status.message();
  // Fed, it is not needed.
  auto out = run(*session, {"after"}, {{"strange", kX.ref()}});
  ASSERT_TRUE(out.ok()) << out.status().message();
  EXPECT_EQ(floats((*out)[0]), (std::vector<float>{1, 2, 0, 0.25f}));
}

TEST(Session, I2_S11_wrong_feeds_and_fetches_are_named) {
  auto session = must_create(plain_graph());
  const FloatTensor rank{{4}, {1, 2, 3, 4}}, wide{{1, 3}, {1, 2, 3}};
  const auto text = [&](std::vector<std::string> fetches, std::vector<Feed> feeds) {
    const Status status = run(*session, std::move(fetches), std::move(feeds)).status();
    EXPECT_EQ(status.code(), Code::kInvalidArgument) << status.message();
    return status.message();
  };
  EXPECT_EQ(text({}, {}), "nothing to fetch");
  EXPECT_NE(text({"aot"}, {}).find("aot"), std::string::npos);
  EXPECT_EQ(text({"out"}, {}), "placeholder 'x' must be fed");
  EXPECT_EQ(text({"out"}, {{"x", rank.ref()}}), "feed 'x' has shape [4], expected [?,2]");
  EXPECT_EQ(text({"out"}, {{"x", wide.ref()}}), "feed 'x' has shape [1,3], expected [?,2]");
  EXPECT_EQ(text({"out"}, {{"x", kX.ref()}, {"x:0", kX.ref()}}), "'x:0' is fed twice");
  const std::vector<int32_t> ints{1, 2, 3, 4};
  EXPECT_EQ(text({"out"}, {{"x", TensorRef{DType::kInt32, kX.dims, ints.data(), 16}}}),
            "feed 'x' is int32, expected float32");
}

TEST(Session, plan_of_tensorrt_names_the_rescue) {
  GraphBuilder g;
  g.placeholder("x", {-1, 2});
  g.add("engine_0", "TRTEngineOp", {"x"},
        {{"serialized_segment", graphdef::attr_of_string("ftrt....")}});
  const Status status = Session::create(g.finish()).status();
  EXPECT_EQ(status.code(), Code::kUnsupported);
  EXPECT_NE(status.message().find("'engine_0'"), std::string::npos) << status.message();
  EXPECT_NE(status.message().find("graft rescue"), std::string::npos);
}

TEST(Session, L1_truncated_plan_in_the_graph_names_the_node) {
  GraphBuilder g;
  g.placeholder("x", {-1, 2});
  g.add("engine_0", "TRTEngineOp", {"x"},
        {{"serialized_segment", graphdef::attr_of_string("GRFT\x01")}});
  const Status status = Session::create(g.finish()).status();
  EXPECT_EQ(status.code(), Code::kPlanError);
  EXPECT_NE(status.message().find("'engine_0'"), std::string::npos) << status.message();
}

TEST(Session, L8_types_of_a_node_that_are_not_its_plans) {
  auto plan = read_file(GRAFT_TEST_DATA "/golden/plans/v1_toy_resnet.grft", 1 << 24);
  ASSERT_TRUE(plan.ok()) << plan.status().message();
  auto engine = Engine::load(*plan);
  ASSERT_TRUE(engine.ok()) << engine.status().message();
  std::vector<DType> in, out;
  for (const TensorSpec& spec : (*engine)->inputs()) in.push_back(spec.dtype);
  for (const TensorSpec& spec : (*engine)->outputs()) out.push_back(spec.dtype);
  const std::string bytes(reinterpret_cast<const char*>(plan->data()), plan->size());
  const auto created = [&](const std::vector<DType>& in_types,
                           const std::vector<DType>& out_types) {
    GraphBuilder g;
    g.placeholder("x", {-1, 32, 32, 3});
    g.add("engine_0", "TRTEngineOp", {"x"},
          {{"serialized_segment", graphdef::attr_of_string(bytes)},
           {"InT", graphdef::attr_of_types(in_types)},
           {"OutT", graphdef::attr_of_types(out_types)}});
    return Session::create(g.finish()).status();
  };
  EXPECT_TRUE(created(in, out).ok()) << created(in, out).message();
  std::vector<DType> ints(in.size(), DType::kInt32), more = out;
  more.push_back(DType::kFloat);
  for (const auto& [status, attr] :
       {std::pair(created(ints, out), "'InT'"), std::pair(created(in, more), "'OutT'")}) {
    EXPECT_EQ(status.code(), Code::kPlanError);
    EXPECT_NE(status.message().find("'engine_0'"), std::string::npos) << status.message();
    EXPECT_NE(status.message().find(attr), std::string::npos) << status.message();
  }
}

TEST(Session, ensure_shape_is_checked) {
  GraphBuilder g;
  g.placeholder("x", {-1, 2});
  g.typed("r", "Relu", {"x"});
  g.add("out", "EnsureShape", {"r"},
        {{"T", graphdef::attr_of_type(DType::kFloat)},
         {"shape", graphdef::attr_of_shape({false, {3, 2}})}});
  auto session = must_create(g.finish());
  const Status status = run(*session, {"out"}, {{"x", kX.ref()}}).status();
  EXPECT_NE(status.message().find("'out'"), std::string::npos) << status.message();
  EXPECT_NE(status.message().find("[2,2]"), std::string::npos) << status.message();
  const FloatTensor three{{3, 2}, {1, 2, 3, 4, 5, 6}};
  EXPECT_TRUE(run(*session, {"out"}, {{"x", three.ref()}}).ok());
}

TEST(Session, M1_many_threads_many_fetches) {
  auto session = must_create(plain_graph());
  std::atomic<int> wrong{0};
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 8; ++t) {
      threads.emplace_back([&, t] {
        const FloatTensor x{
            {1 + t % 3, 2},
            std::vector<float>(static_cast<size_t>(2 + t % 3 * 2), 0.5f * static_cast<float>(t))};
        const auto want = expected(x.elems);
        for (int i = 0; i < 20; ++i) {
          auto out = run(*session, {i % 2 ? "out" : "act"}, {{"x", x.ref()}});
          if (!out.ok()) {
            ++wrong;
            continue;
          }
          const auto got = floats((*out)[0]);
          for (size_t k = 0; k < want.size(); ++k) wrong += std::abs(got[k] - want[k]) > 1e-5f;
        }
      });
    }
  }
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace graft
