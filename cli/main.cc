// The `graft` command: thin subcommands over the library.
#include <cstdio>

#include "command.h"
#include "interrupt.h"

namespace graft::cli {

int fail(const Status& status) {
  std::fprintf(stderr, "graft: %s: %s\n", std::string(code_name(status.code())).c_str(),
               status.message().c_str());
  return kError;
}

Status write_text(const std::string& path, const std::string& text) {
  return write_file_atomic(path, std::as_bytes(std::span(text)));
}

}  // namespace graft::cli

namespace {

int run(int argc, char** argv) {
  using namespace graft::cli;
  CLI::App app{"Graft: an inference accelerator for TensorFlow graphs"};
  app.set_version_flag("--version", std::string("graft ") + GRAFT_VERSION);
  app.require_subcommand(1);
  int exit_code = kDone;
  add_convert(app, exit_code);
  add_analyze(app, exit_code);
  add_calibrate(app, exit_code);
  add_finalize(app, exit_code);
  add_inspect(app, exit_code);
  add_run(app, exit_code);
  add_bench(app, exit_code);
  add_compare(app, exit_code);
  add_rescue(app, exit_code);
  add_ops(app, exit_code);
  add_doctor(app, exit_code);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error);
    return code == 0 ? kDone : kUsage;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "graft: InternalError: %s\n", error.what());
    return kError;
  }
  return exit_code;
}

}  // namespace

int main(int argc, char** argv) {
  graft::cli::watch_for_interrupts();
  const int exit_code = run(argc, argv);
  graft::cli::die_if_interrupted();
  return exit_code;
}
