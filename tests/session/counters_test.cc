// Runs of engine nodes in a session are counted by engine, and the run options hold there too.
#include <gtest/gtest.h>

#include "base/run_options.h"
#include "convert/convert_testing.h"
#include "graft/counters.h"
#include "graft/session.h"

namespace graft {
namespace {

class SessionCounters : public testing::Test {
 protected:
  void SetUp() override {
    ConvertOptions options = convert_testing::to({"out"});
    options.engine_name_format = "counted";
    const auto bytes = convert_testing::mlp().bytes();
    auto mixed = convert(bytes, options);
    ASSERT_TRUE(mixed.ok()) << mixed.status().message();
    ASSERT_EQ(mixed->report.engines.size(), 1u);
    auto session = Session::create(mixed->graph.flatten());
    ASSERT_TRUE(session.ok()) << session.status().message();
    session_ = std::move(*session);
    reset_counters();
  }
  void TearDown() override {
    EXPECT_TRUE(set_run_option("fail_engines", "").ok());
    EXPECT_TRUE(set_run_option("fail_engine_runs", "").ok());
  }
  Status run(const std::string& fetch = "out") {
    static const std::vector<float> x{1, 2, 3, 4};
    static const std::vector<int64_t> dims{1, 4};
    const std::vector<std::string> fetches{fetch};
    const std::vector<std::pair<std::string, TensorRef>> feeds{
        {"x", TensorRef{DType::kFloat, dims, x.data(), 16}}};
    return session_->run(fetches, feeds).status();
  }
  std::unique_ptr<Session> session_;
};

TEST_F(SessionCounters, each_run_of_an_engine_node_counts_once) {
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(run().ok());
  EXPECT_EQ(counters().at("counted").engine, 3);
  EXPECT_EQ(counters().at("counted").native, 0);
  ASSERT_TRUE(run("x").ok());  // needs no engine
  EXPECT_EQ(counters().at("counted").engine, 3);
  reset_counters();
  EXPECT_EQ(counters().at("counted").engine, 0);
}

TEST_F(SessionCounters, engine_that_is_made_to_fail_is_a_typed_error_and_no_run) {
  for (const char* option : {"fail_engines", "fail_engine_runs"}) {
    ASSERT_TRUE(set_run_option(option, "count*").ok());
    const Status status = run();
    EXPECT_FALSE(status.ok());
    EXPECT_NE(status.message().find("engine 'counted'"), std::string::npos) << status.message();
    EXPECT_NE(status.message().find(option), std::string::npos) << status.message();
    ASSERT_TRUE(set_run_option(option, "").ok());
    EXPECT_TRUE(run().ok());
  }
  EXPECT_EQ(counters().at("counted").engine, 2);
}

}  // namespace
}  // namespace graft
