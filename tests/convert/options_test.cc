// What each option of a conversion does, and what wrong values say.
#include <unistd.h>

#include <filesystem>
#include <set>

#include "convert/build.h"
#include "convert/convert_testing.h"

namespace graft {
namespace {

using convert_testing::mlp;
using convert_testing::to;
using convert_testing::two_islands;
using convert_testing::verdict;

TEST(ConvertOptions, O1_precision_names) {
  EXPECT_EQ(*parse_precision("fp32"), Precision::kFp32);
  EXPECT_EQ(*parse_precision("Fp16"), Precision::kFp16);
  EXPECT_EQ(*parse_precision("BF16"), Precision::kBf16);
  EXPECT_EQ(*parse_precision("int8"), Precision::kInt8);
  for (const char* text : {"", "FP64", "FP32 ", "half", "fp"}) {
    const Status status = parse_precision(text).status();
    EXPECT_EQ(status.code(), Code::kInvalidArgument) << text;
    EXPECT_NE(status.message().find("'FP32', 'FP16', 'BF16', 'INT8'"), std::string::npos);
  }
  for (Precision p : {Precision::kFp32, Precision::kFp16, Precision::kBf16, Precision::kInt8})
    EXPECT_EQ(*parse_precision(precision_name(p)), p);
}

TEST(ConvertOptions, O1_values_out_of_range_are_named) {
  const auto bytes = mlp().bytes();
  const auto refused = [&](ConvertOptions options, Code code, const std::string& part) {
    options.outputs = {"out"};
    for (const Status& status :
         {convert(bytes, options).status(), analyze(bytes, options).status()}) {
      EXPECT_EQ(status.code(), code) << status.message();
      EXPECT_NE(status.message().find(part), std::string::npos) << status.message();
    }
  };
  ConvertOptions o;
  o.min_segment_size = 0;
  refused(o, Code::kInvalidArgument, "minimum_segment_size: got 0");
  o.min_segment_size = -2;
  refused(o, Code::kInvalidArgument, "minimum_segment_size: got -2");
  o = {};
  o.max_batch_size = 0;
  refused(o, Code::kInvalidArgument, "max_batch_size: got 0");
  o.max_batch_size = int64_t{1} << 31;
  refused(o, Code::kInvalidArgument, "max_batch_size: got 2147483648");
  o = {};
  o.max_workspace_bytes = -1;
  refused(o, Code::kInvalidArgument, "max_workspace_size_bytes: got -1");
  o = {};
  o.disabled_passes = {"fold_affine", "no_such_pass"};
  refused(o, Code::kInvalidArgument, "no_such_pass");
  o = {};
  o.calibration = CalibrationMode::kEngines;
  refused(o, Code::kInvalidArgument, "only INT8 is calibrated");
  o = {};
  o.calibration_table = "{}";
  refused(o, Code::kInvalidArgument, "only INT8 is calibrated");
  o.precision = Precision::kInt8;
  refused(o, Code::kCalibrationError, "");
  o.calibration = CalibrationMode::kCalibOps;
  refused(o, Code::kInvalidArgument, "nothing to calibrate");
}

TEST(ConvertOptions, denied_nodes_stay_native_and_say_so) {
  ConvertOptions options = to({"out"});
  options.deny_nodes = {"1/*"};
  auto report = analyze(mlp(3).bytes(), options);
  ASSERT_TRUE(report.ok()) << report.status().message();
  EXPECT_EQ(report->engines.size(), 2u);
  EXPECT_EQ(verdict(*report, "1/mul").engine, -1);
  EXPECT_EQ(verdict(*report, "1/mul").reason_code, "denied");
  EXPECT_EQ(verdict(*report, "1/mul").reason, "denied by node name");
  EXPECT_GE(verdict(*report, "0/mul").engine, 0);
  EXPECT_GE(verdict(*report, "2/mul").engine, 0);

  options = to({"out"});
  options.deny_ops = {"Re*"};
  report = analyze(mlp(3).bytes(), options);
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(verdict(*report, "0/act").reason, "op type Relu is denied");
  EXPECT_TRUE(report->engines.empty()) << "two nodes are too few for an engine";
}

TEST(ConvertOptions, allow_lists_leave_the_rest_native) {
  ConvertOptions options = to({"out"});
  options.allow_nodes = {"0/*"};
  auto report = analyze(mlp(3).bytes(), options);
  ASSERT_TRUE(report.ok()) << report.status().message();
  ASSERT_EQ(report->engines.size(), 1u);
  EXPECT_EQ(verdict(*report, "0/mul").engine, 0);
  EXPECT_EQ(verdict(*report, "1/mul").reason, "not in the allow list of node names");
  options = to({"out"});
  options.allow_ops = {"MatMul"};
  report = analyze(mlp(3).bytes(), options);
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(verdict(*report, "1/add").reason, "op type is not in the allow list");
}

TEST(ConvertOptions, O11_patterns_that_match_nothing_are_warned_of) {
  ConvertOptions options = to({"out"});
  options.deny_ops = {"LSTM*"};
  options.allow_nodes = {"*", "nowhere/*"};
  options.inputs = {"absent"};
  auto report = analyze(mlp().bytes(), options);
  ASSERT_TRUE(report.ok());
  const std::set<std::string> warnings(report->warnings.begin(), report->warnings.end());
  EXPECT_TRUE(warnings.contains("deny_ops: 'LSTM*' matches nothing in the graph"));
  EXPECT_TRUE(warnings.contains("allow_nodes: 'nowhere/*' matches nothing in the graph"));
  EXPECT_TRUE(warnings.contains("inputs: 'absent' is not in the graph"));
}

TEST(ConvertOptions, nodes_that_are_fed_stay_native) {
  ConvertOptions options = to({"out"});
  options.inputs = {"0/act:0"};
  auto report = analyze(mlp().bytes(), options);
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(verdict(*report, "0/act").reason_code, "input_node");
  EXPECT_GE(verdict(*report, "1/mul").engine, 0);
}

TEST(ConvertOptions, strict_wants_an_engine_and_strict_all_every_node) {
  ConvertOptions options = to({"out"});
  options.min_segment_size = 100;
  EXPECT_TRUE(convert(mlp().bytes(), options).ok());
  options.strict = true;
  EXPECT_EQ(convert(mlp().bytes(), options).status().code(), Code::kNotConverted);
  // Asked not to convert: nothing went wrong.
  options.min_segment_size = -1;
  EXPECT_TRUE(convert(mlp().bytes(), options).ok());
  options = to({"end"});
  options.strict_all = true;
  const Status status = convert(two_islands().bytes(), options).status();
  EXPECT_EQ(status.code(), Code::kNotConverted);
  EXPECT_NE(status.message().find("stays native"), std::string::npos) << status.message();
}

TEST(ConvertOptions, time_budget_of_zero_leaves_everything_native) {
  ConvertOptions options = to({"out"});
  options.time_budget_s = 0;
  const auto bytes = mlp().bytes();
  auto conversion = convert(bytes, options);
  ASSERT_TRUE(conversion.ok()) << conversion.status().message();
  EXPECT_EQ(conversion->graph.flatten(), bytes);
  EXPECT_EQ(verdict(conversion->report, "0/mul").reason_code, "build_failed");
  EXPECT_NE(verdict(conversion->report, "0/mul").reason.find("time_budget_s"), std::string::npos);
  options.strict = true;
  EXPECT_EQ(convert(bytes, options).status().code(), Code::kNotConverted);
}

TEST(ConvertOptions, dump_dir_holds_each_stage_and_what_passes_changed) {
  const std::filesystem::path dir =
      std::filesystem::temp_directory_path() / ("graft_stages_" + std::to_string(::getpid()));
  ConvertOptions options = to({"out"});
  options.dump_dir = dir.string();
  auto conversion = convert(mlp().bytes(), options);
  ASSERT_TRUE(conversion.ok()) << conversion.status().message();
  EXPECT_EQ(conversion->report.engines.size(), 1u) << verdict(conversion->report, "0/mul").reason;
  EXPECT_TRUE(std::filesystem::exists(dir / "segment_000_imported.txt"));
  EXPECT_FALSE(std::filesystem::is_empty(dir / "segment_000_passes"));
  std::filesystem::remove_all(dir);
}

TEST(ConvertOptions, engine_names) {
  using convert_detail::engine_name;
  ConvertOptions options;
  EXPECT_EQ(engine_name(options, 0), "TRTEngineOp_000_000");
  options.graph_number = 7;
  EXPECT_EQ(engine_name(options, 12), "TRTEngineOp_007_012");
  options.engine_name_format = "engine_{graph}_{index}";
  EXPECT_EQ(engine_name(options, 3), "engine_7_3");
  options.engine_name_format = "net";
  EXPECT_EQ(engine_name(options, 0), "net");
  EXPECT_EQ(engine_name(options, 1), "net_1");
  options.outputs = {"end"};
  options.min_segment_size = 1;
  auto conversion = convert(two_islands().bytes(), options);
  ASSERT_TRUE(conversion.ok()) << conversion.status().message();
  ASSERT_EQ(conversion->report.engines.size(), 2u);
  EXPECT_EQ(conversion->report.engines[1].name, "net_1");
}

TEST(ConvertOptions, stop_token_cancels) {
  std::stop_source source;
  ConvertOptions options = to({"out"});
  options.stop = source.get_token();
  EXPECT_TRUE(convert(mlp().bytes(), options).ok());
  // Between the stages too: the progress call of the build stops it.
  options.progress = [&](const std::string& stage, int64_t, int64_t, double) {
    if (stage == "build") source.request_stop();
  };
  EXPECT_EQ(convert(mlp().bytes(), options).status().code(), Code::kCancelled);
  EXPECT_EQ(analyze(mlp().bytes(), options).status().code(), Code::kCancelled);
}

TEST(ConvertOptions, max_batch_size_is_not_in_the_plan) {
  std::string identity;
  int64_t weights = 0;
  for (int64_t batch : {1, 8, 128}) {
    ConvertOptions options = to({"out"});
    options.max_batch_size = batch;
    auto conversion = convert(mlp().bytes(), options);
    ASSERT_TRUE(conversion.ok()) << conversion.status().message();
    const EngineReport& engine = conversion->report.engines.at(0);
    if (identity.empty()) {
      identity = engine.identity;
      weights = engine.weights_bytes;
    }
    EXPECT_EQ(engine.identity, identity) << batch;
    EXPECT_EQ(engine.weights_bytes, weights) << batch;
    EXPECT_EQ(engine.boundary_bytes, 2 * 16 * batch);
  }
  EXPECT_EQ(identity.size(), 64u);
}

}  // namespace
}  // namespace graft
