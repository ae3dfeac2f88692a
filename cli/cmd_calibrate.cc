// graft calibrate: data -> calibration table. graft finalize: calibration graph + statistics ->
// INT8 graph.
#include <cstdio>
#include <memory>

#include "calibrate.h"
#include "command.h"
#include "graft/calibrate.h"
#include "interrupt.h"
#include "progress.h"

namespace graft::cli {
namespace {

struct Args {
  std::string input, output;
  ConvertOptions options;
  CalibrateArgs calibrate;
};

int run_calibrate(Args& args) {
  if (Status s = check_writable(args.output); !s.ok()) return fail(s);
  Result<std::vector<std::byte>> bytes = read_file(args.input, kMaxGraphBytes);
  if (!bytes.ok()) return fail(bytes.status());
  args.options.progress = progress_fn(args.calibrate.quiet);
  Result<std::string> table = make_table(*bytes, args.options, args.calibrate);
  if (!table.ok()) return fail(table.status().with_context(args.input));
  if (table->empty()) {
    std::fprintf(stderr, "graft: nothing would become an engine, so nothing was calibrated\n");
    return kNothingConverted;
  }
  if (Status s = write_text(args.output, *table); !s.ok()) return fail(s);
  return kDone;
}

struct FinalizeArgs {
  std::string input, output, directory, save_table;
  FinishOptions options;
  bool quiet = false;
};

int run_finalize(FinalizeArgs& args) {
  for (const std::string* path : {&args.output, &args.save_table})
    if (!path->empty())
      if (Status s = check_writable(*path); !s.ok()) return fail(s);
  Result<std::vector<std::byte>> bytes = read_file(args.input, kMaxGraphBytes);
  if (!bytes.ok()) return fail(bytes.status());
  const CalibrationStates states = [&](const std::string& resource) {
    return read_calibration_files(args.directory, resource);
  };
  args.options.stop = interrupt_token();
  args.options.progress = progress_fn(args.quiet);
  Result<Conversion> conversion = finish_calibration(*bytes, states, args.options);
  if (!conversion.ok()) return fail(conversion.status().with_context(args.input));
  if (Status s = write_file_atomic(args.output, conversion->graph); !s.ok()) return fail(s);
  if (!args.save_table.empty())
    if (Status s = write_text(args.save_table, conversion->calibration_table); !s.ok())
      return fail(s);
  if (!args.quiet) std::printf("%s\n", conversion->report.summary().c_str());
  return kDone;
}

}  // namespace

void add_calibrate(CLI::App& app, int& exit_code) {
  auto args = std::make_shared<Args>();
  CLI::App* cmd =
      app.add_subcommand("calibrate", "Run a graph on data and write its calibration table");
  cmd->add_option("graph", args->input, "Frozen GraphDef (.pb)")->required();
  cmd->add_option("--feeds", args->calibrate.feeds,
                  "FILE.npz with an array an input, or NAME=FILE.npy, repeated")
      ->required();
  cmd->add_option("-o,--output", args->output, "Where the table goes (JSON)")->required();
  cmd->add_option("--outputs", args->options.outputs,
                  "Names of the tensors that will be fetched (default: the graph's sinks)")
      ->delimiter(',');
  cmd->add_option("--min-segment-size", args->options.min_segment_size,
                  "As the conversion's: smaller segments are not calibrated");
  add_calibrator(*cmd, args->calibrate);
  cmd->add_option("--threads", args->calibrate.threads, "Threads of one run");
  cmd->add_flag("--quiet", args->calibrate.quiet, "Print nothing but errors");
  cmd->callback([args, &exit_code] { exit_code = run_calibrate(*args); });
}

void add_finalize(CLI::App& app, int& exit_code) {
  auto args = std::make_shared<FinalizeArgs>();
  CLI::App* cmd = app.add_subcommand(
      "finalize", "Calibration graph and the statistics that processes wrote -> INT8 graph");
  cmd->add_option("graph", args->input, "Calibration graph (.pb)")->required();
  cmd->add_option("--calibration-dir", args->directory,
                  "The directory that GRAFT_CALIBRATION_DIR named in those processes")
      ->required();
  cmd->add_option("-o,--output", args->output, "Where the mixed graph goes")->required();
  cmd->add_option("--save-table", args->save_table, "Also write the calibration table");
  add_finish_options(*cmd, args->options);
  cmd->add_flag("--quiet", args->quiet, "Print nothing but errors");
  cmd->callback([args, &exit_code] { exit_code = run_finalize(*args); });
}

}  // namespace graft::cli
