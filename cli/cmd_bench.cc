// graft bench: latency of a graph in Graft's own session, and times by layer.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <map>
#include <memory>

#include "bench_output.h"
#include "command.h"
#include "interrupt.h"
#include "session_args.h"

namespace graft::cli {
namespace {

struct Args : SessionArgs {
  int runs = 30, warmup = 5;
  bool layers = false;
  std::string json, trace;
};

double quantile(std::vector<double>& values, double q) {
  std::sort(values.begin(), values.end());
  return values[static_cast<size_t>(q * static_cast<double>(values.size() - 1))];
}

int bench(Args& args) {
  Result<Feeds> feeds = load_feeds(args.feeds);
  if (!feeds.ok()) return fail(feeds.status());
  Result<std::unique_ptr<Session>> session = open_session(args);
  if (!session.ok()) return fail(session.status());
  const auto refs = feeds->refs();
  std::vector<double> times_ms;
  std::map<std::string, std::vector<std::vector<double>>> step_times;  // by engine, step and run
  for (int i = 0; i < args.warmup + args.runs; ++i) {
    const auto start = std::chrono::steady_clock::now();
    Result<std::vector<HostTensor>> results =
        (*session)->run(args.fetches, refs, interrupt_token());
    if (!results.ok()) return fail(results.status());
    if (i < args.warmup) continue;
    const std::chrono::duration<double, std::milli> time = std::chrono::steady_clock::now() - start;
    times_ms.push_back(time.count());
    if (!args.options.profile) continue;
    for (const auto& [name, engine] : (*session)->engines()) {
      const std::vector<StepInfo> steps = engine->steps();
      auto& times = step_times[name];
      times.resize(steps.size());
      for (size_t s = 0; s < steps.size(); ++s) times[s].push_back(steps[s].time_ns);
    }
  }
  BenchResult result;
  result.runs = args.runs;
  result.threads = args.options.engine.threads;
  result.p50_ms = quantile(times_ms, 0.5);
  result.p90_ms = quantile(times_ms, 0.9);
  result.p99_ms = quantile(times_ms, 0.99);
  result.min_ms = times_ms[0];
  if (args.options.profile) {
    for (const auto& [name, engine] : (*session)->engines()) {
      std::vector<StepInfo> steps = engine->steps();
      for (size_t s = 0; s < steps.size(); ++s)
        steps[s].time_ns = quantile(step_times[name][s], 0.5);
      result.engines.emplace_back(name, std::move(steps));
    }
  }
  if (args.json == "-") {
    std::fputs(bench_json(result).c_str(), stdout);
  } else {
    print_bench(result);
  }
  if (!args.json.empty() && args.json != "-") {
    if (Status s = write_text(args.json, bench_json(result)); !s.ok()) return fail(s);
  }
  if (!args.trace.empty()) {
    if (Status s = write_text(args.trace, bench_trace(result)); !s.ok()) return fail(s);
  }
  return kDone;
}

}  // namespace

void add_bench(CLI::App& app, int& exit_code) {
  auto args = std::make_shared<Args>();
  CLI::App* cmd = app.add_subcommand("bench", "Latency of a graph without TensorFlow");
  add_session_options(*cmd, *args);
  cmd->add_option("--runs", args->runs)->check(CLI::Range(1, 1000000));
  cmd->add_option("--warmup", args->warmup)->check(CLI::Range(0, 1000000));
  cmd->add_flag("--layers", args->layers, "Times by layer, medians over the runs");
  cmd->add_option("--json", args->json, "Write latency and layers as JSON; '-' prints them");
  cmd->add_option("--trace", args->trace,
                  "Write the layers as a Chrome trace (chrome://tracing, ui.perfetto.dev)");
  cmd->callback([args, &exit_code] {
    args->options.profile = args->layers || !args->json.empty() || !args->trace.empty();
    exit_code = bench(*args);
  });
}

}  // namespace graft::cli
