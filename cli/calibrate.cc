#include "calibrate.h"

#include <algorithm>
#include <cstdio>

#include "batches.h"
#include "command.h"
#include "graft/session.h"
#include "interrupt.h"
#include "progress.h"

namespace graft::cli {
namespace {

std::vector<std::string> placeholders(const Report& report) {
  std::vector<std::string> names;
  for (const NodeVerdict& node : report.nodes)
    if (node.op == "Placeholder" || node.op == "PlaceholderV2") names.push_back(node.name);
  return names;
}

Status run_all(Session& session, const std::vector<std::string>& fetches, const NamedTensors& data,
               int64_t count, const CalibrateArgs& args) {
  ProgressLine line;
  const auto show = [&](int64_t done) {
    const double rate = static_cast<double>(done) / line.elapsed_s();
    char text[128];
    std::snprintf(text, sizeof text, "calibrate %lld/%lld images  %.1f images/s  ETA %.1f s",
                  static_cast<long long>(done), static_cast<long long>(count), rate,
                  static_cast<double>(count - done) / rate);
    line.show(text, done, count);
  };
  return for_each_batch(data, count, args.batch, [&](int64_t at, const FeedRefs& feeds) -> Status {
    Result<std::vector<HostTensor>> results = session.run(fetches, feeds, interrupt_token());
    if (!results.ok())
      return results.status().with_context("calibration at image " + std::to_string(at));
    if (!args.quiet) show(std::min(at + args.batch, count));
    return ok_status();
  });
}

void take_ranges(const std::vector<std::string>& items, FinishOptions& options) {
  for (const std::string& item : items) {
    const size_t at = item.rfind('=');
    float low = 0, high = 0;
    char end = 0;
    const char* numbers = at == std::string::npos ? "" : item.c_str() + at + 1;
    const bool both = std::sscanf(numbers, "%f,%f%c", &low, &high, &end) == 2;
    if (!both && std::sscanf(numbers, "%f%c", &high, &end) != 1)
      throw CLI::ValidationError("--range",
                                 "got '" + item + "', expected NAME=LIMIT or NAME=LOWEST,HIGHEST");
    options.ranges[item.substr(0, at)] = {both ? low : -high, high};
  }
}

}  // namespace

void add_finish_options(CLI::App& cmd, FinishOptions& options) {
  cmd.add_option("--calibrator", options.calibrator, "How data become ranges")
      ->check(CLI::IsMember({"auto", "entropy", "percentile", "minmax", "mse"}));
  cmd.add_option("--percentile", options.percentile, "Of the calibrator percentile");
  cmd.add_option_function<std::vector<std::string>>(
      "--range", [&options](const std::vector<std::string>& items) { take_ranges(items, options); },
      "NAME=LIMIT or NAME=LOWEST,HIGHEST: the range of a tensor instead of what its data say, "
      "repeated");
  cmd.add_flag("--ignore-non-finite", options.ignore_non_finite,
               "Leave NaN and infinities out of the statistics instead of refusing them");
}

void add_calibrator(CLI::App& cmd, CalibrateArgs& args) {
  add_finish_options(cmd, args.finish);
  cmd.add_option("--calibration-batch", args.batch, "Images a run")
      ->check(CLI::Range(int64_t{1}, int64_t{1} << 31));
}

Result<std::string> make_table(std::span<const std::byte> graph, ConvertOptions options,
                               const CalibrateArgs& args) {
  Result<NamedTensors> data = load_data(args.feeds, "calibration data");
  if (!data.ok()) return data.status();
  Result<int64_t> count = image_count(*data, "calibration data");
  if (!count.ok()) return count.status();
  options.precision = Precision::kInt8;
  options.calibration = CalibrationMode::kEngines;
  options.native_segments = false;
  options.stop = interrupt_token();
  Result<Conversion> conversion = convert(graph, options);
  if (!conversion.ok()) return conversion.status();
  if (conversion->report.engines.empty()) return std::string();
  name_single_input(placeholders(conversion->report), *data);
  const std::vector<std::byte> bytes = conversion->graph.flatten();
  SessionOptions session_options;
  session_options.engine.threads = args.threads;
  Result<std::unique_ptr<Session>> session = Session::create(bytes, session_options);
  if (!session.ok()) return session.status();
  if (Status s = run_all(**session, conversion->report.outputs, *data, *count, args); !s.ok())
    return s;
  const CalibrationStates states = [&](const std::string& resource) {
    std::vector<std::vector<std::byte>> found;
    if (auto collector = (*session)->calibration(resource)) found.push_back(collector->state());
    return Result<std::vector<std::vector<std::byte>>>(std::move(found));
  };
  FinishOptions finish = args.finish;
  finish.progress = options.progress;
  finish.stop = interrupt_token();
  Result<CalibrationTable> table = calibration_table(bytes, states, finish);
  if (!table.ok()) return table.status();
  if (!args.quiet)
    for (const std::string& warning : table->warnings)
      std::fprintf(stderr, "graft: warning: %s\n", warning.c_str());
  return std::move(table->json);
}

}  // namespace graft::cli
