#include "base/counters.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace graft {
namespace {

TEST(Counters, name_is_what_follows_the_last_slash) {
  EXPECT_EQ(engine_name_of("TRTEngineOp_0"), "TRTEngineOp_0");
  EXPECT_EQ(engine_name_of("a/b/TRTEngineOp_0"), "TRTEngineOp_0");
  EXPECT_EQ(engine_name_of("a/"), "");
}

TEST(Counters, engines_of_one_name_share_a_counter_from_many_threads) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t)
    threads.emplace_back([] {
      for (int i = 0; i < 100; ++i) engine_counter("shared")->engine.fetch_add(1);
    });
  for (std::thread& t : threads) t.join();
  EXPECT_EQ(counters().at("shared").engine, 800);
  reset_counters();
}

TEST(Counters, reset_keeps_live_engines_at_zero_and_forgets_the_others) {
  const auto live = engine_counter("live");
  live->native = 3;
  engine_counter("gone")->native = 2;
  EXPECT_EQ(counters().at("gone").native, 2);
  reset_counters();
  EXPECT_EQ(counters().at("live").native, 0);
  EXPECT_FALSE(counters().contains("gone"));
}

TEST(Counters, five_warnings_until_the_next_reset) {
  const auto counter = engine_counter("warned");
  int logged = 0;
  for (int i = 0; i < 20; ++i) logged += first_warnings(*counter);
  EXPECT_EQ(logged, 5);
  reset_counters();
  EXPECT_TRUE(first_warnings(*counter));
}

TEST(Counters, json_escapes_names) {
  reset_counters();
  const auto counter = engine_counter("a\"\\\n\xff");
  EXPECT_NE(counters_json().find("\"a\\\"\\\\\\u000a\\u00ff\": {\"engine\": 0"), std::string::npos)
      << counters_json();
}

}  // namespace
}  // namespace graft
