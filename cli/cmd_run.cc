// graft run, graft bench: a graph in Graft's own session.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>

#include "command.h"
#include "feeds.h"
#include "graft/session.h"
#include "interrupt.h"
#include "npy.h"

namespace graft::cli {
namespace {

struct Args {
  std::string graph, output_dir;
  std::vector<std::string> feeds, fetches;
  SessionOptions options;
  int runs = 30, warmup = 5;
  bool layers = false;
};

void add_common(CLI::App& cmd, Args& args) {
  cmd.add_option("graph", args.graph, "Frozen or mixed GraphDef (.pb)")->required();
  cmd.add_option("--feed", args.feeds, "NAME=FILE.npy, repeated");
  cmd.add_option("--fetch", args.fetches, "Tensors to compute")->required()->delimiter(',');
  cmd.add_option("--threads", args.options.engine.threads, "Threads of one run");
  cmd.add_option("--isa", args.options.engine.isa,
                 "Cap for the kernels: baseline | avx2 | avx512 | ...");
}

Result<std::unique_ptr<Session>> open(const Args& args) {
  Result<std::vector<std::byte>> bytes = read_file(args.graph, kMaxGraphBytes);
  if (!bytes.ok()) return bytes.status();
  Result<std::unique_ptr<Session>> session = Session::create(*bytes, args.options);
  if (!session.ok()) return session.status().with_context(args.graph);
  return session;
}

std::string shape_text(const HostTensor& tensor) {
  std::string text = dtype_name(tensor.dtype) + " [";
  for (size_t i = 0; i < tensor.dims.size(); ++i)
    text += (i ? ", " : "") + std::to_string(tensor.dims[i]);
  return text + "]";
}

int run(Args& args) {
  Result<Feeds> feeds = load_feeds(args.feeds);
  if (!feeds.ok()) return fail(feeds.status());
  Result<std::unique_ptr<Session>> session = open(args);
  if (!session.ok()) return fail(session.status());
  const auto refs = feeds->refs();
  Result<std::vector<HostTensor>> results = (*session)->run(args.fetches, refs, interrupt_token());
  if (!results.ok()) return fail(results.status());
  for (size_t i = 0; i < results->size(); ++i) {
    std::printf("%s %s\n", args.fetches[i].c_str(), shape_text((*results)[i]).c_str());
    if (args.output_dir.empty()) continue;
    std::string file = args.fetches[i];
    std::replace(file.begin(), file.end(), '/', '_');
    std::replace(file.begin(), file.end(), ':', '_');
    const std::string path = args.output_dir + "/" + file + ".npy";
    if (Status s = write_file_atomic(path, to_npy((*results)[i])); !s.ok()) return fail(s);
    std::printf("  -> %s\n", path.c_str());
  }
  return kDone;
}

int bench(Args& args) {
  Result<Feeds> feeds = load_feeds(args.feeds);
  if (!feeds.ok()) return fail(feeds.status());
  Result<std::unique_ptr<Session>> session = open(args);
  if (!session.ok()) return fail(session.status());
  const auto refs = feeds->refs();
  std::vector<double> times_ms;
  for (int i = 0; i < args.warmup + args.runs; ++i) {
    const auto start = std::chrono::steady_clock::now();
    Result<std::vector<HostTensor>> results =
        (*session)->run(args.fetches, refs, interrupt_token());
    if (!results.ok()) return fail(results.status());
    if (i >= args.warmup)
      times_ms.push_back(
          std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start)
              .count());
  }
  std::sort(times_ms.begin(), times_ms.end());
  const auto at = [&](double q) {
    return times_ms[static_cast<size_t>(q * static_cast<double>(times_ms.size() - 1))];
  };
  std::printf("p50 %.3f ms  p90 %.3f ms  p99 %.3f ms  min %.3f ms  (%d runs)\n", at(0.5), at(0.9),
              at(0.99), times_ms[0], args.runs);
  if (!args.layers) return kDone;
  for (const auto& [name, engine] : (*session)->engines()) {
    double total = 0;
    for (const StepInfo& step : engine->steps()) total += step.time_ns;
    std::printf("engine %s: %.3f ms in steps\n", name.c_str(), total / 1e6);
    for (const StepInfo& step : engine->steps())
      std::printf("  %9.1f us %5.1f %% %8.2f GFLOP/s  %-26s %s\n", step.time_ns / 1e3,
                  total > 0 ? 100 * step.time_ns / total : 0,
                  step.time_ns > 0 ? step.flops / step.time_ns : 0, step.kernel.c_str(),
                  step.name.c_str());
  }
  return kDone;
}

}  // namespace

void add_run(CLI::App& app, int& exit_code) {
  auto args = std::make_shared<Args>();
  CLI::App* cmd = app.add_subcommand("run", "Run a graph without TensorFlow");
  add_common(*cmd, *args);
  cmd->add_option("-o,--output-dir", args->output_dir, "Write every fetched tensor as NAME.npy");
  cmd->callback([args, &exit_code] { exit_code = run(*args); });
}

void add_bench(CLI::App& app, int& exit_code) {
  auto args = std::make_shared<Args>();
  CLI::App* cmd = app.add_subcommand("bench", "Latency of a graph without TensorFlow");
  add_common(*cmd, *args);
  cmd->add_option("--runs", args->runs)->check(CLI::Range(1, 1000000));
  cmd->add_option("--warmup", args->warmup)->check(CLI::Range(0, 1000000));
  cmd->add_flag("--layers", args->layers, "Times by layer");
  cmd->callback([args, &exit_code] {
    args->options.profile = args->layers;
    exit_code = bench(*args);
  });
}

}  // namespace graft::cli
