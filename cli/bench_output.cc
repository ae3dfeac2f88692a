#include "bench_output.h"

#include <cstdio>
#include <nlohmann/json.hpp>

namespace graft::cli {
namespace {

using Json = nlohmann::ordered_json;

// Names come from graphs: bytes that are no UTF-8 are replaced.
std::string text_of(const Json& json) {
  return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

double gflops(const StepInfo& step) { return step.time_ns > 0 ? step.flops / step.time_ns : 0; }

}  // namespace

void print_bench(const BenchResult& result) {
  std::printf("p50 %.3f ms  p90 %.3f ms  p99 %.3f ms  min %.3f ms  (%d runs)\n", result.p50_ms,
              result.p90_ms, result.p99_ms, result.min_ms, result.runs);
  for (const auto& [name, steps] : result.engines) {
    double total = 0;
    for (const StepInfo& step : steps) total += step.time_ns;
    std::printf("engine %s: %.3f ms in steps\n", name.c_str(), total / 1e6);
    for (const StepInfo& step : steps)
      std::printf("  %9.1f us %5.1f %% %8.2f GFLOP/s  %-26s %s\n", step.time_ns / 1e3,
                  total > 0 ? 100 * step.time_ns / total : 0, gflops(step), step.kernel.c_str(),
                  step.name.c_str());
  }
}

std::string bench_json(const BenchResult& result) {
  Json engines = Json::array();
  for (const auto& [name, steps] : result.engines) {
    Json list = Json::array();
    for (const StepInfo& step : steps)
      list.push_back({{"name", step.name},
                      {"op", step.op},
                      {"kernel", step.kernel},
                      {"us", step.time_ns / 1e3},
                      {"flops", step.flops},
                      {"bytes", step.bytes},
                      {"refused", step.refused}});
    engines.push_back({{"name", name}, {"steps", std::move(list)}});
  }
  return text_of({{"runs", result.runs},
                  {"threads", result.threads},
                  {"latency_ms",
                   {{"p50", result.p50_ms},
                    {"p90", result.p90_ms},
                    {"p99", result.p99_ms},
                    {"min", result.min_ms}}},
                  {"runs_per_s", result.p50_ms > 0 ? 1e3 / result.p50_ms : 0},
                  {"engines", std::move(engines)}});
}

std::string bench_trace(const BenchResult& result) {
  Json events = Json::array();
  double at_us = 0;
  int row = 0;
  for (const auto& [name, steps] : result.engines) {
    ++row;
    events.push_back({{"name", "thread_name"},
                      {"ph", "M"},
                      {"pid", 1},
                      {"tid", row},
                      {"args", {{"name", name}}}});
    for (const StepInfo& step : steps) {
      if (step.time_ns <= 0) continue;  // within a fused step
      events.push_back({{"name", step.name},
                        {"cat", step.op},
                        {"ph", "X"},
                        {"ts", at_us},
                        {"dur", step.time_ns / 1e3},
                        {"pid", 1},
                        {"tid", row},
                        {"args", {{"kernel", step.kernel}, {"GFLOP/s", gflops(step)}}}});
      at_us += step.time_ns / 1e3;
    }
  }
  return text_of({{"traceEvents", std::move(events)}, {"displayTimeUnit", "ms"}});
}

}  // namespace graft::cli
