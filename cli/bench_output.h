// What `graft bench` measured, as text, JSON and a Chrome trace.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "graft/engine.h"

namespace graft::cli {

struct BenchResult {
  int runs = 0, threads = 0;  // threads 0: as many as the process may use
  double p50_ms = 0, p90_ms = 0, p99_ms = 0, min_ms = 0;
  // Steps in their order; a time is the median over the runs. Empty: not profiled.
  std::vector<std::pair<std::string, std::vector<StepInfo>>> engines;
};

void print_bench(const BenchResult& result);

// {runs, threads, latency_ms {p50, p90, p99, min}, runs_per_s, engines [{name, steps [{name, op,
// kernel, us, flops, bytes, refused [text]}]}]}; steps within a fused one have 0 us.
std::string bench_json(const BenchResult& result);

// One event a step, one after another; a row an engine.
std::string bench_trace(const BenchResult& result);

}  // namespace graft::cli
