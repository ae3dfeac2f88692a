// Conversions to INT8: calibration graphs, tables, and what is refused.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <set>

#include "convert/calibration_nodes.h"
#include "convert/convert_testing.h"
#include "convert/identity.h"
#include "graft/finish.h"
#include "graft/session.h"
#include "graphdef/attr.h"
#include "partition/calib.h"
#include "quantize/table_json.h"

namespace graft {
namespace {

using convert_testing::mlp;
using convert_testing::to;
using convert_testing::two_islands;

ConvertOptions int8(std::vector<std::string> outputs, CalibrationMode mode) {
  ConvertOptions options = to(std::move(outputs));
  options.precision = Precision::kInt8;
  options.calibration = mode;
  options.min_segment_size = 2;
  return options;
}

struct Parsed {
  std::vector<std::byte> bytes;
  graphdef::Graph graph;
};

Parsed parsed(std::vector<std::byte> bytes) {
  Parsed p{std::move(bytes), {}};
  auto graph = graphdef::parse(p.bytes);
  EXPECT_TRUE(graph.ok()) << graph.status().message();
  if (graph.ok()) p.graph = std::move(*graph);
  return p;
}

Parsed converted(const std::vector<std::byte>& bytes, const ConvertOptions& options) {
  auto result = convert(bytes, options);
  EXPECT_TRUE(result.ok()) << result.status().message();
  return parsed(result.ok() ? result->graph.flatten() : bytes);
}

int64_t count_op(const graphdef::Graph& graph, std::string_view op) {
  return std::count_if(graph.nodes.begin(), graph.nodes.end(),
                       [&](const graphdef::Node& n) { return n.op == op; });
}

Result<std::vector<std::vector<std::byte>>> no_states(const std::string&) {
  return std::vector<std::vector<std::byte>>();
}

std::vector<float> image(float factor) {
  std::vector<float> x(12);
  for (size_t i = 0; i < x.size(); ++i) x[i] = factor * (static_cast<float>(i) - 5.5F);
  return x;
}

// Runs a graph on x [3, 4].
std::vector<std::byte> run(Session& session, const std::string& fetch, float factor = 1) {
  const std::vector<float> x = image(factor);
  const std::vector<int64_t> dims = {3, 4};
  const std::vector<std::string> fetches = {fetch};
  const std::vector<std::pair<std::string, TensorRef>> feeds = {
      {"x", {DType::kFloat, dims, x.data(), x.size() * sizeof(float)}}};
  auto out = session.run(fetches, feeds);
  EXPECT_TRUE(out.ok()) << out.status().message();
  return out.ok() ? (*out)[0].bytes : std::vector<std::byte>();
}

std::shared_ptr<Session> open(const std::vector<std::byte>& bytes) {
  auto session = Session::create(bytes);
  EXPECT_TRUE(session.ok()) << session.status().message();
  return session.ok() ? std::shared_ptr<Session>(std::move(*session)) : nullptr;
}

class Ignored final : public OutputSink {
 public:
  void* allocate(int, DType, std::span<const int64_t>, size_t size_bytes) override {
    bytes_.resize(size_bytes + 1);
    return bytes_.data();
  }

 private:
  std::vector<std::byte> bytes_;
};

// Feeds a calibration graph of one segment: engines through a session, calibration nodes as their
// kernel does in TensorFlow.
class Feeder {
 public:
  explicit Feeder(const Parsed& calib) {
    auto sites = convert_detail::calibration_sites(calib.graph);
    EXPECT_TRUE(sites.ok() && sites->size() == 1) << sites.status().message();
    resource_ = (*sites)[0].resource;
    if ((*sites)[0].engine) {
      session_ = open(calib.bytes);
      collector_ = session_->calibration(resource_);
      return;
    }
    auto engine = Engine::load(std::as_bytes(std::span((*sites)[0].plan)));
    EXPECT_TRUE(engine.ok()) << engine.status().message();
    auto collector = CalibrationCollector::create(*engine);
    EXPECT_TRUE(collector.ok()) << collector.status().message();
    collector_ = *collector;
  }
  void feed(float factor = 1) {
    if (session_ != nullptr) {
      run(*session_, "out", factor);
      return;
    }
    const std::vector<float> x = image(factor);
    const std::vector<int64_t> dims = {3, 4};
    const TensorRef ref{DType::kFloat, dims, x.data(), x.size() * sizeof(float)};
    Ignored ignored;
    const Status status = collector_->run({&ref, 1}, ignored);
    EXPECT_TRUE(status.ok()) << status.message();
  }
  std::vector<std::byte> state() const { return collector_->state(); }

