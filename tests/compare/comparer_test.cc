// Whole comparisons: plain graphs, engines, INT8, and what is refused.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <set>

#include "convert/convert_testing.h"
#include "graft/compare.h"

namespace graft {
namespace {

using convert_testing::float_t;
using convert_testing::GraphBuilder;
using convert_testing::mlp;
using convert_testing::to;
using Bytes = std::vector<std::byte>;

constexpr float kMaxInput = 3.5F;

// x [8, 4], the last element kMaxInput.
std::vector<float> images() {
  std::vector<float> x(32);
  for (size_t i = 0; i < x.size(); ++i) x[i] = 0.25F * static_cast<float>(i % 15);
  x.back() = kMaxInput;
  return x;
}

Result<Comparison> compared(const Bytes& a, const Bytes& b, const CompareOptions& options = {},
                            const std::string& input = "x", int64_t batch = 8) {
  auto comparer = Comparer::create(a, b, options);
  if (!comparer.ok()) return comparer.status();
  const std::vector<float> x = images();
  for (int64_t at = 0; at < 8; at += batch) {
    const std::vector<int64_t> dims = {batch, 4};
    const std::vector<std::pair<std::string, TensorRef>> feeds = {
        {input,
         {DType::kFloat, dims, x.data() + at * 4, static_cast<size_t>(batch) * 4 * sizeof(float)}}};
    if (Status s = (*comparer)->add(feeds); !s.ok()) return s;
  }
  return (*comparer)->finish();
}

std::set<std::string> names(const Comparison& comparison) {
  std::set<std::string> result;
  for (const TensorComparison& row : comparison.rows) result.insert(row.name);
  return result;
}

const TensorComparison& row(const Comparison& comparison, const std::string& name) {
  static const TensorComparison kNone{};
  for (const TensorComparison& r : comparison.rows)
    if (r.name == name) return r;
  ADD_FAILURE() << "no row " << name;
  return kNone;
}

Bytes converted(const Bytes& graph, const ConvertOptions& options) {
  auto result = convert(graph, options);
  EXPECT_TRUE(result.ok()) << result.status().message();
  return result.ok() ? result->graph.flatten() : graph;
}

// A table with the true maxima of mlp(2) on images(); one tensor's threshold is scaled.
Bytes int8_mlp(const Comparison& reference, const std::string& scaled = "", double factor = 1) {
  std::string table = R"({"format":"graft-calibration","version":1,"tensors":{)";
  bool first = true;
  for (const char* name : {"x", "0/act"}) {
    const double max = row(reference, name).max_abs_a * (name == scaled ? factor : 1);
    table += std::string(first ? "" : ",") + "\"" + name +
             "\":{\"threshold\":" + std::to_string(max) +
             ",\"min\":0,\"max\":" + std::to_string(max) + "}";
    first = false;
  }
  ConvertOptions options = to({"out"});
  options.precision = Precision::kInt8;
  options.calibration_table = table + "}}";
  options.min_segment_size = 1;
  return converted(mlp().bytes(), options);
}

TEST(Compare, a_graph_equals_itself_tensor_by_tensor) {
  const Bytes graph = mlp().bytes();
  for (int64_t batch : {8, 2}) {
    auto same = compared(graph, graph, {}, "x", batch);
    ASSERT_TRUE(same.ok()) << same.status().message();
    EXPECT_EQ(same->runs, 8 / batch);
    const std::set<std::string> found = names(*same);
    for (const char* name : {"x", "0/act", "1/act", "out"})
      EXPECT_TRUE(found.contains(name)) << name;
    for (const TensorComparison& r : same->rows) {
      EXPECT_EQ(r.sqnr_db, std::numeric_limits<double>::infinity()) << r.name;
      EXPECT_EQ(r.max_abs_error, 0);
      EXPECT_EQ(r.elems, 32);
    }
    EXPECT_TRUE(row(*same, "out").is_output);
    EXPECT_EQ(row(*same, "x").order, 0);
    EXPECT_TRUE(same->outputs_reach(1e9));
  }
}

TEST(Compare, an_fp32_engine_is_near_its_graph) {
  const Bytes graph = mlp().bytes();
  auto near = compared(graph, converted(graph, to({"out"})));
  ASSERT_TRUE(near.ok()) << near.status().message();
  EXPECT_GT(near->worst_output_db(), 100);
}

TEST(Compare, int8_shows_quantized_tensors_and_the_threshold_that_is_too_low) {
  const Bytes graph = mlp().bytes();
  auto self = compared(graph, graph);
  ASSERT_TRUE(self.ok()) << self.status().message();
  auto good = compared(graph, int8_mlp(*self));
  ASSERT_TRUE(good.ok()) << good.status().message();
  EXPECT_GT(good->worst_output_db(), 30) << good->text();
  EXPECT_LT(good->worst_output_db(), 100) << good->text();
  const TensorComparison& hidden = row(*good, "0/act");
  EXPECT_NEAR(hidden.threshold_b, hidden.max_abs_a, 1e-3 * hidden.max_abs_a);
  EXPECT_EQ(hidden.threshold_a, 0);
  EXPECT_NEAR(row(*good, "x").threshold_b, kMaxInput, 1e-3);
  EXPECT_LT(row(*good, "x").max_abs_error, 0.51 * kMaxInput / 127);
  for (const char* corrupted : {"x", "0/act"}) {
    auto bad = compared(graph, int8_mlp(*self, corrupted, 0.25));
    ASSERT_TRUE(bad.ok()) << bad.status().message();
    if (corrupted[0] == '0') {
      EXPECT_EQ(bad->rows[0].name, corrupted) << bad->text();
    }
    EXPECT_LT(row(*bad, corrupted).sqnr_db, 15) << bad->text();
    EXPECT_FALSE(bad->outputs_reach(25));
  }
}

TEST(Compare, a_nan_on_one_side_is_the_worst_and_no_number) {
  GraphBuilder spoiled = mlp(1);
  GraphBuilder fine = mlp(1);
  for (GraphBuilder* g : {&spoiled, &fine}) {
    const float value = g == &spoiled ? std::numeric_limits<float>::quiet_NaN() : 1;
    g->constant<float>("c", DType::kFloat, {4}, {1, value, 1, 1});
    g->add("AddV2", "end", {"out", "c"}, float_t());
  }
  for (const bool in_a : {false, true}) {
    auto result = compared((in_a ? spoiled : fine).bytes(), (in_a ? fine : spoiled).bytes());
    ASSERT_TRUE(result.ok()) << result.status().message();
    EXPECT_EQ(result->rows[0].name, "end");
    EXPECT_TRUE(std::isnan(result->rows[0].sqnr_db));
    EXPECT_TRUE(std::isnan(result->worst_output_db()));
    EXPECT_FALSE(result->outputs_reach(-1000));
    EXPECT_NE(
        result->text().find(in_a ? "not finite: 8 in a, 0 in b" : "not finite: 0 in a, 8 in b"),
        std::string::npos)
        << result->text();
    EXPECT_NE(result->json().find("\"sqnr_db\":\"nan\""), std::string::npos);
    EXPECT_NE(result->html().find("not finite"), std::string::npos);
  }
}

TEST(Compare, outputs_of_unequal_shape_never_pass) {
  GraphBuilder other = mlp(1);
  other.ints("begin", {2}, {0, 0}).ints("size", {2}, {-1, 2});
  frontend::AttrList attrs = float_t();
  attrs.emplace_back("Index", frontend::type_attr(DType::kInt32));
  other.add("Slice", "end", {"out", "begin", "size"}, attrs);
  GraphBuilder whole = mlp(1);
  whole.add("Relu", "end", {"out"}, float_t());
  auto result = compared(whole.bytes(), other.bytes());
  ASSERT_TRUE(result.ok()) << result.status().message();
  EXPECT_TRUE(std::isnan(row(*result, "end").sqnr_db));
  EXPECT_FALSE(result->outputs_reach(-1000));
  EXPECT_NE(result->text().find("'end' can't be compared: a has shape [?,4], b [?,2]"),
            std::string::npos)
      << result->text();
}

TEST(Compare, outputs_of_another_kind_never_pass) {
  GraphBuilder floating = mlp(1), other = mlp(1);
  floating.add("Relu", "end", {"out"}, float_t());
  other.add(
      "Cast", "end", {"out"},
      {{"SrcT", frontend::type_attr(DType::kFloat)}, {"DstT", frontend::type_attr(DType::kInt32)}});
  CompareOptions options;
  options.outputs = {"out", "end"};
  for (const int64_t batch : {8, 2}) {
    auto result = compared(floating.bytes(), other.bytes(), options, "x", batch);
    ASSERT_TRUE(result.ok()) << result.status().message();
    EXPECT_TRUE(std::isnan(row(*result, "end").sqnr_db));
    EXPECT_FALSE(result->outputs_reach(-1000));
    EXPECT_NE(result->text().find("'end' can't be compared: b is int32, a is floating"),
              std::string::npos)
        << result->text();
  }
}

TEST(Compare, bad_calls_are_refused_by_name) {
  const Bytes graph = mlp().bytes();
  auto unfed = compared(graph, graph, {}, "0/act");
  EXPECT_EQ(unfed.ok() ? Code::kOk : unfed.status().code(), Code::kOk);  // fed inside: x not needed
  auto unknown = compared(graph, graph, {}, "y");
  EXPECT_EQ(unknown.status().code(), Code::kInvalidArgument);
  EXPECT_NE(unknown.status().message().find("no node \"y\""), std::string::npos);

  auto comparer = Comparer::create(graph, graph);
  ASSERT_TRUE(comparer.ok());
  EXPECT_EQ((*comparer)->inputs(), std::vector<std::string>{"x"});
  EXPECT_EQ((*comparer)->finish().status().message(), "compare: no feeds given");
  const Status missing = (*comparer)->add({});
  EXPECT_EQ(missing.code(), Code::kInvalidArgument);
  EXPECT_NE(missing.message().find("placeholder 'x' must be fed"), std::string::npos);

  GraphBuilder foreign;
  foreign.placeholder("x", DType::kFloat, {-1, 4});
  foreign.add("Relu", "else", {"x"}, float_t());
  auto none = compared(graph, foreign.bytes());
  EXPECT_EQ(none.status().code(), Code::kInvalidArgument);
  EXPECT_NE(none.status().message().find("no output in common: b has no node 'out'"),
            std::string::npos)
      << none.status().message();
  CompareOptions asked;
  asked.outputs = {"1/act"};
  EXPECT_NE(compared(graph, foreign.bytes(), asked).status().message().find("no node \"1/act\""),
            std::string::npos);
}

TEST(Compare, pages_escape_names_and_stay_small) {
  Comparison comparison;
  comparison.name_a = "<a>";
  comparison.runs = 1;
  for (int i = 0; i < 200; ++i) {
    TensorComparison& r = comparison.rows.emplace_back();
    r.name = "scope<b>&\"'/" + std::to_string(i);
    r.order = 199 - i;
    r.sqnr_db = i;
    r.histogram_max = 2;
    r.threshold_b = 1.5;
    for (int k = 0; k < 128; ++k) {
      r.histogram_a.push_back((k * 7919 + i) % 1009);
      r.histogram_b.push_back((k * 104729 + i) % 997);
    }
  }
  const std::string html = comparison.html();
  EXPECT_LT(html.size(), 1500000u);
  EXPECT_EQ(html.find("<b>&\""), std::string::npos);
  EXPECT_NE(html.find("scope&lt;b&gt;&amp;&quot;&#39;/0"), std::string::npos);
  EXPECT_EQ(html.find("http"), std::string::npos);
  EXPECT_NE(html.find("class=\"t\" x1=\"192\""), std::string::npos);  // 1.5 of 2, in 256 pixels
}

}  // namespace
}  // namespace graft
