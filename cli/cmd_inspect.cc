// graft inspect: what a mixed graph or a plan holds. graft doctor: what this machine and process
// offer.

#include <cstdio>
#include <memory>

#include "command.h"
#include "graft/doctor.h"
#include "graft/inspect.h"

namespace graft::cli {

void add_inspect(CLI::App& app, int& exit_code) {
  auto path = std::make_shared<std::string>();
  auto full = std::make_shared<bool>(false);
  CLI::App* cmd = app.add_subcommand("inspect", "Print what a graph or a plan holds");
  cmd->add_option("file", *path, "GraphDef (.pb) or plan")->required();
  cmd->add_flag("--ops", *full, "Print every op of every plan");
  cmd->callback([path, full, &exit_code] {
    Result<std::vector<std::byte>> bytes = read_file(*path, kMaxGraphBytes);
    if (!bytes.ok()) {
      exit_code = fail(bytes.status());
      return;
    }
    Result<std::string> text = inspect(*bytes, *full);
    if (!text.ok()) {
      exit_code = fail(text.status().with_context(*path));
      return;
    }
    std::fputs(text->c_str(), stdout);
  });
}

void add_doctor(CLI::App& app, int& exit_code) {
  CLI::App* cmd =
      app.add_subcommand("doctor", "CPU features, threads and settings, with a verdict each");
  cmd->callback([&exit_code] {
    bool all_good = true;
    for (const DoctorLine& line : doctor()) {
      std::printf("%-4s %-16s %s\n", line.good ? "ok" : "BAD", line.what.c_str(),
                  line.finding.c_str());
      all_good = all_good && line.good;
    }
    exit_code = all_good ? kDone : kError;
  });
}

}  // namespace graft::cli
