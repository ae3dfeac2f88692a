// graft run: a graph in Graft's own session.
#include <algorithm>
#include <cstdio>
#include <memory>

#include "command.h"
#include "interrupt.h"
#include "npy.h"
#include "session_args.h"

namespace graft::cli {
namespace {

struct Args : SessionArgs {
  std::string output_dir;
};

std::string shape_text(const HostTensor& tensor) {
  std::string text = dtype_name(tensor.dtype) + " [";
  for (size_t i = 0; i < tensor.dims.size(); ++i)
    text += (i ? ", " : "") + std::to_string(tensor.dims[i]);
  return text + "]";
}

int run(Args& args) {
  Result<Feeds> feeds = load_feeds(args.feeds);
  if (!feeds.ok()) return fail(feeds.status());
  Result<std::unique_ptr<Session>> session = open_session(args);
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

}  // namespace

void add_run(CLI::App& app, int& exit_code) {
  auto args = std::make_shared<Args>();
  CLI::App* cmd = app.add_subcommand("run", "Run a graph without TensorFlow");
  add_session_options(*cmd, *args);
  cmd->add_option("-o,--output-dir", args->output_dir, "Write every fetched tensor as NAME.npy");
  cmd->callback([args, &exit_code] { exit_code = run(*args); });
}

}  // namespace graft::cli
