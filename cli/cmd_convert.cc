// graft convert, graft analyze.
#include <cstdio>
#include <memory>

#include "calibrate.h"
#include "command.h"
#include "graft/convert.h"
#include "interrupt.h"
#include "progress.h"

namespace graft::cli {
namespace {

struct Args {
  std::string input, output, report_json, report_text, report_html, precision = "fp32";
  ConvertOptions options;
  bool quiet = false, json = false, strict = false, no_native_segments = false;
  std::string fp32_math = "fast";
  CalibrateArgs calibrate;
  std::string table, save_table;
};

void add_common(CLI::App& cmd, Args& args) {
  cmd.add_option("graph", args.input, "Frozen GraphDef (.pb)")->required();
  cmd.add_option("--outputs", args.options.outputs,
                 "Names of the tensors that will be fetched (default: the graph's sinks)")
      ->delimiter(',');
  cmd.add_option("--inputs", args.options.inputs, "Nodes that will be fed")->delimiter(',');
  cmd.add_option("--precision", args.precision, "fp32 | fp16 | bf16 | int8");
  cmd.add_option("--max-batch-size", args.options.max_batch_size,
                 "The batch that tuning is for; never a limit");
  cmd.add_option("--workspace", args.options.max_workspace_bytes,
                 "Cap on the scratch memory of one engine, bytes");
  cmd.add_option("--memory-limit", args.options.memory_limit_bytes,
                 "Cap on the memory of all engines together, bytes; -1: none");
  cmd.add_option("--min-segment-size", args.options.min_segment_size,
                 "Segments with fewer effective nodes stay native; -1: convert nothing");
  cmd.add_option("--max-engines", args.options.max_engines,
                 "Keep the most valuable engines; 0: no cap");
  cmd.add_option("--deny-op", args.options.deny_ops, "Op types that stay native (globs)");
  cmd.add_option("--deny-node", args.options.deny_nodes, "Nodes that stay native (globs)");
  cmd.add_option("--disable-pass", args.options.disabled_passes, "Passes to leave out");
  cmd.add_option("--dump-to", args.options.dump_dir, "Directory for the text of every stage");
  cmd.add_option("--fp32-math", args.fp32_math, "fast | strict (no Winograd)")
      ->check(CLI::IsMember({"fast", "strict"}));
  cmd.add_flag("--verify-each-pass", args.options.verify_each_pass);
  cmd.add_option("--report-json", args.report_json, "Also write the report as JSON");
  cmd.add_option("--report-text", args.report_text, "Also write the report as text");
  cmd.add_option("--report-html", args.report_html,
                 "Also write the report as one HTML page with a map of the engines");
  cmd.add_flag("--json", args.json, "Print the report as JSON");
  cmd.add_flag("--quiet", args.quiet, "Print nothing but errors");
}

Status finish(Args& args) {
  Result<Precision> precision = parse_precision(args.precision);
  if (!precision.ok()) return precision.status();
  args.options.precision = *precision;
  args.options.stop = interrupt_token();
  args.options.strict = args.strict;
  args.options.strict_math = args.fp32_math == "strict";
  args.options.native_segments = !args.no_native_segments;
  args.options.progress = progress_fn(args.quiet);
  return ok_status();
}

// Before the work, so that a wrong path costs nothing.
Status check_outputs(const Args& args) {
  for (const std::string* path :
       {&args.output, &args.report_json, &args.report_text, &args.report_html, &args.save_table})
    if (!path->empty())
      if (Status s = check_writable(*path); !s.ok()) return s;
  return ok_status();
}

Status write_reports(const Args& args, const Report& report) {
  if (!args.report_json.empty())
    if (Status s = write_text(args.report_json, report.json()); !s.ok()) return s;
  if (!args.report_text.empty())
    if (Status s = write_text(args.report_text, report.text()); !s.ok()) return s;
  if (args.report_html.empty()) return ok_status();
  return write_text(args.report_html, report.html());
}

void print_report(const Args& args, const Report& report) {
  if (args.quiet) return;
  std::fputs((args.json ? report.json() : report.text()).c_str(), stdout);
  if (args.json) std::fputc('\n', stdout);
}

// Sets calibration_table, from a file or from data.
Status prepare_int8(std::span<const std::byte> graph, Args& args) {
  const bool asked = !args.table.empty() || !args.calibrate.feeds.empty();
  if (args.options.precision != Precision::kInt8)
    return asked ? invalid_argument("--calibrate and --table are for --precision int8")
                 : ok_status();
  if (args.table.empty() == args.calibrate.feeds.empty())
    return invalid_argument("--precision int8 needs either --calibrate or --table");
  if (!args.table.empty()) {
    Result<std::vector<std::byte>> text = read_file(args.table, kMaxGraphBytes);
    if (!text.ok()) return text.status();
    args.options.calibration_table.assign(reinterpret_cast<const char*>(text->data()),
                                          text->size());
    return ok_status();
  }
  args.calibrate.quiet = args.quiet;
  Result<std::string> table = make_table(graph, args.options, args.calibrate);
  if (!table.ok()) return table.status();
  if (table->empty()) args.options.precision = Precision::kFp32;  // no engine: the graph stays
  args.options.calibration_table = *table;
  if (args.save_table.empty() || table->empty()) return ok_status();
  return write_text(args.save_table, *table);
}

int run_convert(Args& args) {
  if (Status s = finish(args); !s.ok()) return fail(s);
  if (Status s = check_outputs(args); !s.ok()) return fail(s);
  Result<std::vector<std::byte>> bytes = read_file(args.input, kMaxGraphBytes);
  if (!bytes.ok()) return fail(bytes.status());
  if (Status s = prepare_int8(*bytes, args); !s.ok()) return fail(s.with_context(args.input));
  Result<Conversion> conversion = convert(*bytes, args.options);
  if (!conversion.ok()) return fail(conversion.status().with_context(args.input));
  if (Status s = write_file_atomic(args.output, conversion->graph); !s.ok()) return fail(s);
  if (Status s = write_reports(args, conversion->report); !s.ok()) return fail(s);
  if (args.json)
    print_report(args, conversion->report);
  else if (!args.quiet)
    std::printf("%s\n", conversion->report.summary().c_str());
  return conversion->report.engines.empty() ? kNothingConverted : kDone;
}

int run_analyze(Args& args) {
  if (Status s = finish(args); !s.ok()) return fail(s);
  if (Status s = check_outputs(args); !s.ok()) return fail(s);
  Result<std::vector<std::byte>> bytes = read_file(args.input, kMaxGraphBytes);
  if (!bytes.ok()) return fail(bytes.status());
  // What can be known before there are ranges.
  if (args.options.precision == Precision::kInt8)
    args.options.calibration = CalibrationMode::kEngines;
  Result<Report> report = analyze(*bytes, args.options);
  if (!report.ok()) return fail(report.status().with_context(args.input));
  if (Status s = write_reports(args, *report); !s.ok()) return fail(s);
  print_report(args, *report);
  return kDone;
}

}  // namespace

void add_convert(CLI::App& app, int& exit_code) {
  auto args = std::make_shared<Args>();
  CLI::App* cmd = app.add_subcommand(
      "convert", "Frozen GraphDef -> mixed GraphDef; exits 3 when nothing was converted");
  add_common(*cmd, *args);
  cmd->add_option("-o,--output", args->output, "Where the mixed graph goes")->required();
  cmd->add_option("--calibrate", args->calibrate.feeds,
                  "Calibration data: FILE.npz with an array an input, or NAME=FILE.npy, repeated");
  add_calibrator(*cmd, args->calibrate);
  auto* table = cmd->add_option("--table", args->table, "Calibration table instead of data (JSON)");
  cmd->add_option("--save-table", args->save_table, "Also write the calibration table")
      ->excludes(table);
  cmd->add_flag("--strict", args->strict,
                "Fail when a segment's build fails or nothing is converted");
  cmd->add_flag("--no-native-segments", args->no_native_segments,
                "Drop the native form of engines (no run-time fallback, half the size)");
  cmd->callback([args, &exit_code] { exit_code = run_convert(*args); });
}

void add_analyze(CLI::App& app, int& exit_code) {
  auto args = std::make_shared<Args>();
  CLI::App* cmd = app.add_subcommand("analyze", "The report of a conversion, without converting");
  add_common(*cmd, *args);
  cmd->callback([args, &exit_code] { exit_code = run_analyze(*args); });
}

}  // namespace graft::cli