 private:
  std::string resource_;
  std::shared_ptr<Session> session_;
  std::shared_ptr<CalibrationCollector> collector_;
};

CalibrationStates states_of(const std::vector<const Feeder*>& feeders) {
  return [feeders](const std::string&) -> Result<std::vector<std::vector<std::byte>>> {
    std::vector<std::vector<std::byte>> states;
    for (const Feeder* feeder : feeders) states.push_back(feeder->state());
    return states;
  };
}

TEST(Int8, calibration_nodes_stand_before_every_segment) {
  const auto bytes = two_islands().bytes();
  const Parsed calib = converted(bytes, int8({"end"}, CalibrationMode::kCalibOps));
  EXPECT_EQ(count_op(calib.graph, "TRTCalibOp"), 2);
  EXPECT_EQ(count_op(calib.graph, "TRTEngineOp"), 0);
  auto original = graphdef::parse(bytes);
  ASSERT_TRUE(original.ok());
  for (const graphdef::Node& node : original->nodes)
    EXPECT_GE(calib.graph.find(node.name), 0) << node.name;
  auto restored = partition::remove_calib_nodes(calib.graph);
  ASSERT_TRUE(restored.ok());
  const Parsed again = parsed(restored->flatten());
  EXPECT_EQ(convert_detail::graph_identity(again.graph), convert_detail::graph_identity(*original));
}

TEST(Int8, every_conversion_collects_on_its_own) {
  const auto bytes = two_islands().bytes();
  std::set<std::string> resources;
  for (CalibrationMode mode : {CalibrationMode::kCalibOps, CalibrationMode::kEngines})
    for (int i = 0; i < 2; ++i) {
      auto found = calibration_resources(converted(bytes, int8({"end"}, mode)).bytes);
      ASSERT_TRUE(found.ok()) << found.status().message();
      EXPECT_EQ(found->size(), 2u);
      for (const CalibrationResource& r : *found) resources.insert(r.resource);
    }
  EXPECT_EQ(resources.size(), 8u);
}

TEST(Int8, Q1_finish_without_data_names_the_engine) {
  for (CalibrationMode mode : {CalibrationMode::kCalibOps, CalibrationMode::kEngines}) {
    const Parsed calib = converted(mlp().bytes(), int8({"out"}, mode));
    const Feeder unfed(calib);
    for (const CalibrationStates& states : {CalibrationStates(&no_states), states_of({&unfed})}) {
      const Status status = finish_calibration(calib.bytes, states, {}).status();
      EXPECT_EQ(status.code(), Code::kCalibrationError);
      EXPECT_NE(status.message().find("no calibration data for engine TRTEngineOp_000_000"),
                std::string::npos)
          << status.message();
    }
  }
}

TEST(Int8, a_graph_without_calibration_nodes_is_refused) {
  const Status status = finish_calibration(mlp().bytes(), &no_states, {}).status();
  EXPECT_EQ(status.code(), Code::kCalibrationError);
  EXPECT_NE(status.message().find("Graph doesn't contain any calibration nodes"),
            std::string::npos);
}

TEST(Int8, Q12_engines_that_observe_themselves_answer_in_fp32) {
  const auto bytes = mlp(1).bytes();
  const Parsed calib = converted(bytes, int8({"out"}, CalibrationMode::kEngines));
  EXPECT_EQ(run(*open(calib.bytes), "out"), run(*open(bytes), "out"));
}

// Answers of an INT8 graph lie near those of FP32, and its engine really holds INT8.
void check_int8(const Conversion& finished, const std::vector<std::byte>& source) {
  ASSERT_EQ(finished.report.engines.size(), 1u);
  int64_t quantized = 0;
  for (const LayerReport& layer : finished.report.engines[0].layers)
    quantized += layer.weights_dtype == "int8" || layer.dtype == "int8" || layer.dtype == "uint8";
  EXPECT_GT(quantized, 0);
  const Parsed mixed = parsed(finished.graph.flatten());
  EXPECT_EQ(count_op(mixed.graph, "TRTEngineOp"), 1);
  EXPECT_EQ(count_op(mixed.graph, "TRTCalibOp"), 0);
  const auto got = run(*open(mixed.bytes), "out"), want = run(*open(source), "out");
  ASSERT_EQ(got.size(), want.size());
  float largest = 0, error = 0;
  for (size_t i = 0; i < got.size(); i += sizeof(float)) {
    float a, b;
    std::memcpy(&a, &got[i], sizeof a);
    std::memcpy(&b, &want[i], sizeof b);
    largest = std::max(largest, std::fabs(b));
    error = std::max(error, std::fabs(a - b));
  }
  EXPECT_GT(largest, 0);
  EXPECT_GT(error, 0) << "the answers are those of FP32";
  EXPECT_LE(error, 0.05F * largest);
}

TEST(Int8, Q11_both_flows_end_to_end_and_finishing_twice_gives_the_same) {
  const auto source = mlp().bytes();
  for (CalibrationMode mode : {CalibrationMode::kCalibOps, CalibrationMode::kEngines}) {
    const Parsed calib = converted(source, int8({"out"}, mode));
    Feeder feeder(calib);
    feeder.feed();
    feeder.feed(0.5F);
    auto finished = finish_calibration(calib.bytes, states_of({&feeder}), {});
    ASSERT_TRUE(finished.ok()) << finished.status().message();
    check_int8(*finished, source);
    auto again = finish_calibration(calib.bytes, states_of({&feeder}), {});
    ASSERT_TRUE(again.ok());
    EXPECT_EQ(again->graph.flatten(), finished->graph.flatten());
    auto table = calibration_table(calib.bytes, states_of({&feeder}), {});
    ASSERT_TRUE(table.ok());
    EXPECT_EQ(table->json, finished->calibration_table);
  }
}

TEST(Int8, Q8_sessions_merge_to_the_table_of_one) {
  const auto source = mlp().bytes();
  for (CalibrationMode mode : {CalibrationMode::kCalibOps, CalibrationMode::kEngines}) {
    const Parsed calib = converted(source, int8({"out"}, mode));
    Feeder all(calib), first(calib), second(calib);
    for (float factor : {1.F, 2.F, 0.25F}) {
      all.feed(factor);
      (factor == 2.F ? first : second).feed(factor);
    }
    auto one = calibration_table(calib.bytes, states_of({&all}), {});
    auto merged = calibration_table(calib.bytes, states_of({&second, &first}), {});
    ASSERT_TRUE(one.ok() && merged.ok());
    EXPECT_EQ(one->json, merged->json);
  }
}

std::string table_of(const std::vector<std::byte>& source) {
  const Parsed calib = converted(source, int8({"out"}, CalibrationMode::kCalibOps));
  Feeder feeder(calib);
  feeder.feed();
  auto table = calibration_table(calib.bytes, states_of({&feeder}), {});
  EXPECT_TRUE(table.ok());
  return table.ok() ? table->json : "";
}

TEST(Int8, a_table_converts_without_calibration) {
  const auto source = mlp().bytes();
  ConvertOptions options = int8({"out"}, CalibrationMode::kNone);
  options.calibration_table = table_of(source);
  auto result = convert(source, options);
  ASSERT_TRUE(result.ok()) << result.status().message();
  check_int8(*result, source);
  EXPECT_EQ(result->calibration_table, options.calibration_table);
}

TEST(Int8, Q14_table_of_another_graph_is_refused_with_both_identities) {
  auto other = mlp();
  other.floats("unused", {2});
  const auto source = mlp().bytes(), deeper = mlp(3).bytes();
  ConvertOptions options = int8({"out"}, CalibrationMode::kNone);
  options.calibration_table = table_of(source);
  const Status status = convert(deeper, options).status();
  EXPECT_EQ(status.code(), Code::kCalibrationError);
  auto one = graphdef::parse(source), two = graphdef::parse(deeper);
  EXPECT_NE(status.message().find(convert_detail::graph_identity(*one)), std::string::npos);
  EXPECT_NE(status.message().find(convert_detail::graph_identity(*two)), std::string::npos);
  // Nodes that no output needs are not part of it.
  EXPECT_TRUE(convert(other.bytes(), options).ok());
}

TEST(Int8, Q13_unknown_and_missing_tensors_are_named) {
  const auto source = mlp().bytes();
  auto table = quantize::table_from_json(table_of(source));
  ASSERT_TRUE(table.ok());
  ASSERT_TRUE(table->ranges.contains("0/act"));
  table->ranges["no/such"] = table->ranges["0/act"];
  table->ranges.erase("0/act");
  ConvertOptions options = int8({"out"}, CalibrationMode::kNone);
  options.calibration_table = quantize::table_to_json(*table);
  auto result = convert(source, options);
  ASSERT_TRUE(result.ok()) << result.status().message();
  const auto mentions = [](const std::vector<std::string>& lines, const std::string& part) {
    return std::any_of(lines.begin(), lines.end(), [&](const std::string& line) {
      return line.find(part) != std::string::npos;
    });
  };
  EXPECT_TRUE(mentions(result->report.warnings, "'no/such' is in no engine"));
  EXPECT_TRUE(mentions(result->report.engines[0].warnings, "stays in floating point"));
}

TEST(Int8, ranges_of_the_user_without_effect_are_in_the_report) {
  const auto source = mlp().bytes();
  auto table = quantize::table_from_json(table_of(source));
  ASSERT_TRUE(table.ok());
  const auto unused = [&] {
    ConvertOptions options = int8({"out"}, CalibrationMode::kNone);
    options.calibration_table = quantize::table_to_json(*table);
    auto result = convert(source, options);
    EXPECT_TRUE(result.ok()) << result.status().message();
    return result.ok() ? result->report.warnings : std::vector<std::string>{"failed"};
  };
  EXPECT_EQ(unused(), std::vector<std::string>());
  for (const char* name : {"0/act", "1/act"}) {
    table->ranges.at(name).calibrator = ir::kUserCalibrator;
    table->ranges.at(name).from_user = true;
  }
  // Floats behind the last layer.
  EXPECT_EQ(unused(), std::vector<std::string>{"calibration table: the range given for '1/act' is "
                                               "not used: no INT8 layer reads the tensor"});
}

TEST(Int8, without_calibration_and_quantization_nodes_it_is_fp16) {
  auto result = convert(mlp().bytes(), int8({"out"}, CalibrationMode::kNone));
  ASSERT_TRUE(result.ok()) << result.status().message();
  ASSERT_FALSE(result->report.warnings.empty());
  EXPECT_EQ(result->report.warnings[0], "Set engine precision to FP16 due to missing QDQ OP");
  const Parsed mixed = parsed(result->graph.flatten());
  for (const graphdef::Node& node : mixed.graph.nodes)
    if (node.op == "TRTEngineOp") {
      EXPECT_EQ(*graphdef::attr_string_or(node, "precision_mode", ""), "FP16");
      EXPECT_FALSE(*graphdef::attr_bool_or(node, "use_calibration", true));
    }
}

TEST(Int8, Q13_states_that_are_corrupt_or_of_another_engine_are_refused) {
  const Parsed calib = converted(mlp().bytes(), int8({"out"}, CalibrationMode::kEngines));
  const Parsed other = converted(mlp(3).bytes(), int8({"out"}, CalibrationMode::kEngines));
  Feeder feeder(other);
  feeder.feed();
  std::vector<std::byte> state = feeder.state();
  const auto refused = [&](const std::vector<std::byte>& bytes) {
    const CalibrationStates states = [&](const std::string&) {
      return std::vector<std::vector<std::byte>>{bytes};
    };
    const Status status = finish_calibration(calib.bytes, states, {}).status();
    EXPECT_EQ(status.code(), Code::kCalibrationError) << status.message();
    EXPECT_NE(status.message().find("TRTEngineOp_000_000"), std::string::npos) << status.message();
  };
  refused(state);
  state[state.size() / 2] ^= std::byte{1};
  refused(state);
  state.resize(state.size() / 2);
  refused(state);
}

// Choosing ranges is what takes the time, so it says how far it is.
TEST(Int8, the_finish_reports_each_step) {
  const Parsed calib = converted(mlp().bytes(), int8({"out"}, CalibrationMode::kEngines));
  Feeder feeder(calib);
  feeder.feed();
  for (const auto& [calibrator, steps] :
       {std::pair{"auto", std::vector<int64_t>{0, 1, 2, 3, 4, 5, 6}},
        {"minmax", std::vector<int64_t>{0, 6}}}) {
    std::vector<int64_t> seen;
    std::set<std::string> stages;
    FinishOptions options;
    options.calibrator = calibrator;
    options.progress = [&](const std::string& stage, int64_t done, int64_t total, double eta_s) {
      stages.insert(stage);
      EXPECT_GE(eta_s, 0);
      if (stage != "ranges") return;
      EXPECT_EQ(total, 6);
      seen.push_back(done);
    };
    ASSERT_TRUE(finish_calibration(calib.bytes, states_of({&feeder}), options).ok());
    EXPECT_EQ(seen, steps) << calibrator;
    EXPECT_TRUE(stages.contains("build"));
  }
}

TEST(Int8, unknown_calibrator_is_refused) {
  const Parsed calib = converted(mlp().bytes(), int8({"out"}, CalibrationMode::kEngines));
  FinishOptions options;
  options.calibrator = "magic";
  const Status status = finish_calibration(calib.bytes, &no_states, options).status();
  EXPECT_EQ(status.code(), Code::kInvalidArgument);
  EXPECT_NE(status.message().find("'magic'"), std::string::npos);
}

}  // namespace
}  // namespace graft
