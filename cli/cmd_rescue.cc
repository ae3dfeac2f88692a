// graft rescue: a graph of TensorFlow's TensorRT converter -> its native nodes.
#include <cstdio>
#include <memory>

#include "command.h"
#include "graft/rescue.h"

namespace graft::cli {
namespace {

struct Args {
  std::string input, output;
  bool quiet = false;
};

int run_rescue(const Args& args) {
  if (Status s = check_writable(args.output); !s.ok()) return fail(s);
  Result<std::vector<std::byte>> bytes = read_file(args.input, kMaxGraphBytes);
  if (!bytes.ok()) return fail(bytes.status());
  Result<Rescued> rescued = rescue(*bytes);
  if (!rescued.ok()) return fail(rescued.status().with_context(args.input));
  if (Status s = write_file_atomic(args.output, rescued->graph); !s.ok()) return fail(s);
  if (!args.quiet) {
    std::printf("%zu engines turned back into native nodes\n", rescued->engines.size());
    for (const std::string& name : rescued->engines) std::printf("  %s\n", name.c_str());
  }
  return rescued->engines.empty() ? kNothingConverted : kDone;
}

}  // namespace

void add_rescue(CLI::App& app, int& exit_code) {
  auto args = std::make_shared<Args>();
  CLI::App* cmd = app.add_subcommand(
      "rescue", "Turn the engines of a TF-TRT graph back into native nodes; 3: it has none");
  cmd->add_option("graph", args->input, "GraphDef with engine nodes (.pb)")->required();
  cmd->add_option("-o,--output", args->output, "Where the native graph goes")->required();
  cmd->add_flag("--quiet", args->quiet, "Print nothing but errors");
  cmd->callback([args, &exit_code] { exit_code = run_rescue(*args); });
}

}  // namespace graft::cli
